/* Values that several groups of station.conf have: texts, numbers, paths, secrets. */
#include "station/config_keys.h"

#include <string.h>

char *
config_take_text (char **target, const char *value, gsize max)
{
  if (*value == '\0' || !g_utf8_validate (value, -1, NULL)
      || g_utf8_strlen (value, -1) > (glong)max)
    return g_strdup_printf ("wants a text of 1 to %" G_GSIZE_FORMAT " characters", max);
  g_free (*target);
  *target = g_strdup (value);
  return NULL;
}

char *
config_take_boolean (gboolean *target, const char *value)
{
  if (!g_str_equal (value, "true") && !g_str_equal (value, "false"))
    return g_strdup ("wants true or false");
  *target = g_str_equal (value, "true");
  return NULL;
}

gboolean
config_take_word (const char *const *words, const char *value, guint *ret)
{
  for (guint i = 0; words[i] != NULL; i++)
    if (g_str_equal (value, words[i])) {
      *ret = i;
      return TRUE;
    }
  return FALSE;
}

gboolean
config_is_name (const char *name)
{
  if (strlen (name) < 1 || strlen (name) > 32 || !g_ascii_islower (*name))
    return FALSE;
  return strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen (name);
}

char *
config_path (const ConfigPlace *place, const char *value)
{
  return g_path_is_absolute (value) || place->folder == NULL
             ? g_strdup (value)
             : g_build_filename (place->folder, value, NULL);
}

char *
config_take_path (ConfigPlace *place, char **target, const char *value)
{
  if (*value == '\0')
    return g_strdup ("wants a path");
  g_free (*target);
  *target = config_path (place, value);
  return NULL;
}

char *
config_take_number (guint64 low, guint64 high, const char *value, guint64 *ret)
{
  g_autoptr (GError) error = NULL;
  if (!g_ascii_string_to_unsigned (value, 10, low, high, ret, &error))
    return g_strdup_printf ("wants a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                            low, high);
  return NULL;
}

char *
config_take_count (guint *target, guint low, guint high, const char *value)
{
  guint64 number;
  char *wrong = config_take_number (low, high, value, &number);
  if (wrong == NULL)
    *target = (guint)number;
  return wrong;
}

char *
config_take_port (guint16 *target, const char *value, guint64 low)
{
  guint64 number;
  char *wrong = config_take_number (low, 65535, value, &number);
  if (wrong == NULL)
    *target = (guint16)number;
  return wrong;
}

/* "500M", "5G": binary multiples. */
char *
config_take_size (guint64 *target, const char *value)
{
  static const char units[] = "KMGT";
  char *end = NULL;
  guint64 number = g_ascii_isdigit (*value) ? g_ascii_strtoull (value, &end, 10) : 0;
  const char *unit = end != NULL && *end != '\0' ? strchr (units, *end) : NULL;
  guint shift = unit != NULL ? 10 * (guint)(unit - units + 1) : 0;
  gboolean good = end != NULL && (*end == '\0' || (unit != NULL && end[1] == '\0'));
  if (!good || number > ((guint64)G_MAXINT64 >> shift))
    return g_strdup ("wants a size such as 500M or 5G (K, M, G, T)");
  *target = number << shift;
  return NULL;
}

/* The first line of a file; passwords never stand in station.conf itself. */
char *
config_take_secret_file (ConfigPlace *place, char **target, const char *value)
{
  g_autofree char *path = NULL, *text = NULL;
  gsize length = 0;
  char *wrong = config_take_path (place, &path, value);
  if (wrong != NULL)
    return wrong;
  if (!g_file_get_contents (path, &text, &length, NULL) || length > 4096)
    return g_strdup_printf ("wants a readable file with the password in its first line; "
                            "%s cannot be read",
                            path);
  text[strcspn (text, "\r\n")] = '\0';
  return config_take_text (target, text, 500);
}

char *
config_take_token_file (ConfigPlace *place, char **target, const char *value, gsize least)
{
  char *wrong = config_take_secret_file (place, target, value);
  if (wrong == NULL
      && (strlen (*target) < least || strpbrk (*target, " \t") != NULL
          || !g_str_is_ascii (*target)))
    wrong = g_strdup_printf ("wants a file with %" G_GSIZE_FORMAT
                             " or more letters and digits in its first line",
                             least);
  return wrong;
}

char *
config_take_private_url (char **target, const char *value, const char *example)
{
  g_autoptr (GUri) uri = g_uri_parse (value, G_URI_FLAGS_NONE, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  gboolean local = g_strcmp0 (host, "localhost") == 0 || g_strcmp0 (host, "127.0.0.1") == 0;
  if (host == NULL || *host == '\0' || g_uri_get_userinfo (uri) != NULL
      || (!g_str_equal (scheme, "https") && !(g_str_equal (scheme, "http") && local)))
    return g_strdup_printf ("wants an address such as %s (http:// on localhost alone)", example);
  return config_take_text (target, value, 500);
}

char *
config_take_ca_file (ConfigPlace *place, char **target, const char *value)
{
  char *wrong = config_take_path (place, target, value);
  if (wrong == NULL && !g_file_test (*target, G_FILE_TEST_IS_REGULAR))
    wrong = g_strdup_printf ("wants a file with certificates (PEM); there is no %s", *target);
  return wrong;
}
