#include "media/devices/aecg_series.h"
#include "media/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char *code, *unit;
  double origin, scale;
  GArray *digits; /* gint32 */
} Sequence;

struct AecgSeries {
  EcgRecording *recording;
  GPtrArray *leads; /* Sequence, of the open set */
  Sequence *open;   /* NULL: a sequence of times, or none */
  gboolean derived;
  guint64 rate_num, rate_den; /* of the open set; 0: not known */
  guint64 digits;             /* of the document */
};

static void
sequence_free (void *data)
{
  Sequence *sequence = data;
  g_free (sequence->code);
  g_free (sequence->unit);
  g_array_unref (sequence->digits);
  g_free (sequence);
}

AecgSeries *
aecg_series_new (EcgRecording *recording)
{
  AecgSeries *series = g_new0 (AecgSeries, 1);
  series->recording = recording;
  series->leads = g_ptr_array_new_with_free_func (sequence_free);
  return series;
}

void
aecg_series_free (AecgSeries *series)
{
  g_ptr_array_unref (series->leads);
  g_free (series);
}

static gboolean
fail (GError **error, const char *what, const char *value)
{
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED, "%s: %.40s", what,
               value != NULL ? value : "(none)");
  return FALSE;
}

void
aecg_set_begin (AecgSeries *series, gboolean derived)
{
  g_ptr_array_set_size (series->leads, 0);
  series->open = NULL;
  series->derived = derived;
  series->rate_num = series->rate_den = 0;
}

void
aecg_sequence_begin (AecgSeries *series)
{
  series->open = NULL;
}

gboolean
aecg_sequence_code (AecgSeries *series, const char *code, GError **error)
{
  if (code == NULL)
    return fail (error, "a sequence without a code", code);
  if (g_str_has_prefix (code, "TIME_"))
    return TRUE;
  if (series->leads->len >= 256)
    return fail (error, "more than 256 leads in a sequence set", code);
  Sequence *sequence = g_new0 (Sequence, 1);
  sequence->code = g_strndup (code, 64);
  sequence->scale = 1;
  sequence->digits = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_ptr_array_add (series->leads, sequence);
  series->open = sequence;
  return TRUE;
}

/* Seconds of a unit of time: den of them are one second. */
static guint64
unit_den (const char *unit)
{
  return unit == NULL || g_str_equal (unit, "s") ? 1
         : g_str_equal (unit, "ms")              ? 1000
         : g_str_equal (unit, "us")              ? 1000000
                                                 : 0;
}

gboolean
aecg_sequence_increment (AecgSeries *series, const char *value, const char *unit, GError **error)
{
  guint64 num = 0, den = 0, units = unit_den (unit);
  if (value == NULL || units == 0 || !ecg_rational (value, &num, &den))
    return fail (error, "the increment of a time sequence is no number of s, ms or us", value);
  series->rate_num = den * units;
  series->rate_den = num;
  return TRUE;
}

static gboolean
number (const char *value, double *ret)
{
  char *end = NULL;
  *ret = value != NULL ? g_ascii_strtod (value, &end) : NAN;
  return end != value && end != NULL && *end == '\0' && isfinite (*ret);
}

gboolean
aecg_sequence_origin (AecgSeries *series, const char *value, const char *unit, GError **error)
{
  if (series->open == NULL)
    return TRUE;
  if (!number (value, &series->open->origin))
    return fail (error, "the origin of a lead is no number", value);
  if (series->open->unit == NULL)
    series->open->unit = g_strdup (unit);
  else if (g_strcmp0 (series->open->unit, unit) != 0 && series->open->origin != 0)
    return fail (error, "origin and scale of a lead have different units", unit);
  return TRUE;
}

gboolean
aecg_sequence_scale (AecgSeries *series, const char *value, const char *unit, GError **error)
{
  if (series->open == NULL)
    return TRUE;
  if (!number (value, &series->open->scale) || series->open->scale == 0)
    return fail (error, "the scale of a lead is no number, or 0", value);
  if (series->open->origin != 0 && g_strcmp0 (series->open->unit, unit) != 0)
    return fail (error, "origin and scale of a lead have different units", unit);
  g_free (series->open->unit);
  series->open->unit = g_strdup (unit);
  return TRUE;
}

gboolean
aecg_sequence_digits (AecgSeries *series, const char *text, GError **error)
{
  if (series->open == NULL)
    return TRUE;
  while (*(text += strspn (text, " \t\r\n")) != '\0') {
    char *end = NULL;
    gint64 value = g_ascii_strtoll (text, &end, 10);
    if (end == text || (*end != '\0' && strchr (" \t\r\n", *end) == NULL) || value <= G_MININT32
        || value > G_MAXINT32)
      return fail (error, "the digits of a lead have something that is no whole number", text);
    gint32 sample = (gint32)value;
    g_array_append_val (series->open->digits, sample);
    if (++series->digits > ECG_SAMPLES_MAX)
      return fail (error, "more samples than are supported", NULL);
    text = end;
  }
  return TRUE;
}

/* ---- A set becomes a stream --------------------------------------------------------------------
 */

static Sequence *
lead_of (const AecgSeries *series, guint index)
{
  return g_ptr_array_index (series->leads, index);
}

static gboolean
add_stream (AecgSeries *series, guint from, guint count, guint length, GError **error)
{
  WaveStream *stream = ecg_stream_new (series->rate_num, series->rate_den, count, error);
  if (stream == NULL)
    return FALSE;
  for (guint i = 0; i < count; i++) {
    const Sequence *lead = lead_of (series, from + i);
    ecg_lead_set (&stream->leads[i], lead->code, lead->unit, lead->scale, lead->origin, 0);
  }
  ecg_add_stream (series->recording, stream);
  if (series->derived) {
    g_autofree char *name = g_strconcat ("beat-", stream->id, NULL);
    g_free (stream->id);
    stream->id = g_steal_pointer (&name);
  }
  WaveBlock *block = ecg_add_block (series->recording, stream, 0, 0, length, error);
  if (block == NULL)
    return FALSE;
  for (guint i = 0; i < count; i++)
    memcpy (block->samples + (gsize)i * length, lead_of (series, from + i)->digits->data,
            length * sizeof (gint32));
  return TRUE;
}

gboolean
aecg_set_end (AecgSeries *series, GError **error)
{
  if (series->leads->len == 0)
    return TRUE;
  if (series->rate_num == 0)
    return fail (error, "a sequence set has leads and no time sequence with an increment", NULL);
  guint length = lead_of (series, 0)->digits->len;
  for (guint i = 1; i < series->leads->len; i++)
    if (lead_of (series, i)->digits->len != length)
      return fail (error, "the leads of a sequence set have different numbers of samples",
                   lead_of (series, i)->code);
  for (guint from = 0; from < series->leads->len; from += WAVE_LEADS_MAX)
    if (!add_stream (series, from, MIN (series->leads->len - from, WAVE_LEADS_MAX), length, error))
      return FALSE;
  g_ptr_array_set_size (series->leads, 0);
  series->open = NULL;
  return TRUE;
}
