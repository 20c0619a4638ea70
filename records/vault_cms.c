#include "records/vault_cms.h"
#include "records/secure_memory.h"
#include <jansson.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DEK_BASE64 44
#define DEK_MEMBER ",\"dek\":\""
#define DEK_TAIL (sizeof DEK_MEMBER - 1 + DEK_BASE64 + 2) /* closing quote and brace */
#define CMS_MAX (1024 * 1024)
#define RSA_SMALLEST 3072

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CMS_ContentInfo, CMS_ContentInfo_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_t, json_decref)

static void
set_error (GError **error, gint code, const char *what)
{
  char reason[160] = "no reason given";
  unsigned long top = ERR_peek_last_error ();

  if (top != 0)
    ERR_error_string_n (top, reason, sizeof reason);
  ERR_clear_error ();
  g_set_error (error, RECORDS_ERROR, code, "%s (%s)", what, reason);
}

static gboolean
set_up_recipient (CMS_RecipientInfo *recipient, X509 *certificate)
{
  EVP_PKEY_CTX *context = CMS_RecipientInfo_get0_pkey_ctx (recipient);

  if (context == NULL)
    return FALSE;
  if (EVP_PKEY_is_a (X509_get0_pubkey (certificate), "RSA"))
    return EVP_PKEY_CTX_set_rsa_padding (context, RSA_PKCS1_OAEP_PADDING) > 0
           && EVP_PKEY_CTX_set_rsa_oaep_md (context, EVP_sha256 ()) > 0;
  return EVP_PKEY_CTX_ctrl_str (context, "ecdh_kdf_md", "sha256") > 0;
}

/* Not CMS_final() nor CMS_decrypt(): their buffers for the plaintext are not wiped. */
static GBytes *
write_content (CMS_ContentInfo *cms, const guint8 *plain, gsize size)
{
  g_autoptr (BIO) content = CMS_dataInit (cms, NULL);
  unsigned char *der = NULL;

  if (content == NULL || BIO_write (content, plain, (int)size) != (int)size
      || BIO_flush (content) != 1 || CMS_dataFinal (cms, content) != 1)
    return NULL;
  int length = i2d_CMS_ContentInfo (cms, &der);
  if (length <= 0)
    return NULL;
  GBytes *bytes = g_bytes_new (der, (gsize)length);
  OPENSSL_free (der);
  return bytes;
}

GBytes *
cms_seal (GPtrArray *recipients, const guint8 *plain, gsize size, GError **error)
{
  ERR_clear_error ();
  g_autoptr (CMS_ContentInfo) cms
      = CMS_encrypt (NULL, NULL, EVP_aes_256_gcm (), CMS_BINARY | CMS_PARTIAL);
  gboolean good = cms != NULL && size <= CMS_MAX && recipients->len > 0;

  for (guint i = 0; good && i < recipients->len; i++) {
    X509 *certificate = g_ptr_array_index (recipients, i);
    CMS_RecipientInfo *recipient = CMS_add1_recipient_cert (cms, certificate, CMS_KEY_PARAM);
    good = recipient != NULL && set_up_recipient (recipient, certificate);
  }
  GBytes *der = good ? write_content (cms, plain, size) : NULL;
  if (der == NULL)
    set_error (error, RECORDS_ERROR_FAILED, "the key cannot be sealed to its recipients");
  return der;
}

static CMS_ContentInfo *
parse (GBytes *der)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (der, &size), *end = data;

  if (size == 0 || size > CMS_MAX)
    return NULL;
  CMS_ContentInfo *cms = d2i_CMS_ContentInfo (NULL, &end, (long)size);
  if (cms != NULL && end == data + size
      && OBJ_obj2nid (CMS_get0_type (cms)) == NID_id_smime_ct_authEnvelopedData)
    return cms;
  CMS_ContentInfo_free (cms);
  return NULL;
}

/* The tag is checked only when the end is read: nothing counts before that. */
static GBytes *
read_content (CMS_ContentInfo *cms, gsize most)
{
  g_autoptr (BIO) content = CMS_dataInit (cms, NULL);
  guint8 *buffer = secure_alloc (most);
  gsize size = 0;
  int n = 0;
  GBytes *plain = NULL;

  if (content != NULL) {
    while (size < most && (n = BIO_read (content, buffer + size, (int)(most - size))) > 0)
      size += (gsize)n;
    if (size < most && n <= 0 && BIO_get_cipher_status (content) > 0)
      plain = secure_bytes_new (buffer, size);
  }
  secure_free (buffer, most);
  return plain;
}

GBytes *
cms_open (GBytes *der, EVP_PKEY *key, X509 *certificate, GError **error)
{
  ERR_clear_error ();
  g_autoptr (CMS_ContentInfo) cms = parse (der);

  if (cms == NULL) {
    set_error (error, RECORDS_ERROR_TAMPERED,
               "the sealed key is damaged: no CMS AuthEnvelopedData");
    return NULL;
  }
  if (CMS_decrypt_set1_pkey (cms, key, certificate) != 1) {
    set_error (error, RECORDS_ERROR_CREDENTIAL, "this key does not open what was sealed");
    return NULL;
  }
  GBytes *plain = read_content (cms, g_bytes_get_size (der) + 1);
  if (plain == NULL)
    set_error (error, RECORDS_ERROR_TAMPERED, "the sealed key does not authenticate");
  return plain;
}

/* The head without secrets by jansson; the key itself never enters its buffers. */
static char *
payload_head (const Escrow *escrow)
{
  g_autoptr (json_t) head
      = json_pack ("{s:s, s:s, s:s, s:i}", "label", escrow->label, "consultation", escrow->consult,
                   "purpose", purpose_name (escrow->purpose), "epoch", (int)escrow->epoch);
  char *text = head != NULL ? json_dumps (head, JSON_COMPACT) : NULL;
  if (text != NULL)
    text[strlen (text) - 1] = '\0'; /* the brace comes back behind "dek" */
  return text;
}

GBytes *
cms_seal_key (GPtrArray *recipients, const Escrow *escrow, const guint8 dek[DATA_KEY_SIZE],
              GError **error)
{
  char *head = payload_head (escrow);

  if (head == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "the station's label is no UTF-8");
    return NULL;
  }
  gsize length = strlen (head), size = length + DEK_TAIL;
  guint8 *payload = secure_alloc (size + 1);
  guint8 *next = payload + length + strlen (DEK_MEMBER);
  memcpy (payload, head, length);
  memcpy (payload + length, DEK_MEMBER, strlen (DEK_MEMBER));
  EVP_EncodeBlock (next, dek, DATA_KEY_SIZE);
  memcpy (next + DEK_BASE64, "\"}", 2);
  GBytes *der = cms_seal (recipients, payload, size, error);
  secure_free (payload, size + 1);
  free (head);
  return der;
}

static gboolean
head_fits (const guint8 *payload, gsize length, const char *consult, Purpose purpose,
           guint16 *ret_epoch)
{
  g_autofree char *text = g_strdup_printf ("%.*s}", (int)length, (const char *)payload);
  g_autoptr (json_t) head = json_loads (text, JSON_REJECT_DUPLICATES, NULL);
  const char *label, *inside, *name;
  int epoch;

  if (head == NULL
      || json_unpack_ex (head, NULL, JSON_STRICT, "{s:s, s:s, s:s, s:i}", "label", &label,
                         "consultation", &inside, "purpose", &name, "epoch", &epoch)
             != 0)
    return FALSE;
  *ret_epoch = (guint16)epoch;
  return g_str_equal (inside, consult) && g_str_equal (name, purpose_name (purpose)) && epoch >= 0
         && epoch <= G_MAXUINT16;
}

guint8 *
cms_open_dek (GBytes *der, EVP_PKEY *key, X509 *certificate, const char *consult, Purpose purpose,
              guint16 *ret_epoch, GError **error)
{
  g_autoptr (GBytes) plain = cms_open (der, key, certificate, error);
  guint16 epoch = 0;
  gsize size;

  if (plain == NULL)
    return NULL;
  const guint8 *payload = g_bytes_get_data (plain, &size);
  if (size <= DEK_TAIL || !head_fits (payload, size - DEK_TAIL, consult, purpose, &epoch)
      || memcmp (payload + size - DEK_TAIL, DEK_MEMBER, strlen (DEK_MEMBER)) != 0
      || memcmp (payload + size - 2, "\"}", 2) != 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "the sealed key is not that of %s/%s: it was put here from elsewhere", consult,
                 purpose_name (purpose));
    return NULL;
  }
  guint8 *dek = secure_alloc (CMS_DEK_ROOM);
  if (EVP_DecodeBlock (dek, payload + size - 2 - DEK_BASE64, DEK_BASE64) == CMS_DEK_ROOM) {
    *ret_epoch = epoch;
    return dek;
  }
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "the sealed key has a wrong size");
  secure_free (dek, CMS_DEK_ROOM);
  return NULL;
}

DataKey *
cms_open_key (GBytes *der, EVP_PKEY *key, X509 *certificate, const char *consult, Purpose purpose,
              GError **error)
{
  guint16 epoch;
  guint8 *dek = cms_open_dek (der, key, certificate, consult, purpose, &epoch, error);
  DataKey *data_key = dek != NULL ? data_key_new (dek, epoch) : NULL;
  secure_free (dek, CMS_DEK_ROOM);
  return data_key;
}

char *
cms_recipient_name (X509 *certificate)
{
  X509_NAME *subject = X509_get_subject_name (certificate);
  int at = X509_NAME_get_index_by_NID (subject, NID_commonName, -1);
  unsigned char *utf8 = NULL;
  char *name = NULL;

  if (at >= 0
      && ASN1_STRING_to_UTF8 (&utf8, X509_NAME_ENTRY_get_data (X509_NAME_get_entry (subject, at)))
             >= 0) {
    name = g_utf8_make_valid ((char *)utf8, -1);
    OPENSSL_free (utf8);
    return name;
  }
  char *line = X509_NAME_oneline (subject, NULL, 0);
  name = g_strdup (line != NULL ? line : "?");
  OPENSSL_free (line);
  return name;
}

static gboolean
refuse (GError **error, X509 *certificate, const char *why)
{
  g_autofree char *name = cms_recipient_name (certificate);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL, "recovery certificate “%s”: %s",
               name, why);
  return FALSE;
}

static gboolean
curve_good (EVP_PKEY *key)
{
  static const char *const CURVES[] = { "prime256v1", "secp384r1", "secp521r1", NULL };
  char curve[40];
  gsize length;
  return EVP_PKEY_get_group_name (key, curve, sizeof curve, &length) == 1
         && g_strv_contains (CURVES, curve);
}

gboolean
cms_check_recipient (X509 *certificate, GError **error)
{
  EVP_PKEY *key = X509_get0_pubkey (certificate);
  guint32 usage = X509_get_key_usage (certificate);

  if (key == NULL)
    return refuse (error, certificate, "its key cannot be read");
  if (EVP_PKEY_is_a (key, "EC")) {
    if (!curve_good (key))
      return refuse (error, certificate, "its curve is not P-256, P-384 or P-521; make a new pair");
    if (!(usage & KU_KEY_AGREEMENT))
      return refuse (error, certificate, "its keyUsage does not allow keyAgreement");
  } else if (EVP_PKEY_is_a (key, "RSA")) {
    if (EVP_PKEY_get_bits (key) < RSA_SMALLEST)
      return refuse (error, certificate,
                     "its RSA key is shorter than 3072 bit; make a new pair, best P-384");
    if (!(usage & KU_KEY_ENCIPHERMENT))
      return refuse (error, certificate, "its keyUsage does not allow keyEncipherment");
  } else {
    return refuse (error, certificate,
                   "its key is neither EC nor RSA (X25519 and Ed25519 cannot be used); make a new "
                   "pair, best P-384");
  }
  if (X509_cmp_current_time (X509_get0_notAfter (certificate)) <= 0)
    return refuse (error, certificate,
                   "it has expired; ask its owner for a new one, or set the clock");
  if (X509_cmp_current_time (X509_get0_notBefore (certificate)) >= 0)
    return refuse (error, certificate, "it is not valid yet: is this machine's clock right?");
  return TRUE;
}
