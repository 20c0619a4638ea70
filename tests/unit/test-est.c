/* Replies of an enrolment server (RFC 7030), packed by stock openssl. */
#include "certs/est.h"
#include "pki_place.h"
#include <string.h>

typedef struct {
  char *dir;
  PkiAuthority authority;
  EVP_PKEY *key;
  X509 *leaf;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("nhipcau-est-XXXXXX", NULL);
  f->authority = pki_authority ("Sở Y tế", NOW - DAY, NOW + 1000 * DAY);
  f->key = issue_key (NULL);
  f->leaf = pki_leaf (&f->authority, &(PkiLeaf){ .key = f->key });
  g_free (pki_file (f->dir, "ca.pem", f->authority.certificate));
  g_free (pki_file (f->dir, "leaf.pem", f->leaf));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autofree char *command = g_strdup_printf ("rm -r '%s'", f->dir);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  pki_clear (&f->authority);
  EVP_PKEY_free (f->key);
  X509_free (f->leaf);
  g_free (f->dir);
}

/* DER of a certs-only PKCS#7. */
static GBytes *
packed (Fixture *f, const char *files)
{
  g_autofree char *line
      = g_strdup_printf ("openssl crl2pkcs7 -nocrl %s -outform DER -out p7.der", files);
  g_autofree char *path = g_build_filename (f->dir, "p7.der", NULL);
  g_auto (GStrv) argv = NULL;
  char *text = NULL;
  gsize length;
  int status;
  g_shell_parse_argv (line, NULL, &argv, NULL);
  g_assert_true (g_spawn_sync (f->dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                               &status, NULL));
  g_assert_true (g_spawn_check_wait_status (status, NULL));
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  return g_bytes_new_take (text, length);
}

static void
test_reply (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) der = packed (f, "-certfile ca.pem -certfile leaf.pem");
  g_autoptr (GBytes) text = est_body (der);
  GBytes *const forms[] = { der, text };
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++) {
    g_autoptr (GError) error = NULL;
    STACK_OF (X509) *all = est_certificates (forms[i], &error);
    g_assert_no_error (error);
    STACK_OF (X509) *chain = est_chain (all, f->key);
    g_assert_cmpint (sk_X509_num (all), ==, 2);
    g_assert_cmpint (sk_X509_num (chain), ==, 1);
    g_assert_cmpint (X509_cmp (sk_X509_value (chain, 0), f->leaf), ==, 0);
    EVP_PKEY *other = issue_key (NULL);
    g_assert_null (est_chain (all, other));
    EVP_PKEY_free (other);
    sk_X509_pop_free (chain, X509_free);
    sk_X509_pop_free (all, X509_free);
  }
}

static void
test_wrong (Fixture *f, gconstpointer data)
{
  static const char *const texts[] = { "", "=", "AAAA", "<html>no</html>", "MIIB!", "AA==AA==" };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new_static (texts[i], strlen (texts[i]));
    g_autoptr (GError) error = NULL;
    g_assert_null (est_certificates (bytes, &error));
    g_assert_error (error, CERTS_ERROR, CERTS_ERROR_FAILED);
  }
  GString *many = g_string_new (NULL);
  for (int i = 0; i < EST_CERTIFICATES_MOST + 1; i++)
    g_string_append (many, " -certfile leaf.pem");
  g_autofree char *files = g_string_free (many, FALSE);
  g_autoptr (GBytes) der = packed (f, files);
  g_assert_null (est_certificates (der, NULL));
  gsize size;
  g_autoptr (GBytes) good = packed (f, "-certfile leaf.pem");
  const guint8 *whole = g_bytes_get_data (good, &size);
  for (gsize cut = 0; cut < size; cut++) {
    g_autoptr (GBytes) part = g_bytes_new (whole, cut);
    g_assert_null (est_certificates (part, NULL));
  }
}

static void
test_due (Fixture *f, gconstpointer data)
{
  /* From NOW - 1 day for 90 days. */
  g_assert_false (est_is_due (f->leaf, NOW));
  g_assert_false (est_is_due (f->leaf, NOW + 59 * DAY - 1));
  g_assert_true (est_is_due (f->leaf, NOW + 59 * DAY));
  g_assert_true (est_is_due (f->leaf, NOW + 4000 * DAY));
  g_assert_true (est_is_due (f->leaf, NOW - 2 * DAY));
}

static void
test_base (void)
{
  static const char *const pairs[][2] = {
    { "https://est.example.vn", "https://est.example.vn/.well-known/est" },
    { "https://est.example.vn/", "https://est.example.vn/.well-known/est" },
    { "https://est.example.vn:8443/.well-known/est/",
      "https://est.example.vn:8443/.well-known/est" },
    { "https://est.example.vn/.well-known/est/tram",
      "https://est.example.vn/.well-known/est/tram" },
    { "http://est.example.vn", NULL },
    { "https://", NULL },
    { "https://a@est.example.vn", NULL },
    { "https://est.example.vn/?x", NULL },
    { "est.example.vn", NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autofree char *base = est_base (pairs[i][0]);
    g_assert_cmpstr (base, ==, pairs[i][1]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/est/base", test_base);
#define ADD(name, function) g_test_add ("/est/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("reply", test_reply);
  ADD ("wrong", test_wrong);
  ADD ("due", test_due);
  return g_test_run ();
}
