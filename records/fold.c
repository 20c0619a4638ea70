#include "records/fold.h"

static char *
squeeze (const char *text, gboolean keep_marks)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean gap = FALSE;
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_unichar_tolower (g_utf8_get_char (at));
    gboolean mark = g_unichar_ismark (c);
    if (mark && !keep_marks)
      continue;
    if (!mark && !g_unichar_isalnum (c)) {
      gap = out->len > 0;
      continue;
    }
    if (gap)
      g_string_append_c (out, ' ');
    gap = FALSE;
    g_string_append_unichar (out, c == 0x111 && !keep_marks ? 'd' : c);
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

char *
fold_text (const char *text)
{
  g_autofree char *plain = g_utf8_normalize (text, -1, G_NORMALIZE_ALL);
  return plain != NULL ? squeeze (plain, FALSE) : NULL;
}

char *
fold_case (const char *text)
{
  g_autofree char *plain = g_utf8_normalize (text, -1, G_NORMALIZE_ALL_COMPOSE);
  return plain != NULL ? squeeze (plain, TRUE) : NULL;
}
