/* The protocol without sockets: frames in, messages out, rows in a real store. */
#include "station_place.h"

#include "station/client.h"

static json_t *
last (Page *page)
{
  return page->frames->len > 0 ? page->frames->pdata[page->frames->len - 1] : NULL;
}

static const char *
text (const json_t *frame, const char *key)
{
  const char *value = json_string_value (json_object_get (frame, key));
  return value != NULL ? value : "";
}

/* The answer to a request (transfer none). */
static json_t *
ask (StationPlace *place, Page *page, const char *frame)
{
  g_ptr_array_set_size (page->frames, 0);
  page_give (place, page, frame, strlen (frame));
  for (guint i = 0; i < page->frames->len; i++)
    if (json_object_get (page->frames->pdata[i], "re") != NULL)
      return page->frames->pdata[i];
  return last (page);
}

static void
assert_refused (StationPlace *place, Page *page, const char *frame, const char *code)
{
  const json_t *answer = ask (place, page, frame);
  g_assert_cmpstr (text (answer, "type"), ==, "error");
  g_assert_cmpstr (text (answer, "code"), ==, code);
  g_assert_nonnull (json_object_get (json_object_get (answer, "text"), "vi"));
  g_assert_nonnull (json_object_get (json_object_get (answer, "text"), "en"));
}

static json_t *
assert_ok (StationPlace *place, Page *page, const char *frame)
{
  json_t *answer = ask (place, page, frame);
  if (strcmp (text (answer, "type"), "ok") != 0)
    g_error ("%s: %s %s", frame, text (answer, "code"),
             json_dumps (json_object_get (answer, "text"), 0));
  return answer;
}

#define SIGN_IN "{\"type\":\"sign-in\",\"id\":1,\"user\":\"lan\",\"pin\":\"481516\"}"
#define START                                                                                      \
  "{\"type\":\"consultation.start\",\"id\":2,\"mode\":3,\"reason\":\"r\",\"patient\":{\"unknown\"" \
  ":true}}"

static void
test_parse (void)
{
  static const struct {
    const char *frame;
    gboolean good;
  } frames[] = {
    { "{\"type\":\"x\"}", TRUE },
    { "", FALSE },
    { "null", FALSE },
    { "{\"type\":null}", FALSE },
    { "{\"type\":\"x\"}x", FALSE },
    { "{\"type\":\"x\",\"a\":1,\"a\":2}", FALSE },
    { "{\"type\":\"\\u0000\"}", FALSE },
    { "{\"type\":\"\xff\"}", FALSE },
    { "{\"type\":\"x\",\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[\"}", TRUE },
    { "{\"type\":\"x\",\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}", TRUE },
    { "{\"type\":\"x\",\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (frames); i++) {
    const char *wrong = NULL;
    json_auto_t *message = client_parse (frames[i].frame, strlen (frames[i].frame), &wrong);
    g_assert_cmpint (message != NULL, ==, frames[i].good);
    g_assert_cmpint (wrong == NULL, ==, frames[i].good);
  }
  g_autofree char *huge = g_malloc0 (CLIENT_MAX_FRAME + 1);
  const char *wrong = NULL;
  g_assert_null (client_parse (huge, CLIENT_MAX_FRAME + 1, &wrong));
}

static void
test_places (void)
{
  StationPlace place = { 0 };
  station_up (&place);
  Page *page = page_open (&place, CLIENT_CONSOLE);
  g_assert_cmpstr (text (last (page), "type"), ==, "hello");
  assert_refused (&place, page, START, "not-signed-in");
  assert_refused (&place, page, "{\"type\":\"sign-in\",\"id\":1,\"user\":\"who\",\"pin\":\"1\"}",
                  "no-such");
  assert_refused (&place, page, "{\"type\":\"sign-in\",\"id\":1,\"user\":\"lan\",\"pin\":\"1\"}",
                  "wrong-pin");
  const json_t *session = assert_ok (&place, page, SIGN_IN);
  g_assert_cmpuint (strlen (text (session, "session")), ==, 43);
  assert_refused (&place, page, "{\"type\":\"recording.start\",\"id\":1}", "out-of-place");
  assert_ok (&place, page, START);
  assert_refused (&place, page, START, "out-of-place");
  assert_refused (&place, page, "{\"type\":\"recording.start\",\"id\":1}", "not-allowed");
  assert_refused (&place, page, "{\"type\":\"media.start\",\"id\":1}", "not-ready");
  assert_refused (&place, page, "{\"type\":\"media.answer\",\"id\":1,\"sdp\":\"v=0\"}",
                  "not-ready");
  assert_refused (&place, page, "{\"type\":\"consent.save\",\"id\":1,\"kind\":\"impossible\"}",
                  "bad-message");
  assert_ok (&place, page, "{\"type\":\"consultation.conclude\",\"id\":1,\"conclusion\":\"c\"}");
  assert_refused (&place, page, "{\"type\":\"invite.create\",\"id\":1,\"role\":\"specialist\"}",
                  "out-of-place");
  assert_ok (&place, page, "{\"type\":\"consultation.sign\",\"id\":1,\"pin\":\"481516\"}");
  g_assert_null (place.station->screen);
  page_free (page);
  station_down (&place);
}

/* What one station wrote another reads: the picture is the same. */
static void
test_restored (void)
{
  StationPlace place = { 0 };
  station_up (&place);
  Page *page = page_open (&place, CLIENT_CONSOLE);
  assert_ok (&place, page, SIGN_IN);
  assert_ok (&place, page, START);
  assert_ok (&place, page,
             "{\"type\":\"note.save\",\"id\":1,\"note\":\"n\",\"kind\":\"note\",\"text\":\"t\"}");
  const json_t *invite = assert_ok (
      &place, page, "{\"type\":\"invite.create\",\"id\":1,\"role\":\"specialist\",\"name\":\"M\"}");
  g_autofree char *link = g_strdup (text (invite, "link"));
  assert_ok (&place, page, "{\"type\":\"consultation.park\",\"id\":1}");
  const char *session = NULL;
  const json_t *again = assert_ok (&place, page, SIGN_IN);
  session = text (again, "session");
  g_autofree char *resume
      = g_strdup_printf ("{\"type\":\"resume\",\"id\":1,\"session\":\"%s\"}", session);
  page_free (page);
  station_free (place.station);

  station_begin (&place);
  g_assert_cmpuint (place.station->consults->len, ==, 1);
  g_assert_null (place.station->screen); /* it was parked */
  Consult *consult = place.station->consults->pdata[0];
  page = page_open (&place, CLIENT_CONSOLE);
  assert_ok (&place, page, resume);
  g_autofree char *open = g_strdup_printf (
      "{\"type\":\"consultation.open\",\"id\":1,\"consultation\":\"%s\"}", consult->id);
  assert_ok (&place, page, open);
  station_settle (&place);
  g_assert_cmpint (consult->state, ==, CONSULT_LIVE);
  g_assert_cmpuint (json_array_size (consult->notes), ==, 1);
  g_assert_cmpuint (consult->invites->len, ==, 1);
  const Invite *kept = consult->invites->pdata[0];
  g_assert_nonnull (strstr (link, kept->secret));
  page_free (page);
  station_down (&place);
}

/* One session, one page: who resumes takes it over. */
static void
test_session_moves (void)
{
  StationPlace place = { 0 };
  station_up (&place);
  Page *first = page_open (&place, CLIENT_CONSOLE), *second = page_open (&place, CLIENT_CONSOLE);
  g_autofree char *resume = g_strdup_printf ("{\"type\":\"resume\",\"id\":1,\"session\":\"%s\"}",
                                             text (assert_ok (&place, first, SIGN_IN), "session"));
  assert_ok (&place, second, resume);
  g_assert_cmpstr (text (last (first), "type"), ==, "signed-out");
  g_assert_cmpstr (text (last (first), "reason"), ==, "elsewhere");
  assert_refused (&place, first, START, "not-signed-in");
  assert_ok (&place, second, START);
  page_free (first);
  page_free (second);
  station_down (&place);
}

static void
test_flood (void)
{
  StationPlace place = { 0 };
  station_up (&place);
  Page *page = page_open (&place, CLIENT_CONSOLE);
  guint busy = 0;
  for (guint i = 0; i < 1000; i++)
    client_receive (page->client, "{\"type\":\"ping\",\"id\":1}", 22);
  for (guint i = 0; i < page->frames->len; i++)
    busy += strcmp (text (page->frames->pdata[i], "code"), "busy") == 0;
  g_assert_cmpuint (busy, >, 500);
  for (guint i = 0; i < 100; i++)
    page_give (&place, page, "x", 1);
  g_assert_true (page->closed);
  page_free (page);
  station_down (&place);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/protocol/parse", test_parse);
  g_test_add_func ("/protocol/places", test_places);
  g_test_add_func ("/protocol/restored", test_restored);
  g_test_add_func ("/protocol/session-moves", test_session_moves);
  g_test_add_func ("/protocol/flood", test_flood);
  return g_test_run ();
}
