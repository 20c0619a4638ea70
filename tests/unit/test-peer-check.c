/* Certificates of peers: what is right is admitted, and of all that is wrong nothing. */
#include "pki_place.h"
#include <string.h>

static const char *const HERE[] = { "muong-*", NULL };
static const char *const THERE[] = { "sa-pa", NULL };
static const char *const PEOPLE[] = { "*@bvtw.example.vn", NULL };

typedef struct {
  char *dir;
  PkiAuthority here, there, rogue, old;
  PeerTrust *trust;
} Fixture;

static void
pin (Fixture *f, const char *name, const PkiAuthority *authority, const char *const *stations)
{
  g_autofree char *path = pki_file (f->dir, name, authority->certificate);
  g_autoptr (GError) error = NULL;
  peer_trust_add_issuer (f->trust, name, path, stations, PEOPLE, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
publish (Fixture *f, const char *name, const PkiAuthority *authority, X509 *revoked, gint64 number,
         gint64 made, gint64 until)
{
  X509_CRL *crl = pki_crl (authority, revoked, number, made, until);
  g_autoptr (GBytes) bytes = pki_crl_bytes (crl);
  g_autoptr (GError) error = NULL;
  peer_trust_set_crl (f->trust, name, bytes, &error);
  g_assert_no_error (error);
  X509_CRL_free (crl);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("nhipcau-peer-XXXXXX", NULL);
  f->here = pki_authority ("Sở Y tế", NOW - 400 * DAY, NOW + 4000 * DAY);
  f->there = pki_authority ("Sở Y tế khác", NOW - 400 * DAY, NOW + 4000 * DAY);
  f->rogue = pki_authority ("Sở Y tế", NOW - 400 * DAY, NOW + 4000 * DAY);
  f->old = pki_authority ("Sở Y tế cũ", NOW - 4000 * DAY, NOW - DAY);
  f->trust = peer_trust_new ();
  pin (f, "here", &f->here, HERE);
  pin (f, "there", &f->there, THERE);
  pin (f, "old", &f->old, HERE);
  publish (f, "here", &f->here, NULL, 1, NOW - DAY, NOW + 30 * DAY);
  publish (f, "there", &f->there, NULL, 1, NOW - DAY, NOW + 30 * DAY);
  publish (f, "old", &f->old, NULL, 1, NOW - DAY, NOW + 30 * DAY);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  pki_clear (&f->here);
  pki_clear (&f->there);
  pki_clear (&f->rogue);
  pki_clear (&f->old);
  peer_trust_unref (f->trust);
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->dir);
}

static STACK_OF (X509) * chain_of (X509 *leaf, X509 *above)
{
  STACK_OF (X509) *chain = sk_X509_new_null ();
  sk_X509_push (chain, leaf);
  if (above != NULL) {
    X509_up_ref (above);
    sk_X509_push (chain, above);
  }
  return chain;
}

/* Takes the leaf. */
static PeerAnswer
ask (Fixture *f, X509 *leaf, X509 *above, PeerKind kind, const char *id, gboolean trusted)
{
  STACK_OF (X509) *chain = chain_of (leaf, above);
  PeerAnswer answer = peer_check (f->trust, chain, kind, id, (PeerTime){ NOW, trusted });
  sk_X509_pop_free (chain, X509_free);
  return answer;
}

static void
test_good (Fixture *f, gconstpointer data)
{
  const PkiLeaf station = { 0 };
  const PkiLeaf person = { .uri = "nhipcau:person:minh@bvtw.example.vn",
                           .usage = "critical,digitalSignature,nonRepudiation",
                           .extended = "clientAuth,emailProtection" };
  PeerAnswer answer = ask (f, pki_leaf (&f->here, &station), NULL, PEER_STATION, "muong-mau", TRUE);
  g_assert_cmpstr (answer.code, ==, "good");
  g_assert_cmpint (answer.verdict, ==, PEER_ADMIT);
  /* The issuer's certificate may come along. */
  answer = ask (f, pki_leaf (&f->here, &station), f->here.certificate, PEER_STATION, "muong-mau",
                TRUE);
  g_assert_cmpstr (answer.code, ==, "good");
  answer = ask (f, pki_leaf (&f->here, &person), NULL, PEER_PERSON, "minh@bvtw.example.vn", TRUE);
  g_assert_cmpstr (answer.code, ==, "good");
}

typedef struct {
  const char *what, *code;
  const PkiAuthority *by; /* NULL: here */
  PkiLeaf leaf;
  PeerKind kind;
  const char *id; /* NULL: muong-mau */
} Wrong;

static void
refused (Fixture *f, const Wrong *wrong)
{
  X509 *leaf = pki_leaf (wrong->by != NULL ? wrong->by : &f->here, &wrong->leaf);
  for (int with_issuer = 0; with_issuer < 2; with_issuer++) {
    X509_up_ref (leaf);
    X509 *above = with_issuer == 0    ? NULL
                  : wrong->by != NULL ? wrong->by->certificate
                                      : f->here.certificate;
    PeerAnswer answer
        = ask (f, leaf, above, wrong->kind, wrong->id != NULL ? wrong->id : "muong-mau", TRUE);
    g_test_message ("%s: %s", wrong->what, answer.code);
    g_assert_cmpint (answer.verdict, ==, PEER_REFUSE);
    g_assert_cmpstr (answer.code, ==, wrong->code);
    /* It says what to do, in both languages. */
    g_assert_cmpuint (strlen (answer.vi), >, 40);
    g_assert_cmpuint (strlen (answer.en), >, 40);
    g_assert_cmpstr (answer.vi, !=, answer.en);
  }
  X509_free (leaf);
}

static void
test_matrix (Fixture *f, gconstpointer data)
{
  const Wrong all[] = {
    { "an issuer with the name of ours and another key", "issuer-unknown", &f->rogue, { 0 } },
    { "self-signed", "issuer-unknown", &f->rogue, { .basic = "critical,CA:TRUE" } },
    { "another station's", "name-other", NULL, { .uri = "nhipcau:station:muong-hum" } },
    { "another station's, by the issuer's pattern too",
      "name-other",
      &f->there,
      { .uri = "nhipcau:station:sa-pa" } },
    { "an issuer that may not vouch for this id", "issuer-other", &f->there, { 0 } },
    { "no name of ours", "name-missing", NULL, { .uri = "" } },
    { "a URI of somebody else", "name-missing", NULL, { .uri = "https://muong-mau" } },
    { "capitals in the id", "name-missing", NULL, { .uri = "nhipcau:station:Muong-mau" } },
    { "the id with more behind it", "name-other", NULL, { .uri = "nhipcau:station:muong-mau-2" } },
    { "a person's", "kind-other", NULL, { .uri = "nhipcau:person:muong-mau" } },
    { "a station's for a person",
      "kind-other",
      NULL,
      { .uri = "nhipcau:station:minh" },
      PEER_PERSON,
      "minh" },
    { "a person whom the issuer may not vouch for",
      "issuer-other",
      NULL,
      { .uri = "nhipcau:person:minh" },
      PEER_PERSON,
      "minh" },
    { "of a server only", "purpose-other", NULL, { .extended = "serverAuth" } },
    { "for code", "purpose-other", NULL, { .extended = "codeSigning" } },
    { "without a purpose", "purpose-other", NULL, { .extended = "" } },
    { "for encryption only", "purpose-other", NULL, { .usage = "critical,keyAgreement" } },
    { "of an authority",
      "purpose-other",
      NULL,
      { .basic = "critical,CA:TRUE", .usage = "critical,digitalSignature,keyCertSign" } },
    { "expired", "certificate-expired", NULL, { .from = NOW - 100 * DAY, .until = NOW - 10 } },
    { "not yet valid", "certificate-early", NULL, { .from = NOW + DAY, .until = NOW + 9 * DAY } },
    { "of an issuer whose own has expired", "issuer-expired", &f->old, { 0 } },
    { "no id is asked for", "name-other", NULL, { 0 }, PEER_STATION, "" },
    { "an id that is none", "name-other", NULL, { 0 }, PEER_STATION, "../muong-mau" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    refused (f, &all[i]);
  g_assert_cmpstr (
      peer_check (f->trust, NULL, PEER_STATION, "muong-mau", (PeerTime){ NOW, TRUE }).code, ==,
      "chain-missing");
  g_assert_cmpstr (
      peer_check (f->trust, NULL, PEER_STATION, "muong-mau", (PeerTime){ NOW, FALSE }).code, ==,
      "chain-missing");
}

/* A station's certificate issues nothing. */
static void
test_leaf_as_issuer (Fixture *f, gconstpointer data)
{
  EVP_PKEY *key = issue_key (NULL);
  const PkiLeaf station = { .key = key };
  PkiAuthority fake = { .key = key, .certificate = pki_leaf (&f->here, &station) };
  for (int trusted = 0; trusted < 2; trusted++) {
    PeerAnswer answer = ask (f, pki_leaf (&fake, &(PkiLeaf){ 0 }), fake.certificate, PEER_STATION,
                             "muong-mau", trusted);
    g_assert_cmpint (answer.verdict, ==, PEER_REFUSE);
  }
  pki_clear (&fake);
}

static X509 *
flip (X509 *certificate, int at)
{
  unsigned char *der = NULL;
  int size = i2d_X509 (certificate, &der);
  der[at % size] ^= 1 << (at % 8);
  const unsigned char *end = der;
  X509 *changed = d2i_X509 (NULL, &end, size);
  OPENSSL_free (der);
  return changed;
}

/* Whatever bit of a good certificate is another: it is refused, at a trusted time and at none. */
static void
test_every_byte (Fixture *f, gconstpointer data)
{
  X509 *good = pki_leaf (&f->here, &(PkiLeaf){ 0 });
  int size = i2d_X509 (good, NULL), parsed = 0;
  for (int at = 0; at < size; at++) {
    X509 *changed = flip (good, at);
    if (changed == NULL)
      continue;
    parsed++;
    X509_up_ref (changed);
    g_assert_cmpint (ask (f, changed, NULL, PEER_STATION, "muong-mau", TRUE).verdict, ==,
                     PEER_REFUSE);
    g_assert_cmpint (ask (f, changed, NULL, PEER_STATION, "muong-mau", FALSE).verdict, ==,
                     PEER_REFUSE);
  }
  g_assert_cmpint (parsed, >, 200);
  X509_free (good);
}

static void
test_revoked (Fixture *f, gconstpointer data)
{
  X509 *leaf = pki_leaf (&f->here, &(PkiLeaf){ 0 });
  STACK_OF (X509) *chain = chain_of (leaf, NULL);
  const PeerTime now = { NOW, TRUE }, lost = { NOW, FALSE };
  g_assert_cmpstr (peer_check (f->trust, chain, PEER_STATION, "muong-mau", now).code, ==, "good");
  publish (f, "here", &f->here, leaf, 2, NOW - 10, NOW + 30 * DAY);
  g_assert_cmpstr (peer_check (f->trust, chain, PEER_STATION, "muong-mau", now).code, ==,
                   "certificate-revoked");
  /* Also with a clock that says nothing, and although the key is known. */
  g_assert_cmpstr (peer_check (f->trust, chain, PEER_STATION, "muong-mau", lost).code, ==,
                   "certificate-revoked");
  g_assert_true (peer_trust_revokes (f->trust, "here", leaf));
  g_assert_cmpstr (peer_check_without_lists (f->trust, chain, PEER_STATION, "muong-mau", now).code,
                   ==, "certificate-revoked");
  /* And when that list is out of date by now. */
  g_assert_cmpstr (peer_check_without_lists (f->trust, chain, PEER_STATION, "muong-mau",
                                             (PeerTime){ NOW + 40 * DAY, TRUE })
                       .code,
                   ==, "certificate-revoked");
  sk_X509_pop_free (chain, X509_free);
}

static void
test_lists (Fixture *f, gconstpointer data)
{
  g_autoptr (PeerTrust) bare = peer_trust_new ();
  g_autofree char *path = pki_file (f->dir, "one", f->here.certificate);
  g_assert_true (peer_trust_add_issuer (bare, "here", path, HERE, PEOPLE, NULL));
  g_assert_cmpint (g_remove (path), ==, 0);
  X509 *leaf = pki_leaf (&f->here, &(PkiLeaf){ 0 });
  STACK_OF (X509) *chain = chain_of (leaf, NULL);
  const PeerTime now = { NOW, TRUE };
  g_assert_cmpstr (peer_check (bare, chain, PEER_STATION, "muong-mau", now).code, ==,
                   "revocation-unknown");
  g_assert_cmpstr (peer_check_without_lists (bare, chain, PEER_STATION, "muong-mau", now).code, ==,
                   "good");
  g_assert_cmpstr (
      peer_check (f->trust, chain, PEER_STATION, "muong-mau", (PeerTime){ NOW + 31 * DAY, TRUE })
          .code,
      ==, "revocation-old");
  sk_X509_pop_free (chain, X509_free);
}

static void
list_refused (Fixture *f, X509_CRL *crl, const char *why)
{
  g_autoptr (GBytes) bytes = pki_crl_bytes (crl);
  g_autoptr (GError) error = NULL;
  g_assert_false (peer_trust_set_crl (f->trust, "here", bytes, &error));
  g_assert_error (error, CERTS_ERROR, CERTS_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, why));
  X509_CRL_free (crl);
}

static void
test_wrong_lists (Fixture *f, gconstpointer data)
{
  publish (f, "here", &f->here, NULL, 5, NOW - DAY, NOW + 30 * DAY);
  list_refused (f, pki_crl (&f->rogue, NULL, 9, NOW, NOW + DAY), "not signed");
  list_refused (f, pki_crl (&f->there, NULL, 9, NOW, NOW + DAY), "not signed");
  list_refused (f, pki_crl (&f->here, NULL, 4, NOW, NOW + DAY), "older");
  list_refused (f, pki_crl (&f->here, NULL, 9, NOW, 0), "until when");
  X509_CRL *part = pki_crl (&f->here, NULL, 9, NOW, NOW + DAY);
  ISSUING_DIST_POINT *point = ISSUING_DIST_POINT_new ();
  point->onlyuser = 0xff;
  X509_CRL_add1_ext_i2d (part, NID_issuing_distribution_point, point, 1, 0);
  X509_CRL_sign (part, f->here.key, EVP_sha256 ());
  ISSUING_DIST_POINT_free (point);
  list_refused (f, part, "part");
  g_autoptr (GBytes) junk = g_bytes_new_static ("-----BEGIN X509 CRL-----\nAAAA\n", 30);
  g_autoptr (GError) error = NULL;
  g_assert_false (peer_trust_set_crl (f->trust, "here", junk, &error));
  g_clear_error (&error);
  g_assert_false (peer_trust_set_crl (f->trust, "nobody", junk, &error));
}

/* An untrusted clock expires nothing: who is known comes in, others are for the doctor. */
static void
test_clock (Fixture *f, gconstpointer data)
{
  EVP_PKEY *key = issue_key (NULL);
  const PkiLeaf leaf = { .key = key };
  const PkiLeaf ended = { .key = key, .from = NOW - 100 * DAY, .until = NOW - 10 * DAY };
  X509 *now = pki_leaf (&f->here, &leaf);
  g_autofree char *hash = peer_key_hash (key);
  PeerAnswer answer = ask (f, pki_leaf (&f->here, &leaf), NULL, PEER_STATION, "muong-mau", FALSE);
  g_assert_cmpint (answer.verdict, ==, PEER_CONFIRM);
  g_assert_cmpstr (answer.code, ==, "clock-untrusted");
  g_assert_cmpstr (ask (f, now, NULL, PEER_STATION, "muong-mau", TRUE).code, ==, "good");
  g_assert_true (peer_trust_knows (f->trust, PEER_STATION, "muong-mau", hash));
  answer = ask (f, pki_leaf (&f->here, &ended), NULL, PEER_STATION, "muong-mau", FALSE);
  g_assert_cmpint (answer.verdict, ==, PEER_ADMIT);
  g_assert_cmpstr (answer.code, ==, "known-key");
  /* The key alone is not enough. */
  g_assert_cmpint (
      ask (f, pki_leaf (&f->rogue, &leaf), NULL, PEER_STATION, "muong-mau", FALSE).verdict, ==,
      PEER_REFUSE);
  const PkiLeaf other = { .key = key, .uri = "nhipcau:station:muong-hum" };
  g_assert_cmpstr (
      ask (f, pki_leaf (&f->here, &other), NULL, PEER_STATION, "muong-mau", FALSE).code, ==,
      "name-other");
  EVP_PKEY_free (key);
}

static void
test_known_file (Fixture *f, gconstpointer data)
{
  g_autofree char *file = g_build_filename (f->dir, "known", NULL);
  g_autofree char *hash = g_strnfill (64, 'a');
  g_autoptr (PeerTrust) other = peer_trust_new ();
  peer_trust_know (f->trust, PEER_PERSON, "minh@bvtw.example.vn", hash);
  peer_trust_know (f->trust, PEER_STATION, "muong-mau", "no hash");
  g_assert_true (peer_trust_load_known (other, file, NULL));
  g_assert_true (peer_trust_save_known (f->trust, file, NULL));
  g_assert_true (peer_trust_load_known (other, file, NULL));
  g_assert_true (peer_trust_knows (other, PEER_PERSON, "minh@bvtw.example.vn", hash));
  g_assert_false (peer_trust_knows (other, PEER_STATION, "muong-mau", "no hash"));
  g_assert_true (g_file_set_contents (file, "[known]\nx=y\n\nzzz\x01\xff", -1, NULL));
  g_assert_true (peer_trust_load_known (other, file, NULL));
  g_assert_cmpint (g_remove (file), ==, 0);
}

static GBytes *
der_of (X509 *certificate)
{
  unsigned char *der = NULL;
  int size = i2d_X509 (certificate, &der);
  GBytes *bytes = g_bytes_new (der, (gsize)size);
  OPENSSL_free (der);
  return bytes;
}

static void
test_chains (Fixture *f, gconstpointer data)
{
  X509 *leaf = pki_leaf (&f->here, &(PkiLeaf){ 0 });
  g_autoptr (GBytes) der = der_of (leaf), above = der_of (f->here.certificate);
  GBytes *const pair[] = { der, above };
  GBytes *const many[] = { der, der, der, der, der, der, der };
  g_autoptr (GError) error = NULL;
  STACK_OF (X509) *chain = peer_chain_of_der (pair, 2, &error);
  g_assert_no_error (error);
  g_assert_cmpint (sk_X509_num (chain), ==, 2);
  sk_X509_pop_free (chain, X509_free);
  g_assert_null (peer_chain_of_der (many, G_N_ELEMENTS (many), &error));
  g_clear_error (&error);
  g_assert_null (peer_chain_of_der (pair, 0, &error));
  g_clear_error (&error);
  gsize size;
  const guint8 *bytes = g_bytes_get_data (der, &size);
  guint8 *longer = g_malloc0 (size + 1);
  memcpy (longer, bytes, size);
  g_autoptr (GBytes) trailing = g_bytes_new_take (longer, size + 1);
  g_assert_null (peer_chain_of_der (&(GBytes *const){ trailing }, 1, &error));
  g_clear_error (&error);
  g_autoptr (GBytes) text = g_bytes_new_static ("xin chào", 9);
  g_assert_null (peer_chain_of_pem (text, &error));
  X509_free (leaf);
}

static void
test_names (void)
{
  static const char *const good[] = { "nhipcau:station:a", "nhipcau:station:muong-mau-2",
                                      "nhipcau:person:minh", "nhipcau:person:9.a_b@c-d" };
  static const char *const bad[] = { "",
                                     "nhipcau:",
                                     "nhipcau:station:",
                                     "nhipcau:station:9a",
                                     "nhipcau:station:a b",
                                     "nhipcau:station:a/..",
                                     "nhipcau:station:abcdefghijklmnopqrstuvwxyz-1234567",
                                     "nhipcau:person:@a",
                                     "nhipcau:person:A",
                                     "NHIPCAU:station:a",
                                     "nhipcau:hospital:a",
                                     "nhipcau:station:a\n",
                                     "nhipcau:person:đào" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    PeerKind kind;
    g_autofree char *id = NULL;
    g_assert_true (peer_uri_parse (good[i], &kind, &id));
    g_autofree char *again = peer_uri (kind, id);
    g_assert_cmpstr (again, ==, good[i]);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    PeerKind kind;
    char *id = NULL;
    g_assert_false (peer_uri_parse (bad[i], &kind, &id));
    g_assert_null (id);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/peer-check/names", test_names);
#define ADD(name, function)                                                                        \
  g_test_add ("/peer-check/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("good", test_good);
  ADD ("matrix", test_matrix);
  ADD ("leaf-as-issuer", test_leaf_as_issuer);
  ADD ("every-byte", test_every_byte);
  ADD ("revoked", test_revoked);
  ADD ("lists", test_lists);
  ADD ("wrong-lists", test_wrong_lists);
  ADD ("clock", test_clock);
  ADD ("known-file", test_known_file);
  ADD ("chains", test_chains);
  return g_test_run ();
}
