/* Appointments: the link, the PIN, whose phone it is, and what is said when it opens nothing.
 * Frames in, messages out, a real store; power cuts are a station that is read back. */
#include "station_place.h"

#include "station/clock.h"
#include "station/visits.h"
#include "visit_phone.h"

#include <string.h>

#define SIGN_IN "{\"type\":\"sign-in\",\"id\":1,\"user\":\"lan\",\"pin\":\"481516\"}"
#define MINUTE G_TIME_SPAN_MINUTE

typedef struct {
  StationPlace place;
  Page *console;
  char *appointment, *invite, *secret, *pin;
} Clinic;

static json_t *
answer_of (Page *page)
{
  for (guint i = page->frames->len; i > 0; i--)
    if (json_object_get (page->frames->pdata[i - 1], "re") != NULL)
      return page->frames->pdata[i - 1];
  return NULL;
}

static const char *
text (const json_t *frame, const char *key)
{
  const char *value = json_string_value (json_object_get (frame, key));
  return value != NULL ? value : "";
}

/* (transfer full) frame */
static json_t *
ask (Clinic *clinic, Page *page, char *frame)
{
  g_ptr_array_set_size (page->frames, 0);
  page_give (&clinic->place, page, frame, strlen (frame));
  g_free (frame);
  json_t *answer = answer_of (page);
  g_assert_nonnull (answer);
  return answer;
}

static json_t *
asked_ok (Clinic *clinic, Page *page, char *frame)
{
  json_t *answer = ask (clinic, page, frame);
  if (strcmp (text (answer, "type"), "ok") != 0)
    g_error ("%s: %s", text (answer, "code"), text (json_object_get (answer, "text"), "en"));
  return answer;
}

/* Each refusal says in both languages what to do. */
static json_t *
refused (Clinic *clinic, Page *page, char *frame, const char *code)
{
  json_t *answer = ask (clinic, page, frame);
  g_assert_cmpstr (text (answer, "type"), ==, "error");
  g_assert_cmpstr (text (answer, "code"), ==, code);
  g_assert_cmpuint (strlen (text (json_object_get (answer, "text"), "vi")), >, 10);
  g_assert_cmpuint (strlen (text (json_object_get (answer, "text"), "en")), >, 10);
  return answer;
}

static void
sign_in (Clinic *clinic)
{
  clinic->console = page_open (&clinic->place, CLIENT_CONSOLE);
  asked_ok (clinic, clinic->console, g_strdup (SIGN_IN));
}

/* As console and patient get it: the link is taken apart as the page does. */
static void
take_card (Clinic *clinic, const json_t *card)
{
  g_auto (GStrv) halves = g_strsplit (text (card, "link"), "#v1.", 2);
  g_assert_nonnull (halves[1]);
  g_auto (GStrv) parts = g_strsplit (halves[1], ".", 2);
  g_free (clinic->appointment);
  g_free (clinic->invite);
  g_free (clinic->secret);
  g_free (clinic->pin);
  clinic->appointment = g_strdup (text (card, "appointment"));
  clinic->invite = g_strdup (parts[0]);
  clinic->secret = g_strdup (parts[1]);
  clinic->pin = g_strdup (text (card, "pin"));
  g_assert_cmpuint (strlen (clinic->pin), ==, VISIT_PIN_DIGITS);
  g_assert_null (strstr (text (card, "message"), clinic->pin));
  g_assert_nonnull (strstr (text (card, "message"), text (card, "link")));
  g_assert_true (g_str_has_prefix (clinic->invite, "pin-"));
}

static void
plan (Clinic *clinic, gint64 at_us)
{
  char *frame = g_strdup_printf (
      "{\"type\":\"appointment.create\",\"id\":2,\"at_us\":%" G_GINT64_FORMAT
      ",\"minutes\":30,\"mode\":1,\"reason\":\"Tái khám\",\"phone\":\"0912345678\",\"patient\":"
      "{\"name\":\"Vàng Thị Mỷ\",\"birth_year\":1958}}",
      at_us);
  take_card (clinic, asked_ok (clinic, clinic->console, frame));
}

static void
clinic_up (Clinic *clinic)
{
  memset (clinic, 0, sizeof *clinic);
  station_up (&clinic->place);
  clinic->place.config->visits.trust_clock = TRUE;
  sign_in (clinic);
  plan (clinic, g_get_real_time ());
}

static void
clinic_down (Clinic *clinic)
{
  if (clinic->console != NULL)
    page_free (clinic->console);
  station_down (&clinic->place);
  g_free (clinic->appointment);
  g_free (clinic->invite);
  g_free (clinic->secret);
  g_free (clinic->pin);
}

/* Nothing is left but what is on the disk. */
static void
power_cut (Clinic *clinic)
{
  page_free (clinic->console);
  station_free (clinic->place.station);
  station_begin (&clinic->place);
  sign_in (clinic);
}

static Consult *
consult_of (Clinic *clinic)
{
  return station_consult (clinic->place.station, clinic->appointment);
}

static char *
frame_of (Clinic *clinic, Phone *phone, Page *page, const char *type, const char *pin,
          const char *more)
{
  g_autofree char *with_pin
      = pin != NULL ? g_strdup_printf (",\"pin\":\"%s\"", pin) : g_strdup ("");
  g_autofree char *fields = g_strdup_printf ("%s%s", with_pin, more != NULL ? more : "");
  return phone_frame (phone, page->client->nonce, type, clinic->invite, clinic->secret, fields);
}

/* Another PIN than the right one. */
static char *
wrong_pin (const Clinic *clinic, guint n)
{
  guint right = (guint)g_ascii_strtoull (clinic->pin, NULL, 10);
  return g_strdup_printf ("%06u", (right + 1 + n) % 1000000);
}

static Page *
phone_page (Clinic *clinic)
{
  return page_open (&clinic->place, CLIENT_JOIN);
}

/* ---- PIN ------------------------------------------------------------------------------------ */

static void
test_five_wrong_pins (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (Phone) phone = phone_new ();
  Page *page = phone_page (&clinic);
  refused (&clinic, page, frame_of (&clinic, phone, page, "invite.open", NULL, NULL), "pin-wanted");
  for (guint i = 0; i < 4; i++) {
    g_autofree char *pin = wrong_pin (&clinic, i);
    const json_t *answer = refused (
        &clinic, page, frame_of (&clinic, phone, page, "invite.open", pin, NULL), "wrong-pin");
    g_assert_cmpint (json_integer_value (json_object_get (answer, "tries_left")), ==, 4 - i);
    page_free (page);
    if (i == 1) /* a power cut gives nobody five more */
      power_cut (&clinic);
    page = phone_page (&clinic);
  }
  g_autofree char *last = wrong_pin (&clinic, 4);
  refused (&clinic, page, frame_of (&clinic, phone, page, "invite.open", last, NULL),
           "invite-burnt");
  refused (&clinic, page, frame_of (&clinic, phone, page, "invite.open", clinic.pin, NULL),
           "invite-burnt");
  page_free (page);
  power_cut (&clinic);
  page = phone_page (&clinic);
  refused (&clinic, page, frame_of (&clinic, phone, page, "join", clinic.pin, NULL),
           "invite-burnt");
  page_free (page);
  clinic_down (&clinic);
}

/* What was burnt is replaced by the doctor's click; the old link stays dead. */
static void
test_renew (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (Phone) phone = phone_new ();
  g_autofree char *old_invite = g_strdup (clinic.invite), *old_secret = g_strdup (clinic.secret);
  g_autofree char *old_pin = g_strdup (clinic.pin);
  char *renew = g_strdup_printf ("{\"type\":\"appointment.renew\",\"id\":3,\"appointment\":\"%s\"}",
                                 clinic.appointment);
  take_card (&clinic, asked_ok (&clinic, clinic.console, renew));
  g_assert_cmpstr (old_invite, !=, clinic.invite);
  Page *page = phone_page (&clinic);
  g_autofree char *pin = g_strdup_printf (",\"pin\":\"%s\"", old_pin);
  refused (&clinic, page,
           phone_frame (phone, page->client->nonce, "invite.open", old_invite, old_secret, pin),
           "invite-expired");
  asked_ok (&clinic, page, frame_of (&clinic, phone, page, "invite.open", clinic.pin, NULL));
  page_free (page);
  clinic_down (&clinic);
}

static guint
rows_of (Clinic *clinic, const char *kind)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows
      = store_read (clinic->place.records.store, clinic->appointment, kind, 0, &error);
  g_assert_no_error (error);
  return rows->len;
}

/* 10,000 guesses from a thousand sockets: none gets in, and the disk is not filled by them. */
static void
test_ten_thousand_guesses (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (Phone) phone = phone_new ();
  guint admitted = 0, closed = 0;
  for (guint socket = 0; socket < 1000; socket++) {
    Page *page = phone_page (&clinic);
    for (guint i = 0; i < 10; i++) {
      g_autofree char *pin = wrong_pin (&clinic, socket * 10 + i);
      const json_t *answer
          = ask (&clinic, page,
                 frame_of (&clinic, phone, page, i % 2 == 0 ? "join" : "invite.open", pin, NULL));
      admitted += strcmp (text (answer, "type"), "ok") == 0;
    }
    closed += page->closed;
    page_free (page);
  }
  g_assert_cmpuint (admitted, ==, 0);
  g_assert_cmpuint (rows_of (&clinic, "invite"), <=, 1 + INVITE_WRONG_MAX);
  Consult *consult = consult_of (&clinic);
  g_assert_cmpint (visit_invite (consult)->state, ==, INVITE_BURNT);
  g_assert_cmpuint (consult->guests->len, ==, 0);
  clinic_down (&clinic);
}

/* ---- Whose phone ------------------------------------------------------------------------------
 */

static void
test_binding (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (Phone) first = phone_new (), second = phone_new ();
  Page *page = phone_page (&clinic);
  const json_t *answer
      = asked_ok (&clinic, page, frame_of (&clinic, first, page, "invite.open", clinic.pin, NULL));
  g_assert_cmpstr (text (answer, "name"), ==, "Vàng Thị Mỷ");
  g_assert_false (json_is_true (json_object_get (answer, "other")));
  page_free (page);
  power_cut (&clinic);

  /* The key opens it from now on; another phone has to show the PIN, and learns no name. */
  page = phone_page (&clinic);
  asked_ok (&clinic, page, frame_of (&clinic, first, page, "join", NULL, NULL));
  Page *other = phone_page (&clinic);
  refused (&clinic, other, frame_of (&clinic, second, other, "invite.open", NULL, NULL),
           "pin-wanted");
  refused (&clinic, other, frame_of (&clinic, second, other, "media.reserve", NULL, NULL),
           "pin-wanted");
  answer = asked_ok (&clinic, other,
                     frame_of (&clinic, second, other, "invite.open", clinic.pin, NULL));
  g_assert_true (json_is_true (json_object_get (answer, "other")));
  g_assert_null (json_object_get (answer, "name"));
  answer = asked_ok (&clinic, other,
                     frame_of (&clinic, second, other, "join", clinic.pin, ",\"name\":\"X\""));
  g_assert_cmpstr (text (answer, "state"), ==, "lobby");

  /* One click, and the second phone is in; the first has to show the PIN again, and only waits. */
  Consult *consult = consult_of (&clinic);
  g_assert_cmpuint (consult->guests->len, ==, 2);
  const Guest *guest = consult->guests->pdata[1];
  g_assert_true (guest->other);
  char *start = g_strdup_printf (
      "{\"type\":\"appointment.start\",\"id\":4,\"appointment\":\"%s\",\"guest\":\"%s\"}",
      clinic.appointment, guest->id);
  asked_ok (&clinic, clinic.console, start);
  g_assert_cmpint (consult->state, ==, CONSULT_LIVE);
  g_assert_cmpuint (consult->guests->len, ==, 1);
  g_assert_cmpstr (text (page->frames->pdata[page->frames->len - 1], "code"), ==, "moved");
  page_free (page);
  page = phone_page (&clinic);
  refused (&clinic, page, frame_of (&clinic, first, page, "join", NULL, NULL), "pin-wanted");
  page_free (other);
  other = phone_page (&clinic);
  answer = asked_ok (&clinic, other, frame_of (&clinic, second, other, "join", NULL, NULL));
  g_assert_cmpstr (text (answer, "state"), ==, "admitted");
  page_free (other);
  page_free (page);
  clinic_down (&clinic);
}

/* Both messages are in before either row is on the disk. */
static void
test_two_at_once (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (Phone) first = phone_new (), second = phone_new ();
  Page *one = phone_page (&clinic), *two = phone_page (&clinic);
  g_autofree char *a = frame_of (&clinic, first, one, "invite.open", clinic.pin, NULL);
  g_autofree char *b = frame_of (&clinic, second, two, "invite.open", clinic.pin, NULL);
  client_receive (one->client, a, strlen (a));
  client_receive (two->client, b, strlen (b));
  station_settle (&clinic.place);
  g_assert_false (json_is_true (json_object_get (answer_of (one), "other")));
  g_assert_true (json_is_true (json_object_get (answer_of (two), "other")));
  page_free (one);
  page_free (two);
  power_cut (&clinic);
  one = phone_page (&clinic);
  asked_ok (&clinic, one, frame_of (&clinic, first, one, "invite.open", NULL, NULL));
  page_free (one);
  clinic_down (&clinic);
}

/* What was heard on the way is of no use on another socket. */
static void
test_replay (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (Phone) phone = phone_new ();
  Page *page = phone_page (&clinic);
  g_autofree char *heard = frame_of (&clinic, phone, page, "invite.open", clinic.pin, NULL);
  g_autofree char *joined = frame_of (&clinic, phone, page, "join", NULL, NULL);
  asked_ok (&clinic, page, g_strdup (heard));
  asked_ok (&clinic, page, g_strdup (heard)); /* the same page may ask again: one effect */
  asked_ok (&clinic, page, g_strdup (joined));
  g_assert_cmpuint (rows_of (&clinic, "invite"), ==, 2);
  Page *evil = phone_page (&clinic);
  for (guint i = 0; i < 3; i++) {
    refused (&clinic, evil, g_strdup (heard), "bad-message");
    refused (&clinic, evil, g_strdup (joined), "bad-message");
  }
  g_assert_cmpuint (consult_of (&clinic)->guests->len, ==, 1);
  page_free (evil);
  page_free (page);
  clinic_down (&clinic);
}

/* ---- When, and what is over ---------------------------------------------------------------------
 */

static void
move_to (Clinic *clinic, gint64 at_us)
{
  asked_ok (clinic, clinic->console,
            g_strdup_printf ("{\"type\":\"appointment.move\",\"id\":3,\"appointment\":\"%s\","
                             "\"at_us\":%" G_GINT64_FORMAT ",\"minutes\":30}",
                             clinic->appointment, at_us));
}

static void
test_window (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (Phone) phone = phone_new ();
  gint64 now_us = g_get_real_time ();
  static const struct {
    int minutes;
    const char *code;
  } times[] = {
    { 31, "invite-early" }, { 29, NULL }, { 0, NULL }, { -89, NULL }, { -91, "invite-expired" }
  };
  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    Page *page = phone_page (&clinic);
    move_to (&clinic, now_us + times[i].minutes * MINUTE);
    char *frame = frame_of (&clinic, phone, page, "invite.open", clinic.pin, NULL);
    if (times[i].code != NULL)
      refused (&clinic, page, frame, times[i].code);
    else
      asked_ok (&clinic, page, frame);
    page_free (page);
  }
  /* With a clock that nobody vouches for nothing is late: the doctor decides. */
  clinic.place.config->visits.trust_clock = clock_is_synchronized ();
  if (!clinic.place.config->visits.trust_clock) {
    Page *page = phone_page (&clinic);
    asked_ok (&clinic, page, frame_of (&clinic, phone, page, "invite.open", NULL, NULL));
    page_free (page);
  }
  clinic_down (&clinic);
}

static void
test_cancelled (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (Phone) phone = phone_new ();
  Page *page = phone_page (&clinic);
  asked_ok (&clinic, page, frame_of (&clinic, phone, page, "join", clinic.pin, NULL));
  char *cancel = g_strdup_printf (
      "{\"type\":\"appointment.cancel\",\"id\":3,\"appointment\":\"%s\",\"reason\":\"ốm\"}",
      clinic.appointment);
  asked_ok (&clinic, clinic.console, cancel);
  g_assert_cmpstr (text (page->frames->pdata[page->frames->len - 1], "code"), ==, "cancelled");
  g_assert_cmpuint (clinic.place.station->consults->len, ==, 0);
  page_free (page);
  for (guint i = 0; i < 2; i++) {
    page = phone_page (&clinic);
    refused (&clinic, page, frame_of (&clinic, phone, page, "invite.open", clinic.pin, NULL),
             "invite-cancelled");
    /* Who does not know the secret is not told that there was such an appointment. */
    refused (&clinic, page,
             phone_frame (phone, page->client->nonce, "invite.open", clinic.invite,
                          "another-secret", ""),
             "no-such");
    page_free (page);
    if (i == 0)
      power_cut (&clinic);
  }
  clinic_down (&clinic);
}

static void
test_used (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (Phone) phone = phone_new ();
  asked_ok (&clinic, clinic.console,
            g_strdup_printf ("{\"type\":\"appointment.start\",\"id\":3,\"appointment\":\"%s\"}",
                             clinic.appointment));
  asked_ok (&clinic, clinic.console,
            g_strdup ("{\"type\":\"consultation.conclude\",\"id\":4,\"conclusion\":\"c\"}"));
  asked_ok (&clinic, clinic.console,
            g_strdup ("{\"type\":\"consultation.sign\",\"id\":5,\"pin\":\"481516\"}"));
  g_assert_cmpuint (clinic.place.station->consults->len, ==, 0);
  power_cut (&clinic);
  Page *page = phone_page (&clinic);
  refused (&clinic, page, frame_of (&clinic, phone, page, "invite.open", clinic.pin, NULL),
           "invite-used");
  page_free (page);
  clinic_down (&clinic);
}

/* ---- The record
 * ---------------------------------------------------------------------------------- */

static void
test_representative (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (Phone) phone = phone_new ();
  Page *page = phone_page (&clinic);
  static const char about[]
      = ",\"as\":\"representative\",\"name\":\"Vàng A Sử\",\"relation\":\"con trai\",\"consent\":"
        "true,\"tests\":{\"camera\":\"good\",\"link\":\"weak\",\"rtt_ms\":120}";
  refused (&clinic, page,
           frame_of (&clinic, phone, page, "join", clinic.pin,
                     ",\"as\":\"representative\",\"name\":\"Sử\""),
           "bad-message"); /* whose relation? */
  asked_ok (&clinic, page, frame_of (&clinic, phone, page, "join", clinic.pin, about));
  Consult *consult = consult_of (&clinic);
  const Guest *guest = consult->guests->pdata[0];
  g_assert_cmpuint (json_array_size (consult->consents), ==, 0);
  asked_ok (&clinic, clinic.console,
            g_strdup_printf (
                "{\"type\":\"appointment.start\",\"id\":3,\"appointment\":\"%s\",\"guest\":\"%s\"}",
                clinic.appointment, guest->id));
  const json_t *consent = json_array_get (consult->consents, 0);
  g_assert_cmpstr (text (consent, "kind"), ==, "representative");
  g_assert_cmpstr (text (consent, "by"), ==, "Vàng A Sử");
  g_assert_cmpstr (text (consent, "relation"), ==, "con trai");
  g_assert_false (consult_recording_allowed (consult));
  page_free (page);
  power_cut (&clinic);
  consult = consult_of (&clinic);
  guest = consult->guests->pdata[0];
  static const char *const proven[] = { "link", "pin", "browser-key", "doctor" };
  g_assert_cmpuint (json_array_size (guest->proven), ==, G_N_ELEMENTS (proven));
  for (guint i = 0; i < G_N_ELEMENTS (proven); i++)
    g_assert_cmpstr (json_string_value (json_array_get (guest->proven, i)), ==, proven[i]);
  g_assert_cmpstr (text (guest->about, "as"), ==, "representative");
  g_assert_cmpstr (guest->name, ==, "Vàng A Sử");
  clinic_down (&clinic);
}

/* What the phone's page says of consent takes nothing back that was said to the doctor. */
static void
test_consent_of_recording_stays (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (Phone) phone = phone_new ();
  Page *page = phone_page (&clinic);
  asked_ok (
      &clinic, page,
      frame_of (&clinic, phone, page, "join", clinic.pin, ",\"as\":\"patient\",\"consent\":true"));
  asked_ok (&clinic, clinic.console,
            g_strdup_printf ("{\"type\":\"appointment.start\",\"id\":3,\"appointment\":\"%s\"}",
                             clinic.appointment));
  asked_ok (&clinic, clinic.console,
            g_strdup ("{\"type\":\"consent.save\",\"id\":4,\"kind\":\"given\",\"purposes\":["
                      "\"treatment\",\"recording\"]}"));
  Consult *consult = consult_of (&clinic);
  const Guest *guest = consult->guests->pdata[0];
  asked_ok (&clinic, clinic.console,
            g_strdup_printf ("{\"type\":\"guest.admit\",\"id\":5,\"guest\":\"%s\"}", guest->id));
  g_assert_cmpuint (json_array_size (consult->consents), ==, 2);
  g_assert_true (consult_recording_allowed (consult));
  page_free (page);
  clinic_down (&clinic);
}

/* A cut in the middle of planning: nothing was confirmed, nothing is left in the list. */
static void
test_half_planned (void)
{
  Clinic clinic;
  clinic_up (&clinic);
  g_autoptr (GError) error = NULL;
  json_auto_t *body = json_pack ("{s:s, s:i, s:s, s:s, s:s, s:b}", "state", "scheduled", "mode", 1,
                                 "reason", "", "conclusion", "", "doctor", "lan", "parked", FALSE);
  g_autofree char *half = store_create_consult (clinic.place.records.store, "lan", body, &error);
  g_assert_no_error (error);
  power_cut (&clinic);
  json_auto_t *list = visits_view (clinic.place.station);
  g_assert_cmpuint (json_array_size (list), ==, 1);
  g_assert_cmpstr (text (json_array_get (list, 0), "appointment"), ==, clinic.appointment);
  clinic_down (&clinic);
}

static void
test_words_and_pins (void)
{
  guint high = 0;
  for (guint i = 0; i < 2000; i++) {
    g_autofree char *pin = visit_new_pin ();
    g_assert_cmpuint (strlen (pin), ==, VISIT_PIN_DIGITS);
    g_assert_cmpuint (strspn (pin, "0123456789"), ==, VISIT_PIN_DIGITS);
    high += *pin >= '5';
  }
  g_assert_cmpuint (high, >, 800);
  g_assert_cmpuint (high, <, 1200);
  g_autofree char *when = visit_when (G_GINT64_CONSTANT (1795570200) * G_USEC_PER_SEC);
  g_assert_cmpstr (when, ==, "08:30 ngày 25/11/2026");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/visits/five-wrong-pins", test_five_wrong_pins);
  g_test_add_func ("/visits/renew", test_renew);
  g_test_add_func ("/visits/ten-thousand-guesses", test_ten_thousand_guesses);
  g_test_add_func ("/visits/binding", test_binding);
  g_test_add_func ("/visits/two-at-once", test_two_at_once);
  g_test_add_func ("/visits/replay", test_replay);
  g_test_add_func ("/visits/window", test_window);
  g_test_add_func ("/visits/cancelled", test_cancelled);
  g_test_add_func ("/visits/used", test_used);
  g_test_add_func ("/visits/representative", test_representative);
  g_test_add_func ("/visits/consent-of-recording-stays", test_consent_of_recording_stays);
  g_test_add_func ("/visits/half-planned", test_half_planned);
  g_test_add_func ("/visits/words-and-pins", test_words_and_pins);
  return g_test_run ();
}
