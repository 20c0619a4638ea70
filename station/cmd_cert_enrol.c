/* nhipcau cert request | install | renew | revoke-check */
#include "station/cmd_cert.h"
#include "certs/csr.h"
#include "certs/identity_files.h"
#include "station/clock.h"
#include "station/certify.h"
#include "station/opening.h"
#include "station/users.h"

#include <stdio.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)

/* ---- Keys
 * --------------------------------------------------------------------------------------- */

static EVP_PKEY *
load_key (const char *uri, const char *secret_file, GError **error)
{
  char *secret = secret_file != NULL ? cli_read_secret (secret_file, error) : NULL;
  if (secret_file != NULL && secret == NULL)
    return NULL;
  g_autoptr (GBytes) bytes = secret != NULL ? g_bytes_new_static (secret, strlen (secret)) : NULL;
  g_autofree char *path
      = strchr (uri, ':') == NULL ? g_canonicalize_filename (uri, NULL) : g_strdup (uri);
  EVP_PKEY *key = identity_load_key (path, bytes, error);
  cli_secret_free (secret);
  return key;
}

/* --key, that of station.conf, or the station's own. */
static EVP_PKEY *
station_key (const CertOptions *options, const Config *config, GError **error)
{
  if (options->key != NULL)
    return load_key (options->key, options->key_secret_file, error);
  if (config->key != NULL)
    return load_key (config->key, config->key_secret_file, error);
  g_autoptr (Vault) vault = cli_open_vault (&options->common, config, TRUE, error);
  g_autoptr (GBytes) secret = vault != NULL ? cli_identity_secret (vault, error) : NULL;
  const IdentityPlace place = { .state_dir = config->state };
  g_autofree char *uri = identity_key_uri (&place);
  return secret != NULL ? identity_load_key (uri, secret, error) : NULL;
}

/* What a certificate has to be of: no secret is needed where a certificate of the key is there. */
static EVP_PKEY *
station_public_key (const CertOptions *options, const Config *config, GError **error)
{
  if (options->key != NULL)
    return load_key (options->key, options->key_secret_file, error);
  IdentityPlace place = opening_identity_place (config, NULL);
  if (config->key == NULL)
    place.certificate = NULL; /* of the station's own key there is always one */
  g_autofree char *file = identity_certificate_path (&place);
  g_autoptr (X509) certificate = identity_load_certificate (file, error);
  return certificate != NULL ? X509_get_pubkey (certificate) : NULL;
}

/* ---- request
 * ------------------------------------------------------------------------------------ */

static int
write_request (const char *file, GBytes *der, EVP_PKEY *key, GError **error)
{
  g_autofree char *pem = csr_pem (der), *hash = peer_key_hash (key);
  if (!g_file_set_contents_full (file, pem, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error))
    return cli_fail (*error);
  printf (SAY ("Đã ghi yêu cầu: %s\nGửi tệp này cho nơi cấp. Khóa %.16s…: đọc qua điện thoại để "
               "nơi cấp so "
               "với máy của họ.\nNhận được chứng thư thì: nhipcau cert install TỆP\n",
               "The request is in %s\nSend this file to the issuer. Key %.16s…: read it to them by "
               "telephone, they compare.\nWhen the certificate comes: nhipcau cert install FILE\n"),
          file, hash);
  return CLI_OK;
}

int
cert_request (const CertOptions *options, const Config *config)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = options->out != NULL ? g_strdup (options->out)
                                               : g_strconcat (config->station_id, ".csr", NULL);
  g_autoptr (EVP_PKEY) key = station_key (options, config, &error);
  g_autoptr (GBytes) der = key != NULL ? certify_request (config, key, &error) : NULL;
  int exit_code = der != NULL ? write_request (file, der, key, &error) : cli_fail (error);
  if (exit_code == CLI_OK)
    printf (SAY ("Tên trong yêu cầu (CN) là mã trạm %s. Nơi cấp phải giữ nguyên: máy chủ nhắn tin "
                 "(mosquitto) lấy CN làm tên người dùng.\n",
                 "The name in the request (CN) is the station's id, %s. The issuer has to keep it: "
                 "the broker (mosquitto) takes the CN as the user name.\n"),
            config->station_id);
  return exit_code;
}

static EVP_PKEY *
new_key (const CertOptions *options, GError **error)
{
  if (g_file_test (options->new_key, G_FILE_TEST_EXISTS)) {
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
                 SAY ("%s: đã có; không ghi đè khóa", "%s: is there; a key is not overwritten"),
                 options->new_key);
    return NULL;
  }
  char *secret = cli_obtain_secret (options->passphrase_file,
                                    SAY ("Mật khẩu mới của khóa", "The key's new passphrase"),
                                    "--passphrase-file", error);
  if (secret == NULL)
    return NULL;
  const char *weak = user_passphrase_weakness (secret);
  if (weak != NULL)
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s", weak);
  g_autoptr (GBytes) bytes = g_bytes_new_static (secret, strlen (secret));
  g_autoptr (EVP_PKEY) key = weak == NULL ? issue_key (error) : NULL;
  gboolean good = key != NULL && identity_save_key (options->new_key, key, bytes, error);
  cli_secret_free (secret);
  return good ? g_steal_pointer (&key) : NULL;
}

int
cert_request_person (const CertOptions *options)
{
  g_autoptr (GError) error = NULL;
  if (!peer_id_is_valid (PEER_PERSON, options->person) || options->name == NULL
      || (options->key == NULL) == (options->new_key == NULL))
    return cli_usage ("%s",
                      SAY ("cần --person MÃ (a-z 0-9 . _ @ -), --name \"HỌ TÊN\", và --new-key TỆP "
                           "hoặc --key KHÓA",
                           "wants --person ID (a-z 0-9 . _ @ -), --name NAME, and --new-key "
                           "FILE or --key KEY"));
  g_autofree char *file = options->out != NULL ? g_strdup (options->out)
                                               : g_strconcat (options->person, ".csr", NULL);
  g_autoptr (EVP_PKEY) key = options->new_key != NULL
                                 ? new_key (options, &error)
                                 : load_key (options->key, options->key_secret_file, &error);
  g_autoptr (GBytes) der
      = key != NULL ? csr_make (key, PEER_PERSON, options->person, options->name, NULL, &error)
                    : NULL;
  return der != NULL ? write_request (file, der, key, &error) : cli_fail (error);
}

/* ---- install, renew
 * ----------------------------------------------------------------------------- */

static int
fail (const GError *error)
{
  gboolean judged = g_error_matches (error, CERTIFY_ERROR, CERTIFY_ERROR_UNFIT)
                    || g_error_matches (error, CERTIFY_ERROR, CERTIFY_ERROR_REFUSED);
  int exit_code = cli_fail (error);
  return judged ? CLI_FAILED : exit_code;
}

/* A station that runs takes it at once. */
static int
installed (const Config *config, X509 *leaf)
{
  g_autoptr (GError) error = NULL;
  struct tm parts = { 0 };
  ASN1_TIME_to_tm (X509_get0_notAfter (leaf), &parts);
  g_autofree char *until = clock_text ((gint64)timegm (&parts) * G_USEC_PER_SEC);
  printf (
      SAY ("Đã cài chứng thư, dùng đến %s.\n", "The certificate is installed, good until %s.\n"),
      until);
  if (opening_is_running (config) && !opening_wake (config, &error))
    return cli_fail (error);
  return CLI_OK;
}

static STACK_OF (X509) * read_chain (const char *file, GError **error)
{
  char *text = NULL;
  gsize length;
  if (!g_file_get_contents (file, &text, &length, error))
    return NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_take (text, length);
  STACK_OF (X509) *chain = peer_chain_of_pem (bytes, error);
  if (chain == NULL)
    g_prefix_error (error, "%s: ", file);
  return chain;
}

/* Nobody is asked whom to trust: that stands in station.conf. */
static gboolean
has_issuer (const Config *config, GError **error)
{
  if (config->issuers->len > 0)
    return TRUE;
  g_set_error (
      error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s",
      SAY ("station.conf chưa nói tin nơi cấp nào: thêm [issuer TÊN] với certificate và crl",
           "station.conf names no issuer to trust: give an [issuer NAME] with certificate "
           "and crl"));
  return FALSE;
}

int
cert_install (const CertOptions *options, const Config *config, const char *file)
{
  g_autoptr (GError) error = NULL;
  if (!has_issuer (config, &error))
    return cli_fail (error);
  g_autoptr (PeerTrust) trust = issuers_trust (config, &error);
  g_autoptr (EVP_PKEY) key = trust != NULL ? station_public_key (options, config, &error) : NULL;
  STACK_OF (X509) *chain = key != NULL ? read_chain (file, &error) : NULL;
  gboolean good = chain != NULL
                  && certify_check (config, trust, chain, key, issuers_time (config, 0), &error)
                  && certify_install (config, chain, &error);
  int exit_code = good ? installed (config, sk_X509_value (chain, 0)) : fail (error);
  sk_X509_pop_free (chain, X509_free);
  return exit_code;
}

static Identity *
open_identity (const CertOptions *options, const Config *config, GError **error)
{
  char *text = NULL;
  GBytes *secret = NULL;
  if (config->key == NULL) {
    g_autoptr (Vault) vault = cli_open_vault (&options->common, config, TRUE, error);
    secret = vault != NULL ? cli_identity_secret (vault, error) : NULL;
    if (secret == NULL)
      return NULL;
  } else if (config->key_secret_file != NULL) {
    text = cli_read_secret (config->key_secret_file, error);
    if (text == NULL)
      return NULL;
    secret = g_bytes_new_take (text, strlen (text));
  }
  const IdentityPlace place = opening_identity_place (config, secret);
  Identity *identity = identity_open (&place, error);
  g_clear_pointer (&secret, g_bytes_unref);
  return identity;
}

int
cert_renew (const CertOptions *options, const Config *config)
{
  g_autoptr (GError) error = NULL;
  if (!has_issuer (config, &error))
    return cli_fail (error);
  g_autoptr (PeerTrust) trust = issuers_trust (config, &error);
  g_autoptr (Identity) identity = trust != NULL ? open_identity (options, config, &error) : NULL;
  if (identity == NULL)
    return cli_fail (error);
  STACK_OF (X509) *there = identity_chain (identity);
  const ConfigIssuer *issuer
      = issuers_own (config, trust, there != NULL ? sk_X509_value (there, 0) : NULL);
  sk_X509_pop_free (there, X509_free);
  if (issuer == NULL || issuer->est == NULL)
    return cli_usage (
        "%s", SAY ("nơi cấp của trạm không có máy chủ gia hạn (est trong [issuer]): nhipcau "
                   "cert request, rồi gửi yêu cầu cho nơi cấp",
                   "the station's issuer has no enrolment server (est of [issuer]): "
                   "nhipcau cert request, and send the request to the issuer"));
  if (!certify_renew (config, trust, issuer, identity, issuers_time (config, 0), NULL, &error)
      || !identity_reload (identity, NULL, &error))
    return fail (error);
  STACK_OF (X509) *chain = identity_chain (identity);
  int exit_code = installed (config, sk_X509_value (chain, 0));
  sk_X509_pop_free (chain, X509_free);
  return exit_code;
}

/* ---- revoke-check
 * ------------------------------------------------------------------------------- */

static json_t *
check_list (const Config *config, PeerTrust *trust, const ConfigIssuer *issuer)
{
  g_autoptr (GError) error = NULL;
  gint64 made = 0, until = 0;
  gboolean fetched = certify_fetch_list (config, trust, issuer, &error);
  gboolean there = peer_trust_crl_times (trust, issuer->name, &made, &until);
  gboolean fresh = there && until > g_get_real_time () / G_USEC_PER_SEC;
  json_t *one
      = json_pack ("{s:s, s:b, s:b}", "issuer", issuer->name, "fetched", fetched, "fresh", fresh);
  if (there) {
    g_autofree char *from = clock_text (made * G_USEC_PER_SEC);
    g_autofree char *to = clock_text (until * G_USEC_PER_SEC);
    json_object_set_new (one, "made", json_string (from));
    json_object_set_new (one, "until", json_string (to));
  }
  if (error != NULL)
    json_object_set_new (one, "problem", json_string (error->message));
  return one;
}

static void
print_list (const json_t *one)
{
  const char *until = json_string_value (json_object_get (one, "until"));
  const char *problem = json_string_value (json_object_get (one, "problem"));
  printf ("%-16s %s %s\n", json_string_value (json_object_get (one, "issuer")),
          json_is_true (json_object_get (one, "fresh")) ? SAY ("còn hạn đến", "good until")
          : until != NULL ? SAY ("quá hạn từ", "out of date since")
                          : SAY ("chưa có danh sách", "no list"),
          until != NULL ? until : "");
  if (problem != NULL)
    printf ("  %s\n", problem);
}

static PeerAnswer
own_answer (const Config *config, PeerTrust *trust)
{
  const IdentityPlace place = { .state_dir = config->state };
  g_autofree char *file = identity_chain_path (&place);
  STACK_OF (X509) *chain = identity_load_chain (file, NULL);
  PeerAnswer answer
      = peer_check (trust, chain, PEER_STATION, config->station_id, issuers_time (config, 0));
  sk_X509_pop_free (chain, X509_free);
  return answer;
}

int
cert_revoke_check (const CertOptions *options, const Config *config)
{
  g_autoptr (GError) error = NULL;
  if (!has_issuer (config, &error))
    return cli_fail (error);
  g_autoptr (PeerTrust) trust = issuers_trust (config, &error);
  if (trust == NULL)
    return cli_fail (error);
  json_auto_t *result = json_pack ("{s:[]}", "lists");
  json_t *lists = json_object_get (result, "lists");
  gboolean good = TRUE;
  for (guint i = 0; i < config->issuers->len; i++) {
    json_t *one = check_list (config, trust, config->issuers->pdata[i]);
    good &= json_is_true (json_object_get (one, "fresh"));
    if (!options->common.json)
      print_list (one);
    json_array_append_new (lists, one);
  }
  PeerAnswer answer = own_answer (config, trust);
  json_object_set_new (result, "own", json_string (answer.code));
  json_object_set_new (result, "text", text_json (answer.vi, answer.en));
  if (options->common.json)
    cli_print_json (result);
  else
    printf (SAY ("Trạm này: %s\n", "This station: %s\n"), SAY (answer.vi, answer.en));
  if (opening_is_running (config) && !opening_wake (config, &error))
    return cli_fail (error);
  gboolean missing = g_str_equal (answer.code, "chain-missing");
  return good && (missing || answer.verdict != PEER_REFUSE) ? CLI_OK : CLI_FAILED;
}
