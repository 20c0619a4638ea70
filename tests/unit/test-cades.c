#include "certs/cades_remote.h"
#include "certs/timestamp.h"
#include "signing_place.h"
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#define YEAR ((gint64)365 * 24 * 3600)

/* What `openssl ts -reply` answers. */
static GBytes *
reply_to (GBytes *query, const char *config)
{
  g_autofree char *in = in_dir ("q.tsq"), *out = in_dir ("r.tsr"), *file = in_dir (config);
  const char *const argv[]
      = { "openssl", "ts", "-reply", "-config", file, "-queryfile", in, "-out", out, NULL };
  g_autoptr (GError) error = NULL;
  char *data;
  gsize size;
  g_file_set_contents (in, g_bytes_get_data (query, NULL), (gssize)g_bytes_get_size (query),
                       &error);
  g_assert_no_error (error);
  run (argv);
  g_file_get_contents (out, &data, &size, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (data, size);
}

static GBytes *
stamp (GBytes *cms, const char *config, const CadesTrust *by)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = text ();
  g_autoptr (GBytes) imprint = cades_next_imprint (cms, content, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) query = timestamp_query (imprint, "1.2.3.4.1", &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) reply = reply_to (query, config);
  g_autoptr (GBytes) token = timestamp_accept (query, reply, by, now, &error);
  g_assert_no_error (error);
  GBytes *stamped = cades_add_token (cms, token, &error);
  g_assert_no_error (error);
  return stamped;
}

static CadesReport *
check_at (GBytes *cms, gint64 when)
{
  g_autoptr (GBytes) content = text ();
  CadesReport *report = cades_check (cms, content, trust, when);
  for (guint i = 0; i < report->findings->len; i++)
    g_test_message ("%s", g_array_index (report->findings, CadesFinding, i).code);
  return report;
}

static void
assert_found (GBytes *cms, gint64 when, CadesVerdict verdict, const char *code)
{
  g_autoptr (CadesReport) report = check_at (cms, when);
  g_assert_cmpint (report->verdict, ==, verdict);
  if (code != NULL)
    g_assert_true (cades_report_has (report, code));
  else
    g_assert_cmpuint (report->findings->len, ==, 0);
}

static void
test_signed_and_stamped (void)
{
  g_autoptr (GBytes) bare = sign_as ("doctor");
  assert_found (bare, now, CADES_NOTE, "timestamp-missing");
  g_autoptr (GBytes) stamped = stamp (bare, "tsa.cnf", trust);
  g_autoptr (CadesReport) report = check_at (stamped, now);
  g_assert_cmpint (report->verdict, ==, CADES_GOOD);
  g_assert_cmpuint (report->findings->len, ==, 0);
  g_assert_cmpstr (report->signer, ==, "BS. Nguyễn Văn Bình");
  g_assert_cmpstr (report->stamped_by, ==, "Test time-stamps (tsa)");
  g_assert_cmpint (ABS (report->stamped - now), <, 600);
  g_assert_cmpint (ABS (report->claimed - now), <, 600);
}

/* Two years on the signer's certificate is over: without a token nothing holds, with one it does.
 */
static void
test_outlasts_certificate (void)
{
  g_autoptr (GBytes) bare = sign_as ("doctor");
  g_autoptr (GBytes) stamped = stamp (bare, "tsa.cnf", trust);
  assert_found (bare, now + 2 * YEAR, CADES_BAD, "certificate-expired");
  assert_found (stamped, now + 2 * YEAR, CADES_NOTE, "certificate-expired-later");
}

/* The authority's own certificate ends in a month: a further token carries on from it. */
static void
test_archive (void)
{
  g_autoptr (GBytes) bare = sign_as ("doctor");
  g_autoptr (GBytes) first = stamp (bare, "short.cnf", trust);
  assert_found (first, now, CADES_NOTE, "timestamp-expires");
  assert_found (first, now + YEAR, CADES_BAD, "timestamp-unknown");
  g_autoptr (GBytes) second = stamp (first, "tsa.cnf", trust);
  assert_found (second, now, CADES_GOOD, NULL);
  assert_found (second, now + 2 * YEAR, CADES_NOTE, "certificate-expired-later");
  g_autoptr (GBytes) third = stamp (second, "tsa.cnf", trust);
  g_autoptr (CadesReport) report = check_at (third, now);
  g_assert_cmpint (report->verdict, ==, CADES_GOOD);
  g_assert_cmpuint (report->tokens, ==, 3);
}

static void
test_who (void)
{
  static const struct {
    const char *who, *code;
    CadesVerdict verdict;
  } CASES[] = { { "expired", "certificate-expired", CADES_BAD },
                { "revoked", "certificate-revoked", CADES_BAD },
                { "stranger", "certificate-unknown", CADES_BAD },
                { "weak", "algorithm-weak", CADES_BAD },
                { "specialist", "timestamp-missing", CADES_NOTE } };
  for (guint i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_autoptr (GBytes) cms = sign_as (CASES[i].who);
    assert_found (cms, now, CASES[i].verdict, CASES[i].code);
  }
}

static void
test_other_text (void)
{
  g_autoptr (GBytes) cms = sign_as ("doctor");
  g_autoptr (GBytes) other = g_bytes_new_static ("other", 5);
  g_autoptr (CadesReport) report = cades_check (cms, other, trust, now);
  g_assert_true (cades_report_has (report, "wrong-content"));
  g_assert_false (cades_report_has (report, "signature-broken"));
}

/* No list: the state then is not known, and said so. */
static void
test_no_list (void)
{
  g_autoptr (GBytes) content = text ();
  g_autoptr (CadesTrust) plain = load_trust ("people-ca.crt", "tsa-ca.crt", NULL);
  g_autofree char *key = in_dir ("doctor.key"), *chain = in_dir ("doctor-chain.crt");
  g_autoptr (CadesSigner) signer = cades_signer_open (key, chain, NULL, NULL);
  g_autoptr (GBytes) cms = cades_sign (signer, NULL, content, NULL);
  g_autoptr (CadesReport) report = cades_check (cms, content, plain, now);
  g_assert_true (cades_report_has (report, "revocation-unknown"));
  g_assert_cmpint (report->verdict, ==, CADES_NOTE);
}

/* A token that is not the one asked for never comes in. */
static void
test_wrong_tokens (void)
{
  static const char *const WRONG[] = { "nonce", "policy", "imprint", "authority", "rubbish" };
  g_autoptr (GBytes) cms = sign_as ("doctor");
  g_autoptr (GBytes) content = text ();
  g_autoptr (GBytes) imprint = cades_next_imprint (cms, content, NULL);
  g_autoptr (GBytes) query = timestamp_query (imprint, "1.2.3.4.1", NULL);
  guint8 other[32] = { 1 };
  for (guint i = 0; i < G_N_ELEMENTS (WRONG); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) hash = g_bytes_new (other, sizeof other);
    g_autoptr (GBytes) asked = i == 0   ? timestamp_query (imprint, "1.2.3.4.1", NULL)
                               : i == 1 ? timestamp_query (imprint, "1.2.3.4.2", NULL)
                               : i == 2 ? timestamp_query (hash, "1.2.3.4.1", NULL)
                                        : g_bytes_ref (query);
    g_autoptr (GBytes) reply
        = i == 4 ? text () : reply_to (asked, i == 3 ? "foreign.cnf" : "tsa.cnf");
    g_autoptr (GBytes) token = timestamp_accept (query, reply, trust, now, &error);
    g_assert_null (token);
    g_assert_error (error, CERTS_ERROR, CERTS_ERROR_FAILED);
    g_test_message ("%s: %s", WRONG[i], error->message);
  }
  /* Asked for a policy that the authority has not: it refuses. */
  g_autoptr (GBytes) refused = timestamp_query (imprint, "1.2.3.4.9", NULL);
  g_autoptr (GBytes) reply = reply_to (refused, "tsa.cnf");
  g_autoptr (GError) error = NULL;
  g_assert_null (timestamp_accept (refused, reply, trust, now, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_FAILED);
}

static void
test_foreign_token (void)
{
  g_autoptr (CadesTrust) theirs = load_trust ("people-ca.crt", "stranger-ca.crt", NULL);
  g_autoptr (GBytes) bare = sign_as ("doctor");
  g_autoptr (GBytes) stamped = stamp (bare, "foreign.cnf", theirs);
  assert_found (stamped, now, CADES_BAD, "timestamp-unknown");
}

/* Each byte flipped: either found, or everything that is told is told the same. */
static void
test_every_byte (void)
{
  g_autoptr (GBytes) bare = sign_as ("doctor");
  g_autoptr (GBytes) whole = stamp (bare, "tsa.cnf", trust);
  g_autoptr (GBytes) content = text ();
  g_autoptr (CadesReport) good = cades_check (whole, content, trust, now);
  gsize size;
  const guint8 *data = g_bytes_get_data (whole, &size);
  guint silent = 0, found = 0;
  g_assert_cmpint (good->verdict, ==, CADES_GOOD);
  for (gsize at = 0; at < size; at++) {
    guint8 *copy = g_memdup2 (data, size);
    copy[at] ^= 1 << (at % 8);
    g_autoptr (GBytes) bad = g_bytes_new_take (copy, size);
    g_autoptr (CadesReport) report = cades_check (bad, content, trust, now);
    if (report->verdict == CADES_BAD || report->findings->len > 0) {
      found++;
      continue;
    }
    if (silent++ < 40)
      g_test_message ("byte %" G_GSIZE_FORMAT " has no effect", at);
    g_assert_cmpstr (report->certificate, ==, good->certificate);
    g_assert_cmpint (report->stamped, ==, good->stamped);
    g_assert_cmpint (report->claimed, ==, good->claimed);
    g_assert_cmpuint (report->tokens, ==, good->tokens);
  }
  g_test_message ("%u of %" G_GSIZE_FORMAT " bytes found, %u without effect", found, size, silent);
  g_assert_cmpuint (silent, ==, 0);
  for (gsize length = 0; length < size; length++) {
    g_autoptr (GBytes) cut = g_bytes_new (data, length);
    g_autoptr (CadesReport) report = cades_check (cut, content, trust, now);
    g_assert_true (cades_report_has (report, "not-a-signature"));
  }
}

/* Stock openssl agrees. */
static void
test_stock (void)
{
  g_autoptr (GBytes) bare = sign_as ("doctor");
  g_autoptr (GBytes) cms = stamp (bare, "tsa.cnf", trust);
  g_autofree char *file = in_dir ("doctor.p7s"), *content = in_dir ("manifest.json"),
                  *ca = in_dir ("people-ca.crt"), *null = g_strdup ("/dev/null");
  const char *const argv[]
      = { "openssl",  "cms",   "-verify", "-cades", "-binary",  "-inform", "DER",  "-in", file,
          "-content", content, "-CAfile", ca,       "-purpose", "any",     "-out", null,  NULL };
  g_assert_true (g_file_set_contents (file, g_bytes_get_data (cms, NULL),
                                      (gssize)g_bytes_get_size (cms), NULL));
  g_assert_true (g_file_set_contents (content, TEXT, -1, NULL));
  run (argv);
  const char *const pem[] = { "openssl", "cms",      "-cmsout", "-inform", "DER",   "-in",
                              file,      "-outform", "PEM",     "-out",    content, NULL };
  run (pem);
  char *data;
  gsize size;
  g_assert_true (g_file_get_contents (content, &data, &size, NULL));
  g_autoptr (GBytes) armoured = g_bytes_new_take (data, size);
  g_autoptr (GBytes) read = cades_read (armoured, NULL);
  assert_found (read, now, CADES_GOOD, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) rubbish = text ();
  g_assert_null (cades_read (rubbish, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_FAILED);
}

static void
test_signer_files (void)
{
  g_autofree char *key = in_dir ("doctor.key"), *other = in_dir ("specialist-chain.crt"),
                  *none = in_dir ("nobody.crt");
  g_autoptr (GError) error = NULL;
  g_assert_null (cades_signer_open (key, other, NULL, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_KEY);
  g_clear_error (&error);
  g_assert_null (cades_signer_open (key, none, NULL, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND);
}

/* ---- A key that lies elsewhere ------------------------------------------------------------- */

static GBytes *
file_bytes (const char *name)
{
  g_autofree char *path = in_dir (name);
  char *data;
  gsize size;
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  return g_bytes_new_take (data, size);
}

/* What a provider does with the hash alone: ECDSA in DER. */
static GBytes *
sign_hash (const char *key, GBytes *hash)
{
  g_autofree char *in = in_dir ("remote.hash"), *out = in_dir ("remote.value"),
                  *file = in_dir (key);
  const char *const argv[]
      = { "openssl", "pkeyutl", "-sign", "-inkey", file, "-in", in, "-out", out, NULL };
  g_assert_true (g_file_set_contents (in, g_bytes_get_data (hash, NULL),
                                      (gssize)g_bytes_get_size (hash), NULL));
  run (argv);
  return file_bytes ("remote.value");
}

/* r and s side by side, 32 bytes each. */
static GBytes *
as_pair (GBytes *value)
{
  gsize size;
  const guint8 *der = g_bytes_get_data (value, &size);
  ECDSA_SIG *pair = d2i_ECDSA_SIG (NULL, &der, (long)size);
  guint8 both[64];
  g_assert_nonnull (pair);
  BN_bn2binpad (ECDSA_SIG_get0_r (pair), both, 32);
  BN_bn2binpad (ECDSA_SIG_get0_s (pair), both + 32, 32);
  ECDSA_SIG_free (pair);
  return g_bytes_new (both, sizeof both);
}

static void
test_remote (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = text (), file = file_bytes ("specialist-chain.crt"), hash = NULL;
  STACK_OF (X509) *chain = cades_remote_chain (file, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) prepared
      = cades_remote_prepare (chain, trust->crls, content, now, &hash, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (hash), ==, 32);
  sk_X509_pop_free (chain, X509_free);

  g_autoptr (GBytes) value = sign_hash ("specialist.key", hash), pair = as_pair (value);
  GBytes *const forms[] = { value, pair };
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++) {
    g_autoptr (GBytes) whole = cades_remote_finish (prepared, forms[i], &error);
    g_assert_no_error (error);
    assert_found (whole, now, CADES_NOTE, "timestamp-missing");
    g_autoptr (GBytes) stamped = stamp (whole, "tsa.cnf", trust);
    assert_found (stamped, now, CADES_GOOD, NULL);
  }
  /* Without its value it is no signature; by another key, over another hash, none either. */
  assert_found (prepared, now, CADES_BAD, "signature-broken");
  g_autoptr (GBytes) foreign = sign_hash ("doctor.key", hash), none = g_bytes_new (NULL, 0);
  GBytes *const wrong[] = { foreign, none, hash, file };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_assert_null (cades_remote_finish (prepared, wrong[i], &error));
    g_assert_error (error, CERTS_ERROR, CERTS_ERROR_FAILED);
    g_clear_error (&error);
  }
  g_assert_null (cades_remote_finish (file, value, NULL));
  g_assert_null (cades_remote_finish (none, value, NULL));
}

/* Whatever comes back changed is refused, or found when the whole is checked. */
static void
test_remote_changed (void)
{
  g_autoptr (GBytes) content = text (), file = file_bytes ("specialist-chain.crt"), hash = NULL;
  STACK_OF (X509) *chain = cades_remote_chain (file, NULL);
  g_autoptr (GBytes) prepared
      = cades_remote_prepare (chain, trust->crls, content, now, &hash, NULL);
  sk_X509_pop_free (chain, X509_free);
  g_autoptr (GBytes) value = sign_hash ("specialist.key", hash);
  gsize size;
  const guint8 *bytes = g_bytes_get_data (prepared, &size);
  for (gsize i = 0; i < size; i++) {
    guint8 *changed = g_memdup2 (bytes, size);
    changed[i] ^= 1;
    g_autoptr (GBytes) bent = g_bytes_new_take (changed, size);
    g_autoptr (GBytes) whole = cades_remote_finish (bent, value, NULL);
    if (whole == NULL)
      continue;
    g_autoptr (CadesReport) report = cades_check (whole, content, trust, now);
    gboolean told = report->verdict == CADES_BAD;
    for (guint f = 0; f < report->findings->len; f++)
      told |= !g_str_equal (g_array_index (report->findings, CadesFinding, f).code,
                            "timestamp-missing");
    if (!told)
      g_error ("byte %zu changed unseen", i);
  }
}

static void
test_remote_weak (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = text (), file = file_bytes ("weak.crt"), hash = NULL;
  STACK_OF (X509) *chain = cades_remote_chain (file, &error);
  g_assert_no_error (error);
  g_assert_null (cades_remote_prepare (chain, NULL, content, now, &hash, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_KEY);
  sk_X509_pop_free (chain, X509_free);
  g_clear_error (&error);
  g_assert_null (cades_remote_chain (content, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_FAILED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signing_place_up ("nhipcau-cades-XXXXXX");
  trust = load_trust ("people-ca.crt", "tsa-ca.crt", "crl.pem");
  now = g_get_real_time () / G_USEC_PER_SEC + 5; /* a token's time is rounded; not the future's */
  g_test_add_func ("/cades/signed-and-stamped", test_signed_and_stamped);
  g_test_add_func ("/cades/outlasts-certificate", test_outlasts_certificate);
  g_test_add_func ("/cades/archive", test_archive);
  g_test_add_func ("/cades/who", test_who);
  g_test_add_func ("/cades/other-text", test_other_text);
  g_test_add_func ("/cades/no-list", test_no_list);
  g_test_add_func ("/cades/wrong-tokens", test_wrong_tokens);
  g_test_add_func ("/cades/foreign-token", test_foreign_token);
  g_test_add_func ("/cades/every-byte", test_every_byte);
  g_test_add_func ("/cades/stock-openssl", test_stock);
  g_test_add_func ("/cades/signer-files", test_signer_files);
  g_test_add_func ("/cades/remote", test_remote);
  g_test_add_func ("/cades/remote-changed", test_remote_changed);
  g_test_add_func ("/cades/remote-weak", test_remote_weak);
  int failed = g_test_run ();
  signing_place_down ();
  return failed;
}
