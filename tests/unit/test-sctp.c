#include "media/transport/channel.h"
#include <string.h>

/* Two associations in one loop; packets wait in queues, every nth is lost. */
typedef struct End {
  struct End *other;
  Sctp *sctp;
  Channels *channels;
  GQueue incoming; /* GBytes */
  guint sent, lose_every;
  gsize largest;
  gboolean up, down, ended;
  GString *changes;   /* "+data -data" */
  GPtrArray *got;     /* GBytes */
  GString *got_kinds; /* t or b per message */
  gsize got_bytes;
} End;

static void
on_send (Sctp *sctp, const guint8 *packet, gsize size, void *arg)
{
  End *end = arg;
  end->largest = MAX (end->largest, size);
  end->sent++;
  if (end->other->ended || (end->lose_every && end->sent % end->lose_every == 0))
    return;
  g_queue_push_tail (&end->other->incoming, g_bytes_new (packet, size));
}

static void
on_up (Sctp *sctp, void *arg)
{
  End *end = arg;
  end->up = TRUE;
}

static void
on_down (Sctp *sctp, void *arg)
{
  End *end = arg;
  end->down = TRUE;
  channels_down (end->channels);
}

static void
on_message (Sctp *sctp, guint16 stream, guint32 ppid, GBytes *data, void *arg)
{
  End *end = arg;
  channels_receive (end->channels, stream, ppid, data);
}

static void
on_reset (Sctp *sctp, guint16 stream, void *arg)
{
  End *end = arg;
  channels_reset (end->channels, stream);
}

static const SctpEvents sctp_events
    = { .send = on_send, .up = on_up, .down = on_down, .message = on_message, .reset = on_reset };

static void
on_change (Channels *channels, const char *label, gboolean open, void *arg)
{
  End *end = arg;
  g_string_append_printf (end->changes, "%c%s ", open ? '+' : '-', label);
}

static void
on_channel_message (Channels *channels, const char *label, gboolean text, GBytes *data, void *arg)
{
  End *end = arg;
  g_ptr_array_add (end->got, g_bytes_ref (data));
  g_string_append_c (end->got_kinds, text ? 't' : 'b');
  end->got_bytes += g_bytes_get_size (data);
}

static const ChannelEvents channel_events = { .change = on_change, .message = on_channel_message };

static void
end_init (End *end, End *other, gboolean client)
{
  g_autoptr (GError) error = NULL;
  *end = (End){ .other = other,
                .changes = g_string_new (NULL),
                .got_kinds = g_string_new (NULL),
                .got = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref) };
  end->sctp = sctp_new (NULL, SCTP_PORT, 1160, &sctp_events, end, &error);
  g_assert_no_error (error);
  end->channels = channels_new (end->sctp, client, 0, &channel_events, end);
}

static void
end_clear (End *end)
{
  channels_free (end->channels);
  sctp_free (end->sctp);
  g_queue_clear_full (&end->incoming, (GDestroyNotify)g_bytes_unref);
  g_string_free (end->changes, TRUE);
  g_string_free (end->got_kinds, TRUE);
  g_ptr_array_unref (end->got);
  end->ended = TRUE;
}

static void
deliver (End *end)
{
  g_autoptr (GBytes) bytes = g_queue_pop_head (&end->incoming);
  gsize size;
  if (!bytes || end->ended)
    return;
  const guint8 *packet = g_bytes_get_data (bytes, &size);
  sctp_receive (end->sctp, packet, size);
}

#define RUN_UNTIL(a, b, condition)                                                                 \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 end_us_ = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;                                \
    while (!(condition)) {                                                                         \
      g_assert_cmpint (g_get_monotonic_time (), <, end_us_);                                       \
      deliver (a);                                                                                 \
      deliver (b);                                                                                 \
      g_main_context_iteration (NULL, !(a)->incoming.length && !(b)->incoming.length);             \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

static GBytes *
make_message (gsize size, guint seed)
{
  guint8 *bytes = g_malloc (size);
  for (gsize i = 0; i < size; i++)
    bytes[i] = (guint8)(i * 31 + i / 251 + seed);
  return g_bytes_new_take (bytes, size);
}

static void
send_ok (End *end, const char *label, gboolean text, GBytes *data)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = channels_send (end->channels, label, text, data, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
}

static void
start (End *a, End *b)
{
  end_init (a, b, FALSE);
  end_init (b, a, TRUE);
  RUN_UNTIL (a, b, a->up && b->up);
  g_assert_true (channels_open (a->channels, "data", FALSE, 0));
  g_assert_true (channels_open (a->channels, "wave", TRUE, 1500));
  RUN_UNTIL (a, b, strcmp (a->changes->str, "+data +wave ") == 0);
  g_assert_cmpstr (b->changes->str, ==, "+data +wave ");
}

static void
test_both_ways (void)
{
  End a, b;
  start (&a, &b);
  g_autoptr (GBytes) text = g_bytes_new_static ("{\"type\":\"clock\"}", 16);
  g_autoptr (GBytes) empty = g_bytes_new_static ("", 0);
  g_autoptr (GBytes) large = make_message (SCTP_MAX_MESSAGE, 3);
  send_ok (&a, "data", TRUE, text);
  send_ok (&a, "data", TRUE, empty);
  send_ok (&a, "data", FALSE, large);
  send_ok (&b, "data", FALSE, large);
  send_ok (&b, "wave", FALSE, empty);
  RUN_UNTIL (&a, &b, b.got->len == 3 && a.got->len == 2);
  g_assert_cmpstr (b.got_kinds->str, ==, "ttb");
  g_assert_true (g_bytes_equal (g_ptr_array_index (b.got, 0), text));
  g_assert_true (g_bytes_equal (g_ptr_array_index (b.got, 1), empty));
  g_assert_true (g_bytes_equal (g_ptr_array_index (b.got, 2), large));
  g_assert_cmpuint (MAX (a.largest, b.largest), <=, 1160);
  g_assert_cmpuint (MAX (a.largest, b.largest), >, 1000);
  end_clear (&a);
  end_clear (&b);
}

static void
test_loss (void)
{
  End a, b;
  start (&a, &b);
  a.lose_every = 7;
  b.lose_every = 11;
  for (guint i = 0; i < 8; i++) {
    g_autoptr (GBytes) message = make_message (50000 + i, i);
    send_ok (&a, "data", FALSE, message);
    send_ok (&b, "data", FALSE, message);
  }
  RUN_UNTIL (&a, &b, a.got->len == 8 && b.got->len == 8);
  for (guint i = 0; i < 8; i++) {
    g_autoptr (GBytes) message = make_message (50000 + i, i);
    g_assert_true (g_bytes_equal (g_ptr_array_index (a.got, i), message));
    g_assert_true (g_bytes_equal (g_ptr_array_index (b.got, i), message));
  }
  end_clear (&a);
  end_clear (&b);
}

static void
test_limits (void)
{
  End a, b;
  start (&a, &b);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) too_large = make_message (SCTP_MAX_MESSAGE + 1, 0);
  g_autoptr (GBytes) large = make_message (SCTP_MAX_MESSAGE, 0);
  g_assert_false (channels_send (a.channels, "data", FALSE, too_large, &error));
  g_assert_nonnull (strstr (error->message, "the limit is 262144"));
  g_clear_error (&error);
  g_assert_false (channels_send (a.channels, "other", FALSE, large, &error));
  g_assert_nonnull (strstr (error->message, "\"other\" is not open"));
  g_clear_error (&error);
  guint n = 0;
  while (channels_send (a.channels, "data", FALSE, large, &error) && n < 100)
    n++;
  g_assert_cmpuint (n, >=, SCTP_MAX_WAITING / SCTP_MAX_MESSAGE);
  g_assert_cmpuint (n, <=, SCTP_MAX_WAITING / SCTP_MAX_MESSAGE + 6);
  g_assert_nonnull (strstr (error->message, "wait already"));
  RUN_UNTIL (&a, &b, b.got->len == n);
  g_assert_cmpuint (b.got_bytes, ==, n * SCTP_MAX_MESSAGE);
  end_clear (&a);
  end_clear (&b);
}

static void
test_close (void)
{
  End a, b;
  start (&a, &b);
  /* The page closes one channel: ours is told, the other one lives. */
  sctp_reset_stream (b.sctp, 1);
  RUN_UNTIL (&a, &b, g_str_has_suffix (a.changes->str, "-data "));
  g_autoptr (GBytes) text = g_bytes_new_static ("x", 1);
  send_ok (&a, "wave", TRUE, text);
  RUN_UNTIL (&a, &b, b.got->len == 1);
  /* One side goes away: the other notices at once. */
  end_clear (&a);
  RUN_UNTIL (&b, &b, b.down);
  g_assert_nonnull (strstr (b.changes->str, "-wave "));
  end_clear (&b);
}

static void
test_too_many_channels (void)
{
  End a, b;
  start (&a, &b);
  for (guint i = 0; i < 30; i++) {
    g_autofree char *label = g_strdup_printf ("x%u", i);
    channels_open (b.channels, label, FALSE, 0);
  }
  g_assert_true (strlen (b.changes->str) < 200);
  g_assert_false (channels_open (b.channels, "data", FALSE, 0));
  RUN_UNTIL (&a, &b, strstr (b.changes->str, "+x13 "));
  g_assert_null (strstr (a.changes->str, "+x14 "));
  end_clear (&a);
  end_clear (&b);
}

/* Nothing may come on another thread than the owner's, though all share the library's timers. */
static void
test_two_loops (void)
{
  g_autoptr (GMainContext) other = g_main_context_new ();
  End a, b;
  start (&a, &b);
  End c = { .other = &a, .ended = TRUE };
  g_autoptr (GError) error = NULL;
  c.sctp = sctp_new (other, SCTP_PORT, 1160, &sctp_events, &c, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) large = make_message (100000, 0);
  send_ok (&a, "data", FALSE, large);
  RUN_UNTIL (&a, &b, b.got->len == 1);
  g_assert_cmpuint (c.sent, ==, 0); /* its loop has not run */
  a.ended = TRUE;
  while (c.sent < 2)
    g_main_context_iteration (other, TRUE);
  a.ended = FALSE;
  sctp_free (c.sctp);
  end_clear (&a);
  end_clear (&b);
}

static void
test_dcep (void)
{
  DcepOpen open = { .unordered = TRUE, .lifetime_ms = 70000, .label = "sóng" }, read;
  g_autoptr (GBytes) message = dcep_write_open (&open);
  gsize size;
  const guint8 *data = g_bytes_get_data (message, &size);
  g_assert_true (dcep_parse_open (data, size, &read));
  g_assert_cmpstr (read.label, ==, "sóng");
  g_assert_cmpuint (read.lifetime_ms, ==, 70000);
  g_assert_true (read.unordered);
  for (gsize i = 0; i < size; i++)
    g_assert_false (dcep_parse_open (data, i, &read));
  guint8 bytes[64];
  for (guint i = 0; i < 20000; i++) {
    for (gsize j = 0; j < sizeof bytes; j++)
      bytes[j] = (guint8)g_test_rand_int ();
    bytes[0] = 3;
    bytes[8] = bytes[10] = 0;
    dcep_parse_open (bytes, (gsize)g_test_rand_int_range (0, sizeof bytes), &read);
  }
}

static void
test_rubbish (void)
{
  End a, b;
  start (&a, &b);
  guint8 bytes[600];
  for (guint i = 0; i < 3000; i++) {
    gsize size = (gsize)g_test_rand_int_range (0, sizeof bytes);
    for (gsize j = 0; j < size; j++)
      bytes[j] = (guint8)g_test_rand_int ();
    if (size > 4)
      memcpy (bytes, "\x13\x88\x13\x88", 4);
    sctp_receive (a.sctp, bytes, size);
    g_autoptr (GBytes) message = g_bytes_new (bytes, size);
    channels_receive (a.channels, (guint16)(i % 5), 50 + i % 8, message);
  }
  g_autoptr (GBytes) text = g_bytes_new_static ("x", 1);
  guint before = b.got->len;
  send_ok (&a, "data", TRUE, text);
  RUN_UNTIL (&a, &b, b.got->len > before);
  end_clear (&a);
  end_clear (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dcep/open", test_dcep);
  g_test_add_func ("/sctp/both-ways", test_both_ways);
  g_test_add_func ("/sctp/loss", test_loss);
  g_test_add_func ("/sctp/limits", test_limits);
  g_test_add_func ("/sctp/close", test_close);
  g_test_add_func ("/sctp/too-many-channels", test_too_many_channels);
  g_test_add_func ("/sctp/two-loops", test_two_loops);
  g_test_add_func ("/sctp/rubbish", test_rubbish);
  return g_test_run ();
}
