#include "station/certify.h"
#include "certs/csr.h"
#include "certs/est.h"
#include "certs/identity_files.h"
#include "station/tls_fetch.h"
#include "station/text.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define SECONDS 60
#define WHY_LONGEST 200

G_DEFINE_QUARK (nhipcau - certify - error, certify_error)

/* ---- What does
 * ---------------------------------------------------------------------------------- */

static gboolean
unfit (const PeerAnswer *answer, GError **error)
{
  g_set_error (error, CERTIFY_ERROR, CERTIFY_ERROR_UNFIT, "%s", SAY (answer->vi, answer->en));
  return FALSE;
}

gboolean
certify_check (const Config *config, PeerTrust *trust, STACK_OF (X509) * chain, const EVP_PKEY *key,
               PeerTime time, GError **error)
{
  X509 *leaf = sk_X509_num (chain) > 0 ? sk_X509_value (chain, 0) : NULL;
  if (leaf != NULL
      && (X509_get0_pubkey (leaf) == NULL || EVP_PKEY_eq (X509_get0_pubkey (leaf), key) != 1)) {
    g_set_error (
        error, CERTIFY_ERROR, CERTIFY_ERROR_UNFIT, "%s",
        SAY ("chứng thư không phải của khóa trạm này. Hãy gửi lại yêu cầu mới: nhipcau cert "
             "request, và cài chứng thư nhận được cho yêu cầu đó.",
             "the certificate is not of this station's key. Send a new request: nhipcau cert "
             "request, and install what is issued for that one."));
    return FALSE;
  }
  PeerAnswer answer
      = peer_check_without_lists (trust, chain, PEER_STATION, config->station_id, time);
  return answer.verdict != PEER_REFUSE || unfit (&answer, error);
}

gboolean
certify_install (const Config *config, STACK_OF (X509) * chain, GError **error)
{
  const IdentityPlace place = { .state_dir = config->state };
  g_autofree char *file = identity_chain_path (&place);
  STACK_OF (X509) *kept = sk_X509_new_null ();
  /* Who checks it has the root, or does not trust it. */
  for (int i = 0; i < sk_X509_num (chain); i++)
    if (i == 0 || X509_self_signed (sk_X509_value (chain, i), 0) != 1)
      sk_X509_push (kept, sk_X509_value (chain, i));
  gboolean good = identity_save_chain (file, kept, error);
  sk_X509_free (kept);
  return good;
}

/* ---- EST
 * ---------------------------------------------------------------------------------------- */

static TlsFetch
request_to (const ConfigIssuer *issuer, const char *url, PeerTime time)
{
  return (TlsFetch){ .url = url,
                     .ca_file
                     = issuer->est_ca_file != NULL ? issuer->est_ca_file : issuer->certificate,
                     .any_time = !time.trusted,
                     .largest = EST_REPLY_LONGEST,
                     .seconds = SECONDS };
}

/* What a server says with a refusal, as far as it is a line of text (RFC 7030 §4.2.3). */
static char *
why_of (const TlsAnswer *answer)
{
  gsize size;
  const char *text = g_bytes_get_data (answer->body, &size);
  if (!g_str_equal (answer->type, "text/plain") || size == 0)
    return g_strdup ("");
  g_autofree char *valid = g_utf8_make_valid (text, (gssize)MIN (size, WHY_LONGEST));
  valid[strcspn (valid, "\r\n")] = '\0';
  for (char *c = valid; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  return g_strconcat (": ", valid, NULL);
}

static gboolean
refused (const ConfigIssuer *issuer, const TlsAnswer *answer, GError **error)
{
  g_autofree char *why = why_of (answer);
  if (answer->status == 202)
    g_set_error (
        error, CERTIFY_ERROR, CERTIFY_ERROR_LATER,
        SAY ("%s: nơi cấp phải duyệt trước; trạm sẽ tự hỏi lại, hoặc gọi nơi cấp",
             "%s: the issuer has to approve it first; the station asks again by itself, or "
             "call the issuer"),
        issuer->est);
  else if (answer->status == 401 || answer->status == 403)
    g_set_error (
        error, CERTIFY_ERROR, CERTIFY_ERROR_REFUSED,
        SAY ("%s không nhận trạm này (%ld%s). Chứng thư đã hết hạn hay bị thu hồi thì xin mật "
             "khẩu một lần của nơi cấp: est-user, est-password-file",
             "%s does not take this station (%ld%s). When its certificate has expired or was "
             "revoked, ask the issuer for a password: est-user, est-password-file"),
        issuer->est, answer->status, why);
  else
    g_set_error (error, CERTIFY_ERROR,
                 answer->status >= 500 ? CERTIFY_ERROR_UNREACHABLE : CERTIFY_ERROR_REFUSED,
                 SAY ("%s trả lời %ld%s", "%s answers %ld%s"), issuer->est, answer->status, why);
  return FALSE;
}

static STACK_OF (X509)
    * ask (const ConfigIssuer *issuer, const TlsFetch *request, gint64 *ret_date, GError **error)
{
  g_auto (TlsAnswer) answer = { 0 };
  g_autoptr (GError) wrong = NULL;
  if (!tls_fetch (request, &answer, &wrong)) {
    g_set_error (error, CERTIFY_ERROR, CERTIFY_ERROR_UNREACHABLE, "%s", wrong->message);
    return NULL;
  }
  if (ret_date != NULL)
    *ret_date = answer.date;
  if (answer.status != 200) {
    refused (issuer, &answer, error);
    return NULL;
  }
  STACK_OF (X509) *all
      = g_str_equal (answer.type, EST_REPLY_TYPE) ? est_certificates (answer.body, &wrong) : NULL;
  if (all == NULL)
    g_set_error (error, CERTIFY_ERROR, CERTIFY_ERROR_UNREACHABLE, "%s: %s", request->url,
                 wrong != NULL ? wrong->message : "answers with something else than certificates");
  return all;
}

gboolean
certify_ask (const ConfigIssuer *issuer, PeerTrust *trust, gint64 *ret_date, gboolean *ret_pinned,
             GError **error)
{
  g_autofree char *url = g_strconcat (issuer->est, "/cacerts", NULL);
  const TlsFetch request = request_to (issuer, url, (PeerTime){ 0, FALSE });
  STACK_OF (X509) *all = ask (issuer, &request, ret_date, error);
  X509 *pinned = all != NULL ? peer_trust_issuer (trust, issuer->name) : NULL;
  *ret_pinned = FALSE;
  for (int i = 0; pinned != NULL && i < sk_X509_num (all); i++)
    *ret_pinned |= X509_cmp (sk_X509_value (all, i), pinned) == 0;
  X509_free (pinned);
  sk_X509_pop_free (all, X509_free);
  return all != NULL;
}

GBytes *
certify_request (const Config *config, EVP_PKEY *key, GError **error)
{
  const IdentityPlace place = { .state_dir = config->state };
  g_autofree char *file = identity_chain_path (&place);
  g_auto (GStrv) names = config_certificate_names (config);
  gboolean web = g_strcmp0 (config->certificate, file) == 0;
  return csr_make (key, PEER_STATION, config->station_id, config->station_name,
                   web ? (const char *const *)names : NULL, error);
}

static GBytes *
request_body (const Config *config, Identity *identity, GError **error)
{
  g_autoptr (GBytes) der = certify_request (config, identity_key (identity), error);
  return der != NULL ? est_body (der) : NULL;
}

/* Of the issuers' own certificates the server sends few or none: those that are pinned complete it.
 */
static STACK_OF (X509)
    * certify_once (const Config *config, const ConfigIssuer *issuer, Identity *identity,
                    gboolean again, PeerTime time, gint64 *ret_date, GError **error)
{
  g_autofree char *url
      = g_strconcat (issuer->est, again ? "/simplereenroll" : "/simpleenroll", NULL);
  g_autoptr (GBytes) body = request_body (config, identity, error);
  if (body == NULL)
    return NULL;
  TlsFetch request = request_to (issuer, url, time);
  request.body = body;
  request.type = EST_REQUEST_TYPE;
  request.transfer = "base64";
  request.identity = again ? identity : NULL;
  request.user = again ? NULL : issuer->est_user;
  request.password = again ? NULL : issuer->est_password;
  STACK_OF (X509) *all = ask (issuer, &request, ret_date, error);
  STACK_OF (X509) *chain = all != NULL ? est_chain (all, identity_key (identity)) : NULL;
  if (all != NULL && chain == NULL)
    g_set_error (error, CERTIFY_ERROR, CERTIFY_ERROR_UNFIT,
                 SAY ("%s trả về chứng thư của khóa khác; báo nơi cấp",
                      "%s answers with a certificate of another key; tell the issuer"),
                 issuer->est);
  sk_X509_pop_free (all, X509_free);
  return chain;
}

static STACK_OF (X509)
    * certify_any (const Config *config, const ConfigIssuer *issuer, Identity *identity,
                   PeerTime time, gint64 *ret_date, GError **error)
{
  g_autoptr (GError) first = NULL;
  STACK_OF (X509) *there = identity_chain (identity);
  gboolean has = there != NULL;
  sk_X509_pop_free (there, X509_free);
  STACK_OF (X509) *chain
      = has ? certify_once (config, issuer, identity, TRUE, time, ret_date, &first) : NULL;
  if (chain != NULL)
    return chain;
  gboolean may
      = issuer->est_user != NULL
        && (first == NULL || g_error_matches (first, CERTIFY_ERROR, CERTIFY_ERROR_REFUSED));
  if (may)
    return certify_once (config, issuer, identity, FALSE, time, ret_date, error);
  if (first != NULL)
    g_propagate_error (error, g_steal_pointer (&first));
  else
    g_set_error (
        error, CERTIFY_ERROR, CERTIFY_ERROR_REFUSED, "%s",
        SAY ("trạm chưa có chứng thư và station.conf chưa có est-user, est-password-file để "
             "xin lần đầu",
             "the station has no certificate yet, and station.conf no est-user and "
             "est-password-file to ask for the first"));
  return NULL;
}

gboolean
certify_renew (const Config *config, PeerTrust *trust, const ConfigIssuer *issuer,
               Identity *identity, PeerTime time, gint64 *ret_date, GError **error)
{
  gint64 date = 0;
  STACK_OF (X509) *chain = certify_any (config, issuer, identity, time, &date, error);
  if (ret_date != NULL)
    *ret_date = date;
  gboolean good = chain != NULL
                  && certify_check (config, trust, chain, identity_key (identity), time, error)
                  && certify_install (config, chain, error);
  sk_X509_pop_free (chain, X509_free);
  return good;
}

/* ---- Revocation lists
 * --------------------------------------------------------------------------- */

static GBytes *
get_list (const ConfigIssuer *issuer, GError **error)
{
  g_auto (TlsAnswer) answer = { 0 };
  char *text = NULL;
  gsize length;
  if (strstr (issuer->crl, "://") == NULL)
    return g_file_get_contents (issuer->crl, &text, &length, error)
               ? g_bytes_new_take (text, length)
               : NULL;
  const TlsFetch request = { .url = issuer->crl, .largest = PEER_CRL_LONGEST, .seconds = SECONDS };
  if (!tls_fetch (&request, &answer, error))
    return NULL;
  if (answer.status == 200)
    return g_steal_pointer (&answer.body);
  g_set_error (error, CERTIFY_ERROR, CERTIFY_ERROR_UNREACHABLE, "%s answers %ld", issuer->crl,
               answer.status);
  return NULL;
}

gboolean
certify_fetch_list (const Config *config, PeerTrust *trust, const ConfigIssuer *issuer,
                    GError **error)
{
  g_autoptr (GBytes) list = get_list (issuer, error);
  if (list == NULL || !peer_trust_set_crl (trust, issuer->name, list, error))
    return FALSE;
  g_autofree char *file = issuers_list_file (config, issuer->name);
  g_autofree char *folder = g_path_get_dirname (file);
  gsize length;
  const char *data = g_bytes_get_data (list, &length);
  if (g_mkdir_with_parents (folder, 0700) != 0) {
    g_set_error (error, CERTIFY_ERROR, CERTIFY_ERROR_UNREACHABLE, "%s: %s", folder,
                 g_strerror (errno));
    return FALSE;
  }
  return g_file_set_contents_full (file, data, (gssize)length,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   0600, error);
}
