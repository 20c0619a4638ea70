/* What was typed or sent by whoever, made fit for paper and XML: the record keeps it as it came. */
#include "station/case_private.h"

#include <string.h>

/* Controls, what turns the direction of what follows, and what is no character at all. */
static gboolean
is_unfit (gunichar c)
{
  if (c == '\n' || c == '\t')
    return FALSE;
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200B || c == 0x200E
         || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F)
         || c == 0x2028 || c == 0x2029 || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC)
         || (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF) || c > 0x10FFFF;
}

char *
case_clean (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *composed = g_utf8_normalize (valid, -1, G_NORMALIZE_NFC);
  GString *clean = g_string_sized_new (strlen (valid));
  for (const char *p = composed != NULL ? composed : valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (c == '\r' || c == 0x2028 || c == 0x2029)
      g_string_append_c (clean, c == '\r' && p[1] == '\n' ? ' ' : '\n');
    else if (!is_unfit (c))
      g_string_append_unichar (clean, c);
  }
  return g_strstrip (g_string_free (clean, FALSE));
}

/* Nothing of ours nests deeper; what does comes from a device's `about`. */
#define DEPTH_MAX 12

static void
clean_member (json_t *value, int depth)
{
  const char *name;
  json_t *member;
  gsize i;
  if (depth > DEPTH_MAX)
    return;
  json_object_foreach (value, name, member)
  {
    clean_member (member, depth + 1);
  }
  json_array_foreach (value, i, member)
  {
    clean_member (member, depth + 1);
  }
  if (json_is_string (value)) {
    g_autofree char *clean = case_clean (json_string_value (value));
    json_string_set (value, clean);
  }
}

void
case_clean_all (json_t *view)
{
  clean_member (view, 0);
}
