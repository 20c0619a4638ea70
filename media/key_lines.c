#include "media/key_lines.h"

#include <string.h>

struct KeyLines {
  GHashTable *lines; /* "group\nkey" or "group" → line number */
  guint wrong;       /* the first line that cannot be, 0: none */
  char *wrong_what;
};

static void
found_wrong (KeyLines *lines, guint line, char *what)
{
  if (lines->wrong != 0) {
    g_free (what);
    return;
  }
  lines->wrong = line;
  lines->wrong_what = what;
}

static char *
place_of (const char *group, const char *key)
{
  return key != NULL ? g_strdup_printf ("%s\n%s", group, key) : g_strdup (group);
}

static void
add (KeyLines *lines, const char *group, const char *key, guint line)
{
  g_autofree char *what = place_of (group, key);
  guint first = GPOINTER_TO_UINT (g_hash_table_lookup (lines->lines, what));
  if (first == 0)
    g_hash_table_insert (lines->lines, g_steal_pointer (&what), GUINT_TO_POINTER (line));
  else
    found_wrong (lines, line,
                 g_strdup_printf ("[%s]%s%s is given twice, first in line %u", group,
                                  key != NULL ? " " : "", key != NULL ? key : "", first));
}

static void
take (KeyLines *lines, char **group, char *line, guint number)
{
  char *end;
  if (*line == '#' || *line == '\0')
    return;
  if (!g_utf8_validate (line, -1, NULL)) {
    found_wrong (lines, number, g_strdup ("is no UTF-8: save the file as UTF-8"));
  } else if (*line == '[' && (end = strrchr (line, ']')) != NULL && end[1] == '\0') {
    g_free (*group);
    *group = g_strndup (line + 1, end - line - 1);
    add (lines, *group, NULL, number);
  } else if (*line != '[' && *line != '=' && (end = strchr (line, '=')) != NULL) {
    *end = '\0';
    if (*group == NULL)
      found_wrong (lines, number,
                   g_strdup_printf ("%s stands before any [GROUP]", g_strchomp (line)));
    else
      add (lines, *group, g_strchomp (line), number);
  } else {
    found_wrong (lines, number,
                 g_strdup_printf ("'%.60s' is none of [GROUP], KEY = VALUE and # comment", line));
  }
}

KeyLines *
key_lines_new (const char *text, guint *ret_line, char **ret_wrong)
{
  KeyLines *lines = g_new0 (KeyLines, 1);
  g_auto (GStrv) split = g_strsplit (text, "\n", -1);
  g_autofree char *group = NULL;
  lines->lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; split[i] != NULL; i++)
    take (lines, &group, g_strstrip (split[i]), i + 1);
  *ret_line = lines->wrong;
  *ret_wrong = g_steal_pointer (&lines->wrong_what);
  return lines;
}

void
key_lines_free (KeyLines *lines)
{
  g_hash_table_unref (lines->lines);
  g_free (lines->wrong_what);
  g_free (lines);
}

guint
key_lines_of (const KeyLines *lines, const char *group, const char *key)
{
  g_autofree char *what = place_of (group, key);
  return GPOINTER_TO_UINT (g_hash_table_lookup (lines->lines, what));
}
