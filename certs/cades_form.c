/* What of a signature nobody has signed, and from which nothing is told: versions, lists of
 * algorithms, certificates that lie beside. It must be as the standards want it, so that no byte of
 * a file can be changed unseen. */
#include "certs/cades_private.h"
#include <openssl/x509_vfy.h>
#include <string.h>

/* ---- Certificates --------------------------------------------------------------------------- */

static gboolean
is_among (X509 *certificate, const STACK_OF (X509) * list)
{
  for (int i = 0; i < sk_X509_num (list); i++)
    if (X509_cmp (certificate, sk_X509_value (list, i)) == 0)
      return TRUE;
  return FALSE;
}

gboolean
cades_copies_used (STACK_OF (X509) * copies, X509 *signer, STACK_OF (X509) * roots, gint64 then)
{
  g_autoptr (X509_STORE) store = cades_store_at (roots, then);
  X509_STORE_CTX *context = X509_STORE_CTX_new ();
  gboolean all = TRUE;
  if (X509_STORE_CTX_init (context, store, signer, copies) == 1 && X509_verify_cert (context) == 1)
    for (int i = 0; i < sk_X509_num (copies); i++)
      all = all
            && (is_among (sk_X509_value (copies, i), X509_STORE_CTX_get0_chain (context))
                || is_among (sk_X509_value (copies, i), roots));
  X509_STORE_CTX_free (context);
  return all;
}

gboolean
cades_list_of (X509_CRL *list, const STACK_OF (X509) * issuers)
{
  for (int i = 0; i < sk_X509_num (issuers); i++) {
    X509 *one = sk_X509_value (issuers, i);
    if (X509_get0_pubkey (one) != NULL
        && X509_NAME_cmp (X509_CRL_get_issuer (list), X509_get_subject_name (one)) == 0
        && X509_CRL_verify (list, X509_get0_pubkey (one)) == 1)
      return TRUE;
  }
  return FALSE;
}

gboolean
cades_digest_plain (const X509_ALGOR *algorithm)
{
  int type = V_ASN1_UNDEF;
  const ASN1_OBJECT *name;
  X509_ALGOR_get0 (&name, &type, NULL, algorithm);
  return type == V_ASN1_UNDEF || type == V_ASN1_NULL;
}

/* ---- The frame (RFC 5652 §5.1, §5.3) ----------------------------------------------------------
 */

typedef struct {
  const unsigned char *at, *end;
} Der;

/* The content of the next element, which must have that tag; at moves behind it. */
static gboolean
take (Der *der, int tag, int class, Der *ret_content)
{
  const unsigned char *content = der->at;
  long size;
  int found, of;
  int head = ASN1_get_object (&content, &size, &found, &of, der->end - der->at);
  if ((head & 0x80) != 0 || found != tag || of != class || size > der->end - content)
    return FALSE;
  *ret_content = (Der){ content, content + size };
  der->at = content + size;
  return TRUE;
}

static int
take_version (Der *der)
{
  Der number;
  return take (der, V_ASN1_INTEGER, V_ASN1_UNIVERSAL, &number) && number.end - number.at == 1
             ? *number.at
             : -1;
}

static X509_ALGOR *
take_algorithm (Der *der)
{
  const unsigned char *at = der->at;
  X509_ALGOR *algorithm = d2i_X509_ALGOR (NULL, &at, der->end - at);
  if (algorithm != NULL)
    der->at = at;
  return algorithm;
}

/* Into the only SignerInfo, behind what stands before it. */
static gboolean
enter_signer (Der *data, Der *ret_signer)
{
  Der skipped;
  if (!take (data, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &skipped))
    return FALSE;
  take (data, 0, V_ASN1_CONTEXT_SPECIFIC, &skipped);
  take (data, 1, V_ASN1_CONTEXT_SPECIFIC, &skipped);
  return take (data, V_ASN1_SET, V_ASN1_UNIVERSAL, &skipped) && data->at == data->end
         && take (&skipped, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, ret_signer);
}

gboolean
cades_same_der (GBytes *der, unsigned char *again, int size)
{
  gboolean same = size >= 0 && (gsize)size == g_bytes_get_size (der)
                  && memcmp (again, g_bytes_get_data (der, NULL), (gsize)size) == 0;
  OPENSSL_free (again);
  return same;
}

/* Names are compared without regard to case elsewhere (RFC 5280 §7.1). */
static gboolean
names_issuer (Der name, X509 *certificate)
{
  unsigned char *issuer = NULL;
  const int size = i2d_X509_NAME (X509_get_issuer_name (certificate), &issuer);
  g_autoptr (GBytes) told
      = g_bytes_new (name.at, (gsize)MAX (0, MIN (size, (int)(name.end - name.at))));
  return cades_same_der (told, issuer, size);
}

/* Version 1 for a signer named by issuer and number, 3 for one named by a key's hash; the same
 * outside, since the text is plain data, unless there is other revocation information than lists.
 */
static gboolean
versions_fit (int outside, Der *signer, X509 *certificate, gboolean others)
{
  int inside = take_version (signer);
  Der name;
  gboolean by_key = inside == 3;
  return outside == (others ? 5 : inside) && (inside == 1 || by_key)
         && take (signer, by_key ? 0 : V_ASN1_SEQUENCE,
                  by_key ? V_ASN1_CONTEXT_SPECIFIC : V_ASN1_UNIVERSAL, &name)
         && (by_key || names_issuer (name, certificate));
}

/* One digest in the list, the signer's; neither with parameters. */
static gboolean
digests_fit (Der *list, Der *signer)
{
  X509_ALGOR *outside = take_algorithm (list), *inside = take_algorithm (signer);
  const ASN1_OBJECT *one = NULL, *other = NULL;
  if (outside != NULL)
    X509_ALGOR_get0 (&one, NULL, NULL, outside);
  if (inside != NULL)
    X509_ALGOR_get0 (&other, NULL, NULL, inside);
  gboolean fit = one != NULL && other != NULL && OBJ_cmp (one, other) == 0 && list->at == list->end
                 && cades_digest_plain (outside) && cades_digest_plain (inside);
  X509_ALGOR_free (outside);
  X509_ALGOR_free (inside);
  return fit;
}

/* What was read must be written the same: no other tag or length means the same. */
static gboolean
is_der (GBytes *cms)
{
  g_autoptr (CMS_ContentInfo) parsed = cades_parse (cms);
  unsigned char *again = NULL;
  const int size = parsed != NULL ? i2d_CMS_ContentInfo (parsed, &again) : -1;
  return cades_same_der (cms, again, size);
}

/* Into SignedData. */
static gboolean
enter_data (GBytes *cms, Der *ret_data)
{
  gsize size;
  const unsigned char *bytes = g_bytes_get_data (cms, &size);
  Der der = { bytes, bytes + size }, info, type, wrapped;
  return take (&der, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &info)
         && take (&info, V_ASN1_OBJECT, V_ASN1_UNIVERSAL, &type)
         && take (&info, 0, V_ASN1_CONTEXT_SPECIFIC, &wrapped)
         && take (&wrapped, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, ret_data);
}

gboolean
cades_frame_good (GBytes *cms, X509 *certificate)
{
  Der data, digests, signer;
  if (!enter_data (cms, &data))
    return FALSE;
  int version = take_version (&data);
  guint others = 0;
  g_autoptr (GPtrArray) answers = cades_ocsp_inside (cms, &others);
  return take (&data, V_ASN1_SET, V_ASN1_UNIVERSAL, &digests) && enter_signer (&data, &signer)
         && versions_fit (version, &signer, certificate, others > 0)
         && digests_fit (&digests, &signer) && is_der (cms);
}

GBytes *
cades_signed_attributes (GBytes *cms)
{
  Der data, skipped, signer, attributes;
  if (!enter_data (cms, &data) || take_version (&data) < 0
      || !take (&data, V_ASN1_SET, V_ASN1_UNIVERSAL, &skipped) || !enter_signer (&data, &signer))
    return NULL;
  int version = take_version (&signer);
  gboolean by_key = version == 3;
  if (!take (&signer, by_key ? 0 : V_ASN1_SEQUENCE,
             by_key ? V_ASN1_CONTEXT_SPECIFIC : V_ASN1_UNIVERSAL, &skipped)
      || !take (&signer, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &skipped))
    return NULL;
  const unsigned char *start = signer.at;
  if (!take (&signer, 0, V_ASN1_CONTEXT_SPECIFIC, &attributes))
    return NULL;
  guint8 *set = g_memdup2 (start, (gsize)(attributes.end - start));
  set[0] = V_ASN1_SET | V_ASN1_CONSTRUCTED;
  return g_bytes_new_take (set, (gsize)(attributes.end - start));
}
