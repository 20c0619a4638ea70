#include "media/devices/edf_header.h"
#include "media/error.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FIXED 256
#define SIGNALS_MAX 512

static void
signal_clear (void *data)
{
  EdfSignal *signal = data;
  g_free (signal->label);
  g_free (signal->unit);
}

void
edf_header_free (EdfHeader *header)
{
  if (header == NULL)
    return;
  g_array_unref (header->signals);
  g_free (header);
}

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
               "header: %s: it is no EDF or BDF file, "
               "or damaged",
               what);
  return FALSE;
}

/* A field of the header: text, blanks behind. */
static char *
field (const guint8 *data, gsize at, gsize length)
{
  return g_strstrip (g_strndup ((const char *)data + at, length));
}

static gboolean
number_field (const guint8 *data, gsize at, gsize length, double *ret)
{
  g_autofree char *text = field (data, at, length);
  /* Some write a decimal comma. */
  char *comma = strchr (text, ',');
  if (comma != NULL)
    *comma = '.';
  char *end = NULL;
  *ret = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && isfinite (*ret);
}

/* ---- Who and when ------------------------------------------------------------------------------
 */

static int
month_of (const char *word)
{
  static const char *months[]
      = { "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC" };
  for (int i = 0; i < 12; i++)
    if (g_ascii_strcasecmp (word, months[i]) == 0)
      return i + 1;
  return 0;
}

/* "02-MAY-1951" */
static gboolean
plus_date (const char *text, int *year, int *month, int *day)
{
  char word[4] = "";
  if (sscanf (text, "%2d-%3[A-Za-z]-%4d", day, word, year) != 3)
    return FALSE;
  *month = month_of (word);
  return *month > 0;
}

/* A sub-field of EDF+: "X" is "not known", "_" stands for a blank. */
static char *
sub_field (const char *text)
{
  if (text == NULL || g_str_equal (text, "X") || *text == '\0')
    return NULL;
  g_autofree char *blanks = g_strdelimit (g_strdup (text), "_", ' ');
  return ecg_text ((const guint8 *)blanks, strlen (blanks), NULL);
}

static void
take_patient (EcgRecording *recording, const char *text, gboolean plus)
{
  g_auto (GStrv) parts = g_strsplit (text, " ", 5);
  if (!plus || g_strv_length (parts) < 4) {
    recording->patient_name = sub_field (text);
    return;
  }
  recording->patient_id = sub_field (parts[0]);
  recording->patient_sex = g_str_equal (parts[1], "F")   ? "female"
                           : g_str_equal (parts[1], "M") ? "male"
                                                         : NULL;
  int year = 0, month = 0, day = 0;
  if (plus_date (parts[2], &year, &month, &day))
    recording->patient_birth = ecg_date (year, month, day);
  recording->patient_name = sub_field (parts[3]);
}

/* "Startdate 02-MAR-2002 EMG561 BK/JOP Sony." : administration, technician, equipment. */
static gboolean
take_recording (EcgRecording *recording, const char *text, gboolean plus, int date[3])
{
  g_auto (GStrv) parts = g_strsplit (text, " ", 6);
  if (!plus || g_strv_length (parts) < 5)
    return FALSE;
  recording->model = sub_field (parts[4]);
  return plus_date (parts[1], &date[0], &date[1], &date[2]);
}

static void
take_identity (EcgRecording *recording, const guint8 *data, gboolean plus)
{
  g_autofree char *patient = field (data, 8, 80);
  g_autofree char *about = field (data, 88, 80);
  g_autofree char *date = field (data, 168, 8);
  g_autofree char *time = field (data, 176, 8);
  take_patient (recording, patient, plus);
  int ymd[3] = { 0 }, h = 0, m = 0, s = 0;
  gboolean known = take_recording (recording, about, plus, ymd);
  char separator;
  if (!known
      && sscanf (date, "%2d%c%2d%c%2d", &ymd[2], &separator, &ymd[1], &separator, &ymd[0]) == 5)
    /* Two digits: 85 to 99 are of the twentieth century. */
    ymd[0] += ymd[0] >= 85 ? 1900 : 2000;
  if (sscanf (time, "%2d%c%2d%c%2d", &h, &separator, &m, &separator, &s) != 5)
    ymd[0] = 0;
  ecg_set_time (recording, ymd[0], ymd[1], ymd[2], h, m, s, NULL);
}

/* ---- Signals ------------------------------------------------------------------------------------
 */

static gboolean
take_scale (EdfSignal *signal, const guint8 *data, gsize at, gsize count, guint index,
            GError **error)
{
  double low, high, digital_low, digital_high;
  if (!number_field (data, at + count * 104 + index * 8, 8, &low)
      || !number_field (data, at + count * 112 + index * 8, 8, &high)
      || !number_field (data, at + count * 120 + index * 8, 8, &digital_low)
      || !number_field (data, at + count * 128 + index * 8, 8, &digital_high))
    return fail (error, "a minimum or maximum of a signal is no number");
  if (digital_high == digital_low || high == low)
    return TRUE;
  signal->scale = (high - low) / (digital_high - digital_low);
  signal->offset = low - digital_low * signal->scale;
  return TRUE;
}

static gboolean
take_signal (EdfHeader *header, const guint8 *data, gsize count, guint index, GError **error)
{
  EdfSignal signal = { 0 };
  gboolean ok = take_scale (&signal, data, FIXED, count, index, error);
  double samples = 0;
  if (ok
      && (!number_field (data, FIXED + count * 216 + index * 8, 8, &samples) || samples < 0
          || samples > 1e7 || samples != floor (samples)))
    ok = fail (error, "a signal's number of samples in a record is no number up to 10 million");
  signal.samples = ok ? (guint)samples : 0;
  signal.label = ecg_text (data + FIXED + index * 16, 16, NULL);
  signal.unit = ecg_text (data + FIXED + count * 96 + index * 8, 8, NULL);
  signal.annotations
      = g_strcmp0 (signal.label, header->bdf ? "BDF Annotations" : "EDF Annotations") == 0;
  signal.at = header->record;
  header->record += (gsize)signal.samples * (header->bdf ? 3 : 2);
  g_array_append_val (header->signals, signal);
  return ok;
}

static gboolean
take_signals (EdfHeader *header, const guint8 *data, gsize length, GError **error)
{
  double count = 0, bytes = 0;
  if (!number_field (data, 252, 4, &count) || count < 1 || count > SIGNALS_MAX
      || count != floor (count))
    return fail (error, "the number of signals is not 1 to 512");
  gsize signals = (gsize)count;
  header->header = FIXED * (1 + signals);
  if (!number_field (data, 184, 8, &bytes) || bytes != (double)header->header)
    return fail (error, "its length is not what its number of signals demands");
  if (length < header->header)
    return fail (error, "the file ends inside it");
  for (guint i = 0; i < signals; i++)
    if (!take_signal (header, data, signals, i, error))
      return FALSE;
  return header->record > 0 || fail (error, "its data records are empty");
}

static gboolean
take_records (EdfHeader *header, const guint8 *data, gsize length, EcgRecording *recording,
              GError **error)
{
  g_autofree char *duration = field (data, 244, 8);
  header->duration_den = 1;
  double zero = 1;
  if (!ecg_rational (duration, &header->duration_num, &header->duration_den)
      && !(number_field (data, 244, 8, &zero) && zero == 0))
    return fail (error, "the duration of a data record is no number of seconds");
  double stated = 0;
  if (!number_field (data, 236, 8, &stated) || stated < -1)
    return fail (error, "the number of data records is no number");
  header->records = (length - header->header) / header->record;
  if (stated >= 0 && (double)header->records > stated)
    header->records = (guint64)stated;
  if (stated > (double)header->records)
    ecg_add_note (recording, "the file ends after %" G_GUINT64_FORMAT " of %.0f data records",
                  header->records, stated);
  return TRUE;
}

EdfHeader *
edf_header_parse (const guint8 *data, gsize length, EcgRecording *recording, GError **error)
{
  if (length < FIXED
      || (memcmp (data, "0       ", 8) != 0 && memcmp (data, "\377BIOSEMI", 8) != 0)) {
    fail (error, "it does not begin as one");
    return NULL;
  }
  g_autoptr (EdfHeader) header = g_new0 (EdfHeader, 1);
  header->signals = g_array_new (FALSE, TRUE, sizeof (EdfSignal));
  g_array_set_clear_func (header->signals, signal_clear);
  header->bdf = data[0] == 0xFF;
  g_autofree char *kind = field (data, 192, 44);
  header->plus = strlen (kind) >= 5 && kind[3] == '+';
  header->discontinuous = header->plus && kind[4] == 'D';
  take_identity (recording, data, header->plus);
  if (!take_signals (header, data, length, error)
      || !take_records (header, data, length, recording, error))
    return NULL;
  return g_steal_pointer (&header);
}
