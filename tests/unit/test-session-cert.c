#include "certs/session_cert.h"
#include <string.h>

static void
test_fresh (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SessionCert) a = session_cert_new (&error);
  g_assert_no_error (error);
  g_autoptr (SessionCert) b = session_cert_new (&error);
  g_assert_no_error (error);
  g_assert_cmpint (X509_verify (a->certificate, a->key), ==, 1);
  g_assert_true (EVP_PKEY_is_a (a->key, "EC"));
  g_assert_cmpint (EVP_PKEY_get_bits (a->key), ==, 256);
  g_assert_cmpint (X509_cmp_current_time (X509_get0_notBefore (a->certificate)), <, 0);
  g_assert_cmpint (X509_cmp_current_time (X509_get0_notAfter (a->certificate)), >, 0);
  g_assert_cmpstr (a->fingerprint, !=, b->fingerprint);
  g_assert_cmpint (X509_NAME_cmp (X509_get_subject_name (a->certificate),
                                  X509_get_subject_name (b->certificate)),
                   !=, 0);
}

static void
test_fingerprint (void)
{
  g_autoptr (SessionCert) cert = session_cert_new (NULL);
  g_assert_nonnull (cert);
  g_assert_true (g_regex_match_simple ("^[0-9A-F]{2}(:[0-9A-F]{2}){31}$", cert->fingerprint, 0, 0));
  g_autofree char *again = fingerprint_sha256 (cert->certificate);
  g_assert_cmpstr (again, ==, cert->fingerprint);

  g_autofree char *lower = g_ascii_strdown (cert->fingerprint, -1);
  g_assert_true (fingerprint_equal (cert->fingerprint, lower));
  lower[0] = lower[0] == '0' ? '1' : '0';
  g_assert_false (fingerprint_equal (cert->fingerprint, lower));
  g_autofree char *shorter = g_strndup (cert->fingerprint, 92);
  g_assert_false (fingerprint_equal (cert->fingerprint, shorter));
  g_assert_false (fingerprint_equal ("", ""));
  g_assert_false (fingerprint_equal (NULL, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session_cert/fresh", test_fresh);
  g_test_add_func ("/session_cert/fingerprint", test_fingerprint);
  return g_test_run ();
}
