#include "certs/cades_private.h"
#include "certs/engine_key.h"
#include "certs/identity_files.h"
#include "certs/issue.h"
#include "certs/timestamp.h"
#include "certs/token_sign.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define CHAIN_MOST 8

/* ---- Signing
 * ------------------------------------------------------------------------------------ */

static STACK_OF (X509) * load_certificates (const char *file, GError **error)
{
  BIO *bio = BIO_new_file (file, "r");
  STACK_OF (X509) *list = sk_X509_new_null ();
  X509 *one;

  while (bio != NULL && sk_X509_num (list) < CHAIN_MOST
         && (one = PEM_read_bio_X509 (bio, NULL, NULL, NULL)) != NULL)
    sk_X509_push (list, one);
  BIO_free (bio);
  ERR_clear_error ();
  if (sk_X509_num (list) > 0)
    return list;
  sk_X509_free (list);
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND, "%s: no certificate (PEM) is there",
               file);
  return NULL;
}

CadesSigner *
cades_signer_open (const char *key_uri, const char *certificate_file, GBytes *secret,
                   GError **error)
{
  g_autoptr (CadesSigner) signer = g_new0 (CadesSigner, 1);

  signer->certificates = load_certificates (certificate_file, error);
  if (signer->certificates == NULL)
    return NULL;
  if (engine_key_is_uri (key_uri)) {
    signer->token = g_strdup (key_uri);
    signer->file = g_strdup (certificate_file);
    signer->secret = secret != NULL ? g_bytes_ref (secret) : NULL;
    return g_steal_pointer (&signer);
  }
  signer->key = identity_load_key (key_uri, secret, error);
  if (signer->key == NULL)
    return NULL;
  X509 *own = sk_X509_value (signer->certificates, 0);
  if (EVP_PKEY_eq (signer->key, X509_get0_pubkey (own)) != 1) {
    ERR_clear_error ();
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY,
                 "key %s and the first certificate of %s do not belong together", key_uri,
                 certificate_file);
    return NULL;
  }
  return g_steal_pointer (&signer);
}

void
cades_signer_free (CadesSigner *signer)
{
  if (signer == NULL)
    return;
  EVP_PKEY_free (signer->key);
  g_clear_pointer (&signer->secret, g_bytes_unref);
  g_free (signer->token);
  g_free (signer->file);
  sk_X509_pop_free (signer->certificates, X509_free);
  g_free (signer);
}

/* RFC 5652 §5.1, level B-LT: chain and CRLs stand where every CMS reader looks for them. */
static gboolean
add_proofs (CMS_ContentInfo *cms, STACK_OF (X509) * certificates, STACK_OF (X509_CRL) * crls)
{
  for (int i = 1; i < sk_X509_num (certificates); i++)
    if (CMS_add1_cert (cms, sk_X509_value (certificates, i)) != 1)
      return FALSE;
  for (int i = 0; crls != NULL && i < sk_X509_CRL_num (crls); i++)
    if (CMS_add1_crl (cms, sk_X509_CRL_value (crls, i)) != 1)
      return FALSE;
  return TRUE;
}

GBytes *
cades_der (CMS_ContentInfo *cms)
{
  unsigned char *der = NULL;
  int size = i2d_CMS_ContentInfo (cms, &der);
  GBytes *bytes = size > 0 ? g_bytes_new (der, (gsize)size) : NULL;
  OPENSSL_free (der);
  return bytes;
}

static CMS_ContentInfo *
sign_here (CadesSigner *signer, GBytes *content)
{
  const unsigned flags = CMS_DETACHED | CMS_BINARY | CMS_CADES | CMS_NOSMIMECAP;
  gsize size;
  const void *data = g_bytes_get_data (content, &size);
  BIO *in = BIO_new_mem_buf (size > 0 ? data : "", (int)size);
  CMS_ContentInfo *cms
      = CMS_sign (sk_X509_value (signer->certificates, 0), signer->key, NULL, in, flags);
  BIO_free (in);
  return cms;
}

GBytes *
cades_sign (CadesSigner *signer, STACK_OF (X509_CRL) * crls, GBytes *content, GError **error)
{
  ERR_clear_error ();
  g_autoptr (GBytes) made = signer->token != NULL ? token_sign (signer->token, signer->file,
                                                                signer->secret, content, error)
                                                  : NULL;
  if (signer->token != NULL && made == NULL)
    return NULL;
  g_autoptr (CMS_ContentInfo) cms = made != NULL ? cades_parse (made) : sign_here (signer, content);
  GBytes *der
      = cms != NULL && add_proofs (cms, signer->certificates, crls) ? cades_der (cms) : NULL;
  if (der == NULL)
    issue_set_error (error, CERTS_ERROR_FAILED, "this key cannot sign");
  return der;
}

static CMS_SignerInfo *
only_signer (CMS_ContentInfo *cms)
{
  STACK_OF (CMS_SignerInfo) *signers = CMS_get0_SignerInfos (cms);
  return sk_CMS_SignerInfo_num (signers) == 1 ? sk_CMS_SignerInfo_value (signers, 0) : NULL;
}

gboolean
cades_same_signature (GBytes *one, GBytes *other)
{
  g_autoptr (CMS_ContentInfo) a = cades_parse (one), b = cades_parse (other);
  CMS_SignerInfo *first = a != NULL ? only_signer (a) : NULL;
  CMS_SignerInfo *second = b != NULL ? only_signer (b) : NULL;
  return first != NULL && second != NULL
         && ASN1_OCTET_STRING_cmp (CMS_SignerInfo_get0_signature (first),
                                   CMS_SignerInfo_get0_signature (second))
                == 0;
}

/* ---- Reading
 * ------------------------------------------------------------------------------------ */

CMS_ContentInfo *
cades_parse (GBytes *der)
{
  gsize size;
  const unsigned char *start = g_bytes_get_data (der, &size), *end = start;
  if (size == 0 || size > CADES_LONGEST)
    return NULL;
  CMS_ContentInfo *cms = d2i_CMS_ContentInfo (NULL, &end, (long)size);
  if (cms != NULL && (end != start + size || OBJ_obj2nid (CMS_get0_type (cms)) != NID_pkcs7_signed))
    g_clear_pointer (&cms, CMS_ContentInfo_free);
  ERR_clear_error ();
  return cms;
}

GBytes *
cades_read (GBytes *file, GError **error)
{
  gsize size;
  const void *data = g_bytes_get_data (file, &size);
  g_autoptr (CMS_ContentInfo) cms = cades_parse (file);
  if (cms != NULL)
    return g_bytes_ref (file);
  if (size > 0 && size <= 2 * CADES_LONGEST) {
    BIO *in = BIO_new_mem_buf (data, (int)size);
    cms = PEM_read_bio_CMS (in, NULL, NULL, NULL);
    BIO_free (in);
  }
  ERR_clear_error ();
  g_autoptr (GBytes) der = cms != NULL ? cades_der (cms) : NULL;
  g_autoptr (CMS_ContentInfo) again = der != NULL ? cades_parse (der) : NULL;
  if (again != NULL)
    return g_steal_pointer (&der);
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
               "this is no CMS signature (.p7s, DER or PEM) of at most %d bytes", CADES_LONGEST);
  return NULL;
}

/* ---- Tokens
 * ------------------------------------------------------------------------------------- */

static ASN1_OBJECT *
token_attribute (gboolean archive)
{
  return archive ? OBJ_txt2obj (CADES_ARCHIVE_OID, 1)
                 : OBJ_dup (OBJ_nid2obj (NID_id_smime_aa_timeStampToken));
}

static int
by_time (gconstpointer a, gconstpointer b)
{
  TimestampFacts first, second;
  timestamp_look (*(GBytes *const *)a, &first, NULL);
  timestamp_look (*(GBytes *const *)b, &second, NULL);
  timestamp_facts_clear (&first);
  timestamp_facts_clear (&second);
  if (first.time != second.time)
    return first.time < second.time ? -1 : 1;
  /* Within one second an authority counts up. */
  return first.serial < second.serial ? -1 : first.serial > second.serial;
}

GPtrArray *
cades_tokens (CMS_SignerInfo *signer, gboolean archive)
{
  GPtrArray *tokens = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  ASN1_OBJECT *name = token_attribute (archive);

  for (int at = -1; (at = CMS_unsigned_get_attr_by_OBJ (signer, name, at)) >= 0;) {
    X509_ATTRIBUTE *attribute = CMS_unsigned_get_attr (signer, at);
    for (int i = 0; i < X509_ATTRIBUTE_count (attribute); i++) {
      const ASN1_STRING *value = X509_ATTRIBUTE_get0_data (attribute, i, V_ASN1_SEQUENCE, NULL);
      if (value != NULL)
        g_ptr_array_add (
            tokens, g_bytes_new (ASN1_STRING_get0_data (value), (gsize)ASN1_STRING_length (value)));
    }
  }
  ASN1_OBJECT_free (name);
  ERR_clear_error ();
  g_ptr_array_sort (tokens, by_time);
  return tokens;
}

static GBytes *
finish (EVP_MD_CTX *digest)
{
  guint8 out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  return EVP_DigestFinal_ex (digest, out, &size) == 1 ? g_bytes_new (out, size) : NULL;
}

GBytes *
cades_value_imprint (CMS_SignerInfo *signer, const EVP_MD *md)
{
  const ASN1_OCTET_STRING *value = CMS_SignerInfo_get0_signature (signer);
  EVP_MD_CTX *digest = EVP_MD_CTX_new ();
  EVP_DigestInit_ex (digest, md, NULL);
  EVP_DigestUpdate (digest, ASN1_STRING_get0_data (value), (gsize)ASN1_STRING_length (value));
  GBytes *imprint = finish (digest);
  EVP_MD_CTX_free (digest);
  return imprint;
}

/* One element of DER: what it is, and where. */
typedef struct {
  const guint8 *start, *content, *end;
  int tag, class;
} Element;

static gboolean
next_element (const guint8 **at, const guint8 *end, Element *ret)
{
  long length = 0;
  const unsigned char *content = *at;
  if (*at >= end
      || (ASN1_get_object (&content, &length, &ret->tag, &ret->class, end - *at) & 0x81) != 0)
    return FALSE;
  ret->start = *at;
  ret->content = content;
  ret->end = *at = content + length;
  return TRUE;
}

static gboolean
enter (const Element *outer, Element *ret)
{
  const guint8 *at = outer->content;
  return next_element (&at, outer->end, ret);
}

static void
update (EVP_MD_CTX *digest, const Element *element)
{
  EVP_DigestUpdate (digest, element->start, (gsize)(element->end - element->start));
}

/* RFC 5126 §6.4.1: encapContentInfo, the text beside it, certificates, crls, and all elements of
 * the SignerInfo, each with tag and length. */
static gboolean
digest_signed_data (EVP_MD_CTX *digest, const guint8 *der, gsize size, GBytes *content)
{
  const guint8 *at = der, *inner;
  Element info, type, wrap, data, part, signer = { 0 };
  gsize length;
  const void *text = g_bytes_get_data (content, &length);
  guint n = 0;

  if (!next_element (&at, der + size, &info) || !enter (&info, &type))
    return FALSE;
  at = type.end;
  if (!next_element (&at, info.end, &wrap) || !enter (&wrap, &data))
    return FALSE;
  for (at = data.content; next_element (&at, data.end, &part); n++) {
    if (n == 2) {
      update (digest, &part);
      EVP_DigestUpdate (digest, text, length);
    } else if (n > 2 && part.class == V_ASN1_CONTEXT_SPECIFIC)
      update (digest, &part);
    else if (n > 2)
      signer = part;
  }
  if (signer.start == NULL || !enter (&signer, &info))
    return FALSE;
  for (inner = info.content; next_element (&inner, info.end, &part);)
    update (digest, &part);
  return inner == info.end;
}

/* Takes away archive tokens that were made later than the first `kept`. */
static void
keep_archive (CMS_SignerInfo *signer, guint kept)
{
  g_autoptr (GPtrArray) tokens = cades_tokens (signer, TRUE);
  ASN1_OBJECT *name = token_attribute (TRUE);
  int at = -1;
  while ((at = CMS_unsigned_get_attr_by_OBJ (signer, name, at)) >= 0) {
    const ASN1_STRING *value
        = X509_ATTRIBUTE_get0_data (CMS_unsigned_get_attr (signer, at), 0, V_ASN1_SEQUENCE, NULL);
    gboolean keep = FALSE;
    for (guint i = 0; value != NULL && i < tokens->len && i < kept; i++) {
      gsize size;
      const void *data = g_bytes_get_data (tokens->pdata[i], &size);
      keep |= size == (gsize)ASN1_STRING_length (value)
              && memcmp (data, ASN1_STRING_get0_data (value), size) == 0;
    }
    if (!keep) {
      X509_ATTRIBUTE_free (CMS_unsigned_delete_attr (signer, at));
      at--;
    }
  }
  ASN1_OBJECT_free (name);
  ERR_clear_error ();
}

GBytes *
cades_archive_imprint (GBytes *cms, GBytes *content, guint kept, const EVP_MD *md)
{
  g_autoptr (CMS_ContentInfo) copy = cades_parse (cms);
  CMS_SignerInfo *signer = copy != NULL ? only_signer (copy) : NULL;
  if (signer == NULL)
    return NULL;
  keep_archive (signer, kept);
  g_autoptr (GBytes) der = cades_der (copy);
  if (der == NULL)
    return NULL;
  EVP_MD_CTX *digest = EVP_MD_CTX_new ();
  gsize size;
  const guint8 *bytes = g_bytes_get_data (der, &size);
  GBytes *imprint = NULL;
  if (EVP_DigestInit_ex (digest, md, NULL) == 1
      && digest_signed_data (digest, bytes, size, content))
    imprint = finish (digest);
  EVP_MD_CTX_free (digest);
  ERR_clear_error ();
  return imprint;
}

GBytes *
cades_next_imprint (GBytes *cms, GBytes *content, GError **error)
{
  g_autoptr (CMS_ContentInfo) parsed = cades_parse (cms);
  CMS_SignerInfo *signer = parsed != NULL ? only_signer (parsed) : NULL;
  GBytes *imprint = NULL;
  if (signer != NULL) {
    g_autoptr (GPtrArray) tokens = cades_tokens (signer, FALSE);
    imprint = tokens->len == 0 ? cades_value_imprint (signer, EVP_sha256 ())
                               : cades_archive_imprint (cms, content, G_MAXUINT, EVP_sha512 ());
  }
  if (imprint == NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
                 "no time-stamp can be had for this: it is no signature of one person");
  return imprint;
}

GBytes *
cades_add_token (GBytes *cms, GBytes *token, GError **error)
{
  g_autoptr (CMS_ContentInfo) parsed = cades_parse (cms);
  CMS_SignerInfo *signer = parsed != NULL ? only_signer (parsed) : NULL;
  GBytes *der = NULL;
  if (signer != NULL) {
    g_autoptr (GPtrArray) before = cades_tokens (signer, FALSE);
    gsize size;
    const void *data = g_bytes_get_data (token, &size);
    ASN1_OBJECT *name = token_attribute (before->len > 0);
    if (CMS_unsigned_add1_attr_by_OBJ (signer, name, V_ASN1_SEQUENCE, data, (int)size) == 1)
      der = cades_der (parsed);
    ASN1_OBJECT_free (name);
  }
  if (der == NULL)
    issue_set_error (error, CERTS_ERROR_FAILED, "the time-stamp does not go into the signature");
  ERR_clear_error ();
  return der;
}
