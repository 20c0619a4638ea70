#include "vault_place.h"
#include "records/secure_memory.h"
#include "records/vault_cms.h"
#include "records/vault_way.h"
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define CONSULT "6d8f0c1e-0000-4000-8000-000000000001"
#define OTHER "6d8f0c1e-0000-4000-8000-000000000002"

static void
place_up (Place *place, gconstpointer data)
{
  place_init (place);
  place_create (place);
}

static void
place_down (Place *place, gconstpointer data)
{
  place_clear (place);
}

static void
assert_same_key (DataKey *a, DataKey *b)
{
  guint8 x[32], y[32];
  g_assert_nonnull (a);
  g_assert_nonnull (b);
  data_key_commitment (a, x);
  data_key_commitment (b, y);
  g_assert_cmpmem (x, 32, y, 32);
}

static void
assert_sound (Vault *vault)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) problems = vault_verify (vault, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < problems->len; i++)
    g_test_message ("%s", (char *)g_ptr_array_index (problems, i));
  g_assert_cmpuint (problems->len, ==, 0);
}

/* ---- Set-up ------------------------------------------------------------------------------- */

static void
refuse_setup (const VaultSetup *setup, gint code)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (vault_create (setup, &error));
  g_assert_error (error, RECORDS_ERROR, code);
  g_test_message ("%s", error->message);
}

static void
test_setup_refuses (void)
{
  Place place;
  place_init (&place);
  VaultSetup setup = place_setup (&place);

  setup.passphrase = "ngắn quá";
  refuse_setup (&setup, RECORDS_ERROR_CREDENTIAL);
  setup = place_setup (&place);
  setup.boot = g_bytes_new_static ("short", 5);
  refuse_setup (&setup, RECORDS_ERROR_CREDENTIAL);
  g_bytes_unref (setup.boot);
  setup = place_setup (&place);
  g_chmod (place.dir, 0755);
  refuse_setup (&setup, RECORDS_ERROR_FAILED);
  g_chmod (place.dir, 0700);
  place_create (&place);
  refuse_setup (&setup, RECORDS_ERROR_EXISTS);
  g_autofree char *path = g_build_filename (place.dir, "keys.db", NULL);
  GStatBuf info;
  g_assert_cmpint (g_stat (path, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 0777, ==, 0600);
  place_clear (&place);
}

static void
refuse_recovery (Place *place, EVP_PKEY *key, X509 *certificate)
{
  GPtrArray *recovery = g_ptr_array_new ();
  g_ptr_array_add (recovery, place->certificates[0]);
  g_ptr_array_add (recovery, certificate);
  VaultSetup setup = place_setup (place);
  setup.recovery = recovery;
  refuse_setup (&setup, RECORDS_ERROR_CREDENTIAL);
  g_ptr_array_unref (recovery);
  if (certificate != place->certificates[0])
    X509_free (certificate);
  EVP_PKEY_free (key);
}

static void
test_recovery_certificates (void)
{
  Place place;
  place_init (&place);
  EVP_PKEY *key;

  refuse_recovery (&place, NULL, place.certificates[0]);
  refuse_recovery (&place, NULL,
                   place_certificate (place.keys[0], "Khóa tỉnh, lần hai", -86400, 86400));
  key = EVP_RSA_gen (2048);
  refuse_recovery (&place, key, place_certificate (key, "RSA ngắn", -86400, 86400));
  key = EVP_EC_gen ("secp256k1");
  refuse_recovery (&place, key, place_certificate (key, "đường cong lạ", -86400, 86400));
  key = EVP_EC_gen ("P-384");
  refuse_recovery (&place, key, place_certificate (key, "hết hạn", -86400 * 3, -86400));
  key = EVP_EC_gen ("P-384");
  refuse_recovery (&place, key, place_certificate (key, "chưa đến hạn", 86400, 86400 * 3));
  const IssueRequest signing = { .key = place.keys[1],
                                 .common_name = "chỉ để ký",
                                 .basic = "critical,CA:FALSE",
                                 .usage = "critical,digitalSignature",
                                 .not_before = 0 };
  refuse_recovery (&place, NULL, issue_certificate (&signing, NULL));

  VaultSetup setup = place_setup (&place);
  g_ptr_array_remove_index (place.recovery, 1);
  refuse_setup (&setup, RECORDS_ERROR_CREDENTIAL);
  setup.allow_single = TRUE;
  g_assert_true (vault_create (&setup, NULL));
  place_clear (&place);
}

static void
test_challenge (Place *place, gconstpointer data)
{
  g_autoptr (Vault) vault = place_open (place);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (vault_recipients (vault), ==, 2);
  g_assert_true (vault_unlock_boot (vault, place->boot, NULL));
  g_assert_null (vault_create_key (vault, CONSULT, PURPOSE_CLINICAL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  g_clear_error (&error);
  g_assert_false (vault_confirm (vault, "0000-0000-0000-0000", NULL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  g_clear_error (&error);
  g_assert_false (vault_confirm (vault, "", NULL, NULL));
  place_confirm (place, vault, 1);
  g_assert_false (vault_recipient_confirmed (vault, 0));
  g_assert_true (vault_recipient_confirmed (vault, 1));
  place_confirm (place, vault, 1); /* twice does no harm */
  g_autoptr (DataKey) key = vault_create_key (vault, CONSULT, PURPOSE_CLINICAL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (key);
  g_assert_null (vault_challenge (vault, 2, NULL));
  assert_sound (vault);
}

/* ---- Opening ------------------------------------------------------------------------------ */

static void
test_unlock (Place *place, gconstpointer data)
{
  g_autoptr (Vault) vault = place_start (place);
  g_autoptr (GError) error = NULL;
  g_autoptr (DataKey) made = vault_create_key (vault, CONSULT, PURPOSE_RECORDING, &error);
  g_assert_no_error (error);
  g_assert_null (vault_create_key (vault, CONSULT, PURPOSE_RECORDING, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS);
  g_clear_error (&error);
  g_clear_pointer (&vault, vault_free);

  vault = place_open (place);
  g_assert_null (vault_get_key (vault, CONSULT, PURPOSE_RECORDING, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_clear_error (&error);
  g_assert_null (vault_create_key (vault, OTHER, PURPOSE_CLINICAL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_clear_error (&error);
  g_assert_null (vault_get_key (vault, OTHER, PURPOSE_CLINICAL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
  g_clear_error (&error);

  g_assert_false (vault_unlock (vault, PLACE_USER, "sai mật khẩu rồi", &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  g_clear_error (&error);
  g_assert_false (vault_unlock (vault, "ai đó", PLACE_PASSPHRASE, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  g_clear_error (&error);
  g_assert_false (vault_is_open (vault));
  /* The same letters, decomposed, as another keyboard sends them. */
  g_autofree char *decomposed = g_utf8_normalize (PLACE_PASSPHRASE, -1, G_NORMALIZE_NFD);
  g_assert_cmpstr (decomposed, !=, PLACE_PASSPHRASE);
  g_assert_true (vault_unlock (vault, PLACE_USER, decomposed, &error));
  g_assert_no_error (error);
  g_assert_true (vault_is_open (vault));
  g_autoptr (DataKey) found = vault_get_key (vault, CONSULT, PURPOSE_RECORDING, &error);
  g_assert_no_error (error);
  assert_same_key (made, found);
  assert_sound (vault);
}

static void
test_boot (Place *place, gconstpointer data)
{
  g_autoptr (Vault) vault = place_start (place);
  g_autoptr (DataKey) made = vault_create_key (vault, CONSULT, PURPOSE_CLINICAL, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) wrong = g_bytes_new_static ("................................", 32);
  g_clear_pointer (&vault, vault_free);

  vault = place_open (place);
  g_assert_false (vault_unlock_boot (vault, wrong, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  g_clear_error (&error);
  g_assert_true (vault_unlock_boot (vault, place->boot, &error));
  g_autoptr (DataKey) found = vault_get_key (vault, CONSULT, PURPOSE_CLINICAL, &error);
  g_assert_no_error (error);
  assert_same_key (made, found);
  g_autoptr (DataKey) station = vault_get_key (vault, "station", PURPOSE_STATION, &error);
  g_assert_nonnull (station);
  g_assert_null (vault_get_key (vault, CONSULT, PURPOSE_STATION, NULL));
  g_assert_null (vault_get_key (vault, "../etc", PURPOSE_CLINICAL, NULL));
  g_assert_false (vault_is_open (vault)); /* BOOT opens the unfinished, not VK */
}

/* Keys in use survive the idle lock; those of finished consultations do not. */
static void
test_lock (Place *place, gconstpointer data)
{
  g_autoptr (Vault) vault = place_start (place);
  g_autoptr (GError) error = NULL;
  g_autoptr (DataKey) going_on = vault_create_key (vault, CONSULT, PURPOSE_CLINICAL, NULL);
  g_autoptr (DataKey) done = vault_create_key (vault, OTHER, PURPOSE_CLINICAL, NULL);
  g_autoptr (DataKey) key = NULL;

  g_assert_true (vault_unlock (vault, PLACE_USER, PLACE_PASSPHRASE, NULL));
  g_assert_true (vault_finish (vault, OTHER, &error));
  g_assert_no_error (error);
  key = vault_get_key (vault, OTHER, PURPOSE_CLINICAL, NULL);
  assert_same_key (key, done);
  vault_lock (vault);
  g_assert_false (vault_is_open (vault));
  g_assert_null (vault_get_key (vault, OTHER, PURPOSE_CLINICAL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_clear_error (&error);
  g_autoptr (DataKey) again = vault_get_key (vault, CONSULT, PURPOSE_CLINICAL, NULL);
  assert_same_key (again, going_on);
  g_assert_true (vault_finish (vault, CONSULT, NULL)); /* nobody signed in: closed at once */
  g_assert_null (vault_get_key (vault, CONSULT, PURPOSE_CLINICAL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
}

static void
test_passphrases (Place *place, gconstpointer data)
{
  g_autoptr (Vault) vault = place_start (place);
  g_autoptr (GError) error = NULL;

  g_assert_false (vault_set_passphrase (vault, "bs.hoa", "một câu khác nữa", &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_clear_error (&error);
  g_assert_true (vault_unlock (vault, PLACE_USER, PLACE_PASSPHRASE, NULL));
  g_assert_false (vault_has_passphrase (vault, "bs.hoa"));
  g_assert_true (vault_set_passphrase (vault, "bs.hoa", "một câu khác nữa", &error));
  g_assert_no_error (error);
  g_assert_true (vault_set_passphrase (vault, PLACE_USER, "câu mới của Lan", &error));
  g_assert_no_error (error);
  g_clear_pointer (&vault, vault_free);

  vault = place_open (place);
  g_assert_true (vault_has_passphrase (vault, "bs.hoa"));
  g_auto (GStrv) users = vault_users (vault, &error);
  g_autofree char *line = g_strjoinv (" ", users);
  g_assert_cmpstr (line, ==, "bs.hoa " PLACE_USER);
  g_assert_false (vault_unlock (vault, PLACE_USER, PLACE_PASSPHRASE, NULL));
  g_assert_true (vault_unlock (vault, PLACE_USER, "câu mới của Lan", &error));
  vault_lock (vault);
  g_assert_true (vault_unlock (vault, "bs.hoa", "một câu khác nữa", &error));
  assert_sound (vault);
}

/* ---- Other ways in ------------------------------------------------------------------------ */

#define WAY "passkey-1"

static GBytes *
secret_of (guint8 byte, gsize size)
{
  guint8 *data = g_malloc (size);
  memset (data, byte, size);
  return g_bytes_new_take (data, size);
}

static gboolean
way_opens (Vault *vault, const char *user, const char *way, GBytes *secret)
{
  g_autoptr (GError) error = NULL;
  gboolean opens = vault_way_unlock (vault, user, way, secret, &error);
  if (!opens)
    g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  g_assert_true (opens == vault_is_open (vault));
  vault_lock (vault);
  return opens;
}

static void
test_ways (Place *place, gconstpointer data)
{
  g_autoptr (Vault) vault = place_start (place);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) secret = secret_of (7, 32), other = secret_of (8, 32);
  g_autoptr (GBytes) shorter = secret_of (7, 31), note = g_bytes_new_static ("sealed", 6);

  g_assert_false (vault_way_set (vault, PLACE_USER, WAY, secret, NULL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_clear_error (&error);
  g_assert_true (vault_unlock (vault, PLACE_USER, PLACE_PASSPHRASE, NULL));
  g_assert_false (vault_way_set (vault, PLACE_USER, "UPPER/", secret, NULL, NULL));
  g_assert_false (vault_way_set (vault, PLACE_USER, WAY, shorter, NULL, NULL));
  g_assert_true (vault_way_set (vault, PLACE_USER, WAY, secret, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (vault_way_set (vault, PLACE_USER, "tpm", other, note, &error));
  g_assert_no_error (error);
  vault_lock (vault);
  g_clear_pointer (&vault, vault_free);

  vault = place_open (place);
  g_auto (GStrv) users = vault_users (vault, &error);
  g_assert_cmpuint (g_strv_length (users), ==, 1); /* a way is nobody's passphrase */
  g_autoptr (GBytes) kept = vault_way_note (vault, PLACE_USER, "tpm");
  g_assert_true (g_bytes_equal (kept, note));
  g_assert_null (vault_way_note (vault, PLACE_USER, WAY));
  g_assert_true (way_opens (vault, PLACE_USER, WAY, secret));
  g_assert_true (way_opens (vault, PLACE_USER, "tpm", other));
  g_assert_false (way_opens (vault, PLACE_USER, WAY, other));
  g_assert_false (way_opens (vault, PLACE_USER, "tpm", secret));
  g_assert_false (way_opens (vault, "bs.hoa", WAY, secret));
  g_assert_false (way_opens (vault, PLACE_USER, "passkey-2", secret));
  assert_sound (vault);
}

static void
test_way_removed (Place *place, gconstpointer data)
{
  g_autoptr (Vault) vault = place_start (place);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) secret = secret_of (7, 32), note = g_bytes_new_static ("NOTE-OF-TPM", 11);

  g_assert_true (vault_unlock (vault, PLACE_USER, PLACE_PASSPHRASE, NULL));
  g_assert_true (vault_way_set (vault, PLACE_USER, WAY, secret, note, NULL));
  vault_lock (vault);
  g_assert_true (vault_way_remove (vault, PLACE_USER, WAY, &error));
  g_assert_no_error (error);
  g_assert_true (vault_way_remove (vault, PLACE_USER, WAY, &error)); /* again: nothing to do */
  g_assert_false (vault_way_exists (vault, PLACE_USER, WAY));
  g_assert_false (way_opens (vault, PLACE_USER, WAY, secret));
  g_assert_true (vault_unlock (vault, PLACE_USER, PLACE_PASSPHRASE, &error));
  assert_sound (vault);
  g_clear_pointer (&vault, vault_free);
  /* Erased, not only unlinked. */
  for (guint i = 0; i < 2; i++) {
    g_autofree char *file
        = g_build_filename (place->dir, i == 0 ? "keys.db" : "keys-copy.db", NULL);
    g_autofree char *bytes = NULL;
    gsize size;
    g_assert_true (g_file_get_contents (file, &bytes, &size, &error));
    g_assert_null (memmem (bytes, size, "NOTE-OF-TPM", 11));
  }
}

static void
test_pin (void)
{
  g_autofree char *hash = vault_hash_pin ("482913", NULL);
  g_autofree char *again = vault_hash_pin ("482913", NULL);

  g_assert_cmpstr (hash, !=, again);
  g_assert_true (vault_check_pin (hash, "482913"));
  g_assert_false (vault_check_pin (hash, "482914"));
  g_assert_false (vault_check_pin (hash, ""));
  g_assert_false (vault_check_pin (hash, NULL));
  g_assert_false (vault_check_pin (NULL, "482913"));
  g_assert_false (vault_check_pin ("$scrypt$ln=30,r=8,p=1$AAAA$AAAA", "482913"));
  g_assert_false (vault_check_pin ("$scrypt$ln=14,r=8,p=1$", "482913"));
  g_assert_null (vault_hash_pin ("123", NULL));
  for (gsize i = 0; hash[i] != '\0' && g_test_slow (); i++) {
    g_autofree char *bad = g_strdup (hash);
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    g_assert_false (vault_check_pin (bad, "482913"));
  }
}

/* ---- Recovery ----------------------------------------------------------------------------- */

static void
test_escrow_by_openssl (Place *place, gconstpointer data)
{
  g_autoptr (Vault) vault = place_start (place);
  g_autoptr (DataKey) made = vault_create_key (vault, CONSULT, PURPOSE_RECORDING, NULL);
  g_autoptr (GPtrArray) rows = vault_list_keys (vault, NULL);
  VaultKeyRow *row = NULL;

  g_assert_cmpuint (rows->len, ==, 2);
  for (guint i = 0; i < rows->len; i++)
    if (((VaultKeyRow *)g_ptr_array_index (rows, i))->purpose == PURPOSE_RECORDING)
      row = g_ptr_array_index (rows, i);
  g_assert_cmpstr (row->consult, ==, CONSULT);
  g_assert_true (row->has_boot);
  for (guint i = 0; i < 2; i++) {
    g_autofree char *text = place_openssl_decrypt (place, i, row->recovery_cms);
    g_autofree char *head
        = g_strdup_printf ("{\"label\":\"" PLACE_LABEL "\",\"consultation\":\"" CONSULT
                           "\",\"purpose\":\"recording\",\"epoch\":%u,\"dek\":\"",
                           row->epoch);
    gsize size;
    g_assert_true (g_str_has_prefix (text, head));
    g_assert_true (g_str_has_suffix (text, "\"}"));
    text[strlen (text) - 2] = '\0';
    g_autofree guint8 *dek = g_base64_decode (text + strlen (head), &size);
    g_assert_cmpuint (size, ==, DATA_KEY_SIZE);
    g_autoptr (DataKey) key = data_key_new (dek, row->epoch);
    assert_same_key (key, made);
  }
}

static void
test_recover (Place *place, gconstpointer data)
{
  g_autoptr (Vault) vault = place_start (place);
  g_autoptr (DataKey) made = vault_create_key (vault, CONSULT, PURPOSE_CLINICAL, NULL);
  g_autoptr (GPtrArray) rows = vault_list_keys (vault, NULL);
  g_autoptr (GError) error = NULL;
  VaultKeyRow *row = NULL;
  for (guint i = 0; i < rows->len; i++)
    if (((VaultKeyRow *)g_ptr_array_index (rows, i))->purpose == PURPOSE_CLINICAL)
      row = g_ptr_array_index (rows, i);

  g_autoptr (DataKey) key = vault_recover_key (
      row->recovery_cms, place->keys[1], place->certificates[1], CONSULT, PURPOSE_CLINICAL, &error);
  g_assert_no_error (error);
  assert_same_key (key, made);
  const struct {
    const char *consult;
    Purpose purpose;
  } others[] = { { OTHER, PURPOSE_CLINICAL }, { CONSULT, PURPOSE_RECORDING } };
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    g_assert_null (vault_recover_key (row->recovery_cms, place->keys[0], place->certificates[0],
                                      others[i].consult, others[i].purpose, &error));
    g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED);
    g_clear_error (&error);
  }
  EVP_PKEY *stranger = EVP_EC_gen ("P-384");
  g_assert_null (
      vault_recover_key (row->recovery_cms, stranger, NULL, CONSULT, PURPOSE_CLINICAL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  EVP_PKEY_free (stranger);
  gsize size;
  const guint8 *der = g_bytes_get_data (row->recovery_cms, &size);
  guint opened = 0;
  for (gsize i = 0; i < size; i += place_is_slow () ? 23 : 1) {
    g_autofree guint8 *bad = g_memdup2 (der, size);
    bad[i] ^= (guint8)(1 << (i % 8));
    g_autoptr (GBytes) bytes = g_bytes_new (bad, size);
    g_autoptr (DataKey) got = vault_recover_key (bytes, place->keys[0], place->certificates[0],
                                                 CONSULT, PURPOSE_CLINICAL, NULL);
    if (got != NULL) { /* the other recipient's part, or a version number: the same key at least */
      assert_same_key (got, made);
      opened++;
    }
  }
  g_test_message ("%u of %" G_GSIZE_FORMAT " flips left the key as it was", opened, size);
}

static void
test_rsa_recipient (void)
{
  Place place;
  place_init (&place);
  EVP_PKEY_free (place.keys[1]);
  X509_free (place.certificates[1]);
  place.keys[1] = EVP_RSA_gen (3072);
  place.certificates[1] = place_certificate (place.keys[1], "Khóa RSA", -86400, 86400);
  place.recovery->pdata[1] = place.certificates[1];
  place_create (&place);
  g_autoptr (Vault) vault = place_start (&place);
  place_confirm (&place, vault, 1);
  g_autoptr (DataKey) made = vault_create_key (vault, CONSULT, PURPOSE_CLINICAL, NULL);
  g_autoptr (GPtrArray) rows = vault_list_keys (vault, NULL);
  for (guint i = 0; i < rows->len; i++) {
    VaultKeyRow *row = g_ptr_array_index (rows, i);
    g_autofree char *text = place_openssl_decrypt (&place, 1, row->recovery_cms);
    g_assert_nonnull (strstr (text, "\"dek\""));
  }
  g_clear_pointer (&vault, vault_free);
  place_clear (&place);
}

/* ---- Read-only ---------------------------------------------------------------------------- */

static void
test_read_only (Place *place, gconstpointer data)
{
  g_autoptr (Vault) vault = place_start (place);
  g_autoptr (DataKey) made = vault_create_key (vault, CONSULT, PURPOSE_CLINICAL, NULL);
  g_autoptr (GError) error = NULL;

  /* Beside the running one, which another writer may not join. */
  g_assert_null (vault_open (place->dir, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS);
  g_clear_error (&error);
  g_autoptr (Vault) reader = vault_open_read_only (place->dir, &error);
  g_assert_no_error (error);
  g_assert_true (vault_unlock_boot (reader, place->boot, &error));
  g_autoptr (DataKey) found = vault_get_key (reader, CONSULT, PURPOSE_CLINICAL, &error);
  g_assert_no_error (error);
  assert_same_key (found, made);
  assert_sound (reader);
  g_assert_null (vault_create_key (reader, OTHER, PURPOSE_CLINICAL, NULL));
  g_assert_false (vault_finish (reader, CONSULT, NULL));
  g_assert_false (vault_confirm (reader, "not a code", NULL, NULL));
  /* vault_verify() of the running one reads the files: its own lock must survive that. */
  assert_sound (vault);
  g_assert_null (vault_open (place->dir, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  secure_memory_init (NULL);
#define ADD(path, function) g_test_add ("/vault/" path, Place, NULL, place_up, function, place_down)
  g_test_add_func ("/vault/setup-refuses", test_setup_refuses);
  g_test_add_func ("/vault/recovery-certificates", test_recovery_certificates);
  ADD ("challenge", test_challenge);
  ADD ("unlock", test_unlock);
  ADD ("boot", test_boot);
  ADD ("lock", test_lock);
  ADD ("passphrases", test_passphrases);
  ADD ("ways", test_ways);
  ADD ("way-removed", test_way_removed);
  g_test_add_func ("/vault/pin", test_pin);
  ADD ("escrow-by-openssl", test_escrow_by_openssl);
  ADD ("recover", test_recover);
  g_test_add_func ("/vault/rsa-recipient", test_rsa_recipient);
  ADD ("read-only", test_read_only);
  return g_test_run ();
}
