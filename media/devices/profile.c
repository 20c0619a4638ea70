#include "media/devices/profile_private.h"
#include "media/key_lines.h"

#include <math.h>
#include <string.h>

G_DEFINE_QUARK (nhipcau - profile - error, profile_error)

/* ---- The file ---------------------------------------------------------------------------------
 */

typedef struct {
  Profile *profile;
  GKeyFile *keys;
  const KeyLines *lines;
  const char *file;
} Reader;

static gboolean
read_key (const Reader *reader, const char *group, const char *key, GError **error)
{
  g_autofree char *wrong = NULL;
  g_autofree char *value = g_key_file_get_string (reader->keys, group, key, NULL);
  ProfileParse parse = profile_find_key (group, key, &wrong);
  if (parse != NULL)
    wrong = value == NULL    ? g_strdup ("cannot be read: write UTF-8, and \\\\ for \\")
            : *value == '\0' ? g_strdup ("has no value: write one, or leave the line out")
                             : parse (reader->profile, key, value);
  if (wrong == NULL)
    return TRUE;
  g_set_error (error, PROFILE_ERROR, PROFILE_ERROR_BAD, "%s:%u: [%s] %s: %s", reader->file,
               key_lines_of (reader->lines, group, key), group, key, wrong);
  return FALSE;
}

static gboolean
read_keys (const Reader *reader, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (reader->keys, NULL);
  for (guint i = 0; groups[i] != NULL; i++) {
    g_auto (GStrv) keys = g_key_file_get_keys (reader->keys, groups[i], NULL, NULL);
    for (guint j = 0; keys != NULL && keys[j] != NULL; j++)
      if (!read_key (reader, groups[i], keys[j], error))
        return FALSE;
  }
  return TRUE;
}

/* The file's name without its folder and ".conf". */
static char *
name_of (const char *file)
{
  char *name = g_path_get_basename (file);
  if (g_str_has_suffix (name, ".conf"))
    name[strlen (name) - 5] = '\0';
  return name;
}

static void
free_pattern (void *pattern)
{
  g_pattern_spec_free (pattern);
}

static Profile *
profile_new (const char *file)
{
  Profile *profile = g_new0 (Profile, 1);
  profile->name = name_of (file);
  profile->applications = g_ptr_array_new_with_free_func (free_pattern);
  profile->facilities = g_ptr_array_new_with_free_func (free_pattern);
  profile->clock_from_us = G_MININT64;
  profile->codes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  profile->units = g_hash_table_new (NULL, NULL);
  profile->absent = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
  profile->sentinels = g_array_new (FALSE, FALSE, sizeof (gint64));
  return profile;
}

Profile *
profile_parse (const char *text, const char *file, GError **error)
{
  guint line = 0;
  g_autofree char *wrong = NULL;
  g_autoptr (Profile) profile = profile_new (file);
  g_autoptr (KeyLines) lines = key_lines_new (text, &line, &wrong);
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) bad = NULL;
  if (wrong != NULL) {
    g_set_error (error, PROFILE_ERROR, PROFILE_ERROR_BAD, "%s:%u: %s", file, line, wrong);
    return NULL;
  }
  if (!g_key_file_load_from_data (keys, text, strlen (text), G_KEY_FILE_NONE, &bad)) {
    g_set_error (error, PROFILE_ERROR, PROFILE_ERROR_BAD, "%s: %s", file, bad->message);
    return NULL;
  }
  Reader reader = { profile, keys, lines, file };
  return read_keys (&reader, error) ? g_steal_pointer (&profile) : NULL;
}

void
profile_free (Profile *profile)
{
  g_free (profile->name);
  g_free (profile->about);
  g_free (profile->charset);
  g_ptr_array_unref (profile->applications);
  g_ptr_array_unref (profile->facilities);
  g_clear_pointer (&profile->zone, g_time_zone_unref);
  g_strfreev (profile->test_marks);
  g_hash_table_unref (profile->codes);
  g_hash_table_unref (profile->units);
  g_hash_table_unref (profile->absent);
  g_array_unref (profile->sentinels);
  g_free (profile);
}

/* ---- What it says -----------------------------------------------------------------------------
 */

const char *
profile_name (const Profile *profile)
{
  return profile->name;
}

static gboolean
fits (const GPtrArray *patterns, const char *text)
{
  g_autofree char *lower = g_utf8_strdown (text != NULL ? text : "", -1);
  for (guint i = 0; i < patterns->len; i++)
    if (g_pattern_spec_match_string (patterns->pdata[i], lower))
      return TRUE;
  return patterns->len == 0;
}

gboolean
profile_matches (const Profile *profile, const char *application, const char *facility)
{
  return profile->applications->len + profile->facilities->len > 0
         && fits (profile->applications, application) && fits (profile->facilities, facility);
}

ProfileAck
profile_acknowledge (const Profile *profile)
{
  return profile->acknowledge;
}

const char *
profile_charset (const Profile *profile)
{
  return profile->charset;
}

gboolean
profile_clock_holds (const Profile *profile, gint64 time_us)
{
  return !profile->clock_never && time_us >= profile->clock_from_us;
}

GTimeZone *
profile_zone (const Profile *profile)
{
  return profile->zone;
}

gboolean
profile_marks_test (const Profile *profile, const char *word)
{
  return profile->test_marks != NULL
         && g_strv_contains ((const char *const *)profile->test_marks, word);
}

guint32
profile_code (const Profile *profile, const char *id, const char *name, const char *system)
{
  const char *i = id != NULL ? id : "", *n = name != NULL ? name : "";
  g_autofree char *all = g_strconcat (i, "^", n, "^", system != NULL ? system : "", NULL);
  g_autofree char *both = g_strconcat (i, "^", n, NULL);
  g_autofree char *word = g_strconcat ("^", n, NULL);
  const char *keys[] = { all, both, i, word };
  for (guint k = 0; k < G_N_ELEMENTS (keys); k++) {
    guint32 mdc = GPOINTER_TO_UINT (g_hash_table_lookup (profile->codes, keys[k]));
    if (mdc != 0)
      return mdc;
  }
  return 0;
}

const char *
profile_unit (const Profile *profile, guint32 mdc)
{
  return g_hash_table_lookup (profile->units, GUINT_TO_POINTER (mdc));
}

gboolean
profile_is_absent (const Profile *profile, guint32 mdc, double value)
{
  const guint32 codes[] = { mdc, 0 };
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++) {
    const GArray *numbers = g_hash_table_lookup (profile->absent, GUINT_TO_POINTER (codes[i]));
    for (guint j = 0; numbers != NULL && j < numbers->len; j++)
      if (g_array_index (numbers, double, j) == value)
        return TRUE;
  }
  return FALSE;
}

ProfileWaves
profile_waves (const Profile *profile)
{
  return (ProfileWaves){ profile->rate_num,
                         profile->rate_den,
                         profile->scale,
                         profile->scale_unit,
                         (const gint64 *)(const void *)profile->sentinels->data,
                         profile->sentinels->len };
}
