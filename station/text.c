#include "station/text.h"

static gboolean vietnamese = FALSE;

static gboolean
environment_is_vietnamese (void)
{
  static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const char *value = g_getenv (names[i]);
    if (value != NULL && *value != '\0')
      return g_str_has_prefix (value, "vi");
  }
  return FALSE;
}

gboolean
text_choose (const char *language)
{
  if (language == NULL)
    vietnamese = environment_is_vietnamese ();
  else if (g_str_equal (language, "vi") || g_str_equal (language, "en"))
    vietnamese = g_str_equal (language, "vi");
  else
    return FALSE;
  return TRUE;
}

gboolean
text_vietnamese (void)
{
  return vietnamese;
}

json_t *
text_json (const char *vi, const char *en)
{
  return json_pack ("{s:s, s:s}", "vi", vi, "en", en);
}
