/* What pages report of their streams, hostile ones too; rows of the record; names in /metrics. */
#include "station/links.h"
#include <string.h>

#define SECOND G_USEC_PER_SEC

static gboolean
report (Links *links, const char *label, const char *text, gint64 now_us, const char **ret_wrong)
{
  json_auto_t *message = json_loads (text, 0, NULL);
  g_assert_nonnull (message);
  return links_report (links, label, message, now_us, ret_wrong);
}

static void
test_report (void)
{
  static const struct {
    const char *text, *wrong;
  } cases[] = {
    { "{}", "streams" },
    { "{\"streams\":{}}", "streams" },
    { "{\"streams\":[1]}", "stream" },
    { "{\"streams\":[{\"stream\":\"source-room\"}]}", "kind" },
    { "{\"streams\":[{\"stream\":\"source-room\",\"kind\":\"smell\"}]}", "kind" },
    { "{\"streams\":[{\"stream\":\"room\",\"kind\":\"video\"}]}", "stream" },
    { "{\"streams\":[{\"stream\":\"source-\\\"}\\n\",\"kind\":\"video\"}]}", "stream" },
    { "{\"streams\":[{\"stream\":\"source-room\",\"kind\":\"video\",\"freezes\":-1}]}", "freezes" },
    { "{\"streams\":[{\"stream\":\"source-room\",\"kind\":\"video\",\"frames\":1.5}]}", "frames" },
    { "{\"streams\":[{\"stream\":\"source-room\",\"kind\":\"audio\",\"sound_ms\":\"x\"}]}",
      "sound_ms" },
    { "{\"streams\":[{\"stream\":\"source-room\",\"kind\":\"audio\","
      "\"packets\":9223372036854775807}]}",
      "packets" },
  };
  g_autoptr (Links) links = links_new ();
  const char *wrong;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_assert_false (report (links, "g", cases[i].text, SECOND * (i + 1), &wrong));
    g_assert_cmpstr (wrong, ==, cases[i].wrong);
    json_auto_t *nothing = links_json (links, "g");
    g_assert_true (json_is_null (nothing));
  }
  json_auto_t *many = json_pack ("{s:[]}", "streams");
  for (guint i = 0; i <= LINKS_MAX_STREAMS; i++)
    json_array_append_new (json_object_get (many, "streams"),
                           json_pack ("{s:s, s:s}", "stream", "source-a", "kind", "video"));
  g_assert_false (links_report (links, "g", many, SECOND, &wrong));
}

#define FROZEN(n)                                                                                  \
  "{\"streams\":[{\"stream\":\"peer-a\",\"kind\":\"video\",\"freezes\":" #n ",\"packets\":9}]}"

static gint64
freezes (Links *links)
{
  json_auto_t *json = links_json (links, "b");
  const json_t *stream = json_array_get (json_object_get (json, "streams"), 0);
  return json_integer_value (json_object_get (stream, "freezes"));
}

static void
test_often (void)
{
  g_autoptr (Links) links = links_new ();
  const char *wrong;
  g_assert_true (report (links, "b", FROZEN (1), SECOND, &wrong));
  g_assert_true (report (links, "b", FROZEN (2), SECOND + 1, &wrong));
  g_assert_cmpint (freezes (links), ==, 1);
  g_assert_true (report (links, "b", FROZEN (3), 3 * SECOND, &wrong));
  g_assert_cmpint (freezes (links), ==, 3);
}

static void
test_rows (void)
{
  g_autoptr (Links) links = links_new ();
  HubPeerStats stats = { .rtt_ms = 5, .has_path = TRUE };
  guint n = 0;
  g_assert_null (links_row (links, "g", SECOND));
  links_measure (links, "g", "connecting", &stats, NULL);
  g_assert_null (links_row (links, "g", SECOND));
  for (gint64 now = SECOND; now <= 121 * SECOND; now += 2 * SECOND) {
    links_measure (links, "g", "connected", &stats, NULL);
    json_auto_t *row = links_row (links, "g", now);
    n += row != NULL;
  }
  g_assert_cmpuint (n, ==, 3);
  /* A path that changes all the time. */
  for (gint64 now = 122 * SECOND; now <= 222 * SECOND; now += SECOND) {
    stats.ipv6 = !stats.ipv6;
    links_measure (links, "g", "connected", &stats, NULL);
    json_auto_t *row = links_row (links, "g", now);
    n += row != NULL;
  }
  g_assert_cmpuint (n, <=, 3 + 21);
  g_assert_cmpuint (n, >, 10);
}

static void
collect (const LinkView *link, void *arg)
{
  GString *seen = arg;
  g_string_append_printf (seen, "%s:", link->slot);
  for (guint i = 0; i < link->n_streams; i++)
    g_string_append_printf (seen, "%s,", link->streams[i].stream);
}

static void
test_names (void)
{
  g_autoptr (Links) links = links_new ();
  g_autoptr (GString) seen = g_string_new (NULL);
  const char *wrong;
  links_measure (links, "console-1", "connected", NULL, NULL);
  links_measure (links, "a", "connected", NULL, NULL);
  g_assert_true (report (links, "b", FROZEN (1), SECOND, &wrong));
  links_each (links, collect, seen);
  g_assert_cmpstr (seen->str, ==, "console1:guest1:guest2:peer-guest1,");
  links_forget (links, "a");
  links_measure (links, "c", "connected", NULL, NULL);
  g_string_truncate (seen, 0);
  links_each (links, collect, seen);
  g_assert_cmpstr (seen->str, ==, "console1:guest2:guest1:");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/links/report", test_report);
  g_test_add_func ("/links/often", test_often);
  g_test_add_func ("/links/rows", test_rows);
  g_test_add_func ("/links/names", test_names);
  return g_test_run ();
}
