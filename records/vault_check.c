/* The whole check of both key files while the vault is open. */
#include "records/vault_private.h"
#include <string.h>

gboolean
vault_is_checked (Vault *vault)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  return vault->is_checked;
}

/* Nothing is written any more; what stands on the disk is still read, row by row. */
static void
refuse (Vault *vault, const GError *why)
{
  g_autoptr (KeyFile) main = NULL;
  g_autoptr (KeyFile) copy = NULL;

  g_free (vault->refused);
  vault->refused = g_strdup (why->message);
  if (vault->db != NULL)
    return;
  keys_read (vault->state_dir, &main, &copy);
  KeyFile **chosen = main->db != NULL ? &main : &copy;
  vault->snapshot = g_steal_pointer (chosen);
  if (vault->snapshot->db == NULL)
    vault->snapshot->db = key_file_new (NULL); /* nothing can be read: none are there */
  vault->db = vault->snapshot->db;
}

/* As at a start: the files are closed, healed, and opened again. Lock held, so that nobody changes
 * them meanwhile. */
static gboolean
heal (Vault *vault, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GError) again = NULL;

  vault_close_files (vault);
  gboolean good = keys_heal (vault->state_dir, &local);
  if (good)
    vault->copy_behind = FALSE;
  if (!vault_open_files (vault, &again)) {
    vault_close_files (vault);
    good = FALSE;
  }
  if (good) {
    vault->is_checked = TRUE;
    vault_seal_later (vault);
    return TRUE;
  }
  refuse (vault, local != NULL ? local : again);
  g_propagate_error (error, local != NULL ? g_steal_pointer (&local) : g_steal_pointer (&again));
  return FALSE;
}

gboolean
vault_check (Vault *vault, GError **error)
{
  g_autoptr (KeyFile) main = NULL;
  g_autoptr (KeyFile) copy = NULL;
  g_autofree char *why = NULL;

  if (!vault_writable (vault, error))
    return FALSE;
  /* Without the lock: seconds of reading must keep nobody waiting. */
  keys_read (vault->state_dir, &main, &copy);
  KeysVerdict verdict = keys_judge (main, copy, &why);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  if (verdict != KEYS_SAME)
    return heal (vault, error);
  vault->is_checked = TRUE;
  return TRUE;
}
