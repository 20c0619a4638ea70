/* The small authority, with stock openssl's word on what it makes; requests that it must not sign.
 */
#include "certs/authority.h"
#include "certs/issue.h"
#include "pki_place.h"
#include <gio/gio.h>
#include <string.h>

#define PASSPHRASE "bốn chữ ngẫu nhiên"

typedef struct {
  char *dir, *folder;
  GBytes *passphrase;
  gint64 now;
} Fixture;

static void
make (Fixture *f)
{
  static const char *const domains[] = { "yte.example.vn", NULL };
  g_autoptr (GError) error = NULL;
  const AuthoritySetup setup = { .folder = f->folder,
                                 .name = "Sở Y tế Lào Cai (thử)",
                                 .years = 15,
                                 .domains = domains,
                                 .crl_url = "http://ca.example.vn/a,b.crl",
                                 .passphrase = f->passphrase };
  authority_create (&setup, f->now, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("nhipcau-authority-XXXXXX", NULL);
  f->folder = g_build_filename (f->dir, "ca", NULL);
  f->passphrase = g_bytes_new_static (PASSPHRASE, strlen (PASSPHRASE));
  f->now = g_get_real_time () / G_USEC_PER_SEC;
  make (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autofree char *command = g_strdup_printf ("rm -r '%s'", f->dir);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  g_bytes_unref (f->passphrase);
  g_free (f->folder);
  g_free (f->dir);
}

static Authority *
open_it (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  Authority *authority = authority_open (f->folder, f->passphrase, &error);
  g_assert_no_error (error);
  return authority;
}

static Csr *
csr_of (EVP_PKEY *key, PeerKind kind, const char *id, const char *const *names)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) der = csr_make (key, kind, id, "Trạm Mường Mẫu", names, &error);
  Csr *csr = der != NULL ? csr_parse (der, &error) : NULL;
  g_assert_no_error (error);
  return csr;
}

/* In the authority's folder; FALSE: it says no. */
static gboolean
openssl (Fixture *f, char **ret_out, const char *line)
{
  g_auto (GStrv) argv = NULL;
  g_autofree char *errors = NULL, *out = NULL;
  int status = 0;
  g_assert_true (g_shell_parse_argv (line, NULL, &argv, NULL));
  g_assert_true (g_spawn_sync (f->folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
                               &errors, &status, NULL));
  g_test_message ("%s: %s%s", line, out, errors);
  if (ret_out != NULL)
    *ret_out = g_steal_pointer (&out);
  return g_spawn_check_wait_status (status, NULL);
}

static void
publish (Fixture *f, Authority *authority)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) list = authority_crl (authority, 35, f->now, &error);
  g_assert_no_error (error);
}

#define VERIFY "openssl verify -x509_strict -crl_check -CAfile root.crt -CRLfile crl.pem "

static void
test_stock (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "tram.yte.example.vn", "192.168.1.9", NULL };
  g_autoptr (Authority) authority = open_it (f);
  EVP_PKEY *key = issue_key (NULL);
  g_autoptr (Csr) station = csr_of (key, PEER_STATION, "muong-mau", names);
  g_autoptr (Csr) person = csr_of (key, PEER_PERSON, "lan", NULL);
  X509 *one = authority_sign (authority, station, 0, FALSE, f->now, NULL);
  X509 *two = authority_sign (authority, person, 0, FALSE, f->now, NULL);
  g_autofree char *text = NULL;
  g_assert_true (one != NULL && two != NULL);
  g_free (pki_file (f->folder, "one.pem", one));
  g_free (pki_file (f->folder, "two.pem", two));
  publish (f, authority);
  g_assert_true (openssl (f, NULL, VERIFY "-purpose sslclient one.pem"));
  g_assert_true (openssl (f, NULL, VERIFY "-purpose sslserver one.pem"));
  g_assert_true (openssl (f, NULL, VERIFY "-purpose smimesign two.pem"));
  g_assert_false (openssl (f, NULL, VERIFY "-purpose sslserver two.pem"));
  g_assert_true (openssl (f, &text, "openssl x509 -in one.pem -noout -text"));
  g_assert_nonnull (strstr (text, "URI:nhipcau:station:muong-mau"));
  g_assert_nonnull (strstr (text, "CN = muong-mau\n")); /* mosquitto's user name */
  g_assert_nonnull (strstr (text, "URI:http://ca.example.vn/a,b.crl"));
  g_assert_nonnull (strstr (text, "ecdsa-with-SHA384"));
  g_autoptr (GPtrArray) list = authority_list (authority, NULL);
  const AuthorityEntry *entry = list->pdata[0];
  g_assert_cmpstr (entry->name, ==, "Trạm Mường Mẫu");
  g_assert_true (authority_revoke (authority, entry->serial, "keyCompromise", f->now, NULL));
  publish (f, authority);
  g_assert_false (openssl (f, NULL, VERIFY "one.pem"));
  g_assert_true (openssl (f, NULL, VERIFY "two.pem"));
  g_autofree char *crl = NULL;
  g_assert_true (openssl (f, &crl, "openssl crl -in crl.pem -noout -text -CAfile root.crt"));
  g_assert_nonnull (strstr (crl, "Key Compromise"));
  X509_free (one);
  X509_free (two);
  EVP_PKEY_free (key);
}

/* Stock `openssl ca` goes on with the folder. */
static void
test_stock_goes_on (Fixture *f, gconstpointer data)
{
  g_autoptr (Authority) authority = open_it (f);
  EVP_PKEY *key = issue_key (NULL);
  g_autoptr (Csr) csr = csr_of (key, PEER_STATION, "muong-mau", NULL);
  X509 *one = authority_sign (authority, csr, 30, FALSE, f->now, NULL);
  g_free (pki_file (f->folder, "one.pem", one));
  publish (f, authority);
  g_clear_pointer (&authority, authority_free);
  g_assert_true (openssl (f, NULL,
                          "openssl ca -batch -config openssl.cnf -passin 'pass:" PASSPHRASE
                          "' -revoke one.pem -crl_reason superseded"));
  g_assert_true (openssl (f, NULL,
                          "openssl ca -batch -config openssl.cnf -passin 'pass:" PASSPHRASE
                          "' -gencrl -out crl.pem"));
  g_assert_false (openssl (f, NULL, VERIFY "one.pem"));
  authority = open_it (f);
  g_autoptr (GPtrArray) list = authority_list (authority, NULL);
  g_assert_cmpuint (list->len, ==, 1);
  g_assert_cmpint (((AuthorityEntry *)list->pdata[0])->revoked, >, 0);
  publish (f, authority);
  g_autofree char *number = NULL;
  g_assert_true (openssl (f, &number, "openssl crl -in crl.pem -noout -crlnumber"));
  g_assert_nonnull (strstr (number, "0x03"));
  X509_free (one);
  EVP_PKEY_free (key);
}

static void
sign_refused (Fixture *f, Authority *authority, const Csr *csr, guint days, gint64 now,
              const char *why)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (authority_sign (authority, csr, days, FALSE, now, &error));
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, why));
}

static void
test_refuses (Fixture *f, gconstpointer data)
{
  static const char *const bank[] = { "bank.example.com", NULL };
  static const char *const public_address[] = { "203.0.113.7", NULL };
  g_autoptr (Authority) authority = open_it (f);
  EVP_PKEY *key = issue_key (NULL), *other = issue_key (NULL);
  g_autoptr (Csr) good = csr_of (key, PEER_STATION, "muong-mau", NULL);
  g_autoptr (Csr) second = csr_of (other, PEER_STATION, "muong-mau", NULL);
  g_autoptr (Csr) named = csr_of (key, PEER_STATION, "muong-mau", bank);
  g_autoptr (Csr) placed = csr_of (key, PEER_STATION, "muong-mau", public_address);
  X509 *first = authority_sign (authority, good, 0, FALSE, f->now, NULL);
  g_assert_nonnull (first);
  sign_refused (f, authority, second, 0, f->now, "another key");
  sign_refused (f, authority, named, 0, f->now, "host names");
  sign_refused (f, authority, placed, 0, f->now, "host names");
  sign_refused (f, authority, good, 91, f->now, "90 at most");
  sign_refused (f, authority, good, 0, f->now - 10 * DAY, "clock");
  sign_refused (f, authority, good, 0, f->now + 20 * 365 * DAY, "clock");
  X509 *again = authority_sign (authority, good, 0, FALSE, f->now, NULL);
  g_assert_nonnull (again);
  X509 *meant = authority_sign (authority, second, 0, TRUE, f->now, NULL);
  g_assert_nonnull (meant);
  X509_free (first);
  X509_free (again);
  X509_free (meant);
  EVP_PKEY_free (key);
  EVP_PKEY_free (other);
}

static void
test_opening (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) wrong = g_bytes_new_static ("sai", 3);
  g_autoptr (GError) error = NULL;
  g_assert_null (authority_open (f->folder, wrong, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_KEY);
  g_clear_error (&error);
  g_assert_null (authority_open (f->dir, f->passphrase, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND);
  g_clear_error (&error);
  const AuthoritySetup again
      = { .folder = f->folder, .name = "x", .years = 1, .passphrase = wrong };
  g_assert_false (authority_create (&again, f->now, &error));
  g_clear_error (&error);
  g_autoptr (Authority) first = open_it (f);
  g_assert_null (authority_open (f->folder, f->passphrase, &error));
  g_assert_nonnull (strstr (error->message, "another"));
  g_clear_error (&error);
  g_assert_false (authority_revoke (first, "00", "unspecified", f->now, &error));
}

/* ---- Requests
 * ----------------------------------------------------------------------------------- */

typedef struct {
  const char *options, *why;
} Bad;

/* By stock openssl, so that nothing of our own makes them. */
static void
test_requests (Fixture *f, gconstpointer data)
{
  static const Bad all[] = {
    { "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=x", "whose it is" },
    { "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=x -addext "
      "subjectAltName=URI:nhipcau:station:Muong",
      "exactly one" },
    { "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=x -addext "
      "subjectAltName=URI:nhipcau:station:a,URI:nhipcau:station:b",
      "exactly one" },
    { "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=x -addext "
      "subjectAltName=URI:nhipcau:station:a,email:a@b.vn",
      "nothing else" },
    { "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=x -addext "
      "subjectAltName=URI:nhipcau:person:a,DNS:a.lan",
      "no host names" },
    { "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=x -addext "
      "subjectAltName=URI:nhipcau:station:a -addext basicConstraints=critical,CA:TRUE",
      "authority" },
    { "-newkey ec -pkeyopt ec_paramgen_curve:P-384 -subj /CN=x -addext "
      "subjectAltName=URI:nhipcau:station:a",
      "P-256" },
    { "-newkey rsa:1024 -subj /CN=x -addext subjectAltName=URI:nhipcau:person:a", "2048" },
    { "-newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -subj /CN=x -addext "
      "subjectAltName=URI:nhipcau:person:a",
      "P-256" },
    { "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /O=x -addext "
      "subjectAltName=URI:nhipcau:station:a",
      "common name" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++) {
    g_autofree char *line = g_strdup_printf (
        "openssl req -new -nodes -keyout k.pem -out r.pem -outform DER %s", all[i].options);
    g_autofree char *path = g_build_filename (f->folder, "r.pem", NULL);
    char *text = NULL;
    gsize length;
    g_assert_true (openssl (f, NULL, line));
    g_assert_true (g_file_get_contents (path, &text, &length, NULL));
    g_autoptr (GBytes) bytes = g_bytes_new_take (text, length);
    g_autoptr (GError) error = NULL;
    g_assert_null (csr_parse (bytes, &error));
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, all[i].why));
  }
}

/* Every byte of a good one: refused, or it says the same. */
static void
test_changed_request (Fixture *f, gconstpointer data)
{
  EVP_PKEY *key = issue_key (NULL);
  g_autoptr (GBytes) der = csr_make (key, PEER_STATION, "muong-mau", "Trạm", NULL, NULL);
  gsize size;
  const guint8 *good = g_bytes_get_data (der, &size);
  g_autofree char *pem = csr_pem (der);
  g_autoptr (GBytes) text = g_bytes_new (pem, strlen (pem));
  g_autoptr (Csr) read = csr_parse (text, NULL);
  g_assert_cmpstr (read->id, ==, "muong-mau");
  g_assert_cmpstr (read->name, ==, "Trạm");
  for (gsize at = 0; at < size; at++) {
    guint8 *changed = g_memdup2 (good, size);
    changed[at] ^= 1 << (at % 8);
    g_autoptr (GBytes) bytes = g_bytes_new_take (changed, size);
    g_assert_null (csr_parse (bytes, NULL));
  }
  EVP_PKEY_free (key);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
  g_test_add ("/authority/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("stock", test_stock);
  ADD ("stock-goes-on", test_stock_goes_on);
  ADD ("refuses", test_refuses);
  ADD ("opening", test_opening);
  ADD ("requests", test_requests);
  ADD ("changed-request", test_changed_request);
  return g_test_run ();
}
