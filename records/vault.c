#include "records/secure_memory.h"
#include "records/sealing.h"
#include "records/vault_private.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define BOOT_SHORTEST 32
#define BOOT_LONGEST (64 * 1024)

static void
cached_key_free (gpointer data)
{
  CachedKey *cached = data;
  data_key_unref (cached->key);
  g_free (cached);
}

static Vault *
vault_new (const char *state_dir, gboolean read_only)
{
  Vault *vault = g_new0 (Vault, 1);
  g_mutex_init (&vault->lock);
  vault->state_dir = g_strdup (state_dir);
  vault->read_only = read_only;
  vault->folder = -1;
  vault->recipients = g_ptr_array_new_with_free_func ((GDestroyNotify)X509_free);
  vault->places = g_array_new (FALSE, FALSE, sizeof (guint));
  vault->cache = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, cached_key_free);
  vault->held = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return vault;
}

GBytes *
vault_id (Vault *vault)
{
  return vault->id;
}

static void
forget_settings (Vault *vault)
{
  g_clear_pointer (&vault->id, g_bytes_unref);
  g_clear_pointer (&vault->certificate, X509_free);
  g_clear_pointer (&vault->label, g_free);
}

void
vault_free (Vault *vault)
{
  if (vault == NULL)
    return;
  gboolean may_seal = vault->main != NULL && !vault->copy_behind && vault->refused == NULL;
  g_hash_table_unref (vault->cache);
  g_clear_pointer (&vault->held, g_hash_table_unref);
  EVP_PKEY_free (vault->vk);
  secure_free (vault->boot_key, SEALING_KEY);
  secure_free (vault->mac_key, SEALING_KEY);
  g_ptr_array_unref (vault->recipients);
  g_array_unref (vault->places);
  forget_settings (vault);
  vault_close_files (vault);
  if (may_seal)
    keys_seal_write (vault->state_dir);
  g_free (vault->refused);
  if (vault->folder >= 0)
    close (vault->folder);
  g_free (vault->state_dir);
  g_mutex_clear (&vault->lock);
  g_free (vault);
}

/* ---- Opening ------------------------------------------------------------------------------ */

static X509 *
parse_certificate (GBytes *der)
{
  gsize size = 0;
  const unsigned char *data = der != NULL ? g_bytes_get_data (der, &size) : NULL;
  return data != NULL ? d2i_X509 (NULL, &data, (long)size) : NULL;
}

gboolean
vault_load_recipients (Vault *vault)
{
  g_autoptr (sqlite3_stmt) row
      = table_prepare (vault->db, "SELECT idx, certificate FROM recipient ORDER BY idx", NULL);

  g_ptr_array_set_size (vault->recipients, 0);
  g_array_set_size (vault->places, 0);
  while (row != NULL && sqlite3_step (row) == SQLITE_ROW) {
    g_autoptr (GBytes) der = table_blob (row, 1);
    guint place = (guint)sqlite3_column_int64 (row, 0);
    X509 *certificate = parse_certificate (der);
    if (certificate == NULL)
      return FALSE;
    g_ptr_array_add (vault->recipients, certificate);
    g_array_append_val (vault->places, place);
  }
  return vault->recipients->len > 0;
}

static gboolean
load (Vault *vault, GError **error)
{
  g_autoptr (GBytes) label = meta_get (vault->db, "label");
  g_autoptr (GBytes) der = meta_get (vault->db, "vk_certificate");

  vault->id = meta_get (vault->db, "vault");
  vault->certificate = parse_certificate (der);
  if (vault->id == NULL || label == NULL || vault->certificate == NULL
      || !vault_load_recipients (vault)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "keys.db: its settings are damaged; put keys.db and keys-copy.db back from a "
                 "backup");
    return FALSE;
  }
  vault->label = g_strndup (g_bytes_get_data (label, NULL), g_bytes_get_size (label));
  return TRUE;
}

/* On the folder, not on the database: SQLite's own locks would be lost whenever this process
 * closes the file after reading it for vault_verify() (fcntl locks belong to process and file). */
static gboolean
lock_folder (Vault *vault, GError **error)
{
  vault->folder = open (vault->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (vault->folder < 0) {
    g_set_error (error, RECORDS_ERROR,
                 errno == ENOENT ? RECORDS_ERROR_NOT_FOUND : RECORDS_ERROR_DISK,
                 "state folder %s: %s", vault->state_dir, g_strerror (errno));
    return FALSE;
  }
  if (flock (vault->folder, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS,
               "the keys in %s are in use by another nhipcau", vault->state_dir);
  return FALSE;
}

void
vault_close_files (Vault *vault)
{
  sqlite3_close (g_steal_pointer (&vault->main));
  sqlite3_close (g_steal_pointer (&vault->copy));
  key_file_free (g_steal_pointer (&vault->snapshot));
  vault->db = NULL;
}

gboolean
vault_open_files (Vault *vault, GError **error)
{
  vault->main = key_file_open (vault->state_dir, KEYS_MAIN, error);
  if (vault->main == NULL)
    return FALSE;
  vault->copy = key_file_open (vault->state_dir, KEYS_COPY, error);
  if (vault->copy == NULL)
    return FALSE;
  vault->db = vault->main;
  /* Opened again: others may be reading the settings, which never change. */
  if (vault->label == NULL)
    return load (vault, error);
  if (!vault_load_recipients (vault))
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "keys.db: its recovery keys are damaged");
  return vault->recipients->len > 0;
}

/* Nobody has written since the last whole check, and what is not the keys' own rows is sound: those
 * are checked when they are used, and by vault_check(). */
static gboolean
open_quickly (Vault *vault)
{
  g_autoptr (GError) error = NULL;

  if (!keys_seal_good (vault->state_dir))
    return FALSE;
  if (vault_open_files (vault, &error) && key_files_agree (vault->main, vault->copy))
    return TRUE;
  vault_close_files (vault);
  forget_settings (vault);
  return FALSE;
}

Vault *
vault_open (const char *state_dir, GError **error)
{
  g_autoptr (Vault) vault = vault_new (state_dir, FALSE);

  if (!lock_folder (vault, error))
    return NULL;
  if (open_quickly (vault))
    return g_steal_pointer (&vault);
  if (!keys_heal (state_dir, error) || !vault_open_files (vault, error)) {
    vault_close_files (vault); /* not to be sealed */
    return NULL;
  }
  vault->is_checked = TRUE;
  vault_seal_later (vault);
  return g_steal_pointer (&vault);
}

/* A whole file before a damaged one: a damaged one before nothing, since each row stands for
 * itself. */
static KeyFile *
choose (KeyFile *main, KeyFile *copy)
{
  if (key_file_sound (main) || (!key_file_sound (copy) && main->db != NULL))
    return main;
  return copy->db != NULL ? copy : NULL;
}

Vault *
vault_open_read_only (const char *state_dir, GError **error)
{
  g_autoptr (Vault) vault = vault_new (state_dir, TRUE);
  g_autoptr (KeyFile) main = NULL;
  g_autoptr (KeyFile) copy = NULL;

  keys_read (state_dir, &main, &copy);
  KeyFile *chosen = choose (main, copy);
  if (chosen == NULL) {
    gboolean none = main->missing && copy->missing;
    g_set_error (error, RECORDS_ERROR,
                 none          ? RECORDS_ERROR_NOT_FOUND
                 : main->newer ? RECORDS_ERROR_VERSION
                               : RECORDS_ERROR_TAMPERED,
                 "%s (in %s)", (char *)g_ptr_array_index (main->problems, 0), state_dir);
    return NULL;
  }
  vault->snapshot = chosen == main ? g_steal_pointer (&main) : g_steal_pointer (&copy);
  vault->db = vault->snapshot->db;
  return load (vault, error) ? g_steal_pointer (&vault) : NULL;
}

/* ---- Unlocking ---------------------------------------------------------------------------- */

static GBytes *
station_commit (DataKey *key)
{
  guint8 commit[32];
  data_key_commitment (key, commit);
  return g_bytes_new (commit, sizeof commit);
}

/* The station's key has been opened and is genuine: everything that it vouches for must be, too.
 * Somebody who can write files could have put in a recipient of his own. For reading only it is
 * enough that vault_verify() tells. */
static gboolean
check_all (Vault *vault, const guint8 *mac_key, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);

  keys_check_macs (vault->db, mac_key, FALSE, problems);
  if (problems->len == 0 || vault->read_only)
    return TRUE;
  g_set_error (
      error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
      "%s: somebody changed the key files; put keys.db and keys-copy.db back from a backup",
      (char *)g_ptr_array_index (problems, 0));
  return FALSE;
}

static gboolean
adopt_station_key (Vault *vault, DataKey *key, GError **error)
{
  guint8 *mac_key = secure_alloc (SEALING_KEY);

  data_key_derive (key, "nhipcau/1/keys-mac", mac_key);
  if (!check_all (vault, mac_key, error)) {
    secure_free (mac_key, SEALING_KEY);
    return FALSE;
  }
  secure_free (vault->mac_key, SEALING_KEY);
  vault->mac_key = mac_key;
  return TRUE;
}

GBytes *
vault_user_row (Vault *vault, const char *row_name)
{
  g_autoptr (sqlite3_stmt) row
      = table_prepare (vault->db, "SELECT pkcs8 FROM passphrase WHERE user = ?", NULL);
  if (row == NULL)
    return NULL;
  sqlite3_bind_text (row, 1, row_name, -1, SQLITE_TRANSIENT);
  return sqlite3_step (row) == SQLITE_ROW ? table_blob (row, 0) : NULL;
}

/* VK fits its certificate and has signed for the station's key: then that key is genuine. */
static gboolean
adopt_vk (Vault *vault, EVP_PKEY *vk, GError **error)
{
  g_autoptr (GBytes) anchor = meta_get (vault->db, "anchor");

  if (EVP_PKEY_eq (vk, X509_get0_pubkey (vault->certificate)) != 1) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "the vault key does not fit its certificate: the key files were changed");
    return FALSE;
  }
  g_autoptr (KeyRow) row = vault_find_key (vault, STATION_CONSULT, PURPOSE_STATION, error);
  if (row == NULL)
    return FALSE;
  g_autoptr (DataKey) key = key_unwrap (row, vault->id, NULL, vk, vault->certificate, error);
  if (key == NULL)
    return FALSE;
  g_autoptr (GBytes) commit = station_commit (key);
  if (anchor == NULL
      || !anchor_good (vk, vault->id, vault->label, vault->certificate, commit, anchor)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "the station's key was not made by this vault: the key files were changed");
    return FALSE;
  }
  return adopt_station_key (vault, key, error);
}

gboolean
vault_unlock (Vault *vault, const char *user, const char *passphrase, GError **error)
{
  return vault_unlock_row (vault, user, passphrase, error);
}

gboolean
vault_unlock_row (Vault *vault, const char *row_name, const char *passphrase, GError **error)
{
  g_mutex_lock (&vault->lock);
  g_autoptr (GBytes) pkcs8 = vault_user_row (vault, row_name);
  g_mutex_unlock (&vault->lock);
  if (pkcs8 == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                 "this user has no passphrase here");
    return FALSE;
  }
  /* 0.23 s of scrypt without the lock: readings and recordings go on meanwhile. */
  EVP_PKEY *vk = user_unwrap (pkcs8, passphrase, error);
  if (vk == NULL)
    return FALSE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  if (!adopt_vk (vault, vk, error)) {
    EVP_PKEY_free (vk);
    return FALSE;
  }
  EVP_PKEY_free (vault->vk);
  vault->vk = vk;
  return TRUE;
}

gboolean
vault_unlock_boot (Vault *vault, GBytes *boot, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autoptr (KeyRow) row = vault_find_key (vault, STATION_CONSULT, PURPOSE_STATION, error);

  if (row == NULL)
    return FALSE;
  if (row->boot == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                 "this vault was set up without a boot credential: sign in");
    return FALSE;
  }
  guint8 *boot_key = vault_boot_key (vault->id, boot, error);
  if (boot_key == NULL)
    return FALSE;
  g_autoptr (GError) local = NULL;
  g_autoptr (DataKey) key = key_unwrap (row, vault->id, boot_key, NULL, NULL, &local);
  if (key == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                 "the boot credential does not open this vault (%s)", local->message);
  } else if (adopt_station_key (vault, key, error)) {
    secure_free (vault->boot_key, SEALING_KEY);
    vault->boot_key = boot_key;
    return TRUE;
  }
  secure_free (boot_key, SEALING_KEY);
  return FALSE;
}

guint8 *
vault_boot_key (GBytes *vault_id, GBytes *boot, GError **error)
{
  gsize size = boot != NULL ? g_bytes_get_size (boot) : 0;

  if (size < BOOT_SHORTEST || size > BOOT_LONGEST) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                 "a boot credential has at least %d random bytes, this one %" G_GSIZE_FORMAT
                 ": make it with `head -c 32 /dev/urandom`",
                 BOOT_SHORTEST, size);
    return NULL;
  }
  guint8 *key = secure_alloc (SEALING_KEY);
  sealing_derive (g_bytes_get_data (boot, NULL), size, g_bytes_get_data (vault_id, NULL),
                  g_bytes_get_size (vault_id), "nhipcau/1/boot", key);
  return key;
}

static gboolean
is_finished (gpointer name, gpointer value, gpointer arg)
{
  const Vault *vault = arg;
  return ((CachedKey *)value)->finished && !g_hash_table_contains (vault->held, name);
}

void
vault_lock (Vault *vault)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  EVP_PKEY_free (g_steal_pointer (&vault->vk));
  /* Keys of consultations that go on stay, so that capture never stops. */
  g_hash_table_foreach_remove (vault->cache, is_finished, vault);
}

gboolean
vault_is_open (Vault *vault)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  return vault->vk != NULL;
}

gboolean
vault_has_passphrase (Vault *vault, const char *user)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autoptr (GBytes) pkcs8 = vault_user_row (vault, user);
  return pkcs8 != NULL;
}

GStrv
vault_users (Vault *vault, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autoptr (GStrvBuilder) users = g_strv_builder_new ();
  g_autoptr (sqlite3_stmt) row = table_prepare (
      vault->db, "SELECT user FROM passphrase WHERE instr(user, '/') = 0 ORDER BY user", error);
  int step;

  if (row == NULL)
    return NULL;
  while ((step = sqlite3_step (row)) == SQLITE_ROW) {
    g_autofree char *user = g_utf8_make_valid (table_text (row, 0), -1);
    g_strv_builder_add (users, user);
  }
  if (step == SQLITE_DONE)
    return g_strv_builder_end (users);
  table_set_error (vault->db, "keys.db", error);
  return NULL;
}

/* ---- Passphrases -------------------------------------------------------------------------- */

static gboolean
write_user_rows (Vault *vault, sqlite3 *db, gpointer arg, int *ret_keys, GError **error)
{
  for (const UserRow *row = arg; row != NULL; row = row->next) {
    const Value values[] = { VALUE_OF_TEXT (row->name), VALUE_OF_BLOB (row->value) };
    if (!table_write (db, "passphrase", values, G_N_ELEMENTS (values), vault->mac_key, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
vault_set_passphrase (Vault *vault, const char *user, const char *passphrase, GError **error)
{
  return user_check_passphrase (user, passphrase, error)
         && vault_set_row (vault, user, passphrase, NULL, error);
}

gboolean
vault_set_row (Vault *vault, const char *row_name, const char *passphrase, const UserRow *beside,
               GError **error)
{
  EVP_PKEY *vk = NULL;

  g_mutex_lock (&vault->lock);
  if (vault->vk != NULL && EVP_PKEY_up_ref (vault->vk) == 1)
    vk = vault->vk;
  g_mutex_unlock (&vault->lock);
  if (vk == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED,
                 "the vault is locked: somebody with a passphrase signs in first");
    return FALSE;
  }
  g_autoptr (GBytes) pkcs8 = user_wrap (vk, passphrase, error);
  EVP_PKEY_free (vk);
  if (pkcs8 == NULL)
    return FALSE;
  UserRow row = { row_name, pkcs8, beside };
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  return vault_change (vault, write_user_rows, &row, error);
}
