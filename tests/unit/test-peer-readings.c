/* Readings on their way to a page: whole once, then what changes; on a weak link the newest, once
 * a second. What a page puts together again is what was sent, and a second of a monitor fits into
 * a part of a packet. */
#include "station/peer_readings.h"
#include <string.h>

typedef struct {
  GPtrArray *messages;
} Page;

static void
receive (json_t *message, void *arg)
{
  Page *page = arg;
  g_ptr_array_add (page->messages, message);
}

static json_t *
last_message (const Page *page)
{
  return page->messages->pdata[page->messages->len - 1];
}

static void
json_free (void *data)
{
  json_decref (data);
}

static json_t *
reading (const char *vital, const char *text, guint second)
{
  g_autofree char *time = g_strdup_printf ("2026-11-20T02:03:%02u.000Z", second);
  g_autofree char *message = g_strdup_printf ("%u", 100 + second);
  return json_pack ("{s:s, s:s, s:f, s:s, s:s, s:s, s:s, s:s, s:s, s:[], s:b, s:s}", "vital", vital,
                    "code", "MDC_WORD", "value", g_ascii_strtod (text, NULL), "value_text", text,
                    "unit", "/min", "time", time, "received", time, "device", "00A0370000000001",
                    "containment", "1.3.1.150456", "flags", "test", FALSE, "message", message);
}

static void
take (PeerReadings *readings, gboolean weak, json_t *item)
{
  json_auto_t *items = json_array ();
  json_array_append_new (items, item);
  peer_readings_take (readings, items, weak);
}

static void
test_brief (void)
{
  Page page = { .messages = g_ptr_array_new_with_free_func (json_free) };
  PeerReadings *readings = peer_readings_new (receive, &page);
  take (readings, FALSE, reading ("hr", "72", 1));
  json_t *whole = json_array_get (json_object_get (last_message (&page), "items"), 0);
  g_assert_cmpstr (json_string_value (json_object_get (whole, "value_text")), ==, "72");
  g_assert_cmpint (json_integer_value (json_object_get (whole, "no")), ==, 1);
  g_assert_null (json_object_get (last_message (&page), "now"));

  take (readings, FALSE, reading ("hr", "72.0", 2));
  json_auto_t *expected = json_pack ("{s:s, s:[], s:[{s:s, s:s, s:[[i, s]]}]}", "type", "readings",
                                     "items", "now", "time", "2026-11-20T02:03:02.000Z", "received",
                                     "2026-11-20T02:03:02.000Z", "values", 1, "72.0");
  g_assert_true (json_equal (last_message (&page), expected));

  /* The same measurement again is no news; another word is told with all the others. */
  guint told = page.messages->len;
  json_t *again = reading ("hr", "72.0", 2);
  json_object_set_new (again, "received", json_string ("2026-11-20T02:03:09.000Z"));
  take (readings, FALSE, again);
  g_assert_cmpuint (page.messages->len, ==, told);
  json_t *alarm = reading ("hr", "180", 3);
  json_array_append_new (json_object_get (alarm, "flags"), json_string ("HH"));
  take (readings, FALSE, alarm);
  whole = json_array_get (json_object_get (last_message (&page), "items"), 0);
  g_assert_cmpint (json_integer_value (json_object_get (whole, "no")), ==, 1);
  g_assert_cmpuint (json_array_size (json_object_get (whole, "flags")), ==, 1);

  /* No value any more: never told as a number that changed. */
  json_t *absent = reading ("hr", "---", 4);
  json_object_del (absent, "value");
  json_object_set_new (absent, "absent", json_string ("unparsable"));
  take (readings, FALSE, absent);
  whole = json_array_get (json_object_get (last_message (&page), "items"), 0);
  g_assert_cmpstr (json_string_value (json_object_get (whole, "absent")), ==, "unparsable");

  /* A page that knows nothing is told everything. */
  peer_readings_forget (readings);
  take (readings, FALSE, reading ("hr", "72", 5));
  g_assert_cmpuint (json_array_size (json_object_get (last_message (&page), "items")), ==, 1);
  peer_readings_free (readings);
  g_ptr_array_unref (page.messages);
}

static void
test_size (void)
{
  static const char *const vitals[]
      = { "hr", "spo2", "pulse", "resp", "temp", "nibp-sys", "nibp-dia", "nibp-mean" };
  Page page = { .messages = g_ptr_array_new_with_free_func (json_free) };
  PeerReadings *readings = peer_readings_new (receive, &page);
  for (guint second = 1; second <= 2; second++) {
    json_auto_t *items = json_array ();
    for (gsize i = 0; i < G_N_ELEMENTS (vitals); i++)
      json_array_append_new (items, reading (vitals[i], second == 1 ? "118" : "119", second));
    peer_readings_take (readings, items, FALSE);
  }
  gsize size = json_dumpb (last_message (&page), NULL, 0, JSON_COMPACT);
  g_test_message ("eight vital signs: %" G_GSIZE_FORMAT " bytes", size);
  g_assert_cmpuint (size, <, 300);
  peer_readings_free (readings);
  g_ptr_array_unref (page.messages);
}

static gboolean
gave_up (void *arg)
{
  g_error ("nothing was told");
  return G_SOURCE_REMOVE;
}

static void
test_weak (void)
{
  Page page = { .messages = g_ptr_array_new_with_free_func (json_free) };
  PeerReadings *readings = peer_readings_new (receive, &page);
  take (readings, TRUE, reading ("hr", "70", 1));
  g_assert_cmpuint (page.messages->len, ==, 1); /* nothing has to wait yet */
  for (guint second = 2; second < 8; second++)
    take (readings, TRUE, reading ("hr", "71", second));
  take (readings, TRUE, reading ("spo2", "97", 8));
  g_assert_cmpuint (page.messages->len, ==, 1);
  guint timeout = g_timeout_add_seconds (20, gave_up, NULL);
  while (page.messages->len < 2)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timeout);
  json_t *now = json_array_get (json_object_get (last_message (&page), "now"), 0);
  g_assert_cmpstr (json_string_value (json_object_get (now, "time")), ==,
                   "2026-11-20T02:03:07.000Z");
  g_assert_cmpuint (json_array_size (json_object_get (last_message (&page), "items")), ==, 1);
  /* What waits when the page is gone is gone with it. */
  take (readings, TRUE, reading ("hr", "75", 9));
  peer_readings_free (readings);
  g_ptr_array_unref (page.messages);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/peer-readings/brief", test_brief);
  g_test_add_func ("/peer-readings/size", test_size);
  g_test_add_func ("/peer-readings/weak", test_weak);
  return g_test_run ();
}
