#include "certs/csr.h"
#include "certs/cades_private.h"
#include "certs/issue.h"
#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define COMMON_NAME_LONGEST 64
#define RSA_LEAST 2048
#define RSA_MOST 4096

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_REQ, X509_REQ_free)

void
csr_free (Csr *csr)
{
  if (csr == NULL)
    return;
  g_free (csr->id);
  g_free (csr->name);
  g_strfreev (csr->names);
  EVP_PKEY_free (csr->key);
  g_free (csr);
}

/* ---- Reading
 * ------------------------------------------------------------------------------------ */

static X509_REQ *
read_request (GBytes *bytes)
{
  gsize size;
  const unsigned char *data = g_bytes_get_data (bytes, &size), *end = data;
  if (size == 0 || size > CSR_LONGEST)
    return NULL;
  X509_REQ *request = d2i_X509_REQ (NULL, &end, (long)size);
  if (request != NULL && end != data + size)
    g_clear_pointer (&request, X509_REQ_free);
  if (request == NULL) {
    BIO *bio = BIO_new_mem_buf (data, (int)size);
    request = PEM_read_bio_X509_REQ (bio, NULL, NULL, NULL);
    BIO_free (bio);
  }
  ERR_clear_error ();
  return request;
}

static gboolean
is_curve (const EVP_PKEY *key, const char *curve)
{
  char name[64] = "";
  return EVP_PKEY_is_a (key, "EC") && EVP_PKEY_get_group_name (key, name, sizeof name, NULL) == 1
         && g_str_equal (name, curve);
}

static const char *
key_fault (const EVP_PKEY *key, PeerKind kind)
{
  if (is_curve (key, "prime256v1"))
    return NULL;
  if (kind == PEER_STATION)
    return "the key of a station has to be P-256 (nhipcau cert request makes such a request)";
  int bits = EVP_PKEY_get_bits (key);
  if (is_curve (key, "secp384r1")
      || (EVP_PKEY_is_a (key, "RSA") && bits >= RSA_LEAST && bits <= RSA_MOST))
    return NULL;
  return "the key has to be P-256, P-384, or RSA of 2048 to 4096 bits";
}

/* The only part of the subject of that kind; NULL: none, several, or nothing to show. */
static char *
part_of (X509_REQ *request, int nid)
{
  X509_NAME *subject = X509_REQ_get_subject_name (request);
  int at = X509_NAME_get_index_by_NID (subject, nid, -1);
  unsigned char *utf8 = NULL;
  if (at < 0 || X509_NAME_get_index_by_NID (subject, nid, at) >= 0)
    return NULL;
  int length
      = ASN1_STRING_to_UTF8 (&utf8, X509_NAME_ENTRY_get_data (X509_NAME_get_entry (subject, at)));
  char *name = NULL;
  if (length > 0 && g_utf8_validate_len ((char *)utf8, (gsize)length, NULL)
      && g_utf8_strlen ((char *)utf8, length) <= COMMON_NAME_LONGEST)
    name = g_strndup ((char *)utf8, (gsize)length);
  OPENSSL_free (utf8);
  for (const char *c = name; c != NULL && *c != '\0'; c = g_utf8_next_char (c))
    if (!g_unichar_isprint (g_utf8_get_char (c)))
      g_clear_pointer (&name, g_free);
  return name;
}

static char *
address_text (const ASN1_OCTET_STRING *bytes)
{
  int size = ASN1_STRING_length (bytes);
  if (size != 4 && size != 16)
    return NULL;
  g_autoptr (GInetAddress) address = g_inet_address_new_from_bytes (
      ASN1_STRING_get0_data (bytes), size == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
  return g_inet_address_to_string (address);
}

static char *
ia5_text (const ASN1_IA5STRING *string)
{
  int size = ASN1_STRING_length (string);
  const char *data = (const char *)ASN1_STRING_get0_data (string);
  if (size <= 0 || size > 253 || memchr (data, 0, (gsize)size) != NULL)
    return NULL;
  return g_strndup (data, (gsize)size);
}

/* NULL, or what is wrong with one name. */
static const char *
take_name (Csr *csr, const GENERAL_NAME *name, GPtrArray *names)
{
  g_autofree char *text = name->type == GEN_IPADD ? address_text (name->d.iPAddress)
                          : name->type == GEN_DNS || name->type == GEN_URI ? ia5_text (name->d.ia5)
                                                                           : NULL;
  if (text == NULL)
    return "its names may be one of ours (nhipcau:…), host names and addresses, nothing else";
  if (name->type == GEN_URI) {
    if (csr->id != NULL || !peer_uri_parse (text, &csr->kind, &csr->id))
      return "it wants exactly one name nhipcau:station:ID or nhipcau:person:ID, the ID in a to z, "
             "0 to 9 and -";
    return NULL;
  }
  if (!issue_name_is_valid (text) || names->len >= CSR_NAMES_MOST)
    return "it has a host name that is none, or more than 16";
  g_ptr_array_add (names, g_steal_pointer (&text));
  return NULL;
}

static const char *
take_names (Csr *csr, const GENERAL_NAMES *all)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *fault = NULL;
  for (int i = 0; fault == NULL && i < sk_GENERAL_NAME_num (all); i++)
    fault = take_name (csr, sk_GENERAL_NAME_value (all, i), names);
  if (fault == NULL && csr->id == NULL)
    fault = "it does not say whose it is: a name nhipcau:station:ID or nhipcau:person:ID is wanted "
            "(nhipcau cert request)";
  if (fault == NULL && csr->kind == PEER_PERSON && names->len > 0)
    fault = "a person has no host names";
  g_ptr_array_add (names, NULL);
  csr->names = (GStrv)g_ptr_array_free (g_steal_pointer (&names), FALSE);
  return fault;
}

static const char *
take_extensions (Csr *csr, STACK_OF (X509_EXTENSION) * extensions)
{
  int critical = 0;
  BASIC_CONSTRAINTS *basic = X509V3_get_d2i (extensions, NID_basic_constraints, &critical, NULL);
  gboolean authority = (basic != NULL && basic->ca) || critical == -2;
  BASIC_CONSTRAINTS_free (basic);
  if (authority)
    return "it asks to be an authority itself";
  GENERAL_NAMES *names = X509V3_get_d2i (extensions, NID_subject_alt_name, &critical, NULL);
  if (critical == -2)
    return "it has two lists of names";
  const char *fault = take_names (csr, names);
  GENERAL_NAMES_free (names);
  return fault;
}

static const char *
take_request (Csr *csr, X509_REQ *request)
{
  EVP_PKEY *key = X509_REQ_get0_pubkey (request);
  if (key == NULL)
    return "its key is of no kind that is known";
  STACK_OF (X509_EXTENSION) *extensions = X509_REQ_get_extensions (request);
  const char *fault = take_extensions (csr, extensions);
  sk_X509_EXTENSION_pop_free (extensions, X509_EXTENSION_free);
  if (fault == NULL)
    fault = key_fault (key, csr->kind);
  /* Only now: work that a hostile key could make long. */
  if (fault == NULL && X509_REQ_verify (request, key) != 1)
    fault = "its signature does not hold: it was changed on its way, or is not of this key";
  g_autofree char *common_name = fault == NULL ? part_of (request, NID_commonName) : NULL;
  if (fault == NULL && common_name == NULL)
    fault = "it has no common name (CN) of 1 to 64 characters";
  if (fault == NULL)
    csr->name = part_of (request, NID_organizationName);
  if (fault == NULL && csr->name == NULL)
    csr->name = g_steal_pointer (&common_name);
  if (fault == NULL && EVP_PKEY_up_ref (key) == 1)
    csr->key = key;
  return fault;
}

Csr *
csr_parse (GBytes *bytes, GError **error)
{
  g_autoptr (X509_REQ) request = read_request (bytes);
  g_autoptr (Csr) csr = g_new0 (Csr, 1);
  const char *fault = request == NULL ? "it is no request (PKCS#10, PEM or DER), or too long"
                                      : take_request (csr, request);
  ERR_clear_error ();
  if (fault == NULL)
    return g_steal_pointer (&csr);
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "this request cannot be signed: %s", fault);
  return NULL;
}

/* ---- Making
 * ------------------------------------------------------------------------------------- */

static gboolean
add_names (X509_REQ *request, const char *const *names, const char *uri)
{
  GENERAL_NAMES *all = issue_names (names, uri);
  STACK_OF (X509_EXTENSION) *extensions = NULL;
  gboolean good
      = all != NULL
        && X509V3_add1_i2d (&extensions, NID_subject_alt_name, all, 0, X509V3_ADD_DEFAULT) == 1
        && X509_REQ_add_extensions (request, extensions) == 1;
  sk_X509_EXTENSION_pop_free (extensions, X509_EXTENSION_free);
  GENERAL_NAMES_free (all);
  return good;
}

GBytes *
csr_make (EVP_PKEY *key, PeerKind kind, const char *id, const char *name, const char *const *names,
          GError **error)
{
  g_autoptr (X509_REQ) request = X509_REQ_new ();
  g_autofree char *uri = peer_uri (kind, id);
  unsigned char *der = NULL;
  int size = -1;
  ERR_clear_error ();
  X509_NAME *subject = X509_REQ_get_subject_name (request);
  gboolean station = kind == PEER_STATION;
  if (X509_REQ_set_version (request, X509_REQ_VERSION_1) == 1
      && issue_set_subject (subject, station ? name : NULL, station ? id : name)
      && add_names (request, names, uri) && X509_REQ_set_pubkey (request, key) == 1
      && X509_REQ_sign (request, key, issue_digest (key)) > 0)
    size = i2d_X509_REQ (request, &der);
  if (size <= 0) {
    issue_set_error (error, CERTS_ERROR_KEY, "the request cannot be made with this key");
    return NULL;
  }
  GBytes *bytes = g_bytes_new (der, (gsize)size);
  OPENSSL_free (der);
  return bytes;
}

char *
csr_pem (GBytes *der)
{
  gsize size;
  const unsigned char *data = g_bytes_get_data (der, &size);
  BIO *bio = BIO_new (BIO_s_mem ());
  char *text = NULL;
  PEM_write_bio (bio, PEM_STRING_X509_REQ, "", data, (long)size);
  long length = BIO_get_mem_data (bio, &text);
  char *copy = g_strndup (text, (gsize)length);
  BIO_free (bio);
  return copy;
}
