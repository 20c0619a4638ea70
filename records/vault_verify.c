#include "records/vault_private.h"
#include <openssl/crypto.h>
#include <string.h>

static void
take_problems (GPtrArray *all, const KeyFile *file)
{
  for (guint i = 0; i < file->problems->len; i++)
    g_ptr_array_add (all, g_strdup (g_ptr_array_index (file->problems, i)));
}

/* Opens every key that BOOT or VK opens now: its commitment must fit. */
static void
check_keys (Vault *vault, const KeyFile *file, GPtrArray *problems)
{
  g_autoptr (sqlite3_stmt) statement = table_prepare (file->db, "SELECT * FROM consult_key", NULL);

  while (statement != NULL && sqlite3_step (statement) == SQLITE_ROW) {
    g_autoptr (GError) error = NULL;
    g_autoptr (DataKey) boot = NULL, vk = NULL;
    g_autoptr (KeyRow) row = key_row_read (statement);
    if (row == NULL) {
      g_ptr_array_add (problems, g_strdup_printf ("%s: a key's row is not readable", file->name));
      continue;
    }
    /* Each wrap on its own: one that is broken would show only on the day it is needed. */
    if (vault->boot_key != NULL && row->boot != NULL)
      boot = key_unwrap (row, vault->id, vault->boot_key, NULL, NULL, &error);
    if (error == NULL && vault->vk != NULL)
      vk = key_unwrap (row, vault->id, NULL, vault->vk, vault->certificate, &error);
    if (error != NULL)
      g_ptr_array_add (problems, g_strdup_printf ("%s: %s", file->name, error->message));
  }
}

static void
check_answers (Vault *vault, const KeyFile *file, GPtrArray *problems)
{
  g_autoptr (sqlite3_stmt) row = table_prepare (file->db, "SELECT idx FROM answer", NULL);

  while (row != NULL && sqlite3_step (row) == SQLITE_ROW) {
    gint64 i = sqlite3_column_int64 (row, 0);
    if (i < 0 || i > G_MAXINT || !recovery_confirmed (file->db, vault->id, (guint)i))
      g_ptr_array_add (problems,
                       g_strdup_printf ("%s: the answer of recovery recipient %" G_GINT64_FORMAT
                                        " does not fit its challenge",
                                        file->name, i));
  }
}

/* The vault that is open and the one on the disk must be the same one. */
static void
check_identity (Vault *vault, const KeyFile *file, GPtrArray *problems)
{
  g_autoptr (GBytes) id = meta_get (file->db, "vault");
  g_autoptr (GBytes) anchor = meta_get (file->db, "anchor");
  g_autoptr (GError) error = NULL;

  if (id == NULL || !g_bytes_equal (id, vault->id)) {
    g_ptr_array_add (problems, g_strdup_printf ("%s: it is of another vault", file->name));
    return;
  }
  if (vault->vk == NULL)
    return;
  g_autoptr (KeyRow) station = vault_find_key (vault, "station", PURPOSE_STATION, &error);
  if (station == NULL || anchor == NULL
      || !anchor_good (vault->vk, vault->id, vault->label, vault->certificate, station->commit,
                       anchor))
    g_ptr_array_add (
        problems, g_strdup_printf ("%s: its settings are not signed by the vault key", file->name));
}

static void
check_note (Vault *vault, GPtrArray *problems)
{
  g_autofree char *path = g_build_filename (vault->state_dir, KEYS_DAMAGE_NOTE, NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  g_strchomp (text);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_ptr_array_add (problems,
                   g_strdup_printf (KEYS_DAMAGE_NOTE ": the key files were damaged before; check "
                                                     "the disk, then delete this note: %s",
                                    valid));
}

GPtrArray *
vault_verify (Vault *vault, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (KeyFile) main = NULL;
  g_autoptr (KeyFile) copy = NULL;
  g_autofree char *why = NULL;

  keys_read (vault->state_dir, &main, &copy);
  const KeyFile *files[] = { main, copy };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    take_problems (problems, files[i]);
    if (files[i]->db == NULL)
      continue;
    check_identity (vault, files[i], problems);
    check_answers (vault, files[i], problems);
    if (vault->mac_key != NULL)
      keys_check_macs (files[i]->db, vault->mac_key, TRUE, problems);
    check_keys (vault, files[i], problems);
  }
  keys_judge (main, copy, &why);
  if (why != NULL && key_file_sound (main) && key_file_sound (copy))
    g_ptr_array_add (problems, g_strdup (why));
  check_note (vault, problems);
  return g_steal_pointer (&problems);
}

GPtrArray *
vault_verify_files (const char *state_dir)
{
  GPtrArray *problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (KeyFile) main = NULL;
  g_autoptr (KeyFile) copy = NULL;

  keys_read (state_dir, &main, &copy);
  take_problems (problems, main);
  take_problems (problems, copy);
  if (problems->len == 0)
    g_ptr_array_add (problems, g_strdup (KEYS_MAIN ": its settings are damaged"));
  return problems;
}
