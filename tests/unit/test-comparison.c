/* The comparison code: both ends get the same six digits, and nobody between can make them do so.
 */
#include "certs/comparison.h"
#include "station/comparing.h"

#define NONCE "c3RhdGlvbi1ub25jZS1vbmU"
#define PAGE_NONCE "cGFnZS1ub25jZS1vbmU"
#define KEY "0000000000000000000000000000000000000000000000000000000000000000"
#define SDP(fingerprint)                                                                           \
  "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\nm=audio 9 UDP/TLS/RTP/SAVPF "                                  \
  "111\r\na=fingerprint:sha-256 " fingerprint                                                      \
  "\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=fingerprint:SHA-256 " fingerprint "\r\n"

/* The same vector stands in the pages' own test. */
static void
test_vector (void)
{
  const Comparison from = { NONCE, PAGE_NONCE, "SHA-256 AA:BB", "SHA-256 CC:DD", "muong-mau", KEY };
  g_autofree char *code = comparison_code (&from), *commitment = comparison_commitment (NONCE);
  g_assert_cmpstr (code, ==, "729575");
  g_assert_cmpstr (commitment, ==,
                   "2ca78e29ad6e4e7235ae45675ed360cbe61f0c577c273538515d832d240215ac");
}

static void
test_everything_counts (void)
{
  const Comparison from = { NONCE, PAGE_NONCE, "SHA-256 AA:BB", "SHA-256 CC:DD", "muong-mau", KEY };
  g_autofree char *code = comparison_code (&from);
  for (guint i = 0; i < 6; i++) {
    Comparison other = from;
    const char **fields[]
        = { &other.station_nonce,     &other.page_nonce, &other.station_fingerprints,
            &other.page_fingerprints, &other.station,    &other.page };
    *fields[i] = "x";
    g_autofree char *differs = comparison_code (&other);
    g_assert_cmpstr (differs, !=, code);
  }
}

static void
test_fingerprints (void)
{
  g_autofree char *one = comparison_fingerprints (SDP ("aa:bb"));
  g_assert_cmpstr (one, ==, "SHA-256 AA:BB");
  g_autofree char *two
      = comparison_fingerprints ("a=fingerprint:sha-256 CC\na=fingerprint:sha-256 AA\n");
  g_assert_cmpstr (two, ==, "SHA-256 AA,SHA-256 CC");
  g_assert_null (comparison_fingerprints ("v=0\r\n"));
  g_autoptr (GString) many = g_string_new (NULL);
  for (guint i = 0; i < 9; i++)
    g_string_append_printf (many, "a=fingerprint:sha-256 %u\r\n", i);
  g_assert_null (comparison_fingerprints (many->str));
}

static void
test_nonces (void)
{
  g_assert_true (comparison_nonce_is_good (PAGE_NONCE));
  g_assert_false (comparison_nonce_is_good (NULL));
  g_assert_false (comparison_nonce_is_good ("short"));
  g_assert_false (comparison_nonce_is_good ("with a space in the middle"));
  g_autofree char *huge = g_strnfill (COMPARISON_NONCE_MAX + 1, 'a');
  g_assert_false (comparison_nonce_is_good (huge));
}

/* The station is bound before it knows the page's nonce, and speaks once. */
static void
test_exchange (void)
{
  g_autoptr (Comparing) station = comparing_new ();
  g_assert_null (
      comparing_answer (station, SDP ("CC"), PAGE_NONCE, "s", KEY)); /* nothing offered */
  g_autofree char *commitment = g_strdup (comparing_offer (station, SDP ("AA")));
  g_assert_null (comparing_code (station));
  g_assert_null (comparing_answer (station, SDP ("CC"), "short", "s", KEY));
  const char *nonce = comparing_answer (station, SDP ("CC"), PAGE_NONCE, "s", KEY);
  g_autofree char *holds = comparison_commitment (nonce);
  g_assert_cmpstr (holds, ==, commitment);
  const Comparison page = { nonce, PAGE_NONCE, "SHA-256 AA", "SHA-256 CC", "s", KEY };
  g_autofree char *code = comparison_code (&page);
  g_assert_cmpstr (comparing_code (station), ==, code);

  /* Once the nonce is out, another one of the page changes nothing: it could be ground. */
  g_assert_null (comparing_answer (station, SDP ("CC"), "YW5vdGhlci1ub25jZS14", "s", KEY));
  g_assert_cmpstr (comparing_code (station), ==, code);
  g_assert_cmpstr (comparing_offer (station, SDP ("AA")), ==, commitment);
  g_assert_cmpstr (comparing_code (station), ==, code);
}

static void
test_other_certificate_voids (void)
{
  g_autoptr (Comparing) page = comparing_new (), own = comparing_new ();
  comparing_offer (page, SDP ("AA"));
  comparing_answer (page, SDP ("CC"), PAGE_NONCE, "s", KEY);
  g_assert_nonnull (comparing_code (page));
  comparing_answer (page, SDP ("DD"), PAGE_NONCE, "s", KEY);
  g_assert_null (comparing_code (page));
  comparing_offer (own, SDP ("AA"));
  comparing_answer (own, SDP ("CC"), PAGE_NONCE, "s", KEY);
  comparing_offer (own, SDP ("EE"));
  g_assert_null (comparing_code (own));
}

/* Somebody between, who has to choose on each side before the other side is known, makes the codes
 * agree about as often as by chance: 4,000 calls, none or one or two of a million. */
static void
test_man_in_the_middle (void)
{
  guint agree = 0;
  for (guint i = 0; i < 4000; i++) {
    g_autoptr (Comparing) station = comparing_new (), fake = comparing_new ();
    comparing_offer (station, SDP ("AA"));
    comparing_offer (fake, SDP ("EE"));
    g_autofree char *chosen = g_strdup_printf ("Y2hvc2VuLW5vbmNl%08u", i);
    comparing_answer (station, SDP ("EE"), chosen, "s", KEY);  /* he as the page */
    comparing_answer (fake, SDP ("CC"), PAGE_NONCE, "s", KEY); /* he as the station */
    agree += g_strcmp0 (comparing_code (station), comparing_code (fake)) == 0;
  }
  g_assert_cmpuint (agree, <=, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/comparison/vector", test_vector);
  g_test_add_func ("/comparison/everything-counts", test_everything_counts);
  g_test_add_func ("/comparison/fingerprints", test_fingerprints);
  g_test_add_func ("/comparison/nonces", test_nonces);
  g_test_add_func ("/comparison/exchange", test_exchange);
  g_test_add_func ("/comparison/other-certificate-voids", test_other_certificate_voids);
  g_test_add_func ("/comparison/man-in-the-middle", test_man_in_the_middle);
  return g_test_run ();
}
