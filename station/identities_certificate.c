/* Who has a certificate of an authority that station.conf pins: a JWS by its key, with the chain in
 * `x5c` (RFC 7515 §4.1.6), about this socket and this binding. */
#include "certs/id_token.h"
#include "certs/jws.h"
#include "certs/peer_check.h"
#include "station/enrolment.h"
#include "station/identities_private.h"
#include "station/rendezvous/jose.h"
#include "station/station.h"

#include <string.h>

#define TYPE "nhipcau-person+jws"
#define NAME_LONGEST 200

static const char *
text_of (const json_t *object, const char *member)
{
  const char *text = json_string_value (json_object_get (object, member));
  return text != NULL ? text : "";
}

/* Leaf first (free with sk_X509_pop_free); NULL: it is none. */
static STACK_OF (X509) * chain_of (const Jws *jws)
{
  const json_t *list = json_object_get (jws->header, "x5c");
  g_autoptr (GPtrArray) der = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  gsize i, length;
  const json_t *one;
  if (json_array_size (list) == 0 || json_array_size (list) > PEER_CHAIN_MOST)
    return NULL;
  json_array_foreach (list, i, one)
  {
    if (json_string_length (one) == 0 || json_string_length (one) > 2 * PEER_CERTIFICATE_LONGEST)
      return NULL;
    guchar *bytes = g_base64_decode (json_string_value (one), &length);
    g_ptr_array_add (der, g_bytes_new_take (bytes, length));
  }
  return peer_chain_of_der ((GBytes *const *)der->pdata, der->len, NULL);
}

static gboolean
is_signed_by (const Jws *jws, X509 *leaf)
{
  json_auto_t *key = jose_from_evp (X509_get0_pubkey (leaf), NULL);
  return key != NULL && g_strcmp0 (jws_algorithm (jws), "ES256") == 0 && jws_verify (jws, key);
}

/* The common name of a certificate, fit to be shown (transfer full); NULL: it has none. */
static char *
common_name (X509 *certificate)
{
  X509_NAME *subject = X509_get_subject_name (certificate);
  int at = X509_NAME_get_index_by_NID (subject, NID_commonName, -1);
  unsigned char *text = NULL;
  if (at < 0)
    return NULL;
  ASN1_STRING *value = X509_NAME_ENTRY_get_data (X509_NAME_get_entry (subject, at));
  int length = ASN1_STRING_to_UTF8 (&text, value);
  char *name = length > 0 && strlen ((char *)text) == (gsize)length
                       && text_is_clean ((char *)text, NAME_LONGEST)
                   ? g_strdup ((char *)text)
                   : NULL;
  OPENSSL_free (text);
  return name;
}

static void
refuse_answer (Request *request, PeerAnswer answer)
{
  g_info ("identities: a certificate was refused: %s", answer.code);
  request_refuse_with (request, "not-proven", answer.vi, answer.en,
                       json_pack ("{s:s}", "reason", answer.code));
  request->client->failures++;
}

static void
take_certificate (Request *request, const Jws *jws, X509 *leaf, Proven *proven)
{
  const char *id = text_of (jws->payload, "id");
  Station *station = request->station;
  g_autofree char *issuer = peer_trust_issuer_of (enrolment_trust (station->enrolment), leaf);
  g_autofree char *name = common_name (leaf);
  proven->identity
      = json_pack ("{s:s, s:s, s:s, s:s, s:s}", "method", "certificate", "provider",
                   issuer != NULL ? issuer : "", "issuer", issuer != NULL ? issuer : "", "subject",
                   id, "name", name != NULL ? name : id);
  proven->person = g_strconcat ("person:", id, NULL);
  proven->facility = g_strdup (issuer);
}

void
identities_check_certificate (Request *request, const json_t *identity, const char *binding,
                              char *fingerprint, IdentitiesDone done)
{
  const char *compact = text_of (identity, "jws"), *nonce = request->client->nonce;
  g_auto (Proven) proven = { .fingerprint = fingerprint };
  g_auto (Jws) jws = { 0 };
  g_autofree char *challenge = binding_passkey_challenge (nonce, binding);
  STACK_OF (X509) *chain = jws_parse (compact, &jws) ? chain_of (&jws) : NULL;
  if (chain == NULL || !g_str_equal (text_of (jws.header, "typ"), TYPE)) {
    identities_refuse (request, "malformed");
  } else if (!is_signed_by (&jws, sk_X509_value (chain, 0))) {
    identities_refuse (request, "signature");
  } else if (!g_str_equal (text_of (jws.payload, "nonce"), challenge)) {
    identities_refuse (request, "nonce");
  } else if (request->station->enrolment == NULL) {
    refuse_answer (request, peer_answer ("issuer-unknown"));
  } else {
    PeerAnswer answer = enrolment_check_peer (request->station->enrolment, chain, PEER_PERSON,
                                              text_of (jws.payload, "id"));
    if (answer.verdict == PEER_ADMIT) {
      take_certificate (request, &jws, sk_X509_value (chain, 0), &proven);
      proven.proof = json_pack ("{s:s, s:s}", "jws", compact, "socket_nonce", nonce);
      done (request, &proven);
    } else {
      refuse_answer (request, answer);
    }
  }
  sk_X509_pop_free (chain, X509_free);
}
