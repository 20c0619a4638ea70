/* Recovery set-up: a recipient shows that its private key is at hand and works by opening a
 * challenge elsewhere with stock openssl and sending back the code inside. */
#include "records/sealing.h"
#include "records/secure_memory.h"
#include "records/vault_cms.h"
#include "records/vault_private.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#define CODE_LENGTH 16 /* 80 bits */
#define RECIPIENTS_MOST 16

/* Crockford's base 32: no I, L, O, U. */
static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

gboolean
recovery_is_among (X509 *certificate, GPtrArray *certificates, guint *ret_at)
{
  for (guint i = 0; certificates != NULL && i < certificates->len; i++)
    if (X509_cmp (certificate, g_ptr_array_index (certificates, i)) == 0) {
      if (ret_at != NULL)
        *ret_at = i;
      return TRUE;
    }
  return FALSE;
}

gboolean
recovery_check (GPtrArray *certificates, GPtrArray *known, gboolean allow_single, GError **error)
{
  guint n = certificates != NULL ? certificates->len : 0;

  if (n < 1 || (n < 2 && !allow_single) || n > RECIPIENTS_MOST) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                 "%u recovery certificates: at least two are needed (so that one lost key loses "
                 "nothing), at most %d",
                 n, RECIPIENTS_MOST);
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    X509 *certificate = g_ptr_array_index (certificates, i);
    if (!recovery_is_among (certificate, known, NULL) && !cms_check_recipient (certificate, error))
      return FALSE;
    for (guint j = 0; j < i; j++) {
      X509 *other = g_ptr_array_index (certificates, j);
      gboolean same = X509_cmp (certificate, other) == 0;
      if (!same && EVP_PKEY_eq (X509_get0_pubkey (certificate), X509_get0_pubkey (other)) != 1)
        continue;
      g_autofree char *a = cms_recipient_name (other), *b = cms_recipient_name (certificate);
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                   same ? "recovery certificates “%s” and “%s” are the same one"
                        : "recovery certificates “%s” and “%s” have the same key: two keys in two "
                          "places are needed",
                   a, b);
      return FALSE;
    }
  }
  return TRUE;
}

static void
hash_code (GBytes *vault_id, guint i, const char *code, guint8 ret_hash[32])
{
  g_autoptr (GByteArray) parts = g_byte_array_new ();
  guint32 number = GUINT32_TO_BE (i);
  gsize length;

  sealing_add_part (parts, "nhipcau/1/code", 14);
  sealing_add_part (parts, g_bytes_get_data (vault_id, NULL), g_bytes_get_size (vault_id));
  sealing_add_part (parts, &number, sizeof number);
  sealing_add_part (parts, code, strlen (code));
  if (EVP_Q_digest (NULL, "SHA256", NULL, parts->data, parts->len, ret_hash, &length) != 1)
    g_error ("SHA-256 is not available: libcrypto has no working provider");
  OPENSSL_cleanse (parts->data, parts->len);
}

static GBytes *
make_challenge (X509 *certificate, const char *label, const char *code, GError **error)
{
  g_autoptr (GPtrArray) one = g_ptr_array_new ();
  g_autofree char *text = g_strdup_printf (
      "Nhịp Cầu – %s\n\n"
      "Mã xác nhận khóa khôi phục: %.4s-%.4s-%.4s-%.4s\n"
      "Gõ mã này vào máy của trạm.\n\n"
      "Code that confirms the recovery key: %.4s-%.4s-%.4s-%.4s\n"
      "Type it into the station's machine.\n",
      label, code, code + 4, code + 8, code + 12, code, code + 4, code + 8, code + 12);

  g_ptr_array_add (one, certificate);
  GBytes *der = cms_seal (one, (const guint8 *)text, strlen (text), error);
  OPENSSL_cleanse (text, strlen (text));
  return der;
}

/* A challenge with a fresh code, and the code's hash. */
static GBytes *
fresh_challenge (guint i, X509 *certificate, const char *label, GBytes *vault_id,
                 guint8 ret_hash[32], GError **error)
{
  guint8 random[CODE_LENGTH];
  char code[CODE_LENGTH + 1] = { 0 };

  if (RAND_priv_bytes (random, sizeof random) != 1) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "no random numbers");
    return NULL;
  }
  for (gsize k = 0; k < CODE_LENGTH; k++)
    code[k] = ALPHABET[random[k] & 31];
  hash_code (vault_id, i, code, ret_hash);
  GBytes *challenge = make_challenge (certificate, label, code, error);
  OPENSSL_cleanse (random, sizeof random);
  OPENSSL_cleanse (code, sizeof code);
  return challenge;
}

gboolean
recovery_write (sqlite3 *db, guint i, X509 *certificate, const char *label, GBytes *vault_id,
                const guint8 *mac_key, GError **error)
{
  guint8 hash[32];
  g_autoptr (GBytes) challenge = fresh_challenge (i, certificate, label, vault_id, hash, error);
  if (challenge == NULL)
    return FALSE;
  g_autoptr (GBytes) der = certificate_der (certificate);
  g_autoptr (GBytes) code_hash = g_bytes_new (hash, sizeof hash);
  const Value values[] = { VALUE_OF_INTEGER (i), VALUE_OF_BLOB (der), VALUE_OF_BLOB (challenge),
                           VALUE_OF_BLOB (code_hash) };
  return table_write (db, "recipient", values, G_N_ELEMENTS (values), mac_key, error);
}

static GBytes *
recipient_blob (sqlite3 *db, guint i, const char *sql)
{
  g_autoptr (sqlite3_stmt) row = table_prepare (db, sql, NULL);
  if (row == NULL)
    return NULL;
  sqlite3_bind_int64 (row, 1, i);
  return sqlite3_step (row) == SQLITE_ROW ? table_blob (row, 0) : NULL;
}

static gboolean
code_fits (sqlite3 *db, GBytes *vault_id, guint i, const char *code)
{
  g_autoptr (GBytes) want
      = recipient_blob (db, i, "SELECT code_sha256 FROM recipient WHERE idx = ?");
  guint8 hash[32];

  hash_code (vault_id, i, code, hash);
  return want != NULL && g_bytes_get_size (want) == sizeof hash
         && CRYPTO_memcmp (hash, g_bytes_get_data (want, NULL), sizeof hash) == 0;
}

/* The answer proves itself: nobody can write it down who has not opened the challenge. */
gboolean
recovery_confirmed (sqlite3 *db, GBytes *vault_id, guint i)
{
  g_autoptr (GBytes) code = recipient_blob (db, i, "SELECT code FROM answer WHERE idx = ?");
  if (code == NULL)
    return FALSE;
  g_autofree char *text = g_strndup (g_bytes_get_data (code, NULL), g_bytes_get_size (code));
  return code_fits (db, vault_id, i, text);
}

/* As people type it: small letters, blanks, dashes, O for 0, I and L for 1. NULL when it cannot
 * be a code. */
static char *
clean_code (const char *typed)
{
  g_autoptr (GString) code = g_string_new (NULL);

  for (; *typed != '\0' && code->len <= CODE_LENGTH; typed++) {
    char c = g_ascii_toupper (*typed);
    if (c == '-' || g_ascii_isspace (c))
      continue;
    c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
    if (strchr (ALPHABET, c) == NULL)
      return NULL;
    g_string_append_c (code, c);
  }
  return code->len == CODE_LENGTH ? g_string_free (g_steal_pointer (&code), FALSE) : NULL;
}

typedef struct {
  guint i;
  const char *code;
} Answer;

static gboolean
write_answer (Vault *vault, sqlite3 *db, gpointer arg, int *ret_keys, GError **error)
{
  Answer *answer = arg;
  const Value values[] = { VALUE_OF_INTEGER (answer->i), VALUE_OF_TEXT (answer->code) };
  return table_write (db, "answer", values, G_N_ELEMENTS (values), NULL, error);
}

gboolean
vault_confirm (Vault *vault, const char *code, guint *ret_recipient, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autofree char *clean = clean_code (code);

  for (guint i = 0; clean != NULL && i < vault->recipients->len; i++) {
    guint place = vault_recipient_place (vault, i);
    if (!code_fits (vault->db, vault->id, place, clean))
      continue;
    Answer answer = { place, clean };
    if (!recovery_confirmed (vault->db, vault->id, place)
        && !vault_change (vault, write_answer, &answer, error))
      return FALSE;
    if (ret_recipient != NULL)
      *ret_recipient = i;
    return TRUE;
  }
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
               "this code is of none of the challenges: it has 16 letters and digits, as shown "
               "when the challenge is opened");
  return FALSE;
}

GBytes *
vault_drill_challenge (Vault *vault, guint i, guint8 ret_hash[32], GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  if (i < vault->recipients->len)
    return fresh_challenge (vault_recipient_place (vault, i), vault->recipients->pdata[i],
                            vault->label, vault->id, ret_hash, error);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "there is no recovery recipient %u",
               i);
  return NULL;
}

gboolean
vault_drill_hash (Vault *vault, guint i, const char *code, guint8 ret_hash[32])
{
  g_autofree char *clean = clean_code (code);

  if (clean == NULL || i >= vault->recipients->len)
    return FALSE;
  hash_code (vault->id, vault_recipient_place (vault, i), clean, ret_hash);
  return TRUE;
}

gboolean
vault_recipient_confirmed (Vault *vault, guint i)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  return i < vault->recipients->len
         && recovery_confirmed (vault->db, vault->id, vault_recipient_place (vault, i));
}

guint
vault_recipient_place (Vault *vault, guint i)
{
  return g_array_index (vault->places, guint, i);
}

gboolean
vault_some_confirmed (Vault *vault)
{
  for (guint i = 0; i < vault->recipients->len; i++)
    if (recovery_confirmed (vault->db, vault->id, vault_recipient_place (vault, i)))
      return TRUE;
  return FALSE;
}

guint
vault_recipients (Vault *vault)
{
  return vault->recipients->len;
}

X509 *
vault_recipient (Vault *vault, guint i)
{
  return i < vault->recipients->len ? g_ptr_array_index (vault->recipients, i) : NULL;
}

GBytes *
vault_challenge (Vault *vault, guint i, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  GBytes *challenge = i < vault->recipients->len
                          ? recipient_blob (vault->db, vault_recipient_place (vault, i),
                                            "SELECT challenge FROM recipient WHERE idx = ?")
                          : NULL;
  if (challenge == NULL)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "there is no recovery recipient %u",
                 i);
  return challenge;
}
