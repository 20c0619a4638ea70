#include "media/devices/ecg_recording.h"
#include "media/devices/hl7_charset.h"
#include "media/devices/utc.h"
#include "media/error.h"

#include <math.h>
#include <string.h>

#define TEXT_MAX 4096

static void
measurement_free (void *data)
{
  EcgMeasurement *measurement = data;
  g_free (measurement->name);
  g_free (measurement->lead);
  g_free (measurement->unit);
  g_free (measurement->value);
  g_free (measurement);
}

static void
annotation_free (void *data)
{
  EcgAnnotation *annotation = data;
  g_free (annotation->lead);
  g_free (annotation->text);
  g_free (annotation);
}

EcgRecording *
ecg_recording_new (const char *kind)
{
  EcgRecording *recording = g_new0 (EcgRecording, 1);
  recording->kind = kind;
  recording->streams = g_ptr_array_new_with_free_func ((GDestroyNotify)wave_stream_unref);
  recording->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify)wave_block_free);
  recording->interpretation = g_ptr_array_new_with_free_func (g_free);
  recording->measurements = g_ptr_array_new_with_free_func (measurement_free);
  recording->annotations = g_ptr_array_new_with_free_func (annotation_free);
  recording->notes = g_ptr_array_new_with_free_func (g_free);
  return recording;
}

void
ecg_recording_free (EcgRecording *recording)
{
  if (recording == NULL)
    return;
  g_ptr_array_unref (recording->blocks);
  g_ptr_array_unref (recording->streams);
  g_ptr_array_unref (recording->interpretation);
  g_ptr_array_unref (recording->measurements);
  g_ptr_array_unref (recording->annotations);
  g_ptr_array_unref (recording->notes);
  g_free (recording->patient_id);
  g_free (recording->patient_name);
  g_free (recording->patient_birth);
  g_free (recording->device);
  g_free (recording->maker);
  g_free (recording->model);
  g_free (recording);
}

/* ---- Text and time --------------------------------------------------------------------------- */

static gboolean
is_shown (gunichar c)
{
  return !g_unichar_iscntrl (c) && c != 0xFEFF && c != 0x2028 && c != 0x2029;
}

char *
ecg_text (const guint8 *data, gsize length, const char *declared)
{
  const guint8 *end = length > 0 ? memchr (data, 0, length) : NULL;
  gsize used = MIN (end != NULL ? (gsize)(end - data) : length, TEXT_MAX);
  const char *charset = NULL;
  gboolean guessed = FALSE;
  g_autofree char *utf8
      = used == 0 ? NULL : hl7_charset_convert (data, used, declared, &charset, &guessed, NULL);
  if (utf8 == NULL)
    return NULL;
  GString *text = g_string_new (NULL);
  for (const char *p = utf8; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    g_string_append_unichar (text, is_shown (c) ? c : ' ');
  }
  char *shown = g_strstrip (g_string_free (text, FALSE));
  if (*shown == '\0')
    g_clear_pointer (&shown, g_free);
  return shown;
}

void
ecg_set_text (char **member, const guint8 *data, gsize length, const char *declared)
{
  if (*member == NULL)
    *member = ecg_text (data, length, declared);
}

char *
ecg_date (int year, int month, int day)
{
  if (year < 1800 || year > 9999 || month < 1 || month > 12
      || !g_date_valid_dmy ((GDateDay)CLAMP (day, 0, 32), (GDateMonth)month, (GDateYear)year))
    return NULL;
  return g_strdup_printf ("%04d-%02d-%02d", year, month, day);
}

void
ecg_set_time (EcgRecording *recording, int year, int month, int day, int hour, int minute,
              double second, const int *offset_minutes)
{
  g_autofree char *date = ecg_date (year, month, day);
  g_autoptr (GTimeZone) zone = offset_minutes != NULL && ABS (*offset_minutes) <= 18 * 60
                                   ? g_time_zone_new_offset (*offset_minutes * 60)
                                   : g_time_zone_new_local ();
  g_autoptr (GDateTime) at
      = date != NULL ? g_date_time_new (zone, year, month, day, hour, minute, second) : NULL;
  if (at == NULL) {
    ecg_add_note (recording, "the file has no usable time of recording");
    return;
  }
  recording->time_us = g_date_time_to_unix (at) * G_USEC_PER_SEC + g_date_time_get_microsecond (at);
  recording->time_source = offset_minutes != NULL ? OBS_TIME_DEVICE : OBS_TIME_DEVICE_LOCAL;
}

gboolean
ecg_rational (const char *text, guint64 *ret_num, guint64 *ret_den)
{
  guint64 num = 0, den = 1;
  guint digits[2] = { 0, 0 };
  gboolean behind = FALSE;
  for (; *text != '\0'; text++) {
    if (*text == '.' && !behind) {
      behind = TRUE;
      continue;
    }
    if (!g_ascii_isdigit (*text) || ++digits[behind] > 9)
      return FALSE;
    num = num * 10 + (guint64)(*text - '0');
    den *= behind ? 10 : 1;
  }
  if (num == 0)
    return FALSE;
  *ret_num = num;
  *ret_den = den;
  return TRUE;
}

/* ---- Streams and blocks ---------------------------------------------------------------------- */

static guint64
common_divisor (guint64 a, guint64 b)
{
  while (b != 0) {
    guint64 rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

WaveStream *
ecg_stream_new (guint64 rate_num, guint64 rate_den, guint leads, GError **error)
{
  guint64 common = common_divisor (rate_num, rate_den);
  if (common == 0 || rate_num == 0 || rate_den == 0 || rate_num / common > G_MAXUINT32 / 4
      || rate_den / common > G_MAXUINT32 / 4 || rate_num / rate_den > 1000000) {
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                         "a signal has no usable sampling rate (up to 1,000,000 samples/s)");
    return NULL;
  }
  if (leads == 0 || leads > WAVE_LEADS_MAX) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_LIMIT, "%u signals; 1 to %d are supported", leads,
                 WAVE_LEADS_MAX);
    return NULL;
  }
  return wave_stream_new ("", (guint)(rate_num / common), (guint)(rate_den / common), leads);
}

/* The standard leads, and those of monitors: modified ones (MLII, MCL1), and what says so itself.
 */
static gboolean
is_ecg (const WaveStream *stream)
{
  static const char *words[] = { "ECG", "EKG", "ML", "MCL", "MV", "CM" };
  for (guint i = 0; i < stream->lead_count; i++) {
    const WaveLead *lead = &stream->leads[i];
    if (lead->mdc != 0)
      return TRUE;
    for (gsize j = 0; j < G_N_ELEMENTS (words); j++)
      if (g_ascii_strncasecmp (lead->name, words[j], strlen (words[j])) == 0)
        return TRUE;
  }
  return FALSE;
}

void
ecg_add_stream (EcgRecording *recording, WaveStream *stream)
{
  const char *word = is_ecg (stream) ? "ecg" : "wave";
  guint same = 0;
  for (guint i = 0; i < recording->streams->len; i++) {
    WaveStream *other = g_ptr_array_index (recording->streams, i);
    same += g_str_has_prefix (other->id, word);
  }
  g_free (stream->id);
  stream->id = same == 0 ? g_strdup (word) : g_strdup_printf ("%s-%u", word, same + 1);
  stream->device = g_strdup (recording->device);
  stream->patient_id = g_strdup (recording->patient_id);
  g_ptr_array_add (recording->streams, stream);
}

static gboolean
same_lead (const WaveLead *a, const WaveLead *b)
{
  return g_strcmp0 (a->name, b->name) == 0 && g_strcmp0 (a->unit, b->unit) == 0
         && a->scale == b->scale && a->offset == b->offset;
}

static gboolean
same_stream (const WaveStream *a, const WaveStream *b)
{
  if (a->rate_num != b->rate_num || a->rate_den != b->rate_den || a->lead_count != b->lead_count)
    return FALSE;
  for (guint i = 0; i < a->lead_count; i++)
    if (!same_lead (&a->leads[i], &b->leads[i]))
      return FALSE;
  return TRUE;
}

WaveStream *
ecg_take_stream (EcgRecording *recording, WaveStream *stream)
{
  for (guint i = 0; i < recording->streams->len; i++) {
    WaveStream *known = g_ptr_array_index (recording->streams, i);
    if (same_stream (known, stream)) {
      wave_stream_unref (stream);
      return known;
    }
  }
  ecg_add_stream (recording, stream);
  return stream;
}

static gint64
samples_us (const WaveStream *stream, guint64 samples)
{
  return (gint64)((double)samples * stream->rate_den / stream->rate_num * 1e6 + 0.5);
}

WaveBlock *
ecg_add_block (EcgRecording *recording, WaveStream *stream, guint32 epoch, guint64 first,
               guint64 count, GError **error)
{
  if (count > ECG_SAMPLES_MAX / stream->lead_count
      || recording->samples + count * stream->lead_count > ECG_SAMPLES_MAX
      || first > ((guint64)1 << 48)) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_LIMIT,
                 "more than %u million samples: cut the recording into parts",
                 ECG_SAMPLES_MAX / 1000000);
    return NULL;
  }
  if (recording->blocks->len >= ECG_ITEMS_MAX) {
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_LIMIT,
                         "the recording is in too many pieces");
    return NULL;
  }
  recording->samples += count * stream->lead_count;
  WaveBlock *block = wave_block_new (stream, epoch, first, (guint)count);
  if (recording->time_us != 0)
    block->time_us = recording->time_us + samples_us (stream, first);
  g_ptr_array_add (recording->blocks, block);
  return block;
}

gint64
ecg_block_offset_us (const EcgRecording *recording, const WaveBlock *block)
{
  return recording->time_us != 0 ? block->time_us - recording->time_us
                                 : samples_us (block->stream, block->first);
}

/* ---- What is said about them ----------------------------------------------------------------- */

void
ecg_add_interpretation (EcgRecording *recording, char *text)
{
  if (text != NULL && recording->interpretation->len < 1000)
    g_ptr_array_add (recording->interpretation, text);
  else
    g_free (text);
}

void
ecg_add_measurement (EcgRecording *recording, const char *name, char *lead, const char *unit,
                     char *value)
{
  if (value == NULL || recording->measurements->len >= ECG_ITEMS_MAX) {
    g_free (lead);
    g_free (value);
    return;
  }
  EcgMeasurement *measurement = g_new0 (EcgMeasurement, 1);
  measurement->name = g_strdup (name);
  measurement->lead = lead;
  measurement->unit = g_strdup (unit);
  measurement->value = value;
  g_ptr_array_add (recording->measurements, measurement);
}

void
ecg_add_annotation (EcgRecording *recording, gint64 at_us, gint64 duration_us, char *lead,
                    char *text)
{
  if (text == NULL || recording->annotations->len >= ECG_ITEMS_MAX) {
    g_free (lead);
    g_free (text);
    return;
  }
  EcgAnnotation *annotation = g_new0 (EcgAnnotation, 1);
  annotation->at_us = at_us;
  annotation->duration_us = duration_us;
  annotation->lead = lead;
  annotation->text = text;
  g_ptr_array_add (recording->annotations, annotation);
}

void
ecg_add_note (EcgRecording *recording, const char *format, ...)
{
  if (recording->notes->len >= 100)
    return;
  va_list arguments;
  va_start (arguments, format);
  g_ptr_array_add (recording->notes, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}
