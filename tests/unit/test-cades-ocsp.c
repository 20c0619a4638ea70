/* Revocation by OCSP inside a signature, with answers that stock `openssl ocsp` gives. */
#include "signing_place.h"

#define URL "http://ocsp.example.vn/people"
#define DAY ((gint64)24 * 3600)

static GBytes *
read_file (const char *file)
{
  g_autoptr (GError) error = NULL;
  char *data;
  gsize size;
  g_file_get_contents (file, &data, &size, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (data, size);
}

static void
write_file (const char *file, GBytes *bytes)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  g_assert_true (g_file_set_contents (file, data, (gssize)size, NULL));
}

/* What `openssl ocsp` answers about the signer of cms; lasting days, by responder's key. */
static GBytes *
answer_about (GBytes *cms, const char *responder, const char *days)
{
  g_autofree char *index = in_dir ("people-ca.d/index.txt"), *ca = in_dir ("people-ca.crt"),
                  *asked = in_dir ("ocsp.req"), *told = in_dir ("ocsp.resp"), *url = NULL;
  g_autofree char *certificate_name = g_strconcat (responder, ".crt", NULL);
  g_autofree char *key_name = g_strconcat (responder, ".key", NULL);
  g_autofree char *certificate = in_dir (certificate_name), *key = in_dir (key_name);
  g_autoptr (GBytes) request = NULL;
  g_assert_true (cades_ocsp_ask (cms, trust, &url, &request));
  g_assert_cmpstr (url, ==, URL);
  write_file (asked, request);
  const char *const argv[] = { "openssl",  "ocsp",      "-index", index, "-CA",    ca,
                               "-rsigner", certificate, "-rkey",  key,   "-reqin", asked,
                               "-respout", told,        "-ndays", days,  NULL };
  g_assert_true (runs (argv));
  return read_file (told);
}

static GBytes *
with_answer (GBytes *cms, GBytes *answer)
{
  g_autoptr (GError) error = NULL;
  GBytes *whole = cades_add_ocsp (cms, answer, trust, &error);
  g_assert_no_error (error);
  return whole;
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
assert_refused (GBytes *cms, GBytes *answer)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (cades_add_ocsp (cms, answer, trust, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_FAILED);
}

static void
test_good (void)
{
  g_autoptr (GBytes) bare = sign_as ("doctor"), answer = answer_about (bare, "ocsp", "7");
  g_autoptr (CadesReport) before = check_at (bare, now);
  g_assert_true (cades_report_has (before, "revocation-unknown"));
  g_autoptr (GBytes) whole = with_answer (bare, answer);
  g_autoptr (CadesReport) report = check_at (whole, now);
  g_assert_cmpuint (report->findings->len, ==, 1);
  g_assert_true (cades_report_has (report, "timestamp-missing"));
  g_assert_true (report->by_ocsp && !report->by_crl);
  g_assert_true (cades_same_signature (bare, whole));
  /* Its issuer itself answers as well. */
  g_autoptr (GBytes) own = answer_about (bare, "people-ca", "7");
  g_autoptr (GBytes) both = with_answer (whole, own);
  g_autoptr (CadesReport) twice = check_at (both, now);
  g_assert_cmpuint (twice->findings->len, ==, 1);
}

/* Good until its end, and broken by no responder's certificate that has ended since. */
static void
test_old (void)
{
  g_autoptr (GBytes) bare = sign_as ("doctor"), answer = answer_about (bare, "ocsp", "7");
  g_autoptr (GBytes) whole = with_answer (bare, answer);
  g_autoptr (CadesReport) within = check_at (whole, now + 6 * DAY);
  g_assert_false (cades_report_has (within, "revocation-unknown"));
  g_autoptr (CadesReport) late = check_at (whole, now + 100 * DAY);
  g_assert_true (cades_report_has (late, "revocation-unknown"));
  g_assert_cmpint (late->verdict, ==, CADES_NOTE);
}

static void
test_revoked (void)
{
  g_autoptr (GBytes) bare = sign_as ("revoked"), answer = answer_about (bare, "ocsp", "7");
  g_autoptr (GBytes) whole = with_answer (bare, answer);
  g_autoptr (CadesReport) report = check_at (whole, now);
  g_assert_cmpint (report->verdict, ==, CADES_BAD);
  g_assert_true (cades_report_has (report, "certificate-revoked"));
}

static void
test_wrong_answers (void)
{
  g_autoptr (GBytes) doctor = sign_as ("doctor"), specialist = sign_as ("specialist");
  g_autoptr (GBytes) other = answer_about (specialist, "ocsp", "7");
  g_autoptr (GBytes) rubbish = g_bytes_new_static (TEXT, strlen (TEXT));
  g_autoptr (GBytes) nothing = g_bytes_new_static (NULL, 0);
  /* OCSPResponse ::= {responseStatus tryLater (3)} */
  g_autoptr (GBytes) later = g_bytes_new_static ("\x30\x03\x0a\x01\x03", 5);
  g_autoptr (GBytes) stranger = answer_about (doctor, "stranger", "7");
  g_autoptr (GBytes) colleague = answer_about (doctor, "specialist", "7");
  assert_refused (doctor, other);
  assert_refused (doctor, rubbish);
  assert_refused (doctor, nothing);
  assert_refused (doctor, later);
  assert_refused (doctor, stranger);
  assert_refused (doctor, colleague); /* of the same issuer, but not charged with it */
  assert_refused (rubbish, other);
  /* Whom nobody trusts is not asked about: the address stands in a certificate. */
  g_autofree char *url = NULL;
  g_autoptr (GBytes) request = NULL, strange = sign_as ("stranger");
  g_assert_false (cades_ocsp_ask (strange, trust, &url, &request));
}

/* Each bit flipped, in the short form two of each byte: found. Bit 5 of a tag is the one that
 * readers are careless about (X.690 §8.1.2.5). */
static void
test_every_bit (void)
{
  g_autoptr (GBytes) bare = sign_as ("doctor"), answer = answer_about (bare, "ocsp", "7");
  g_autoptr (GBytes) whole = with_answer (bare, answer);
  g_autoptr (GBytes) content = text ();
  g_autoptr (CadesReport) good = cades_check (whole, content, trust, now);
  gsize size;
  const guint8 *data = g_bytes_get_data (whole, &size);
  guint silent = 0;
  gboolean every = g_getenv ("NHIPCAU_LONG") != NULL;
  for (gsize at = 0; at < size * 8; at++) {
    if (!every && at % 8 != at / 8 % 8 && at % 8 != 5)
      continue;
    guint8 *copy = g_memdup2 (data, size);
    copy[at / 8] ^= 1 << (at % 8);
    g_autoptr (GBytes) bad = g_bytes_new_take (copy, size);
    g_autoptr (CadesReport) report = cades_check (bad, content, trust, now);
    if (report->verdict == CADES_BAD || report->findings->len > good->findings->len)
      continue;
    if (silent++ < 40)
      g_test_message ("bit %" G_GSIZE_FORMAT " of byte %" G_GSIZE_FORMAT " has no effect", at % 8,
                      at / 8);
  }
  g_test_message ("%" G_GSIZE_FORMAT " bytes, %u bits without effect", size, silent);
  g_assert_cmpuint (silent, ==, 0);
}

/* Stock openssl takes it, and shows what stands where RFC 5940 wants it. */
static void
test_stock (void)
{
  g_autoptr (GBytes) bare = sign_as ("doctor"), answer = answer_about (bare, "ocsp", "7");
  g_autoptr (GBytes) whole = with_answer (bare, answer);
  g_autofree char *file = in_dir ("doctor.p7s"), *content = in_dir ("manifest.json"),
                  *ca = in_dir ("people-ca.crt");
  const char *const verify[]
      = { "openssl", "cms",      "-verify", "-cades",   "-binary",   "-inform",
          "DER",     "-in",      file,      "-content", content,     "-CAfile",
          ca,        "-purpose", "any",     "-out",     "/dev/null", NULL };
  write_file (file, whole);
  g_assert_true (g_file_set_contents (content, TEXT, -1, NULL));
  g_assert_true (runs (verify));
  const char *const show[]
      = { "openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", file, NULL };
  g_autofree char *out = NULL;
  g_assert_true (g_spawn_sync (NULL, (char **)show, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
                               NULL, NULL, NULL));
  g_assert_nonnull (strstr (out, "1.3.6.1.5.5.7.16.2"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("OCSP_URL", URL, TRUE);
  signing_place_up ("nhipcau-ocsp-XXXXXX");
  /* No list: what is known of revocation stands in the signature. */
  trust = load_trust ("people-ca.crt", NULL, NULL);
  now = g_get_real_time () / G_USEC_PER_SEC;
  g_test_add_func ("/cades-ocsp/good", test_good);
  g_test_add_func ("/cades-ocsp/old", test_old);
  g_test_add_func ("/cades-ocsp/revoked", test_revoked);
  g_test_add_func ("/cades-ocsp/wrong-answers", test_wrong_answers);
  g_test_add_func ("/cades-ocsp/every-bit", test_every_bit);
  g_test_add_func ("/cades-ocsp/stock-openssl", test_stock);
  int failed = g_test_run ();
  signing_place_down ();
  return failed;
}
