/* nhipcau cert show */
#include "station/cmd_cert.h"
#include "certs/identity_files.h"
#include "certs/session_cert.h"
#include "station/clock.h"
#include "station/certify.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)

static X509 *
load (const char *file, GError **error)
{
  g_autoptr (BIO) bio = BIO_new_file (file, "r");
  X509 *certificate = bio != NULL ? PEM_read_bio_X509 (bio, NULL, NULL, NULL) : NULL;
  ERR_clear_error ();
  if (certificate == NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND,
                 "%s: there is no certificate; run nhipcau setup", file);
  return certificate;
}

static char *
name_text (const X509_NAME *name)
{
  g_autoptr (BIO) bio = BIO_new (BIO_s_mem ());
  char *data = NULL;
  X509_NAME_print_ex (bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  long length = BIO_get_mem_data (bio, &data);
  return g_strndup (data, (gsize)length);
}

static char *
time_text (const ASN1_TIME *time)
{
  struct tm parts = { 0 };
  if (ASN1_TIME_to_tm (time, &parts) != 1)
    return g_strdup ("?");
  return clock_text ((gint64)timegm (&parts) * G_USEC_PER_SEC);
}

static json_t *
alternative_names (X509 *certificate)
{
  json_t *list = json_array ();
  GENERAL_NAMES *names = X509_get_ext_d2i (certificate, NID_subject_alt_name, NULL, NULL);
  for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num (names); i++) {
    g_autoptr (BIO) bio = BIO_new (BIO_s_mem ());
    char *data = NULL;
    GENERAL_NAME_print (bio, sk_GENERAL_NAME_value (names, i));
    long length = BIO_get_mem_data (bio, &data);
    json_array_append_new (list, json_stringn (data, (gsize)length));
  }
  GENERAL_NAMES_free (names);
  return list;
}

static json_t *
describe (X509 *certificate, const char *file)
{
  g_autofree char *subject = name_text (X509_get_subject_name (certificate));
  g_autofree char *issuer = name_text (X509_get_issuer_name (certificate));
  g_autofree char *from = time_text (X509_get0_notBefore (certificate));
  g_autofree char *until = time_text (X509_get0_notAfter (certificate));
  g_autofree char *fingerprint = fingerprint_sha256 (certificate);
  return json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "file", file, "subject", subject,
                    "issuer", issuer, "from", from, "until", until, "sha256", fingerprint, "names",
                    alternative_names (certificate));
}

/* Recovery recipients, numbered as their challenge files; none when the keys cannot be read. */
static json_t *
describe_recovery (const Config *config)
{
  g_autoptr (Vault) vault = vault_open_read_only (config->state, NULL);
  json_t *list = json_array ();
  for (guint i = 0; vault != NULL && i < vault_recipients (vault); i++) {
    guint number = vault_recipient_place (vault, i) + 1;
    g_autofree char *file = g_strdup_printf ("keys.db %u", number);
    json_t *one = describe (vault_recipient (vault, i), file);
    json_object_set_new (one, "number", json_integer (number));
    json_object_set_new (one, "confirmed", json_boolean (vault_recipient_confirmed (vault, i)));
    json_array_append_new (list, one);
  }
  return list;
}

static void
print_one (const char *title, const json_t *one)
{
  static const char *const keys[] = { "file", "subject", "issuer", "from", "until", "sha256" };
  gsize i;
  json_t *name;
  puts (title);
  for (i = 0; i < G_N_ELEMENTS (keys); i++)
    printf ("  %-8s %s\n", keys[i], json_string_value (json_object_get (one, keys[i])));
  json_array_foreach (json_object_get (one, "names"), i, name)
  {
    printf ("  %-8s %s\n", i == 0 ? "names" : "", json_string_value (name));
  }
}

static void
print_recovery (const json_t *list)
{
  gsize i;
  json_t *one;
  json_array_foreach (list, i, one)
  {
    g_autofree char *title = g_strdup_printf (
        SAY ("Khóa khôi phục %d: %s", "Recovery key %d: %s"),
        (int)json_integer_value (json_object_get (one, "number")),
        json_is_true (json_object_get (one, "confirmed")) ? SAY ("đã xác nhận", "confirmed")
                                                          : SAY ("chưa xác nhận", "not confirmed"));
    print_one (title, one);
  }
}

/* The chain of the province and what is thought of it; NULL: none is installed. */
static json_t *
describe_province (const Config *config)
{
  const IdentityPlace place = { .state_dir = config->state };
  g_autofree char *file = identity_chain_path (&place);
  g_autoptr (PeerTrust) trust = issuers_trust (config, NULL);
  STACK_OF (X509) *chain = identity_load_chain (file, NULL);
  if (chain == NULL)
    return NULL;
  json_t *one = describe (sk_X509_value (chain, 0), file);
  if (trust != NULL) {
    PeerAnswer answer
        = peer_check (trust, chain, PEER_STATION, config->station_id, issuers_time (config, 0));
    json_object_set_new (one, "verdict", json_string (answer.code));
    json_object_set_new (one, "text", text_json (answer.vi, answer.en));
  }
  sk_X509_pop_free (chain, X509_free);
  return one;
}

static void
print_province (const json_t *one)
{
  const json_t *text = json_object_get (one, "text");
  if (one == NULL) {
    puts (SAY ("Chưa có chứng thư của tỉnh: nhipcau cert request",
               "No certificate of the province yet: nhipcau cert request"));
    return;
  }
  print_one (SAY ("Chứng thư do tỉnh cấp cho trạm", "The station's certificate of the province"),
             one);
  printf ("  %-8s %s\n", SAY ("nay", "now"),
          json_string_value (json_object_get (text, SAY ("vi", "en"))));
}

int
cert_show (const CertOptions *options, const Config *config)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *own = g_build_filename (config->state, "certs", "station.crt", NULL);
  g_autofree char *authority_file = g_build_filename (config->state, "certs", "ca.crt", NULL);
  const char *file = config->certificate != NULL ? config->certificate : own;
  g_autoptr (X509) certificate = load (file, &error);
  if (certificate == NULL)
    return cli_fail (error);
  g_autoptr (X509) authority = config->certificate == NULL ? load (authority_file, NULL) : NULL;
  json_auto_t *result = json_pack ("{s:o}", "certificate", describe (certificate, file));
  json_t *province = describe_province (config);
  if (province != NULL)
    json_object_set_new (result, "province", province);
  if (authority != NULL)
    json_object_set_new (result, "authority", describe (authority, authority_file));
  json_object_set_new (result, "recovery", describe_recovery (config));
  if (options->common.json) {
    cli_print_json (result);
    return CLI_OK;
  }
  print_one (SAY ("Chứng thư của trạm", "The station's certificate"),
             json_object_get (result, "certificate"));
  print_province (province);
  if (authority != NULL)
    print_one (SAY ("Nơi cấp tại trạm: trình duyệt trên máy này phải tin tệp này",
                    "The station's own authority: browsers of this machine must trust this file"),
               json_object_get (result, "authority"));
  print_recovery (json_object_get (result, "recovery"));
  return CLI_OK;
}
