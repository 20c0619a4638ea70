/* A libFuzzer mutator for inputs that are lines of JSON behind a short prefix: half of the time it
 * changes one value of one line as a hostile page would, so that what is behind the parser is
 * reached; else the bytes, as libFuzzer does.
 */
#pragma once
#include <glib.h>
#include <jansson.h>
#include <string.h>

size_t LLVMFuzzerMutate (guint8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator (guint8 *data, size_t size, size_t max_size, unsigned int seed);

static json_t *
mutated_string (const char *text, GRand *rand)
{
  gsize length = strlen (text);
  g_autofree char *copy = g_strdup (text);
  g_autofree char *twice = NULL;
  switch (g_rand_int_range (rand, 0, 5)) {
  case 0:
    copy[g_rand_int_range (rand, 0, (gint32)length + 1)] = '\0';
    return json_string (copy);
  case 1:
    return json_string (copy + g_rand_int_range (rand, 0, (gint32)length + 1));
  case 2:
    twice = g_strconcat (text, text, NULL);
    return json_string (twice);
  case 3:
    if (length > 0)
      copy[g_rand_int_range (rand, 0, (gint32)length)] = (char)g_rand_int_range (rand, 1, 128);
    return json_string (copy);
  default:
    return json_string ("");
  }
}

static json_t *
mutated_value (const json_t *value, GRand *rand)
{
  static const json_int_t numbers[] = { 0, 1, -1, 255, 65536, G_MAXINT32, G_MAXINT64, G_MININT64 };
  if (json_is_string (value) && g_rand_int_range (rand, 0, 4) > 0)
    return mutated_string (json_string_value (value), rand);
  switch (g_rand_int_range (rand, 0, 6)) {
  case 0:
    return json_integer (numbers[g_rand_int_range (rand, 0, G_N_ELEMENTS (numbers))]);
  case 1:
    return json_string ("x");
  case 2:
    return json_null ();
  case 3:
    return json_boolean (g_rand_boolean (rand));
  case 4:
    return json_object ();
  default:
    return json_pack ("[O?]", value);
  }
}

/* Changes, or takes away, one member of the object or of one below. */
static void
mutate_object (json_t *object, GRand *rand)
{
  if (json_object_size (object) == 0)
    return;
  void *at = json_object_iter (object);
  for (gint n = g_rand_int_range (rand, 0, (gint32)json_object_size (object)); n > 0; n--)
    at = json_object_iter_next (object, at);
  json_t *value = json_object_iter_value (at);
  if (json_is_object (value) && g_rand_int_range (rand, 0, 4) > 0) {
    mutate_object (value, rand);
  } else if (g_rand_int_range (rand, 0, 8) == 0) {
    g_autofree char *key = g_strdup (json_object_iter_key (at));
    json_object_del (object, key);
  } else {
    json_object_iter_set_new (object, at, mutated_value (value, rand));
  }
}

/* The line with one change; NULL: it is no JSON. */
static char *
mutated_line (const char *line, GRand *rand)
{
  const char *brace = strchr (line, '{');
  json_t *object = brace != NULL ? json_loads (brace, 0, NULL) : NULL;
  if (object == NULL)
    return NULL;
  mutate_object (object, rand);
  char *text = json_dumps (object, JSON_COMPACT);
  char *changed = text != NULL ? g_strdup_printf ("%.*s%s", (int)(brace - line), line, text) : NULL;
  free (text);
  json_decref (object);
  return changed;
}

size_t
LLVMFuzzerCustomMutator (guint8 *data, size_t size, size_t max_size, unsigned int seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  if (g_rand_boolean (rand))
    return LLVMFuzzerMutate (data, size, max_size);
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = g_strv_length (lines);
  char **line = n > 0 ? &lines[g_rand_int_range (rand, 0, (gint32)n)] : NULL;
  char *changed = line != NULL ? mutated_line (*line, rand) : NULL;
  if (changed == NULL)
    return LLVMFuzzerMutate (data, size, max_size);
  g_free (*line);
  *line = changed;
  g_autofree char *whole = g_strjoinv ("\n", lines);
  size = MIN (strlen (whole), max_size);
  memcpy (data, whole, size);
  return size;
}
