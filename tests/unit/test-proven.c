/* Sign-ins and confirmed opinions, judged from the record alone: what was proven holds, and nothing
 * that was changed does. */
#include "records_place.h"

#include "browser_key.h"
#include "certs/browser_key.h"
#include "id_tokens.h"
#include "records/proven.h"

#define INVITE "invite"
#define FINGERPRINT "AB:CD:EF"
#define NOTE "opinion-1"
#define OPINION "Nghĩ đến suy tim mất bù"

static Records records;
static EVP_PKEY *browser, *stranger;
static json_t *provider;

static char *
new_consult (void)
{
  g_autoptr (GError) error = NULL;
  json_auto_t *body = json_pack ("{s:s, s:i}", "state", "live", "mode", 3);
  char *id = store_create_consult (records.store, "lan", body, &error);
  g_assert_no_error (error);
  return id;
}

static void
put (const char *consult, const char *kind, const char *user, const json_t *body)
{
  g_autoptr (GError) error = NULL;
  store_put_sync (records.store, consult, kind, user, (json_t *)body, NULL, &error);
  g_assert_no_error (error);
}

/* A row of who has signed in (transfer full). */
static json_t *
identity (void)
{
  json_auto_t *jwk = jwk_of (browser);
  json_auto_t *published = json_deep_copy (provider);
  g_autofree char *hash = browser_key_hash (jwk);
  g_autofree char *nonce = binding_nonce (INVITE, hash, FINGERPRINT);
  json_auto_t *claims = tokens_claims (nonce);
  g_autofree char *token = tokens_sign (provider, "ES256", "one", claims);
  jose_jwk_pub (NULL, published);
  return json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O, s:s, s:{s:s, s:O, s:s}, s:I}",
                    "guest", "g1", "method", "oidc", "provider", "BV", "issuer", TOKENS_ISSUER,
                    "subject", "minh.tran", "name", "BS. Trần Văn Minh", "invite", INVITE, "key",
                    hash, "browser_key", jwk, "fingerprint", FINGERPRINT, "proof", "token", token,
                    "key", published, "client_id", TOKENS_CLIENT, "checked_s",
                    (json_int_t)TOKENS_NOW);
}

/* A row that confirms `text` in `consult` (transfer full). */
static json_t *
confirmation (const char *consult, const char *text, EVP_PKEY *key)
{
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  g_autofree char *signed_text = browser_key_opinion (consult, NOTE, hash);
  g_autofree char *signature = sign_p1363 (key, signed_text);
  return json_pack ("{s:s, s:s, s:s, s:s}", "guest", "g1", "note", NOTE, "sha256", hash,
                    "signature", signature);
}

static void
put_note (const char *consult, const char *user, const char *text)
{
  json_auto_t *note = json_pack ("{s:s, s:s, s:s}", "note", NOTE, "kind", "opinion", "text", text);
  put (consult, "note", user, note);
}

/* The codes of all findings, a blank between them (transfer full); "" when everything holds. */
static char *
codes_of (const char *consult)
{
  static const char *const lists[] = { "identities", "confirmations" };
  g_autoptr (GError) error = NULL;
  json_auto_t *report = proven_report (records.store, consult, &error);
  GString *codes = g_string_new (NULL);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++) {
    const json_t *one, *finding;
    gsize k, n;
    json_array_foreach (json_object_get (report, lists[i]), k, one)
    {
      json_array_foreach (json_object_get (one, "findings"), n, finding)
      {
        g_string_append_printf (codes, "%s%s", codes->len > 0 ? " " : "",
                                json_string_value (json_object_get (finding, "code")));
      }
    }
  }
  return g_string_free (codes, FALSE);
}

static void
assert_codes (const char *consult, const char *expected)
{
  g_autofree char *codes = codes_of (consult);
  g_assert_cmpstr (codes, ==, expected);
}

static void
test_good (void)
{
  g_autofree char *consult = new_consult ();
  json_auto_t *who = identity ();
  json_auto_t *word = confirmation (consult, OPINION, browser);
  put (consult, "identity", NULL, who);
  put_note (consult, "guest:g1", OPINION);
  put (consult, "confirmation", "guest:g1", word);
  assert_codes (consult, "");
  json_auto_t *report = proven_report (records.store, consult, NULL);
  g_assert_cmpuint (json_array_size (json_object_get (report, "identities")), ==, 1);
  g_assert_cmpuint (json_array_size (json_object_get (report, "confirmations")), ==, 1);
  g_assert_cmpstr (json_string_value (json_object_get (report, "verdict")), ==, "good");
  put_note (consult, "guest:g1", OPINION " độ III");
  assert_codes (consult, "confirmation-superseded");
}

static void
test_nothing (void)
{
  g_autofree char *consult = new_consult ();
  json_auto_t *report = proven_report (records.store, consult, NULL);
  g_assert_cmpstr (json_string_value (json_object_get (report, "verdict")), ==, "good");
}

/* Each member of the row another: it holds no longer. */
static void
test_changed_identity (void)
{
  static const struct {
    const char *member, *value, *code;
  } changes[] = { { "subject", "other", "identity-token" },
                  { "name", "Somebody", "identity-token" },
                  { "issuer", "https://other.example", "identity-token" },
                  { "invite", "other", "identity-token" },
                  { "fingerprint", "AB:CD:00", "identity-token" },
                  { "key", "00", "identity-key" } };
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    g_autofree char *consult = new_consult ();
    json_auto_t *who = identity ();
    json_object_set_new (who, changes[i].member, json_string (changes[i].value));
    put (consult, "identity", NULL, who);
    assert_codes (consult, changes[i].code);
  }
}

static void
test_changed_proof (void)
{
  json_auto_t *other_key = jwk_of (stranger);
  json_auto_t *other_provider = tokens_key ("ES256", "one");
  jose_jwk_pub (NULL, other_provider);
  for (guint i = 0; i < 4; i++) {
    g_autofree char *consult = new_consult ();
    json_auto_t *who = identity ();
    json_t *proof = json_object_get (who, "proof");
    if (i == 0)
      json_object_set (proof, "key", other_provider);
    else if (i == 1)
      json_object_set_new (proof, "client_id", json_string ("other"));
    else if (i == 2)
      json_object_set_new (who, "checked_s", json_integer (TOKENS_NOW + 100000));
    else
      json_object_set (who, "browser_key", other_key);
    put (consult, "identity", NULL, who);
    assert_codes (consult, i == 3 ? "identity-key" : "identity-token");
  }
}

static void
test_wrong_confirmations (void)
{
  g_autofree char *consult = new_consult (), *other = new_consult (), *nobody = new_consult ();
  json_auto_t *who = identity ();
  json_auto_t *by_stranger = confirmation (consult, OPINION, stranger);
  json_auto_t *of_other = confirmation (consult, OPINION, browser);
  json_auto_t *unwritten = confirmation (nobody, "never written", browser);
  put (consult, "identity", NULL, who);
  put_note (consult, "guest:g1", OPINION);
  put (consult, "confirmation", "guest:g1", by_stranger);
  assert_codes (consult, "confirmation-broken");
  /* Moved from one consultation to another. */
  put (other, "identity", NULL, who);
  put_note (other, "guest:g1", OPINION);
  put (other, "confirmation", "guest:g1", of_other);
  assert_codes (other, "confirmation-broken");
  put (nobody, "confirmation", "guest:g1", unwritten);
  assert_codes (nobody, "confirmation-nobody");
  put (nobody, "identity", NULL, who);
  put_note (nobody, "guest:g1", OPINION);
  /* The same words by somebody else are not the guest's. */
  put_note (nobody, "lan", "never written");
  assert_codes (nobody, "confirmation-text");
}

static void
test_by_station (void)
{
  g_autofree char *consult = new_consult ();
  json_auto_t *who = identity ();
  json_object_set_new (who, "method", json_string ("password"));
  put (consult, "identity", NULL, who);
  assert_codes (consult, "identity-by-station");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  records_up (&records);
  browser = EVP_EC_gen ("P-256");
  stranger = EVP_EC_gen ("P-256");
  provider = tokens_key ("ES256", "one");
  g_test_add_func ("/proven/good", test_good);
  g_test_add_func ("/proven/nothing", test_nothing);
  g_test_add_func ("/proven/changed-identity", test_changed_identity);
  g_test_add_func ("/proven/changed-proof", test_changed_proof);
  g_test_add_func ("/proven/wrong-confirmations", test_wrong_confirmations);
  g_test_add_func ("/proven/by-station", test_by_station);
  int result = g_test_run ();
  json_decref (provider);
  EVP_PKEY_free (browser);
  EVP_PKEY_free (stranger);
  records_down (&records);
  return result;
}
