#include "certs/issue.h"
#include "records/secure_memory.h"
#include "records/sealing.h"
#include "records/vault_private.h"
#include <errno.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>

#define LABEL_LONGEST 200
#define DAY_S (24 * 60 * 60)

/* Everything of the new vault until it is written. */
typedef struct {
  const VaultSetup *setup;
  GBytes *id;
  EVP_PKEY *vk;
  X509 *certificate;
  guint8 *boot_key, *mac_key; /* secure */
  KeyRow *station;
  DataKey *station_key;
  GBytes *pkcs8, *anchor;
} Making;

static void
making_clear (Making *making)
{
  g_clear_pointer (&making->id, g_bytes_unref);
  EVP_PKEY_free (making->vk);
  X509_free (making->certificate);
  secure_free (making->boot_key, SEALING_KEY);
  secure_free (making->mac_key, SEALING_KEY);
  key_row_free (making->station);
  data_key_unref (making->station_key);
  g_clear_pointer (&making->pkcs8, g_bytes_unref);
  g_clear_pointer (&making->anchor, g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Making, making_clear)

static gboolean
folder_good (const char *state_dir, GError **error)
{
  struct stat info;

  if (stat (state_dir, &info) != 0 || !S_ISDIR (info.st_mode)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "state folder %s: %s", state_dir,
                 g_strerror (errno != 0 ? errno : ENOTDIR));
    return FALSE;
  }
  if ((info.st_mode & 077) != 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "state folder %s is open to others: chmod 700 it", state_dir);
    return FALSE;
  }
  static const char *const FILES[] = { KEYS_MAIN, KEYS_COPY };
  for (gsize i = 0; i < G_N_ELEMENTS (FILES); i++) {
    g_autofree char *path = g_build_filename (state_dir, FILES[i], NULL);
    if (g_file_test (path, G_FILE_TEST_EXISTS)) {
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS,
                   "%s is there already: this folder has been set up", path);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
setup_good (const VaultSetup *setup, GError **error)
{
  if (setup->label == NULL || *setup->label == '\0' || strlen (setup->label) > LABEL_LONGEST
      || !g_utf8_validate (setup->label, -1, NULL)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "the station's name is UTF-8 of 1 to %d bytes", LABEL_LONGEST);
    return FALSE;
  }
  return folder_good (setup->state_dir, error)
         && user_check_passphrase (setup->user, setup->passphrase, error)
         && recovery_check (setup->recovery, NULL, setup->allow_single, error);
}

gboolean
vault_make_vk (const char *label, EVP_PKEY **ret_vk, X509 **ret_certificate, GError **error)
{
  g_autofree char *name = g_strdup_printf ("Nhịp Cầu %s vault", label);
  g_autoptr (GError) local = NULL;
  EVP_PKEY *vk = issue_key (&local);
  X509 *certificate = NULL;

  if (vk != NULL) {
    const IssueRequest request = { .key = vk,
                                   .common_name = name,
                                   .basic = "critical,CA:FALSE",
                                   .usage = "critical,keyAgreement,digitalSignature",
                                   .not_before = g_get_real_time () / G_USEC_PER_SEC - DAY_S };
    certificate = issue_certificate (&request, &local);
  }
  if (certificate == NULL) {
    EVP_PKEY_free (vk);
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "%s", local->message);
    return FALSE;
  }
  *ret_vk = vk;
  *ret_certificate = certificate;
  return TRUE;
}

static gboolean
make_keys (Making *making, GError **error)
{
  guint8 id[16], commit[32];

  if (RAND_bytes (id, sizeof id) != 1) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "no random numbers");
    return FALSE;
  }
  making->id = g_bytes_new (id, sizeof id);
  if (making->setup->boot != NULL) {
    making->boot_key = vault_boot_key (making->id, making->setup->boot, error);
    if (making->boot_key == NULL)
      return FALSE;
  }
  if (!vault_make_vk (making->setup->label, &making->vk, &making->certificate, error))
    return FALSE;
  const KeyMaking key = { making->setup->label, making->id, making->certificate,
                          making->setup->recovery, making->boot_key };
  making->station = key_make (&key, STATION_CONSULT, PURPOSE_STATION, &making->station_key, error);
  if (making->station == NULL)
    return FALSE;
  making->mac_key = secure_alloc (SEALING_KEY);
  data_key_derive (making->station_key, "nhipcau/1/keys-mac", making->mac_key);
  data_key_commitment (making->station_key, commit);
  g_autoptr (GBytes) bytes = g_bytes_new (commit, sizeof commit);
  making->anchor = anchor_sign (making->vk, making->id, making->setup->label, making->certificate,
                                bytes, error);
  if (making->anchor == NULL)
    return FALSE;
  making->pkcs8 = user_wrap (making->vk, making->setup->passphrase, error);
  return making->pkcs8 != NULL;
}

static gboolean
set_bytes (sqlite3 *db, const char *name, GBytes *bytes, const guint8 *mac_key, GError **error)
{
  return meta_set (db, name, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), mac_key,
                   error);
}

static gboolean
write_tables (Making *making, sqlite3 *db, GError **error)
{
  const VaultSetup *setup = making->setup;
  const Counts counts = { setup->recovery->len, 1, 1 };
  g_autoptr (GBytes) der = certificate_der (making->certificate);
  const Value passphrase[] = { VALUE_OF_TEXT (setup->user), VALUE_OF_BLOB (making->pkcs8) };

  for (guint i = 0; i < setup->recovery->len; i++)
    if (!recovery_write (db, i, g_ptr_array_index (setup->recovery, i), setup->label, making->id,
                         making->mac_key, error))
      return FALSE;
  return set_bytes (db, "vault", making->id, making->mac_key, error)
         && meta_set (db, "label", setup->label, strlen (setup->label), making->mac_key, error)
         && set_bytes (db, "vk_certificate", der, making->mac_key, error)
         && set_bytes (db, "anchor", making->anchor, making->mac_key, error)
         && meta_set_counts (db, &counts, making->mac_key, error)
         && meta_set_generation (db, 1, error)
         && table_write (db, "passphrase", passphrase, G_N_ELEMENTS (passphrase), making->mac_key,
                         error)
         && key_row_write (db, making->station, making->mac_key, error);
}

gboolean
vault_create (const VaultSetup *setup, GError **error)
{
  g_auto (Making) making = { .setup = setup };

  if (!setup_good (setup, error) || !make_keys (&making, error))
    return FALSE;
  sqlite3 *db = key_file_new (error);
  if (db == NULL)
    return FALSE;
  g_autoptr (GBytes) image
      = write_tables (&making, db, error) ? key_file_serialize (db, error) : NULL;
  sqlite3_close (db);
  return image != NULL && key_file_replace (setup->state_dir, KEYS_COPY, image, error)
         && key_file_replace (setup->state_dir, KEYS_MAIN, image, error);
}
