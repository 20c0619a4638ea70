#include "certs/est.h"
#include "certs/cades_private.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define PATH "/.well-known/est"
#define LINE 64

char *
est_base (const char *text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  if (uri == NULL || g_strcmp0 (g_uri_get_scheme (uri), "https") != 0
      || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL
      || g_uri_get_userinfo (uri) != NULL)
    return NULL;
  gsize length = strlen (text);
  while (length > 0 && text[length - 1] == '/')
    length--;
  g_autofree char *base = g_strndup (text, length);
  return *g_uri_get_path (uri) == '\0' || g_str_equal (g_uri_get_path (uri), "/")
             ? g_strconcat (base, PATH, NULL)
             : g_steal_pointer (&base);
}

GBytes *
est_body (GBytes *der)
{
  gsize size;
  const guchar *data = g_bytes_get_data (der, &size);
  g_autofree char *text = g_base64_encode (data, size);
  gsize length = strlen (text);
  GString *body = g_string_new (NULL);
  for (gsize at = 0; at < length; at += LINE) {
    g_string_append_len (body, text + at, (gssize)MIN (LINE, length - at));
    g_string_append_c (body, '\n');
  }
  return g_string_free_to_bytes (body);
}

/* Base64 with white space anywhere, and nothing else in it. */
static GBytes *
decode (GBytes *reply)
{
  gsize size, length = 0;
  const guint8 *data = g_bytes_get_data (reply, &size);
  if (size == 0 || size > EST_REPLY_LONGEST)
    return NULL;
  if (data[0] == 0x30)
    return g_bytes_ref (reply);
  g_autofree char *text = g_malloc (size + 1);
  for (gsize i = 0; i < size; i++)
    if (!g_ascii_isspace (data[i])) {
      if (!g_ascii_isalnum (data[i]) && strchr ("+/=", data[i]) == NULL)
        return NULL;
      text[length++] = (char)data[i];
    }
  text[length] = '\0';
  if (length == 0 || length % 4 != 0 || strcspn (text, "=") + 2 < length)
    return NULL;
  gsize decoded;
  guchar *der = g_base64_decode_inplace (text, &decoded);
  return g_bytes_new (der, decoded);
}

static STACK_OF (X509) * certificates_of (GBytes *der)
{
  gsize size;
  const unsigned char *data = g_bytes_get_data (der, &size), *end = data;
  CMS_ContentInfo *cms = d2i_CMS_ContentInfo (NULL, &end, (long)size);
  STACK_OF (X509) *all = NULL;
  if (cms != NULL && end == data + size && OBJ_obj2nid (CMS_get0_type (cms)) == NID_pkcs7_signed
      && sk_CMS_SignerInfo_num (CMS_get0_SignerInfos (cms)) <= 0)
    all = CMS_get1_certs (cms);
  CMS_ContentInfo_free (cms);
  if (all != NULL && (sk_X509_num (all) < 1 || sk_X509_num (all) > EST_CERTIFICATES_MOST)) {
    sk_X509_pop_free (all, X509_free);
    all = NULL;
  }
  return all;
}

STACK_OF (X509) * est_certificates (GBytes *reply, GError **error)
{
  g_autoptr (GBytes) der = decode (reply);
  STACK_OF (X509) *all = der != NULL ? certificates_of (der) : NULL;
  ERR_clear_error ();
  if (all == NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
                 "the enrolment server's answer carries no certificates (PKCS#7, base64)");
  return all;
}

static X509 *
issuer_in (STACK_OF (X509) * certificates, X509 *of)
{
  for (int i = 0; i < sk_X509_num (certificates); i++) {
    X509 *one = sk_X509_value (certificates, i);
    if (one != of && X509_check_issued (one, of) == X509_V_OK
        && X509_verify (of, X509_get0_pubkey (one)) == 1)
      return one;
  }
  return NULL;
}

STACK_OF (X509) * est_chain (STACK_OF (X509) * certificates, const EVP_PKEY *key)
{
  X509 *next = NULL;
  for (int i = 0; i < sk_X509_num (certificates) && next == NULL; i++) {
    X509 *one = sk_X509_value (certificates, i);
    if (X509_get0_pubkey (one) != NULL && EVP_PKEY_eq (X509_get0_pubkey (one), key) == 1)
      next = one;
  }
  STACK_OF (X509) *chain = next != NULL ? sk_X509_new_null () : NULL;
  while (next != NULL && sk_X509_num (chain) < PEER_CHAIN_MOST) {
    gboolean root
        = sk_X509_num (chain) > 0
          && X509_NAME_cmp (X509_get_subject_name (next), X509_get_issuer_name (next)) == 0;
    if (root)
      break;
    X509_up_ref (next);
    sk_X509_push (chain, next);
    next = issuer_in (certificates, next);
  }
  ERR_clear_error ();
  return chain;
}

gboolean
est_is_due (X509 *certificate, gint64 now)
{
  gint64 from = cades_time (X509_get0_notBefore (certificate));
  gint64 until = cades_time (X509_get0_notAfter (certificate));
  return now < from || now >= from + (until - from) * 2 / 3;
}
