/* A consultation is the sum of its rows. */
#include "browser_key.h"
#include "station/consultation.h"
#include "certs/browser_key.h"
#include "station/proof.h"
#include "station/session.h"
#include "station/users.h"

#include <openssl/evp.h>
#include <string.h>

/* ret is taken. */
static void
row (Consult *consult, const char *kind, const char *user, gint64 utc_us, json_t *body)
{
  static gint64 seq;
  StoreRow one = { .consult = consult->id,
                   .kind = (char *)kind,
                   .user = (char *)user,
                   .seq = ++seq,
                   .utc_us = utc_us,
                   .mono_us = utc_us / 2,
                   .boot = (char *)"boot-1",
                   .body = body };
  consult_apply (consult, &one, user);
  json_decref (body);
}

static void
consent (Consult *consult, const char *kind, const char *purpose)
{
  row (consult, "consent", "lan", 1, json_pack ("{s:s, s:[s]}", "kind", kind, "purposes", purpose));
}

static void
test_consent (void)
{
  g_autoptr (Consult) consult = consult_new ("c");
  g_assert_false (consult_recording_allowed (consult));
  consent (consult, "given", "treatment");
  g_assert_false (consult_recording_allowed (consult));
  consent (consult, "representative", "recording");
  g_assert_true (consult_recording_allowed (consult));
  consent (consult, "withdrawn", "teaching");
  g_assert_true (consult_recording_allowed (consult));
  consent (consult, "withdrawn", "recording");
  g_assert_false (consult_recording_allowed (consult));
  consent (consult, "impossible", "recording");
  g_assert_true (consult_recording_allowed (consult));
}

static const char *
newest (Consult *consult, const char *vital)
{
  return json_string_value (
      json_object_get (json_object_get (consult->readings, vital), "value_text"));
}

static void
reading (Consult *consult, const char *value, const char *time, const char *received,
         gboolean ahead)
{
  json_t *flags = json_array ();
  if (ahead)
    json_array_append_new (flags, json_string ("clock-ahead"));
  row (consult, "observation", "station", 1,
       json_pack ("{s:s, s:s, s:s, s:s?, s:o}", "vital", "hr", "value_text", value, "time", time,
                  "received", received, "flags", flags));
}

/* The newest by its own time, not by its arrival; a clock that is ahead cannot hide the others. */
static void
test_newest_reading (void)
{
  g_autoptr (Consult) consult = consult_new ("c");
  reading (consult, "72", "2026-11-20T02:00:10.000Z", NULL, FALSE);
  reading (consult, "60", "2026-11-20T02:00:05.000Z", "2026-11-20T02:00:11.000Z", FALSE);
  g_assert_cmpstr (newest (consult, "hr"), ==, "72");
  reading (consult, "73", "2026-11-20T02:00:10.000Z", NULL, FALSE);
  g_assert_cmpstr (newest (consult, "hr"), ==, "73");
  reading (consult, "99", "2036-11-20T02:00:00.000Z", "2026-11-20T02:00:12.000Z", TRUE);
  g_assert_cmpstr (newest (consult, "hr"), ==, "99");
  reading (consult, "74", "2026-11-20T02:00:13.000Z", NULL, FALSE);
  g_assert_cmpstr (newest (consult, "hr"), ==, "74");
}

static void
test_notes_are_versions (void)
{
  g_autoptr (Consult) consult = consult_new ("c");
  for (guint i = 0; i < 3; i++) {
    g_autofree char *text = g_strdup_printf ("version %u", i);
    row (consult, "note", "lan", i,
         json_pack ("{s:s, s:s, s:s, s:s}", "note", "n1", "kind", "note", "text", text, "author",
                    "BS. Lan"));
  }
  row (consult, "note", "hung", 9,
       json_pack ("{s:s, s:s, s:s, s:s}", "note", "n2", "kind", "note", "text", "other", "author",
                  "BS. Hùng"));
  g_assert_cmpuint (json_array_size (consult->notes), ==, 2);
  const json_t *first = json_array_get (consult->notes, 0);
  g_assert_cmpstr (json_string_value (json_object_get (first, "text")), ==, "version 2");
  g_assert_cmpstr (json_string_value (json_object_get (first, "user")), ==, "BS. Lan");
}

static void
test_states (void)
{
  static const ConsultState all[]
      = { CONSULT_SCHEDULED,  CONSULT_WAITING, CONSULT_LIVE,      CONSULT_INTERRUPTED,
          CONSULT_CONCLUDING, CONSULT_SIGNED,  CONSULT_DELIVERED, CONSULT_CANCELLED };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    ConsultState again;
    g_assert_true (consult_state_from_name (consult_state_name (all[i]), &again));
    g_assert_cmpint (again, ==, all[i]);
    /* Only what has not begun can be cancelled, and what is signed stays so. */
    g_assert_cmpint (consult_may_become (all[i], CONSULT_CANCELLED), ==, all[i] <= CONSULT_WAITING);
    g_assert_cmpint (consult_may_become (all[i], CONSULT_SIGNED), ==, all[i] == CONSULT_CONCLUDING);
    g_assert_false (consult_may_become (CONSULT_SIGNED, all[i]) && all[i] != CONSULT_DELIVERED);
  }
  g_assert_true (consult_may_become (CONSULT_LIVE, CONSULT_INTERRUPTED));
  g_assert_true (consult_may_become (CONSULT_INTERRUPTED, CONSULT_LIVE));
}

/* Media time 0 is the start of the consultation, also when the machine has booted since. */
static void
test_epoch (void)
{
  g_autoptr (Consult) consult = consult_new ("c");
  row (consult, "consultation", "lan", 1000, json_pack ("{s:s, s:i}", "state", "live", "mode", 3));
  g_assert_cmpint (consult->started_us, ==, 1000);
  g_assert_cmpint (consult_epoch (consult, "boot-1", 7777, 9999), ==, 500);
  g_assert_cmpint (consult_epoch (consult, "boot-2", 100, 61000), ==, 100 - 60000);
  /* A clock that was set back does not put the epoch into the future. */
  g_assert_cmpint (consult_epoch (consult, "boot-2", 100, 10), ==, 100);
}

static void
test_whose_reading (void)
{
  g_autoptr (Consult) consult = consult_new ("c");
  g_assert_cmpint (consult_match_patient (consult, "anything"), ==, PATIENT_MAYBE);
  row (consult, "patient", "lan", 1, json_pack ("{s:s}", "personal_number", "010158000123"));
  g_assert_cmpint (consult_match_patient (consult, "010158000123"), ==, PATIENT_SAME);
  g_assert_cmpint (consult_match_patient (consult, "0100123"), ==, PATIENT_OTHER);
  row (consult, "patient", "lan", 2,
       json_pack ("{s:s, s:[s]}", "personal_number", "010158000123", "device_ids", "0100123"));
  g_assert_cmpint (consult_match_patient (consult, "0100123"), ==, PATIENT_SAME);
}

static void
test_guests (void)
{
  g_autoptr (Consult) consult = consult_new ("c");
  row (consult, "invite", "lan", 1,
       json_pack ("{s:s, s:s, s:s, s:s, s:s, s:i}", "invite", "i1", "role", "specialist", "name",
                  "", "secret", "s", "state", "created", "wrong", 0));
  const Invite *invite = consult_invite (consult, "i1");
  g_assert_cmpint (consult_invite_state (consult, invite), ==, INVITE_CREATED);
  Guest *guest = consult_add_guest (consult, "i1", "specialist", "key-1", "Minh", "");
  g_assert_cmpint (consult_invite_state (consult, invite), ==, INVITE_LOBBY);
  g_assert_true (consult_guest_by_key (consult, "i1", "key-1") == guest);
  g_assert_null (consult_guest_by_key (consult, "i1", "key-2"));
  g_assert_null (consult_guest_by_key (consult, "i2", "key-1"));
  row (consult, "guest", "lan", 2,
       json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "guest", guest->id, "invite", "i1", "name",
                  "Minh", "facility", "", "role", "specialist", "key", "key-1", "state",
                  "admitted"));
  g_assert_cmpint (guest->state, ==, GUEST_AWAY);
  for (guint i = 0; i < 100; i++)
    consult_add_guest (consult, "i1", "specialist", "k", "x", "");
  g_assert_cmpuint (consult->guests->len, <=, CONSULT_GUESTS_MAX + 1);
}

/* Rows of a damaged or future record may be anything; nothing of it ends the program. */
static void
test_strange_rows (void)
{
  static const char *const kinds[]
      = { "consultation", "patient", "consent", "recording", "note", "observation",
          "event",        "invite",  "guest",   "signature", "view", "kind-of-tomorrow" };
  static const char *const bodies[] = { "{}",
                                        "[]",
                                        "null",
                                        "7",
                                        "{\"state\":7}",
                                        "{\"purposes\":{}}",
                                        "{\"vital\":[]}",
                                        "{\"state\":\"nonsense\",\"invite\":\"x\"}",
                                        "{\"note\":null,\"text\":[]}",
                                        "{\"device_ids\":[7]}" };
  g_autoptr (Consult) consult = consult_new ("c");
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    for (guint j = 0; j < G_N_ELEMENTS (bodies); j++)
      row (consult, kinds[i], i % 2 ? "lan" : NULL, 1,
           json_loads (bodies[j], JSON_DECODE_ANY, NULL));
  json_decref (consult_body (consult, CONSULT_LIVE));
  consult_match_patient (consult, "x");
  consult_recording_allowed (consult);
}

/* ---- Secrets
 * --------------------------------------------------------------------------------------- */

static void
test_weak_secrets (void)
{
  static const char *const weak[]
      = { "",       "1234",   "12345",  "123456",        "654321", "111111",
          "121212", "123123", "12345a", "1234567890123", "000000" };
  static const char *const good[] = { "481516", "135790", "202611" };
  for (guint i = 0; i < G_N_ELEMENTS (weak); i++)
    g_assert_nonnull (user_pin_weakness (weak[i]));
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_null (user_pin_weakness (good[i]));
  g_assert_nonnull (user_passphrase_weakness ("short"));
  g_assert_nonnull (user_passphrase_weakness ("aaaaaaaaaaaaaaa"));
  g_assert_null (user_passphrase_weakness ("cầu tre lắc lẻo"));
}

static void
test_proof (void)
{
  EVP_PKEY *key = EVP_EC_gen ("P-256"), *other = EVP_EC_gen ("P-256");
  json_auto_t *jwk = jwk_of (key);
  json_auto_t *jwk_other = jwk_of (other);
  g_autofree char *signature = sign_p1363 (key, "text");
  g_autofree char *print = NULL, *none = NULL;
  g_assert_true (browser_key_check (jwk, signature, "text", &print));
  g_assert_cmpuint (strlen (print), ==, 64);
  g_assert_false (browser_key_check (jwk, signature, "other text", &none));
  g_assert_false (browser_key_check (jwk_other, signature, "text", &none));
  g_assert_false (browser_key_check (jwk, "", "text", &none));
  g_assert_false (browser_key_check (jwk, "AAAA", "text", &none));
  g_assert_false (browser_key_check (NULL, signature, "text", &none));
  json_object_set_new (jwk, "y", json_string ("AAAA"));
  g_assert_false (browser_key_check (jwk, signature, "text", &none));
  /* A point that is not on the curve. */
  json_object_set (jwk, "y", json_object_get (jwk, "x"));
  g_assert_false (browser_key_check (jwk, signature, "text", &none));
  g_assert_null (none);
  g_assert_true (proof_secret_equal ("a", "a"));
  g_assert_false (proof_secret_equal ("a", "ab"));
  EVP_PKEY_free (key);
  EVP_PKEY_free (other);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/consultation/consent", test_consent);
  g_test_add_func ("/consultation/newest-reading", test_newest_reading);
  g_test_add_func ("/consultation/notes-are-versions", test_notes_are_versions);
  g_test_add_func ("/consultation/states", test_states);
  g_test_add_func ("/consultation/epoch", test_epoch);
  g_test_add_func ("/consultation/whose-reading", test_whose_reading);
  g_test_add_func ("/consultation/guests", test_guests);
  g_test_add_func ("/consultation/strange-rows", test_strange_rows);
  g_test_add_func ("/secrets/weak", test_weak_secrets);
  g_test_add_func ("/secrets/proof", test_proof);
  return g_test_run ();
}
