#include "media/devices/wfdb_header.h"
#include "media/devices/ecg_recording.h"
#include "media/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_MAX (256u << 10)
#define SIGNALS_MAX 256
#define SEGMENTS_MAX 20000

static void
signal_free (void *data)
{
  WfdbSignal *signal = data;
  g_free (signal->file);
  g_free (signal->unit);
  g_free (signal->description);
  g_free (signal);
}

static void
segment_free (void *data)
{
  WfdbSegment *segment = data;
  g_free (segment->name);
  g_free (segment);
}

void
wfdb_header_free (WfdbHeader *header)
{
  if (header == NULL)
    return;
  g_free (header->name);
  g_ptr_array_unref (header->signals);
  g_ptr_array_unref (header->segments);
  g_ptr_array_unref (header->comments);
  g_free (header);
}

static gboolean
fail (GError **error, guint line, const char *what)
{
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
               "header, line %u: %s; see header(5) of WFDB", line, what);
  return FALSE;
}

/* Fields of a line, parted by blanks; at most `most`, the last has the rest. NULL-terminated. */
static GStrv
split_fields (const char *line, guint most)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new ();
  while (*line != '\0') {
    gsize blanks = strspn (line, " \t");
    line += blanks;
    if (*line == '\0')
      break;
    gsize length = fields->len + 1 == most ? strlen (line) : strcspn (line, " \t");
    g_ptr_array_add (fields, g_strchomp (g_strndup (line, length)));
    line += length;
  }
  g_ptr_array_add (fields, NULL);
  return (GStrv)g_ptr_array_steal (fields, NULL);
}

static gboolean
is_name (const char *text)
{
  if (*text == '\0' || *text == '.' || strlen (text) > 128)
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && strchr ("_-.", *text) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
whole_number (const char *text, gint64 low, gint64 high, gint64 *ret)
{
  char *end = NULL;
  gint64 value = g_ascii_strtoll (text, &end, 10);
  if (end == text || *end != '\0' || value < low || value > high)
    return FALSE;
  *ret = value;
  return TRUE;
}

/* ---- The record's line ----------------------------------------------------------------------- */

/* "360", "360/60", "360/60(0)": the counter's frequency is of no use here. */
static gboolean
take_rate (WfdbHeader *header, char *text)
{
  text[strcspn (text, "/")] = '\0';
  return ecg_rational (text, &header->rate_num, &header->rate_den);
}

static void
take_times (WfdbHeader *header, const char *time, const char *date)
{
  int a, b;
  double c;
  if (time != NULL && sscanf (time, "%d:%d:%lf", &a, &b, &c) == 3 && c >= 0 && c < 61) {
    header->time[0] = a;
    header->time[1] = b;
    header->time[2] = (int)c;
    header->fraction = c - (int)c;
  }
  int d;
  if (date != NULL && sscanf (date, "%d/%d/%d", &a, &b, &d) == 3) {
    header->date[0] = d;
    header->date[1] = b;
    header->date[2] = a;
  }
}

static gboolean
take_record (WfdbHeader *header, const char *line, guint number, gint64 *ret_signals,
             gint64 *ret_segments, GError **error)
{
  g_auto (GStrv) fields = split_fields (line, 0);
  guint count = g_strv_length (fields);
  if (count < 2)
    return fail (error, number, "the record's line needs a name and the number of signals");
  char *slash = strchr (fields[0], '/');
  *ret_segments = 0;
  if (slash != NULL) {
    *slash = '\0';
    if (!whole_number (slash + 1, 1, SEGMENTS_MAX, ret_segments))
      return fail (error, number, "the number of segments is none, or above 20,000");
  }
  if (!is_name (fields[0]))
    return fail (error, number, "the record's name has other characters than letters, digits, _-");
  header->name = g_strdup (fields[0]);
  if (!whole_number (fields[1], 0, SIGNALS_MAX, ret_signals))
    return fail (error, number, "the number of signals is none, or above 256");
  header->rate_num = 250;
  header->rate_den = 1;
  if (count > 2 && !take_rate (header, fields[2]))
    return fail (error, number, "the sampling frequency is no number");
  gint64 samples = 0;
  if (count > 3 && !whole_number (fields[3], 0, G_MAXINT32, &samples))
    return fail (error, number, "the number of samples is no number");
  header->samples = (guint64)samples;
  take_times (header, count > 4 ? fields[4] : NULL, count > 5 ? fields[5] : NULL);
  return TRUE;
}

/* ---- A signal's line --------------------------------------------------------------------------
 */

/* "212x4:4+24" */
static gboolean
take_format (WfdbSignal *signal, const char *text)
{
  static const guint FORMATS[] = { 8, 16, 24, 32, 61, 80, 160, 212, 310, 311 };
  char *end = NULL;
  signal->format = (guint)g_ascii_strtoull (text, &end, 10);
  signal->per_frame = 1;
  gboolean known = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (FORMATS); i++)
    known |= FORMATS[i] == signal->format;
  while (known && *end != '\0') {
    char kind = *end;
    const char *start = end + 1;
    guint64 value = g_ascii_strtoull (start, &end, 10);
    if (end == start || value > G_MAXINT32)
      return FALSE;
    if (kind == 'x' && value >= 1 && value <= 1000)
      signal->per_frame = (guint)value;
    else if (kind == ':')
      signal->skew = (guint)value;
    else if (kind == '+')
      signal->offset = (gsize)value;
    else
      return FALSE;
  }
  return known;
}

/* "200", "1.052e+04/NU", "12.84(-1605)/mmHg" */
static gboolean
take_gain (WfdbSignal *signal, const char *text, gboolean *ret_baseline)
{
  char *end = NULL;
  signal->gain = g_ascii_strtod (text, &end);
  if (end == text || !isfinite (signal->gain))
    return FALSE;
  *ret_baseline = FALSE;
  if (*end == '(') {
    const char *start = end + 1;
    signal->baseline = (double)g_ascii_strtoll (start, &end, 10);
    if (end == start || *end != ')')
      return FALSE;
    *ret_baseline = TRUE;
    end++;
  }
  if (*end == '/') {
    g_free (signal->unit);
    signal->unit = g_strdup (end + 1);
    return TRUE;
  }
  return *end == '\0';
}

static gboolean
take_numbers (WfdbSignal *signal, GStrv fields, guint count, gboolean has_baseline)
{
  gint64 bits = 0, zero = 0;
  if (count > 3 && !whole_number (fields[3], 0, 64, &bits))
    return FALSE;
  if (count > 4 && !whole_number (fields[4], G_MININT32, G_MAXINT32, &zero))
    return FALSE;
  signal->bits = (guint)bits;
  if (!has_baseline)
    signal->baseline = (double)zero;
  signal->has_initial = count > 5;
  if (count > 5 && !whole_number (fields[5], G_MININT32, G_MAXINT32, &signal->initial))
    return FALSE;
  signal->has_checksum = count > 6;
  return count <= 6 || whole_number (fields[6], G_MININT32, G_MAXINT32, &signal->checksum);
}

static gboolean
take_signal (WfdbHeader *header, const char *line, guint number, GError **error)
{
  g_auto (GStrv) fields = split_fields (line, 9);
  guint count = g_strv_length (fields);
  WfdbSignal *signal = g_new0 (WfdbSignal, 1);
  g_ptr_array_add (header->signals, signal);
  if (count < 2 || (!is_name (fields[0]) && !g_str_equal (fields[0], "~")))
    return fail (error, number, "a signal's line needs a file (in the same folder) and a format");
  signal->file = g_strdup (fields[0]);
  if (!take_format (signal, fields[1]))
    return fail (error, number,
                 "the format is not one of 8 16 24 32 61 80 160 212 310 311, or what follows it is "
                 "wrong");
  signal->unit = g_strdup ("mV");
  gboolean has_baseline = FALSE;
  if (count > 2 && !take_gain (signal, fields[2], &has_baseline))
    return fail (error, number, "the gain is no number(baseline)/unit");
  if (!take_numbers (signal, fields, count, has_baseline))
    return fail (error, number,
                 "resolution, zero, initial value or checksum is no number, or out of range");
  if (count > 8)
    signal->description = ecg_text ((const guint8 *)fields[8], strlen (fields[8]), NULL);
  return TRUE;
}

static gboolean
take_segment (WfdbHeader *header, const char *line, guint number, GError **error)
{
  g_auto (GStrv) fields = split_fields (line, 0);
  gint64 samples = 0;
  if (g_strv_length (fields) < 2 || (!is_name (fields[0]) && !g_str_equal (fields[0], "~"))
      || !whole_number (fields[1], 0, G_MAXINT32, &samples))
    return fail (error, number, "a segment's line needs a record's name and its number of samples");
  WfdbSegment *segment = g_new0 (WfdbSegment, 1);
  segment->name = g_strdup (fields[0]);
  segment->samples = (guint64)samples;
  g_ptr_array_add (header->segments, segment);
  return TRUE;
}

/* ---- All lines --------------------------------------------------------------------------------
 */

typedef struct {
  gint64 signals, segments;
  gboolean begun;
} Expected;

static gboolean
take_line (WfdbHeader *header, Expected *expected, const char *line, guint number, GError **error)
{
  if (*line == '#') {
    char *comment = ecg_text ((const guint8 *)line + 1, strlen (line + 1), NULL);
    if (comment != NULL)
      g_ptr_array_add (header->comments, comment);
    return TRUE;
  }
  if (line[strspn (line, " \t")] == '\0')
    return TRUE;
  if (!expected->begun) {
    expected->begun = TRUE;
    return take_record (header, line, number, &expected->signals, &expected->segments, error);
  }
  if (header->segments->len < expected->segments)
    return take_segment (header, line, number, error);
  if (expected->segments == 0 && header->signals->len < expected->signals)
    return take_signal (header, line, number, error);
  return TRUE;
}

WfdbHeader *
wfdb_header_parse (const guint8 *data, gsize length, GError **error)
{
  if (length > HEADER_MAX) {
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_LIMIT,
                         "a header of more than 256 KiB: is this the .hea file?");
    return NULL;
  }
  g_autoptr (WfdbHeader) header = g_new0 (WfdbHeader, 1);
  header->signals = g_ptr_array_new_with_free_func (signal_free);
  header->segments = g_ptr_array_new_with_free_func (segment_free);
  header->comments = g_ptr_array_new_with_free_func (g_free);
  memset (header->time, -1, sizeof header->time);
  memset (header->date, -1, sizeof header->date);
  g_autofree char *text = g_strndup (length > 0 ? (const char *)data : "", length);
  g_auto (GStrv) lines = g_strsplit_set (text, "\n", -1);
  Expected expected = { 0 };
  for (guint i = 0; lines[i] != NULL; i++)
    if (!take_line (header, &expected, g_strchomp (lines[i]), i + 1, error))
      return NULL;
  if (!expected.begun || header->segments->len < expected.segments
      || (expected.segments == 0 && header->signals->len < expected.signals)) {
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                         "header: it ends before all signals or segments are named");
    return NULL;
  }
  return g_steal_pointer (&header);
}
