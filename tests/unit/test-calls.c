/* Calls over the protocol of a real station: console and desk as pages that are nothing but frames,
 * a store on the disk, and the station started anew in the middle. */
#include "station/calls/calls.h"
#include "station/calls/call_summary.h"
#include "station/calls/desk.h"
#include "records/attachment.h"
#include "station_place.h"

#include <string.h>

/* Of RFC 7517 A.1. */
#define KEY                                                                                        \
  "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","       \
  "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}"
#define PIN "730215"

static const json_t *
ask (StationPlace *place, Page *page, const char *type, const char *fields)
{
  static int id;
  g_autofree char *text = g_strdup_printf ("{\"type\":\"%s\",\"id\":%d%s%s}", type, ++id,
                                           *fields != '\0' ? "," : "", fields);
  page_give (place, page, text, strlen (text));
  for (guint i = page->frames->len; i > 0; i--) {
    const json_t *frame = page->frames->pdata[i - 1];
    if (json_integer_value (json_object_get (frame, "re")) == id)
      return frame;
  }
  g_error ("no answer to %s", type);
}

static const char *
text_of (const json_t *object, const char *key)
{
  const char *text = json_string_value (json_object_get (object, key));
  return text != NULL ? text : "";
}

static const json_t *
good (const json_t *answer)
{
  if (!g_str_equal (text_of (answer, "type"), "ok")) {
    char *text = json_dumps (answer, 0);
    g_error ("refused: %s", text);
  }
  return answer;
}

static void
refused (const json_t *answer, const char *code)
{
  g_assert_cmpstr (text_of (answer, "type"), ==, "error");
  g_assert_cmpstr (text_of (answer, "code"), ==, code);
}

/* ---- A place with specialists --------------------------------------------------------------- */

static void
add_specialist (StationPlace *place, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = vault_hash_pin (PIN, &error);
  User user
      = { .id = (char *)id, .name = (char *)id, .role = (char *)"specialist", .pin_hash = hash };
  users_save (place->station->users, &user, "station", &error);
  g_assert_no_error (error);
}

static CallLevel *
add_level (StationPlace *place, const char *name, const char *call)
{
  CallLevel *level = call_level_new (name);
  level->call = g_strsplit (call, ";", -1);
  level->ring = 60;
  g_ptr_array_add (place->config->levels, level);
  return level;
}

static void
up (StationPlace *place)
{
  memset (place, 0, sizeof *place);
  station_up (place);
  add_specialist (place, "minh");
  add_specialist (place, "hoa");
  add_level (place, "province", "minh;hoa");
}

static void
reopen (StationPlace *place)
{
  station_free (place->station);
  records_close (&place->records);
  records_open (&place->records);
  station_begin (place);
  station_settle (place);
}

static Page *
console (StationPlace *place)
{
  Page *page = page_open (place, CLIENT_CONSOLE);
  good (ask (place, page, "sign-in", "\"user\":\"lan\",\"pin\":\"481516\""));
  return page;
}

static Page *
desk (StationPlace *place, const char *who)
{
  Page *page = page_open (place, CLIENT_DESK);
  g_autofree char *fields = g_strdup_printf ("\"user\":\"%s\",\"pin\":\"" PIN "\"", who);
  good (ask (place, page, "sign-in", fields));
  good (ask (place, page, "duty", "\"on\":true"));
  return page;
}

static void
begin (StationPlace *place, Page *page)
{
  good (ask (place, page, "consultation.start",
             "\"mode\":3,\"reason\":\"Đau ngực\",\"patient\":{\"name\":\"Lò Thị "
             "Mỷ\",\"birth_date\":\"1962-04-03\",\"sex\":\"female\",\"phone\":\"0912345678\"}"));
}

static void
request (StationPlace *place, Page *page, const char *id, const char *more)
{
  g_autofree char *fields
      = g_strdup_printf ("\"call\":\"%s\",\"specialty\":\"cardiology\",\"urgency\":\"urgent\","
                         "\"release\":[\"age\",\"reason\"]%s",
                         id, more);
  good (ask (place, page, "call.request", fields));
}

static const Call *
call_now (StationPlace *place, const char *id)
{
  const Call *call = calls_find (place->station->screen, id);
  g_assert_nonnull (call);
  return call;
}

#define STATE(id, state_)                                                                          \
  g_assert_cmpstr (call_state_name (call_now (&place, id)->state), ==, state_)

/* The call as the desk was told last; NULL: it was told of no such call. */
static const json_t *
seen (const Page *page, const char *id)
{
  for (guint i = page->frames->len; i > 0; i--) {
    const json_t *frame = page->frames->pdata[i - 1], *list = json_object_get (frame, "calls");
    if (!g_str_equal (text_of (frame, "type"), "desk.calls"))
      continue;
    for (gsize j = 0; j < json_array_size (list); j++)
      if (g_str_equal (text_of (json_array_get (list, j), "call"), id))
        return json_array_get (list, j);
    return NULL;
  }
  return NULL;
}

static gboolean
rings (const Page *page, const char *id)
{
  return json_is_true (json_object_get (seen (page, id), "rings"));
}

static gboolean
happened (StationPlace *place, const char *what)
{
  const json_t *events = place->station->screen->events;
  for (gsize i = 0; i < json_array_size (events); i++)
    if (g_str_equal (text_of (json_array_get (events, i), "what"), what))
      return TRUE;
  return FALSE;
}

/* ---- Tests --------------------------------------------------------------------------------- */

static void
test_ring_decline_accept (void)
{
  StationPlace place;
  up (&place);
  Page *doctor = console (&place), *minh = desk (&place, "minh"), *hoa = desk (&place, "hoa");
  begin (&place, doctor);
  request (&place, doctor, "c1", "");
  STATE ("c1", "ringing");
  g_assert_true (rings (minh, "c1"));
  g_assert_false (rings (hoa, "c1"));
  g_assert_nonnull (seen (hoa, "c1")); /* on the list: sees that somebody waits */

  refused (ask (&place, minh, "call.decline", "\"call\":\"c1\",\"reason\":\"lazy\""),
           "bad-message");
  refused (ask (&place, minh, "call.decline", "\"call\":\"c1\",\"reason\":\"other\""),
           "bad-message");
  good (ask (&place, minh, "call.decline",
             "\"call\":\"c1\",\"reason\":\"other\",\"text\":\"đang mổ\""));
  g_assert_true (rings (hoa, "c1"));
  g_assert_false (rings (minh, "c1"));
  g_assert_true (happened (&place, "call-declined"));

  refused (ask (&place, hoa, "call.accept", "\"call\":\"c1\""), "bad-message"); /* no key */
  refused (ask (&place, hoa, "call.accept", "\"call\":\"c1\",\"key\":{\"kty\":\"EC\"}"),
           "bad-message");
  const json_t *answer = good (ask (&place, hoa, "call.accept", "\"call\":\"c1\",\"key\":" KEY));
  g_assert_true (strstr (text_of (answer, "link"), "/join#v1.") != NULL);
  STATE ("c1", "accepted");
  g_assert_null (seen (minh, "c1"));
  refused (ask (&place, minh, "call.accept", "\"call\":\"c1\",\"key\":" KEY), "no-such");

  /* Who accepts is let in, by that key and no other. */
  const Consult *screen = place.station->screen;
  g_assert_cmpuint (screen->guests->len, ==, 1);
  const Guest *guest = screen->guests->pdata[0];
  g_assert_cmpint (guest->state, ==, GUEST_AWAY);
  g_assert_cmpstr (guest->name, ==, "hoa");
  g_assert_cmpstr (guest->role, ==, "specialist");
  g_assert_cmpuint (strlen (guest->key), ==, 64);
  g_assert_cmpstr (guest->invite, ==, call_now (&place, "c1")->invite);
  g_assert_true (happened (&place, "guest-admitted"));
  page_free (doctor);
  page_free (minh);
  page_free (hoa);
  station_down (&place);
}

static void
test_hand_over (void)
{
  StationPlace place;
  up (&place);
  Page *doctor = console (&place), *minh = desk (&place, "minh"), *hoa = desk (&place, "hoa");
  begin (&place, doctor);
  request (&place, doctor, "c1", "");
  good (ask (&place, minh, "call.accept", "\"call\":\"c1\",\"key\":" KEY));
  g_autofree char *first = g_strdup (call_now (&place, "c1")->invite);
  refused (ask (&place, hoa, "call.hand-over", "\"call\":\"c1\",\"to\":\"minh\""), "no-such");
  refused (ask (&place, minh, "call.hand-over", "\"call\":\"c1\",\"to\":\"nobody\""), "no-such");
  good (ask (&place, minh, "call.hand-over", "\"call\":\"c1\",\"to\":\"hoa\""));
  STATE ("c1", "handing");
  g_assert_true (rings (hoa, "c1"));
  /* Another invitation: the first one's browser is not sent away by the second. */
  g_assert_cmpstr (call_now (&place, "c1")->invite, !=, first);
  good (ask (&place, hoa, "call.accept", "\"call\":\"c1\",\"key\":" KEY));
  STATE ("c1", "accepted");
  g_assert_cmpstr (call_now (&place, "c1")->taken->id, ==, "hoa");
  g_assert_cmpuint (place.station->screen->guests->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (((Guest *)place.station->screen->guests->pdata[i])->state, ==, GUEST_AWAY);
  g_assert_true (happened (&place, "call-handed-over"));
  /* The consultation ends: so does the call. */
  good (ask (&place, doctor, "consultation.conclude", "\"conclusion\":\"x\""));
  station_settle (&place);
  STATE ("c1", "ended");
  page_free (doctor);
  page_free (minh);
  page_free (hoa);
  station_down (&place);
}

/* Nothing of a call is lost, whatever it was doing: the station is started anew in each state. */
static void
test_restarts (void)
{
  StationPlace place;
  up (&place);
  Page *doctor = console (&place), *minh = desk (&place, "minh");
  begin (&place, doctor);
  request (&place, doctor, "rings", "");
  request (&place, doctor, "nobody", "");
  good (ask (&place, minh, "call.decline", "\"call\":\"nobody\",\"reason\":\"busy\""));
  request (&place, doctor, "taken", "");
  good (ask (&place, minh, "call.accept", "\"call\":\"taken\",\"key\":" KEY));
  request (&place, doctor, "later", ",\"later\":true");
  request (&place, doctor, "gone", "");
  good (ask (&place, doctor, "call.cancel", "\"call\":\"gone\",\"reason\":\"nhầm\""));
  page_free (doctor);
  page_free (minh);

  reopen (&place);
  doctor = console (&place);
  STATE ("rings", "ringing");
  STATE ("nobody", "unanswered");
  STATE ("taken", "accepted");
  STATE ("later", "later");
  STATE ("gone", "cancelled");
  g_assert_cmpstr (call_now (&place, "gone")->why, ==, "nhầm");
  g_assert_cmpstr (call_now (&place, "nobody")->why, ==, "declined");
  g_assert_cmpuint (call_now (&place, "nobody")->declines->len, ==, 1);
  g_assert_cmpint (call_now (&place, "rings")->due_us, >, g_get_monotonic_time ());
  minh = desk (&place, "minh");
  g_assert_true (rings (minh, "rings"));
  g_assert_true (json_is_true (json_object_get (seen (minh, "taken"), "mine")));
  good (ask (&place, minh, "case.answer", "\"call\":\"later\",\"text\":\"Chuyển viện\""));
  good (ask (&place, doctor, "call.again", "\"call\":\"nobody\""));
  STATE ("nobody", "ringing");
  good (ask (&place, minh, "call.accept", "\"call\":\"rings\",\"key\":" KEY));

  page_free (doctor);
  page_free (minh);
  reopen (&place);
  STATE ("later", "answered");
  STATE ("rings", "accepted");
  STATE ("nobody", "ringing");
  station_down (&place);
}

/* Time passes: the next one rings; when nobody is left, the doctor is told. */
static void
test_time (void)
{
  StationPlace place;
  up (&place);
  ((CallLevel *)place.config->levels->pdata[0])->ring = 1;
  Page *doctor = console (&place), *minh = desk (&place, "minh"), *hoa = desk (&place, "hoa");
  gint64 end = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  begin (&place, doctor);
  request (&place, doctor, "c1", "");
  g_assert_true (rings (minh, "c1"));
  while (!rings (hoa, "c1") && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (rings (hoa, "c1"));
  while (call_now (&place, "c1")->state == CALL_RINGING && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, TRUE);
  STATE ("c1", "unanswered");
  g_assert_cmpstr (call_now (&place, "c1")->why, ==, "no-answer");
  g_assert_false (rings (hoa, "c1"));
  page_free (doctor);
  page_free (minh);
  page_free (hoa);
  station_down (&place);
}

static void
test_case (void)
{
  static const char bytes[] = "a picture, as far as anybody cares";
  StationPlace place;
  g_autoptr (GError) error = NULL;
  Attachment kept, other;
  up (&place);
  Page *doctor = console (&place), *minh = desk (&place, "minh");
  begin (&place, doctor);
  g_autofree char *consult = g_strdup (place.station->screen->id);
  g_autoptr (GBytes) content = g_bytes_new_static (bytes, sizeof bytes);
  g_autoptr (GBytes) more = g_bytes_new_static (bytes, 5);
  AttachmentInfo info = { "still", "room.jpg", "image/jpeg", NULL };
  attachment_put_sync (place.records.store, consult, "lan", &info, content, &kept, &error);
  g_assert_no_error (error);
  attachment_put_sync (place.records.store, consult, "lan", &info, more, &other, &error);
  g_assert_no_error (error);
  page_free (doctor);
  page_free (minh);
  reopen (&place); /* knows its attachments */
  doctor = console (&place);
  minh = desk (&place, "minh");

  refused (
      ask (&place, doctor, "call.request",
           "\"call\":\"c0\",\"specialty\":\"cardiology\",\"urgency\":\"routine\",\"release\":[],"
           "\"later\":true,\"files\":[\"unknown\"]"),
      "bad-message");
  g_autofree char *later = g_strdup_printf (",\"later\":true,\"files\":[\"%s\"]", kept.id);
  request (&place, doctor, "c1", later);
  STATE ("c1", "later");
  const json_t *file = json_array_get (json_object_get (seen (minh, "c1"), "files"), 0);
  g_assert_cmpstr (text_of (file, "sha256"), ==, kept.sha256);
  g_autofree char *want = g_strdup_printf ("\"call\":\"c1\",\"file\":\"%s\",\"from\":2", kept.id);
  const json_t *piece = good (ask (&place, minh, "case.want", want));
  gsize length;
  g_autofree guchar *got = g_base64_decode (text_of (piece, "data"), &length);
  g_assert_cmpmem (got, length, bytes + 2, sizeof bytes - 2);
  /* Nothing that does not go along, nothing beyond the end. */
  g_autofree char *hidden
      = g_strdup_printf ("\"call\":\"c1\",\"file\":\"%s\",\"from\":0", other.id);
  refused (ask (&place, minh, "case.want", hidden), "no-such");
  g_autofree char *beyond
      = g_strdup_printf ("\"call\":\"c1\",\"file\":\"%s\",\"from\":35", kept.id);
  refused (ask (&place, minh, "case.want", beyond), "bad-message");

  /* A case that waits is not signed over; parked, its answer comes into the record all the same. */
  good (ask (&place, doctor, "consultation.conclude", "\"conclusion\":\"x\""));
  refused (ask (&place, doctor, "consultation.sign", "\"pin\":\"481516\""), "refused");
  good (ask (&place, doctor, "consultation.reopen", ""));
  good (ask (&place, doctor, "consultation.park", ""));
  g_assert_null (place.station->screen);
  good (ask (&place, minh, "call.accept", "\"call\":\"c1\"")); /* reads it: no key is wanted */
  good (ask (&place, minh, "case.answer", "\"call\":\"c1\",\"text\":\"Nong van sớm\""));
  refused (ask (&place, minh, "case.want", want), "no-such");
  refused (ask (&place, minh, "case.answer", "\"call\":\"c1\",\"text\":\"x\""), "no-such");
  Consult *parked = station_consult (place.station, consult);
  g_assert_cmpstr (calls_case_word (parked), ==, "answered");
  const json_t *note = json_array_get (parked->notes, 0);
  g_assert_cmpstr (text_of (note, "text"), ==, "Nong van sớm");
  g_assert_cmpstr (text_of (note, "kind"), ==, "opinion");
  g_assert_cmpstr (text_of (note, "user"), ==, "minh");
  g_assert_cmpstr (text_of (note, "by"), ==, "desk:minh");
  g_assert_cmpstr (calls_find (parked, "c1")->note, ==, text_of (note, "note"));
  /* Nobody at the station writes over it. */
  g_autofree char *open = g_strdup_printf ("\"consultation\":\"%s\"", consult);
  good (ask (&place, doctor, "consultation.open", open));
  g_autofree char *over = g_strdup_printf ("\"note\":\"%s\",\"kind\":\"opinion\",\"text\":\"x\"",
                                           text_of (note, "note"));
  refused (ask (&place, doctor, "note.save", over), "bad-message");
  page_free (doctor);
  page_free (minh);
  station_down (&place);
}

/* What is released is what is named, and no more. */
static void
test_summary (void)
{
  StationPlace place;
  up (&place);
  Page *doctor = console (&place), *minh = desk (&place, "minh");
  begin (&place, doctor);
  good (ask (&place, doctor, "note.save",
             "\"note\":\"n1\",\"kind\":\"history\",\"text\":\"Tăng huyết áp\""));
  good (ask (&place, doctor, "note.save",
             "\"note\":\"n2\",\"kind\":\"allergies\",\"text\":\"Penicillin\""));
  request (&place, doctor, "c1", ",\"question\":\"Có chuyển không?\"");
  g_autofree char *told = json_dumps (seen (minh, "c1"), 0);
  g_assert_nonnull (strstr (told, "1962"));
  g_assert_nonnull (strstr (told, "Đau ngực"));
  g_assert_nonnull (strstr (told, "Có chuyển không?"));
  static const char *const hidden[]
      = { "Lò", "1962-04", "female", "0912345678", "Penicillin", "huyết áp" };
  for (guint i = 0; i < G_N_ELEMENTS (hidden); i++)
    g_assert_null (strstr (told, hidden[i]));

  const json_t *preview
      = good (ask (&place, doctor, "call.preview", "\"release\":[\"name\",\"note:allergies\"]"));
  g_autofree char *shown = json_dumps (preview, 0);
  g_assert_nonnull (strstr (shown, "Penicillin"));
  g_assert_nonnull (strstr (shown, "Lò Thị Mỷ"));
  g_assert_null (strstr (shown, "huyết áp"));
  refused (ask (&place, doctor, "call.preview", "\"release\":[\"phone\"]"), "bad-message");
  refused (ask (&place, doctor, "call.preview", "\"release\":\"name\""), "bad-message");
  page_free (doctor);
  page_free (minh);
  station_down (&place);
}

/* A desk is no console, and nobody's desk sees nothing. */
static void
test_who_may (void)
{
  StationPlace place;
  up (&place);
  Page *doctor = console (&place), *minh = desk (&place, "minh");
  add_specialist (&place, "stranger");
  Page *stranger = desk (&place, "stranger"), *nobody = page_open (&place, CLIENT_DESK);
  begin (&place, doctor);
  request (&place, doctor, "c1", "");
  g_assert_null (seen (stranger, "c1")); /* not on the station's list */
  refused (ask (&place, stranger, "call.accept", "\"call\":\"c1\",\"key\":" KEY), "no-such");
  g_assert_null (seen (nobody, "c1"));
  refused (ask (&place, nobody, "duty", "\"on\":true"), "not-signed-in");
  refused (ask (&place, nobody, "call.accept", "\"call\":\"c1\",\"key\":" KEY), "not-signed-in");
  refused (ask (&place, nobody, "sign-in", "\"user\":\"lan\",\"pin\":\"481516\""), "no-such");
  refused (ask (&place, nobody, "sign-in", "\"user\":\"minh\",\"pin\":\"999999\""), "wrong-pin");
  refused (ask (&place, minh, "record.list", ""), "bad-message");
  refused (ask (&place, minh, "call.request", ""), "bad-message");

  const json_t *answer
      = good (ask (&place, minh, "sign-in", "\"user\":\"minh\",\"pin\":\"" PIN "\""));
  g_autofree char *session = g_strdup_printf ("\"session\":\"%s\"", text_of (answer, "session"));
  Page *other = page_open (&place, CLIENT_CONSOLE);
  refused (ask (&place, other, "resume", session), "not-signed-in");
  refused (ask (&place, other, "sign-in", "\"user\":\"minh\",\"pin\":\"" PIN "\""), "no-such");
  good (ask (&place, nobody, "resume", session));
  good (ask (&place, nobody, "sign-out", ""));
  refused (ask (&place, nobody, "resume", session), "not-signed-in");
  /* What a console's session is, is none of a desk. */
  const json_t *lan = good (ask (&place, other, "sign-in", "\"user\":\"lan\",\"pin\":\"481516\""));
  g_autofree char *console_session
      = g_strdup_printf ("\"session\":\"%s\"", text_of (lan, "session"));
  refused (ask (&place, nobody, "resume", console_session), "not-signed-in");
  page_free (doctor);
  page_free (minh);
  page_free (stranger);
  page_free (nobody);
  page_free (other);
  station_down (&place);
}

/* A hospital's desk that is rung through something else is told what rings there, and when it ends.
 */
static void
note_ring (const char *desk, const json_t *calls, void *arg)
{
  g_assert_cmpstr (desk, ==, "bv-tw");
  *(gsize *)arg = json_array_size (calls);
}

static void
test_far_desk (void)
{
  StationPlace place;
  gsize ringing = 99;
  up (&place);
  CallLevel *level = add_level (&place, "central", "*");
  level->desk = g_strdup ("bv-tw");
  calls_set_ring (place.station->calls, note_ring, &ringing);
  Page *doctor = console (&place);
  begin (&place, doctor);
  request (&place, doctor, "c1", "");
  STATE ("c1", "ringing"); /* nobody of the first level is there, and who knows at the second */
  g_assert_cmpuint (ringing, ==, 1);
  Page *page = page_open (&place, CLIENT_DESK);
  CallPerson *far = call_person_new ("far@bv-tw", "BS. Xa", "BV Trung ương", NULL);
  desk_identify (page->client, far);
  call_person_free (far);
  good (ask (&place, page, "duty", "\"on\":true,\"specialties\":[\"cardiology\"]"));
  g_assert_true (rings (page, "c1"));
  good (ask (&place, page, "call.accept", "\"call\":\"c1\",\"key\":" KEY));
  g_assert_cmpuint (ringing, ==, 0);
  const Guest *guest = place.station->screen->guests->pdata[0];
  g_assert_cmpstr (guest->facility, ==, "BV Trung ương");
  page_free (doctor);
  page_free (page);
  station_down (&place);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/calls/ring-decline-accept", test_ring_decline_accept);
  g_test_add_func ("/calls/hand-over", test_hand_over);
  g_test_add_func ("/calls/restarts", test_restarts);
  g_test_add_func ("/calls/time", test_time);
  g_test_add_func ("/calls/case", test_case);
  g_test_add_func ("/calls/summary", test_summary);
  g_test_add_func ("/calls/who-may", test_who_may);
  g_test_add_func ("/calls/far-desk", test_far_desk);
  return g_test_run ();
}
