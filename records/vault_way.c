#include "records/vault_way.h"
#include "records/sealing.h"
#include "records/secure_memory.h"
#include "records/vault_private.h"
#include <openssl/crypto.h>
#include <string.h>

#define WAY_LONGEST 80
#define NOTE_LONGEST (8 * 1024)

static gboolean
names_are_good (const char *user, const char *way, GError **error)
{
  gsize length = strlen (way);
  if (*user != '\0' && strchr (user, '/') == NULL && length >= 1 && length <= WAY_LONGEST
      && strspn (way, "abcdefghijklmnopqrstuvwxyz0123456789-") == length)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
               "a way into the vault has a user and a name of a to z, 0 to 9 and '-'");
  return FALSE;
}

static char *
row_of (const char *user, const char *way)
{
  return g_strconcat (user, "/", way, NULL);
}

static char *
note_of (const char *user, const char *way)
{
  return g_strconcat (user, "/", way, "/note", NULL);
}

/* What stands for a passphrase (transfer full), for free_text(). NULL: the secret is too short. */
static char *
text_of (Vault *vault, const char *row_name, GBytes *secret, GError **error)
{
  gsize size = 0;
  const guint8 *data = secret != NULL ? g_bytes_get_data (secret, &size) : NULL;
  g_autofree char *info = g_strconcat ("nhipcau/1/way/", row_name, NULL);
  if (size < VAULT_WAY_SECRET_LEAST) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                 "a secret that opens the vault has at least %d bytes", VAULT_WAY_SECRET_LEAST);
    return NULL;
  }
  guint8 *key = secure_alloc (SEALING_KEY);
  sealing_derive (data, size, g_bytes_get_data (vault->id, NULL), g_bytes_get_size (vault->id),
                  info, key);
  char *text = g_base64_encode (key, SEALING_KEY);
  secure_free (key, SEALING_KEY);
  return text;
}

static void
free_text (char *text)
{
  OPENSSL_cleanse (text, strlen (text));
  g_free (text);
}

gboolean
vault_way_set (Vault *vault, const char *user, const char *way, GBytes *secret, GBytes *note,
               GError **error)
{
  if (!names_are_good (user, way, error))
    return FALSE;
  if (note != NULL && g_bytes_get_size (note) > NOTE_LONGEST) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "the note of a way is over %d bytes",
                 NOTE_LONGEST);
    return FALSE;
  }
  g_autofree char *row_name = row_of (user, way), *note_name = note_of (user, way);
  char *text = text_of (vault, row_name, secret, error);
  if (text == NULL)
    return FALSE;
  UserRow beside = { note_name, note, NULL };
  gboolean good = vault_set_row (vault, row_name, text, note != NULL ? &beside : NULL, error);
  free_text (text);
  return good;
}

gboolean
vault_way_unlock (Vault *vault, const char *user, const char *way, GBytes *secret, GError **error)
{
  if (!names_are_good (user, way, error))
    return FALSE;
  g_autofree char *row_name = row_of (user, way);
  char *text = text_of (vault, row_name, secret, error);
  if (text == NULL)
    return FALSE;
  gboolean good = vault_unlock_row (vault, row_name, text, error);
  free_text (text);
  return good;
}

gboolean
vault_way_exists (Vault *vault, const char *user, const char *way)
{
  g_autofree char *row_name = row_of (user, way);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autoptr (GBytes) row = vault_user_row (vault, row_name);
  return row != NULL;
}

GBytes *
vault_way_note (Vault *vault, const char *user, const char *way)
{
  g_autofree char *note_name = note_of (user, way);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  return vault_user_row (vault, note_name);
}

static gboolean
remove_rows (Vault *vault, sqlite3 *db, gpointer arg, int *ret_keys, GError **error)
{
  const char *row_name = arg;
  g_autofree char *note_name = g_strconcat (row_name, "/note", NULL);
  g_autoptr (sqlite3_stmt) statement
      = table_prepare (db, "DELETE FROM passphrase WHERE user = ? OR user = ?", error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_text (statement, 1, row_name, -1, SQLITE_TRANSIENT);
  sqlite3_bind_text (statement, 2, note_name, -1, SQLITE_TRANSIENT);
  if (sqlite3_step (statement) == SQLITE_DONE)
    return TRUE;
  table_set_error (db, "passphrase", error);
  return FALSE;
}

gboolean
vault_way_remove (Vault *vault, const char *user, const char *way, GError **error)
{
  if (!names_are_good (user, way, error))
    return FALSE;
  g_autofree char *row_name = row_of (user, way);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  return vault_may_change (vault, error) && vault_change (vault, remove_rows, row_name, error);
}
