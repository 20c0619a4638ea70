#include "certs/cades_private.h"
#include "certs/peer_private.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_CRL, X509_CRL_free)

static void
issuer_free (void *data)
{
  PeerIssuer *issuer = data;
  g_free (issuer->name);
  sk_X509_pop_free (issuer->pinned, X509_free);
  g_strfreev (issuer->stations);
  g_strfreev (issuer->people);
  X509_CRL_free (issuer->crl);
  g_free (issuer);
}

PeerTrust *
peer_trust_new (void)
{
  PeerTrust *trust = g_new0 (PeerTrust, 1);
  g_atomic_ref_count_init (&trust->refs);
  g_mutex_init (&trust->lock);
  trust->issuers = g_ptr_array_new_with_free_func (issuer_free);
  trust->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return trust;
}

PeerTrust *
peer_trust_ref (PeerTrust *trust)
{
  g_atomic_ref_count_inc (&trust->refs);
  return trust;
}

void
peer_trust_unref (PeerTrust *trust)
{
  if (trust == NULL || !g_atomic_ref_count_dec (&trust->refs))
    return;
  g_ptr_array_unref (trust->issuers);
  g_hash_table_unref (trust->known);
  g_mutex_clear (&trust->lock);
  g_free (trust);
}

/* ---- Issuers
 * ----------------------------------------------------------------------------------- */

PeerIssuer *
peer_trust_find (PeerTrust *trust, const char *name)
{
  for (guint i = 0; i < trust->issuers->len; i++)
    if (g_str_equal (((PeerIssuer *)trust->issuers->pdata[i])->name, name))
      return trust->issuers->pdata[i];
  return NULL;
}

static gboolean
has_signed (const PeerIssuer *issuer, X509 *certificate)
{
  for (int i = 0; i < sk_X509_num (issuer->pinned); i++) {
    X509 *pinned = sk_X509_value (issuer->pinned, i);
    if (X509_NAME_cmp (X509_get_subject_name (pinned), X509_get_issuer_name (certificate)) == 0
        && X509_verify (certificate, X509_get0_pubkey (pinned)) == 1)
      return TRUE;
  }
  return FALSE;
}

PeerIssuer *
peer_trust_signer (PeerTrust *trust, X509 *certificate)
{
  PeerIssuer *found = NULL;
  for (guint i = 0; i < trust->issuers->len && found == NULL; i++)
    if (has_signed (trust->issuers->pdata[i], certificate))
      found = trust->issuers->pdata[i];
  ERR_clear_error ();
  return found;
}

gboolean
peer_issuer_covers (const PeerIssuer *issuer, PeerKind kind, const char *id)
{
  GStrv patterns = kind == PEER_STATION ? issuer->stations : issuer->people;
  for (guint i = 0; patterns != NULL && patterns[i] != NULL; i++)
    if (g_pattern_match_simple (patterns[i], id))
      return TRUE;
  return FALSE;
}

static STACK_OF (X509) * load_pinned (const char *file, GError **error)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  if (!g_file_get_contents (file, &text, &size, error))
    return NULL;
  g_autoptr (GBytes) pem = g_bytes_new_take (g_steal_pointer (&text), size);
  STACK_OF (X509) *pinned = peer_chain_of_pem (pem, error);
  if (pinned == NULL) {
    g_prefix_error (error, "%s: ", file);
    return NULL;
  }
  for (int i = 0; i < sk_X509_num (pinned); i++)
    if (X509_check_ca (sk_X509_value (pinned, i)) != 1) {
      g_autofree char *name = cades_name (X509_get_subject_name (sk_X509_value (pinned, i)));
      g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
                   "%s: “%s” is no authority's certificate (CA:TRUE): give the issuer's own", file,
                   name);
      sk_X509_pop_free (pinned, X509_free);
      return NULL;
    }
  return pinned;
}

gboolean
peer_trust_add_issuer (PeerTrust *trust, const char *name, const char *file,
                       const char *const *stations, const char *const *people, GError **error)
{
  STACK_OF (X509) *pinned = load_pinned (file, error);
  if (pinned == NULL)
    return FALSE;
  PeerIssuer *issuer = g_new0 (PeerIssuer, 1);
  *issuer = (PeerIssuer){ .name = g_strdup (name),
                          .pinned = pinned,
                          .stations = g_strdupv ((GStrv)stations),
                          .people = g_strdupv ((GStrv)people) };
  g_mutex_lock (&trust->lock);
  g_ptr_array_add (trust->issuers, issuer);
  g_mutex_unlock (&trust->lock);
  return TRUE;
}

X509 *
peer_trust_issuer (PeerTrust *trust, const char *name)
{
  g_mutex_lock (&trust->lock);
  PeerIssuer *issuer = peer_trust_find (trust, name);
  X509 *certificate = issuer != NULL ? sk_X509_value (issuer->pinned, 0) : NULL;
  if (certificate != NULL)
    X509_up_ref (certificate);
  g_mutex_unlock (&trust->lock);
  return certificate;
}

char *
peer_trust_issuer_of (PeerTrust *trust, X509 *certificate)
{
  g_mutex_lock (&trust->lock);
  PeerIssuer *issuer = peer_trust_signer (trust, certificate);
  char *name = issuer != NULL ? g_strdup (issuer->name) : NULL;
  g_mutex_unlock (&trust->lock);
  return name;
}

/* ---- Revocation lists
 * -------------------------------------------------------------------------- */

static X509_CRL *
parse_crl (GBytes *bytes)
{
  gsize size;
  const unsigned char *data = g_bytes_get_data (bytes, &size), *end = data;
  if (size == 0 || size > PEER_CRL_LONGEST)
    return NULL;
  X509_CRL *crl = d2i_X509_CRL (NULL, &end, (long)size);
  if (crl != NULL && end != data + size)
    g_clear_pointer (&crl, X509_CRL_free);
  if (crl == NULL) {
    BIO *bio = BIO_new_mem_buf (data, (int)size);
    crl = PEM_read_bio_X509_CRL (bio, NULL, NULL, NULL);
    BIO_free (bio);
  }
  ERR_clear_error ();
  return crl;
}

/* Lists of a part only, and deltas, would let the rest pass as not revoked. */
static const char *
crl_fault (X509_CRL *crl)
{
  static const int partial[] = { NID_delta_crl, NID_issuing_distribution_point };
  if (X509_CRL_get0_nextUpdate (crl) == NULL)
    return "it does not say until when it counts";
  for (guint i = 0; i < G_N_ELEMENTS (partial); i++)
    if (X509_CRL_get_ext_by_NID (crl, partial[i], -1) >= 0)
      return "it is of a part of the certificates only: a complete one is wanted";
  for (int i = 0; i < X509_CRL_get_ext_count (crl); i++)
    if (X509_EXTENSION_get_critical (X509_CRL_get_ext (crl, i)))
      return "it has a critical extension that is not known here";
  return NULL;
}

static gboolean
crl_is_signed (const PeerIssuer *issuer, X509_CRL *crl)
{
  gboolean good = FALSE;
  for (int i = 0; i < sk_X509_num (issuer->pinned) && !good; i++) {
    X509 *pinned = sk_X509_value (issuer->pinned, i);
    good = X509_NAME_cmp (X509_get_subject_name (pinned), X509_CRL_get_issuer (crl)) == 0
           && (X509_get_key_usage (pinned) & KU_CRL_SIGN) != 0
           && X509_CRL_verify (crl, X509_get0_pubkey (pinned)) == 1;
  }
  ERR_clear_error ();
  return good;
}

/* By cRLNumber (RFC 5280 §5.2.3) where both have one, else by date. */
static gboolean
is_older (X509_CRL *crl, X509_CRL *than)
{
  ASN1_INTEGER *a = X509_CRL_get_ext_d2i (crl, NID_crl_number, NULL, NULL);
  ASN1_INTEGER *b = X509_CRL_get_ext_d2i (than, NID_crl_number, NULL, NULL);
  gboolean older = a != NULL && b != NULL ? ASN1_INTEGER_cmp (a, b) < 0
                                          : ASN1_TIME_compare (X509_CRL_get0_lastUpdate (crl),
                                                               X509_CRL_get0_lastUpdate (than))
                                                == -1;
  ASN1_INTEGER_free (a);
  ASN1_INTEGER_free (b);
  return older;
}

static const char *
take_crl (PeerIssuer *issuer, X509_CRL *crl)
{
  const char *fault = crl_fault (crl);
  if (fault != NULL)
    return fault;
  if (!crl_is_signed (issuer, crl))
    return "it is not signed by this issuer";
  if (issuer->crl != NULL && is_older (crl, issuer->crl))
    return "it is older than the list that is known";
  X509_CRL_up_ref (crl);
  X509_CRL_free (issuer->crl);
  issuer->crl = crl;
  return NULL;
}

gboolean
peer_trust_set_crl (PeerTrust *trust, const char *name, GBytes *bytes, GError **error)
{
  g_autoptr (X509_CRL) crl = parse_crl (bytes);
  const char *fault = "it is no revocation list (CRL; DER or PEM)";
  if (crl != NULL) {
    g_mutex_lock (&trust->lock);
    PeerIssuer *issuer = peer_trust_find (trust, name);
    fault = issuer == NULL ? "there is no such issuer" : take_crl (issuer, crl);
    g_mutex_unlock (&trust->lock);
  }
  if (fault != NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "revocation list of %s: %s", name, fault);
  return fault == NULL;
}

gboolean
peer_trust_crl_times (PeerTrust *trust, const char *name, gint64 *ret_made, gint64 *ret_until)
{
  g_mutex_lock (&trust->lock);
  PeerIssuer *issuer = peer_trust_find (trust, name);
  gboolean there = issuer != NULL && issuer->crl != NULL;
  if (there) {
    *ret_made = cades_time (X509_CRL_get0_lastUpdate (issuer->crl));
    *ret_until = cades_time (X509_CRL_get0_nextUpdate (issuer->crl));
  }
  g_mutex_unlock (&trust->lock);
  return there;
}

gboolean
peer_trust_revokes (PeerTrust *trust, const char *name, X509 *certificate)
{
  X509_REVOKED *entry = NULL;
  g_mutex_lock (&trust->lock);
  PeerIssuer *issuer = peer_trust_find (trust, name);
  gboolean revoked = issuer != NULL && issuer->crl != NULL
                     && X509_CRL_get0_by_cert (issuer->crl, &entry, certificate) == 1;
  g_mutex_unlock (&trust->lock);
  return revoked;
}
