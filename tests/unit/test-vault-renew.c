/* Other recovery recipients and another boot credential: every key is wrapped anew, the old ones
 * open nothing new, and the record still holds. */
#include "records_place.h"

#define OTHER_BOOT "fedcba9876543210fedcba9876543210"

typedef struct {
  Records records;
  char *going, *finished; /* consultations */
  EVP_PKEY *key;          /* of the third recipient */
  X509 *certificate;
} Renewal;

static void
renewal_up (Renewal *renewal)
{
  Records *records = &renewal->records;
  g_autoptr (GError) error = NULL;

  records_up (records);
  renewal->going = records_consult (records);
  renewal->finished = records_consult (records);
  records_note (records, renewal->going, "đang khám");
  records_note (records, renewal->finished, "đã ký");
  g_autoptr (DataKey) recording
      = vault_create_key (records->vault, renewal->finished, PURPOSE_RECORDING, &error);
  g_assert_no_error (error);
  g_assert_true (vault_finish (records->vault, renewal->finished, &error));
  renewal->key = EVP_EC_gen ("P-521");
  renewal->certificate = place_certificate (renewal->key, "Khóa mới", -86400, 86400 * 365);
  g_assert_true (store_log_escrows (records->store, &error));
}

static void
renewal_down (Renewal *renewal)
{
  records_down (&renewal->records);
  g_free (renewal->going);
  g_free (renewal->finished);
  EVP_PKEY_free (renewal->key);
  X509_free (renewal->certificate);
}

static void
sign_in (Renewal *renewal)
{
  g_autoptr (GError) error = NULL;
  vault_unlock (renewal->records.vault, PLACE_USER, PLACE_PASSPHRASE, &error);
  g_assert_no_error (error);
}

/* Recipients by letter: the two of the set-up are a and b, the new one is c. */
static gboolean
set_recovery (Renewal *renewal, const char *letters, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  for (; *letters != '\0'; letters++)
    g_ptr_array_add (list, *letters == 'c' ? renewal->certificate
                                           : renewal->records.place.certificates[*letters - 'a']);
  return vault_set_recovery (renewal->records.vault, list, list->len == 1, error);
}

static void
assert_set (Renewal *renewal, const char *letters)
{
  g_autoptr (GError) error = NULL;
  gboolean good = set_recovery (renewal, letters, &error);
  g_assert_no_error (error);
  g_assert_true (good);
}

/* How many of all escrows that key opens, each to the key that its row commits to. */
static guint
opened_by (Renewal *renewal, EVP_PKEY *key, guint *ret_all)
{
  g_autoptr (GPtrArray) rows = vault_list_keys (renewal->records.vault, NULL);
  guint opened = 0;
  for (guint i = 0; i < rows->len; i++) {
    const VaultKeyRow *row = rows->pdata[i];
    guint8 commit[32];
    g_autoptr (DataKey) data_key
        = vault_recover_key (row->recovery_cms, key, NULL, row->consult, row->purpose, NULL);
    if (data_key == NULL)
      continue;
    data_key_commitment (data_key, commit);
    g_assert_cmpmem (commit, 32, g_bytes_get_data (row->commit, NULL), 32);
    opened++;
  }
  *ret_all = rows->len;
  return opened;
}

static void
assert_opens (Renewal *renewal, EVP_PKEY *key, gboolean all)
{
  guint rows, opened = opened_by (renewal, key, &rows);
  g_assert_cmpuint (rows, ==, 4); /* the station's, two clinical, one recording */
  g_assert_cmpuint (opened, ==, all ? rows : 0);
}

static void
confirm_new (Renewal *renewal)
{
  Vault *vault = renewal->records.vault;
  guint last = vault_recipients (vault) - 1, which;
  g_autoptr (GBytes) challenge = vault_challenge (vault, last, NULL);
  /* Stock openssl, as its holder would; the place's first pair lends its files. */
  Place borrowed = renewal->records.place;
  borrowed.keys[0] = renewal->key;
  borrowed.certificates[0] = renewal->certificate;
  g_autofree char *text = place_openssl_decrypt (&borrowed, 0, challenge);
  g_auto (GStrv) parts = g_strsplit (text, "recovery key: ", 2);
  g_autofree char *code = g_strndup (parts[1], 19);
  g_autoptr (GError) error = NULL;
  vault_confirm (vault, code, &which, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (which, ==, last);
}

static void
test_recipients_change (void)
{
  Renewal renewal = { 0 };
  g_autoptr (GError) error = NULL;
  renewal_up (&renewal);
  Records *records = &renewal.records;

  g_assert_false (set_recovery (&renewal, "abc", &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_clear_error (&error);
  sign_in (&renewal);
  /* Of the two of the set-up only a has answered. */
  g_assert_false (set_recovery (&renewal, "bc", &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  g_clear_error (&error);
  assert_opens (&renewal, records->place.keys[0], TRUE);
  assert_opens (&renewal, renewal.key, FALSE);

  assert_set (&renewal, "abc");
  g_assert_true (store_log_escrows (records->store, &error));
  g_assert_cmpuint (vault_recipients (records->vault), ==, 3);
  g_assert_cmpuint (vault_recipient_place (records->vault, 2), ==, 2);
  g_assert_true (vault_recipient_confirmed (records->vault, 0));
  g_assert_false (vault_recipient_confirmed (records->vault, 2));
  assert_opens (&renewal, records->place.keys[0], TRUE);
  assert_opens (&renewal, renewal.key, TRUE);
  assert_good (records->dir, records->vault);

  g_assert_false (set_recovery (&renewal, "bc", &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  g_clear_error (&error);
  confirm_new (&renewal);
  assert_set (&renewal, "bc");
  g_assert_true (store_log_escrows (records->store, &error));
  assert_opens (&renewal, records->place.keys[0], FALSE);
  assert_opens (&renewal, records->place.keys[1], TRUE);
  assert_opens (&renewal, renewal.key, TRUE);
  g_assert_cmpuint (vault_recipient_place (records->vault, 0), ==, 1);
  g_assert_true (vault_recipient_confirmed (records->vault, 1));
  assert_good (records->dir, records->vault);

  /* As it stands on the disk, too; and a key made from now on goes to the new ones. */
  records_close (records);
  records_open (records);
  g_autofree char *consult = records_consult (records);
  guint rows;
  g_assert_cmpuint (opened_by (&renewal, renewal.key, &rows), ==, 5);
  g_assert_cmpuint (opened_by (&renewal, records->place.keys[0], &rows), ==, 0);
  assert_good (records->dir, records->vault);
  renewal_down (&renewal);
}

static void
test_refusals (void)
{
  Renewal renewal = { 0 };
  g_autoptr (GError) error = NULL;
  renewal_up (&renewal);
  sign_in (&renewal);
  static const char *const BAD[] = { "", "aa", "abb" };
  for (gsize i = 0; i < G_N_ELEMENTS (BAD); i++) {
    g_assert_false (set_recovery (&renewal, BAD[i], &error));
    g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
    g_clear_error (&error);
  }
  X509_free (renewal.certificate);
  renewal.certificate = place_certificate (renewal.key, "Hết hạn", -86400 * 3, -86400);
  g_assert_false (set_recovery (&renewal, "abc", &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  assert_opens (&renewal, renewal.records.place.keys[1], TRUE);
  assert_good (renewal.records.dir, renewal.records.vault);
  renewal_down (&renewal);
}

/* Killed between the keys and the log: the next start writes the leaves. */
static void
test_killed_before_the_log (void)
{
  Renewal renewal = { 0 };
  renewal_up (&renewal);
  sign_in (&renewal);
  assert_set (&renewal, "abc");
  assert_bad (renewal.records.dir, renewal.records.vault, "key-tampered", "keys.db");
  records_close (&renewal.records);
  records_open (&renewal.records);
  assert_good (renewal.records.dir, renewal.records.vault);
  assert_opens (&renewal, renewal.key, TRUE);
  renewal_down (&renewal);
}

/* Key files of before the change put back: the log knows better, and does not take it in. */
static void
test_older_keys_put_back (void)
{
  static const char *const FILES[] = { "keys.db", "keys-copy.db" };
  Renewal renewal = { 0 };
  g_autoptr (GError) error = NULL;
  GBytes *before[2];
  renewal_up (&renewal);
  Records *records = &renewal.records;
  for (gsize i = 0; i < 2; i++)
    before[i] = place_read (&records->place, FILES[i]);
  sign_in (&renewal);
  assert_set (&renewal, "abc");
  g_assert_true (store_log_escrows (records->store, &error));
  assert_good (records->dir, records->vault);
  records_close (records);
  for (gsize i = 0; i < 2; i++) {
    place_write (&records->place, FILES[i], before[i]);
    g_bytes_unref (before[i]);
  }
  records_open (records);
  assert_bad (records->dir, records->vault, "key-tampered", "keys.db");
  renewal_down (&renewal);
}

static void
test_another_boot_credential (void)
{
  Renewal renewal = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) boot = g_bytes_new_static (OTHER_BOOT, 32);
  renewal_up (&renewal);
  Records *records = &renewal.records;
  g_assert_false (vault_set_boot (records->vault, boot, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_clear_error (&error);
  sign_in (&renewal);
  g_assert_true (vault_set_boot (records->vault, boot, &error));
  g_assert_no_error (error);
  assert_opens (&renewal, records->place.keys[0], TRUE);
  assert_good (records->dir, records->vault);

  records_close (records);
  records->vault = place_open (&records->place);
  g_assert_false (vault_unlock_boot (records->vault, records->place.boot, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  g_clear_error (&error);
  g_assert_true (vault_unlock_boot (records->vault, boot, &error));
  g_autoptr (DataKey) going
      = vault_get_key (records->vault, renewal.going, PURPOSE_CLINICAL, &error);
  g_assert_no_error (error);
  g_assert_null (vault_get_key (records->vault, renewal.finished, PURPOSE_CLINICAL, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_clear_error (&error);
  assert_good (records->dir, records->vault);

  /* And none at all. */
  sign_in (&renewal);
  g_assert_true (vault_set_boot (records->vault, NULL, &error));
  g_assert_false (vault_unlock_boot (records->vault, boot, &error));
  g_assert_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL);
  assert_good (records->dir, records->vault);
  renewal_down (&renewal);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vault-renew/recipients-change", test_recipients_change);
  g_test_add_func ("/vault-renew/refusals", test_refusals);
  g_test_add_func ("/vault-renew/killed-before-the-log", test_killed_before_the_log);
  g_test_add_func ("/vault-renew/older-keys-put-back", test_older_keys_put_back);
  g_test_add_func ("/vault-renew/another-boot-credential", test_another_boot_credential);
  return g_test_run ();
}
