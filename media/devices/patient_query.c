#include "media/devices/patient_query.h"
#include "media/devices/hl7_time.h"

#include <string.h>

typedef enum { QUERY_NONE, QUERY_A19, QUERY_R02, QUERY_Q22 } Query;

static Query
query_of (const Hl7Message *message)
{
  g_autofree char *type = hl7_get (message, 0, 9, 0, 1, 1);
  g_autofree char *event = hl7_get (message, 0, 9, 0, 2, 1);
  if (g_strcmp0 (type, "QRY") == 0)
    return g_strcmp0 (event, "A19") == 0   ? QUERY_A19
           : g_strcmp0 (event, "R02") == 0 ? QUERY_R02
                                           : QUERY_NONE;
  if (g_strcmp0 (type, "QBP") == 0)
    return g_strcmp0 (event, "Q22") == 0 ? QUERY_Q22 : QUERY_NONE;
  return QUERY_NONE;
}

gboolean
patient_query_is_supported (const Hl7Message *message)
{
  return query_of (message) != QUERY_NONE;
}

static gint
find_segment (const Hl7Message *message, const char *name)
{
  for (guint i = 0; i < hl7_segments (message); i++)
    if (g_str_equal (hl7_segment_name (message, i), name))
      return (gint)i;
  return -1;
}

char *
patient_query_id (const Hl7Message *message)
{
  gint qrd = find_segment (message, "QRD"), qpd = find_segment (message, "QPD");
  if (qrd >= 0)
    return hl7_get (message, (guint)qrd, 8, 0, 1, 1);
  for (guint r = 0; qpd >= 0 && r < MIN (hl7_repetitions (message, (guint)qpd, 3), 16); r++) {
    g_autofree char *field = hl7_get (message, (guint)qpd, 3, r, 1, 1);
    if (g_strcmp0 (field, "@PID.3.1") == 0 || g_strcmp0 (field, "@PID.3") == 0)
      return hl7_get (message, (guint)qpd, 3, r, 2, 1);
  }
  return NULL;
}

/* ---- The answer -------------------------------------------------------------------------------
 */

typedef struct {
  const Hl7Message *message;
  GString *text;
  char field, component;
} Answer;

/* A text without anything that could be a delimiter. */
static void
append_plain (Answer *answer, const char *text)
{
  for (; text != NULL && *text != '\0'; text++) {
    gboolean delimiter = g_ascii_iscntrl (*text) || *text == answer->field
                         || *text == answer->component || strchr ("|^~\\&", *text) != NULL;
    g_string_append_c (answer->text, delimiter ? ' ' : *text);
  }
}

static void
append_field (Answer *answer, const char *text)
{
  g_string_append_c (answer->text, answer->field);
  append_plain (answer, text);
}

static char *
raw (const Hl7Message *message, guint field)
{
  char *text = hl7_get (message, 0, field, 0, 0, 0);
  return text != NULL ? text : g_strdup ("");
}

static void
append_header (Answer *answer, const char *type, gint64 now_us)
{
  static const char *const NONE = "";
  const Hl7Message *message = answer->message;
  g_autofree char *delimiters = raw (message, 2);
  g_autofree char *sender = raw (message, 3), *facility = raw (message, 4);
  g_autofree char *receiver = raw (message, 5), *receiving = raw (message, 6);
  g_autofree char *processing = raw (message, 11), *version = raw (message, 12);
  g_autofree char *charset = raw (message, 18), *control = raw (message, 10);
  g_autofree char *time = hl7_time_format (now_us);
  g_autofree char *id = g_uuid_string_random ();
  g_auto (GStrv) words = g_strsplit (type, "^", 3);
  const char c[2] = { answer->component, '\0' }, f[2] = { answer->field, '\0' };
  g_autofree char *typed = g_strjoinv (c, words);
  id[20] = '\0';
  const char *const fields[]
      = { delimiters, receiver, receiving, sender, facility, time, NONE, typed,  id,
          processing, version,  NONE,      NONE,   NONE,     NONE, NONE, charset };
  g_string_append (answer->text, "MSH");
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    g_string_append_printf (answer->text, "%s%s", f, fields[i]);
  g_string_append_printf (answer->text, "\rMSA%sAA%s%s\r", f, f, control);
}

/* The question's own QRD, QRF or QPD, again. */
static void
append_segment (Answer *answer, const char *name)
{
  gint at = find_segment (answer->message, name);
  g_autofree char *text = at >= 0 ? hl7_segment_text (answer->message, (guint)at) : NULL;
  if (text != NULL)
    g_string_append_printf (answer->text, "%s\r", text);
}

/* QAK-1 the query's tag, QAK-2 whether something was found. */
static void
append_found (Answer *answer, gboolean found)
{
  gint qpd = find_segment (answer->message, "QPD");
  g_autofree char *tag = qpd >= 0 ? hl7_get (answer->message, (guint)qpd, 2, 0, 1, 1) : NULL;
  g_string_append (answer->text, "QAK");
  append_field (answer, tag);
  append_field (answer, found ? "OK" : "NF");
  g_string_append_c (answer->text, '\r');
}

/* Vietnamese names: the family name stands first. */
static void
append_name (Answer *answer, const char *name)
{
  g_auto (GStrv) words = g_strsplit (name != NULL ? name : "", " ", 2);
  append_field (answer, words[0]);
  g_string_append_c (answer->text, answer->component);
  append_plain (answer, words[0] != NULL ? words[1] : NULL);
}

static void
append_patient (Answer *answer, const QueryPatient *patient)
{
  const char sex[2] = { patient->sex != NULL ? g_ascii_toupper (*patient->sex) : '\0', '\0' };
  g_string_append (answer->text, "PID");
  append_field (answer, "1");
  append_field (answer, NULL);
  append_field (answer, patient->id);
  append_field (answer, NULL);
  append_name (answer, patient->name);
  append_field (answer, NULL);
  append_field (answer, patient->birth);
  append_field (answer, sex);
  g_string_append_printf (answer->text, "\rPV1%c1%cO\r", answer->field, answer->field);
}

static GBytes *
encode (const Hl7Message *message, const char *text)
{
  gsize length = 0;
  char *bytes = g_convert_with_fallback (text, -1, hl7_charset (message, NULL), "UTF-8", "?", NULL,
                                         &length, NULL);
  return bytes != NULL ? g_bytes_new_take (bytes, length) : g_bytes_new (text, strlen (text));
}

GBytes *
patient_query_answer (const Hl7Message *message, const QueryPatient *patient, gint64 now_us)
{
  static const char *const TYPES[]
      = { NULL, "ADR^A19^ADR_A19", "ORF^R04^ORF_R04", "RSP^K22^RSP_K22" };
  g_autoptr (GString) text = g_string_new (NULL);
  Query query = query_of (message);
  Answer answer = { message, text, hl7_delimiter (message, HL7_FIELD),
                    hl7_delimiter (message, HL7_COMPONENT) };
  append_header (&answer, TYPES[query], now_us);
  if (query == QUERY_Q22) {
    append_found (&answer, patient != NULL);
    append_segment (&answer, "QPD");
  } else {
    append_segment (&answer, "QRD");
    append_segment (&answer, "QRF");
  }
  if (patient != NULL)
    append_patient (&answer, patient);
  return encode (message, text->str);
}
