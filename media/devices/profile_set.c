#include "media/devices/profile_set.h"

#include <string.h>

#define FILE_MAX (256 * 1024)

struct ProfileSet {
  GTree *profiles; /* name → Profile*, by name */
};

static int
by_name (const void *a, const void *b, void *data)
{
  return strcmp (a, b);
}

static void
free_profile (void *profile)
{
  profile_free (profile);
}

static gboolean
load_file (ProfileSet *set, const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  if (!g_file_get_contents (path, &text, &length, error))
    return FALSE;
  if (length > FILE_MAX || strlen (text) != length) {
    g_set_error (error, PROFILE_ERROR, PROFILE_ERROR_BAD,
                 "%s: is no profile: a text file of at most 256 KiB", path);
    return FALSE;
  }
  Profile *profile = profile_parse (text, path, error);
  if (profile == NULL)
    return FALSE;
  g_tree_replace (set->profiles, g_strdup (profile_name (profile)), profile);
  return TRUE;
}

static gboolean
load_folder (ProfileSet *set, const char *folder, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    if (g_str_has_suffix (name, ".conf") && *name != '.' && !load_file (set, path, error))
      return FALSE;
  }
  return TRUE;
}

ProfileSet *
profile_set_load (const char *const *folders, GError **error)
{
  g_autoptr (ProfileSet) set = g_new0 (ProfileSet, 1);
  set->profiles = g_tree_new_full (by_name, NULL, g_free, free_profile);
  for (guint i = 0; folders[i] != NULL; i++)
    if (!load_folder (set, folders[i], error))
      return NULL;
  return g_steal_pointer (&set);
}

void
profile_set_free (ProfileSet *set)
{
  g_tree_unref (set->profiles);
  g_free (set);
}

const Profile *
profile_set_find (const ProfileSet *set, const char *name)
{
  return g_tree_lookup (set->profiles, name);
}

const Profile *
profile_set_match (const ProfileSet *set, const Hl7Message *message)
{
  g_autofree char *application = hl7_get (message, 0, 3, 0, 1, 1);
  g_autofree char *facility = hl7_get (message, 0, 4, 0, 1, 1);
  for (GTreeNode *node = g_tree_node_first (set->profiles); node != NULL;
       node = g_tree_node_next (node))
    if (profile_matches (g_tree_node_value (node), application, facility))
      return g_tree_node_value (node);
  return NULL;
}

char *
profile_set_names (const ProfileSet *set)
{
  g_autoptr (GString) names = g_string_new (NULL);
  for (GTreeNode *node = g_tree_node_first (set->profiles); node != NULL;
       node = g_tree_node_next (node))
    g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "",
                            (const char *)g_tree_node_key (node));
  return g_string_free (g_steal_pointer (&names), FALSE);
}
