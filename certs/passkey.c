#include "certs/passkey.h"

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <jose/b64.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <string.h>

#define CLIENT_DATA_MOST 4096
#define AUTHENTICATOR_DATA_MOST 4096
#define SIGNATURE_MOST 1024
#define ID_MOST 1023 /* bytes: WebAuthn L2 §4 */

/* Authenticator data: WebAuthn L2 §6.1. */
enum { HASH_BYTES = 32, HEAD_BYTES = 37, PRESENT = 1 << 0, VERIFIED = 1 << 2 };

static void
cred_free (fido_cred_t *cred)
{
  fido_cred_free (&cred);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (fido_cred_t, cred_free)

static void
assert_free (fido_assert_t *assertion)
{
  fido_assert_free (&assertion);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (fido_assert_t, assert_free)

void
passkey_clear (Passkey *passkey)
{
  g_free (passkey->id);
  g_free (passkey->key);
  *passkey = (Passkey){ 0 };
}

/* Bytes of a member (transfer full); NULL: absent, no base64url, or too long. */
static GBytes *
bytes_of (const json_t *object, const char *member, gsize most)
{
  const json_t *value = json_object_get (object, member);
  gsize size = json_is_string (value) ? jose_b64_dec (value, NULL, 0) : SIZE_MAX;
  if (size == SIZE_MAX || size == 0 || size > most)
    return NULL;
  guint8 *data = g_malloc (size);
  if (jose_b64_dec (value, data, size) == size)
    return g_bytes_new_take (data, size);
  g_free (data);
  return NULL;
}

/* ---- What both have: who asked whom ---------------------------------------------------------- */

/* WebAuthn L2 §5.8.1. */
static gboolean
client_data_is_good (GBytes *bytes, const char *type, const PasskeyExpected *expected)
{
  gsize size;
  const char *text = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  json_auto_t *data = text != NULL ? json_loadb (text, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
  const char *origin = json_string_value (json_object_get (data, "origin"));
  const char *challenge = json_string_value (json_object_get (data, "challenge"));
  return g_strcmp0 (json_string_value (json_object_get (data, "type")), type) == 0
         && g_strcmp0 (challenge, expected->challenge) == 0 && origin != NULL
         && expected->origin_allowed (origin, expected->arg)
         && !json_is_true (json_object_get (data, "crossOrigin"));
}

static gboolean
authenticator_data_is_good (GBytes *bytes, const PasskeyExpected *expected)
{
  guint8 hash[SHA256_DIGEST_LENGTH];
  gsize size = 0;
  const guint8 *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  if (size < HEAD_BYTES)
    return FALSE;
  SHA256 ((const guint8 *)expected->rp_id, strlen (expected->rp_id), hash);
  return memcmp (data, hash, HASH_BYTES) == 0 && (data[HASH_BYTES] & PRESENT)
         && (data[HASH_BYTES] & VERIFIED);
}

/* ---- Registration ---------------------------------------------------------------------------- */

static gboolean
algorithm_is_ours (json_int_t algorithm)
{
  return algorithm == COSE_ES256 || algorithm == COSE_RS256 || algorithm == COSE_EDDSA;
}

static void
take_cred (const fido_cred_t *cred, Passkey *ret)
{
  json_auto_t *id = jose_b64_enc (fido_cred_id_ptr (cred), fido_cred_id_len (cred));
  ret->id = g_strdup (json_string_value (id));
  ret->algorithm = fido_cred_type (cred);
  ret->key = g_base64_encode (fido_cred_pubkey_ptr (cred), fido_cred_pubkey_len (cred));
  ret->count = fido_cred_sigcount (cred);
}

gboolean
passkey_register (const json_t *created, const PasskeyExpected *expected, Passkey *ret)
{
  g_autoptr (GBytes) client = bytes_of (created, "client_data", CLIENT_DATA_MOST);
  g_autoptr (GBytes) data = bytes_of (created, "authenticator_data", AUTHENTICATOR_DATA_MOST);
  json_int_t algorithm = json_integer_value (json_object_get (created, "algorithm"));
  if (!client_data_is_good (client, "webauthn.create", expected)
      || !authenticator_data_is_good (data, expected) || !algorithm_is_ours (algorithm))
    return FALSE;
  g_autoptr (fido_cred_t) cred = fido_cred_new ();
  gboolean good
      = cred != NULL && fido_cred_set_type (cred, (int)algorithm) == FIDO_OK
        && fido_cred_set_rp (cred, expected->rp_id, NULL) == FIDO_OK
        && fido_cred_set_authdata_raw (cred, g_bytes_get_data (data, NULL), g_bytes_get_size (data))
               == FIDO_OK
        && fido_cred_id_len (cred) > 0 && fido_cred_id_len (cred) <= ID_MOST
        && fido_cred_pubkey_len (cred) > 0;
  if (good)
    take_cred (cred, ret);
  return good;
}

/* ---- Use ------------------------------------------------------------------------------------- */

/* Public key as fido_assert_verify() wants it; NULL: damaged (transfer full). */
typedef union {
  es256_pk_t *es256;
  rs256_pk_t *rs256;
  eddsa_pk_t *eddsa;
} PublicKey;

static int
verify_with (const fido_assert_t *assertion, const Passkey *passkey)
{
  gsize size;
  g_autofree guint8 *raw = g_base64_decode (passkey->key, &size);
  int result = FIDO_ERR_INVALID_ARGUMENT;
  PublicKey key;
  switch (passkey->algorithm) {
  case COSE_ES256:
    key.es256 = es256_pk_new ();
    if (key.es256 != NULL && es256_pk_from_ptr (key.es256, raw, size) == FIDO_OK)
      result = fido_assert_verify (assertion, 0, COSE_ES256, key.es256);
    es256_pk_free (&key.es256);
    break;
  case COSE_RS256:
    key.rs256 = rs256_pk_new ();
    if (key.rs256 != NULL && rs256_pk_from_ptr (key.rs256, raw, size) == FIDO_OK)
      result = fido_assert_verify (assertion, 0, COSE_RS256, key.rs256);
    rs256_pk_free (&key.rs256);
    break;
  case COSE_EDDSA:
    key.eddsa = eddsa_pk_new ();
    if (key.eddsa != NULL && eddsa_pk_from_ptr (key.eddsa, raw, size) == FIDO_OK)
      result = fido_assert_verify (assertion, 0, COSE_EDDSA, key.eddsa);
    eddsa_pk_free (&key.eddsa);
    break;
  default:
    break;
  }
  ERR_clear_error ();
  return result;
}

/* WebAuthn L2 §7.2, 21: a counter that stands still, or goes back, tells of a copy. */
static gboolean
counter_is_good (guint32 known, guint32 now)
{
  return (known == 0 && now == 0) || now > known;
}

static gboolean
fill (fido_assert_t *assertion, const PasskeyExpected *expected, GBytes *client, GBytes *data,
      GBytes *signature)
{
  guint8 hash[SHA256_DIGEST_LENGTH];
  SHA256 (g_bytes_get_data (client, NULL), g_bytes_get_size (client), hash);
  return fido_assert_set_clientdata_hash (assertion, hash, sizeof hash) == FIDO_OK
         && fido_assert_set_rp (assertion, expected->rp_id) == FIDO_OK
         && fido_assert_set_up (assertion, FIDO_OPT_TRUE) == FIDO_OK
         && fido_assert_set_uv (assertion, FIDO_OPT_TRUE) == FIDO_OK
         && fido_assert_set_count (assertion, 1) == FIDO_OK
         && fido_assert_set_authdata_raw (assertion, 0, g_bytes_get_data (data, NULL),
                                          g_bytes_get_size (data))
                == FIDO_OK
         && fido_assert_set_sig (assertion, 0, g_bytes_get_data (signature, NULL),
                                 g_bytes_get_size (signature))
                == FIDO_OK;
}

gboolean
passkey_verify (const json_t *given, const PasskeyExpected *expected, const Passkey *passkey,
                guint32 *ret_count)
{
  const char *id = json_string_value (json_object_get (given, "id"));
  g_autoptr (GBytes) client = bytes_of (given, "client_data", CLIENT_DATA_MOST);
  g_autoptr (GBytes) data = bytes_of (given, "authenticator_data", AUTHENTICATOR_DATA_MOST);
  g_autoptr (GBytes) signature = bytes_of (given, "signature", SIGNATURE_MOST);
  if (g_strcmp0 (id, passkey->id) != 0 || signature == NULL
      || !client_data_is_good (client, "webauthn.get", expected)
      || !authenticator_data_is_good (data, expected))
    return FALSE;
  g_autoptr (fido_assert_t) assertion = fido_assert_new ();
  if (assertion == NULL || !fill (assertion, expected, client, data, signature)
      || verify_with (assertion, passkey) != FIDO_OK)
    return FALSE;
  *ret_count = fido_assert_sigcount (assertion, 0);
  return counter_is_good (passkey->count, *ret_count);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

json_t *
passkey_to_json (const Passkey *passkey)
{
  return json_pack ("{s:s, s:i, s:s, s:I}", "id", passkey->id, "algorithm", passkey->algorithm,
                    "key", passkey->key, "count", (json_int_t)passkey->count);
}

gboolean
passkey_from_json (const json_t *object, Passkey *ret)
{
  const char *id = json_string_value (json_object_get (object, "id"));
  const char *key = json_string_value (json_object_get (object, "key"));
  json_int_t algorithm = json_integer_value (json_object_get (object, "algorithm"));
  if (id == NULL || key == NULL || !algorithm_is_ours (algorithm))
    return FALSE;
  *ret = (Passkey){ .id = g_strdup (id),
                    .key = g_strdup (key),
                    .algorithm = (int)algorithm,
                    .count = (guint32)json_integer_value (json_object_get (object, "count")) };
  return TRUE;
}
