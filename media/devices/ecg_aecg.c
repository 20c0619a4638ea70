#include "media/devices/ecg_aecg.h"
#include "media/devices/aecg_series.h"
#include "media/devices/hl7_charset.h"
#include "media/devices/hl7_time.h"
#include "media/error.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 64

typedef struct {
  EcgRecording *recording;
  AecgSeries *series;
  GPtrArray *path;   /* names of open elements */
  GString *text;     /* of the innermost one */
  gboolean any_time; /* the begin is known */
  char *name_of;     /* code of the open annotation */
} Aecg;

/* ---- Where we are -------------------------------------------------------------------------------
 */

static const char *
up (const Aecg *aecg, guint levels)
{
  return aecg->path->len > levels ? g_ptr_array_index (aecg->path, aecg->path->len - 1 - levels)
                                  : "";
}

static gboolean
inside (const Aecg *aecg, const char *name)
{
  for (guint i = 0; i < aecg->path->len; i++)
    if (g_str_equal (g_ptr_array_index (aecg->path, i), name))
      return TRUE;
  return FALSE;
}

static const char *
attribute (const char **names, const char **values, const char *wanted)
{
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_equal (names[i], wanted))
      return values[i];
  return NULL;
}

static void
set_text (char **member, const char *text)
{
  if (text != NULL)
    ecg_set_text (member, (const guint8 *)text, strlen (text), "UTF-8");
}

/* "20021122091000.000-0700": the time that the recording begins with. */
static void
take_time (Aecg *aecg, const char *value)
{
  int date[3] = { 0 }, time[2] = { 0 }, used = 0;
  double second = 0;
  if (value == NULL || aecg->any_time
      || sscanf (value, "%4d%2d%2d%n", &date[0], &date[1], &date[2], &used) != 3 || used != 8)
    return;
  sscanf (value + 8, "%2d%2d", &time[0], &time[1]);
  if (strlen (value) >= 14 && g_ascii_isdigit (value[12]) && g_ascii_isdigit (value[13]))
    second = g_ascii_strtod (value + 12, NULL);
  const char *sign = strpbrk (value + 8, "+-");
  int hours = 0, minutes = 0;
  gboolean zoned = sign != NULL && sscanf (sign + 1, "%2d%2d", &hours, &minutes) >= 1;
  int offset = (hours * 60 + minutes) * (zoned && *sign == '-' ? -1 : 1);
  if (second < 0 || second >= 60)
    second = 0;
  ecg_set_time (aecg->recording, date[0], date[1], date[2], time[0], time[1], second,
                zoned ? &offset : NULL);
  aecg->any_time = aecg->recording->time_us != 0;
}

/* ---- Elements that are whole with their attributes
 * ------------------------------------------------ */

static void
take_subject (Aecg *aecg, const char *element, const char **names, const char **values)
{
  EcgRecording *recording = aecg->recording;
  const char *code = attribute (names, values, "code");
  const char *value = attribute (names, values, "value");
  if (g_str_equal (element, "id") && g_str_equal (up (aecg, 1), "trialSubject"))
    set_text (&recording->patient_id, attribute (names, values, "extension"));
  else if (g_str_equal (element, "administrativeGenderCode") && code != NULL)
    recording->patient_sex = g_str_equal (code, "M")   ? "male"
                             : g_str_equal (code, "F") ? "female"
                                                       : NULL;
  else if (g_str_equal (element, "birthTime") && value != NULL) {
    int year = 0, month = 0, day = 0;
    if (sscanf (value, "%4d%2d%2d", &year, &month, &day) == 3) {
      g_free (recording->patient_birth);
      recording->patient_birth = ecg_date (year, month, day);
    }
  }
}

static void
take_annotation (Aecg *aecg, const char *element, const char **names, const char **values)
{
  const char *code = attribute (names, values, "code");
  if (g_str_equal (element, "code") && g_str_equal (up (aecg, 1), "annotation")) {
    g_free (aecg->name_of);
    const char *display = attribute (names, values, "displayName");
    aecg->name_of = g_strdup (display != NULL && *display != '\0' ? display : code);
  } else if (g_str_equal (element, "value") && g_str_equal (up (aecg, 1), "annotation")
             && aecg->name_of != NULL) {
    const char *value = attribute (names, values, "value");
    const char *meant = value != NULL ? value : code;
    if (meant != NULL)
      ecg_add_measurement (aecg->recording, aecg->name_of, NULL, attribute (names, values, "unit"),
                           ecg_text ((const guint8 *)meant, strlen (meant), "UTF-8"));
  }
}

static gboolean
take_sequence (Aecg *aecg, const char *element, const char **names, const char **values,
               GError **error)
{
  const char *parent = up (aecg, 1);
  const char *value = attribute (names, values, "value");
  const char *unit = attribute (names, values, "unit");
  if (g_str_equal (element, "code") && g_str_equal (parent, "sequence"))
    return aecg_sequence_code (aecg->series, attribute (names, values, "code"), error);
  if (!g_str_equal (parent, "value"))
    return TRUE;
  if (g_str_equal (element, "head"))
    take_time (aecg, value);
  else if (g_str_equal (element, "increment"))
    return aecg_sequence_increment (aecg->series, value, unit, error);
  else if (g_str_equal (element, "origin"))
    return aecg_sequence_origin (aecg->series, value, unit, error);
  else if (g_str_equal (element, "scale"))
    return aecg_sequence_scale (aecg->series, value, unit, error);
  return TRUE;
}

/* ---- The parser's calls
 * ---------------------------------------------------------------------------- */

static void
on_start (GMarkupParseContext *context, const char *element, const char **names,
          const char **values, void *arg, GError **error)
{
  Aecg *aecg = arg;
  if (aecg->path->len >= DEPTH_MAX) {
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_LIMIT, "elements lie 64 deep");
    return;
  }
  const char *colon = strchr (element, ':');
  g_ptr_array_add (aecg->path, g_strdup (colon != NULL ? colon + 1 : element));
  element = up (aecg, 0);
  g_string_truncate (aecg->text, 0);
  if (aecg->path->len == 1 && !g_str_equal (element, "AnnotatedECG"))
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                 "the document is a %s, not an AnnotatedECG (HL7 aECG)", element);
  else if (g_str_equal (element, "sequenceSet"))
    aecg_set_begin (aecg->series, inside (aecg, "derivedSeries"));
  else if (g_str_equal (element, "sequence"))
    aecg_sequence_begin (aecg->series);
  else if (inside (aecg, "sequence"))
    take_sequence (aecg, element, names, values, error);
  else if (inside (aecg, "annotation"))
    take_annotation (aecg, element, names, values);
  else if (inside (aecg, "trialSubject"))
    take_subject (aecg, element, names, values);
  else if (g_str_equal (element, "low") && g_str_equal (up (aecg, 1), "effectiveTime")
           && g_str_equal (up (aecg, 2), "series"))
    take_time (aecg, attribute (names, values, "value"));
  else if (g_str_equal (element, "id") && g_str_equal (up (aecg, 1), "manufacturedSeriesDevice"))
    set_text (&aecg->recording->device, attribute (names, values, "extension"));
}

static void
on_end (GMarkupParseContext *context, const char *element, void *arg, GError **error)
{
  Aecg *aecg = arg;
  const char *name = up (aecg, 0), *parent = up (aecg, 1);
  char *text = aecg->text->str;
  if (g_str_equal (name, "digits") && inside (aecg, "sequence"))
    aecg_sequence_digits (aecg->series, text, error);
  else if (g_str_equal (name, "sequenceSet"))
    aecg_set_end (aecg->series, error);
  else if (g_str_equal (name, "name") && g_str_equal (parent, "subjectDemographicPerson"))
    set_text (&aecg->recording->patient_name, text);
  else if (g_str_equal (name, "manufacturerModelName"))
    set_text (&aecg->recording->model, text);
  else if (g_str_equal (name, "name") && g_str_equal (parent, "manufacturerOrganization"))
    set_text (&aecg->recording->maker, text);
  else if (g_str_equal (name, "value") && g_str_equal (parent, "annotation") && aecg->text->len > 0)
    ecg_add_interpretation (aecg->recording,
                            ecg_text ((const guint8 *)text, aecg->text->len, "UTF-8"));
  g_string_truncate (aecg->text, 0);
  g_ptr_array_set_size (aecg->path, (gint)aecg->path->len - 1);
}

static void
on_text (GMarkupParseContext *context, const char *text, gsize length, void *arg, GError **error)
{
  g_string_append_len (((Aecg *)arg)->text, text, (gssize)length);
}

/* ---- The document
 * ---------------------------------------------------------------------------------- */

/* UTF-16 by its mark, or by the zero beside its first '<'; NULL: it is no UTF-16. */
static const char *
wide_charset (const guint8 *data, gsize length)
{
  if (length < 2)
    return NULL;
  if ((data[0] == 0xFF && data[1] == 0xFE) || (data[0] == 0xFE && data[1] == 0xFF))
    return "UTF-16";
  return data[0] == '<' && data[1] == 0   ? "UTF-16LE"
         : data[0] == 0 && data[1] == '<' ? "UTF-16BE"
                                          : NULL;
}

/* In UTF-8, whatever it was written in: the parser takes nothing else. */
static char *
document_text (const guint8 *data, gsize length, GError **error)
{
  const char *bytes = (const char *)data;
  const char *wide = wide_charset (data, length);
  char *text
      = wide != NULL ? g_convert (bytes, (gssize)length, "UTF-8", wide, NULL, NULL, NULL) : NULL;
  if (text != NULL)
    return text;
  if (length >= 3 && memcmp (bytes, "\357\273\277", 3) == 0)
    bytes += 3, length -= 3;
  if (g_utf8_validate (bytes, (gssize)length, NULL))
    return g_strndup (bytes, length);
  char declared[64] = "";
  g_autofree char *head = g_strndup (bytes, MIN (length, 256));
  const char *encoding = strstr (head, "encoding=");
  if (encoding != NULL)
    sscanf (encoding + 9, "%*1[\"']%63[A-Za-z0-9._-]", declared);
  const char *used = NULL;
  gboolean guessed = FALSE;
  return hl7_charset_convert ((const guint8 *)bytes, length, *declared != '\0' ? declared : NULL,
                              &used, &guessed, error);
}

static gboolean
parse (Aecg *aecg, const char *text, GError **error)
{
  static const GMarkupParser PARSER
      = { .start_element = on_start, .end_element = on_end, .text = on_text };
  GMarkupParseContext *context = g_markup_parse_context_new (
      &PARSER, G_MARKUP_TREAT_CDATA_AS_TEXT | G_MARKUP_PREFIX_ERROR_POSITION, aecg, NULL);
  GError *found = NULL;
  gboolean ok = g_markup_parse_context_parse (context, text, -1, &found)
                && g_markup_parse_context_end_parse (context, &found);
  g_markup_parse_context_free (context);
  if (!ok && found->domain == MEDIA_ERROR)
    g_propagate_error (error, found);
  else if (!ok) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED, "it is no XML document: %s",
                 found->message);
    g_error_free (found);
  }
  return ok;
}

EcgRecording *
ecg_aecg_read (const guint8 *data, gsize length, GError **error)
{
  g_autofree char *text = document_text (data, length, error);
  if (text == NULL)
    return NULL;
  g_autoptr (EcgRecording) recording = ecg_recording_new ("aecg");
  Aecg aecg = { .recording = recording,
                .series = aecg_series_new (recording),
                .path = g_ptr_array_new_with_free_func (g_free),
                .text = g_string_new (NULL) };
  gboolean ok = parse (&aecg, text, error);
  if (ok && recording->streams->len == 0) {
    ok = FALSE;
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                         "the document has no leads: nothing to show");
  }
  aecg_series_free (aecg.series);
  g_ptr_array_unref (aecg.path);
  g_string_free (aecg.text, TRUE);
  g_free (aecg.name_of);
  return ok ? g_steal_pointer (&recording) : NULL;
}
