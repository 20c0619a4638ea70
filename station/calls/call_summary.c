#include "station/calls/call_summary.h"

#include <string.h>

#define NOTE "note:"
#define WORDS_MAX 20
#define NOTES_MAX 20

static const char *const words[] = { "name", "age", "sex", "reason", "readings", NULL };
static const char *const note_kinds[]
    = { "summary", "history",    "allergies", "examination", "findings", "question",
        "opinion", "conclusion", "decision",  "follow-up",   "note",     NULL };

static gboolean
word_is_good (const char *word)
{
  if (word == NULL)
    return FALSE;
  if (g_str_has_prefix (word, NOTE))
    return g_strv_contains (note_kinds, word + strlen (NOTE));
  return g_strv_contains (words, word);
}

gboolean
call_release_is_good (const json_t *release)
{
  size_t i;
  json_t *word;
  if (!json_is_array (release) || json_array_size (release) > WORDS_MAX)
    return FALSE;
  json_array_foreach (release, i, word)
  {
    if (!word_is_good (json_string_value (word)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_released (const json_t *release, const char *wanted)
{
  size_t i;
  json_t *word;
  json_array_foreach (release, i, word)
  {
    if (g_strcmp0 (json_string_value (word), wanted) == 0)
      return TRUE;
  }
  return FALSE;
}

static const char *
text_of (const json_t *body, const char *key)
{
  const char *text = json_string_value (json_object_get (body, key));
  return text != NULL ? text : "";
}

/* The year alone, where the day is known too: an age is what is released. */
static void
add_birth_year (json_t *summary, const json_t *patient)
{
  json_t *year = json_object_get (patient, "birth_year");
  int known = (int)g_ascii_strtoull (text_of (patient, "birth_date"), NULL, 10);
  if (json_is_integer (year))
    json_object_set (summary, "birth_year", year);
  else if (known > 0)
    json_object_set_new (summary, "birth_year", json_integer (known));
}

static json_t *
cut (const char *text)
{
  if (g_utf8_strlen (text, -1) <= CALL_NOTE_SHOWN_MAX)
    return json_string (text);
  g_autofree char *start = g_utf8_substring (text, 0, CALL_NOTE_SHOWN_MAX);
  g_autofree char *shown = g_strconcat (start, "…", NULL);
  return json_string (shown);
}

static json_t *
notes_of (const Consult *consult, const json_t *release)
{
  json_t *list = json_array ();
  size_t i;
  json_t *note;
  json_array_foreach (consult->notes, i, note)
  {
    g_autofree char *word = g_strconcat (NOTE, text_of (note, "kind"), NULL);
    if (!is_released (release, word) || *text_of (note, "text") == '\0'
        || json_array_size (list) >= NOTES_MAX)
      continue;
    json_array_append_new (list, json_pack ("{s:s, s:o, s:s}", "kind", text_of (note, "kind"),
                                            "text", cut (text_of (note, "text")), "user",
                                            text_of (note, "user")));
  }
  return list;
}

static json_t *
readings_of (const Consult *consult)
{
  static const char *const shown[]
      = { "vital", "value", "value_text", "unit", "time", "absent", "test" };
  json_t *list = json_array (), *reading;
  const char *vital;
  json_object_foreach (consult->readings, vital, reading)
  {
    json_t *item = json_object ();
    for (guint i = 0; i < G_N_ELEMENTS (shown); i++)
      if (json_object_get (reading, shown[i]) != NULL)
        json_object_set (item, shown[i], json_object_get (reading, shown[i]));
    json_array_append_new (list, item);
  }
  return list;
}

static void
add_text (json_t *summary, const char *key, const char *text)
{
  if (text != NULL && *text != '\0')
    json_object_set_new (summary, key, json_string (text));
}

json_t *
call_summary (const Consult *consult, const json_t *release, const char *question)
{
  json_t *summary = json_object ();
  if (is_released (release, "name"))
    add_text (summary, "name", consult_patient_name (consult));
  if (is_released (release, "age"))
    add_birth_year (summary, consult->patient);
  if (is_released (release, "sex"))
    add_text (summary, "sex", text_of (consult->patient, "sex"));
  if (is_released (release, "reason"))
    add_text (summary, "reason", consult->reason);
  add_text (summary, "question", question);
  json_object_set_new (summary, "notes", notes_of (consult, release));
  json_object_set_new (summary, "readings",
                       is_released (release, "readings") ? readings_of (consult) : json_array ());
  return summary;
}
