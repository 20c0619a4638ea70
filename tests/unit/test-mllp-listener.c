/* The HL7 listener over real sockets: acknowledged only when durable, in order, once. */
#include "media/devices/mllp_listener.h"
#include <string.h>

typedef struct {
  MllpListener *listener;
  GPtrArray *held; /* messages not yet done */
  gboolean hold, refuse;
  guint readings, duplicates;
} Station;

static void
receive (MllpListener *listener, MllpMessage *message, void *arg)
{
  Station *station = arg;
  if (mllp_message_duplicate (message))
    station->duplicates++;
  else
    station->readings += mllp_message_content (message)->observations->len;
  if (station->hold) {
    g_ptr_array_add (station->held, message);
    return;
  }
  g_autoptr (GError) error = NULL;
  if (station->refuse)
    error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NO_SPACE, "disk full");
  mllp_message_done (message, error);
}

static void
station_start (Station *station)
{
  g_autoptr (GError) error = NULL;
  station->held = g_ptr_array_new ();
  station->listener = mllp_listen ("127.0.0.1", 0, receive, NULL, station, &error);
  g_assert_no_error (error);
}

static void
station_end (Station *station)
{
  mllp_listener_free (station->listener);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_ptr_array_unref (station->held);
}

static GSocketConnection *
connect_to (Station *station)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection = g_socket_client_connect_to_host (
      client, "127.0.0.1", mllp_port (station->listener), NULL, &error);
  g_assert_no_error (error);
  g_socket_set_blocking (g_socket_connection_get_socket (connection), FALSE);
  return connection;
}

static void
send_text (GSocketConnection *connection, const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;
  gssize n
      = g_socket_send (g_socket_connection_get_socket (connection), text, length, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (n, ==, length);
}

static void
send_reading (GSocketConnection *connection, guint id, guint value)
{
  g_autofree char *text
      = g_strdup_printf ("\vMSH|^~\\&|M||||20261120090313+0700||ORU^R01|%u|P|2.6\r"
                         "OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1|%u|262688^^MDC|||||R\r\x1c\r",
                         id, value);
  send_text (connection, text, strlen (text));
}

static gboolean
on_deadline (gpointer data)
{
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Runs the loop until n acknowledgements have come (all text is returned), or a deadline. */
static char *
receive_acks (GSocketConnection *connection, guint n, guint deadline_ms)
{
  GString *got = g_string_new (NULL);
  gboolean late = FALSE;
  guint timer = g_timeout_add (deadline_ms, on_deadline, &late);
  guint seen = 0;
  while (seen < n && !late) {
    char buffer[4096];
    gssize read = g_socket_receive (g_socket_connection_get_socket (connection), buffer,
                                    sizeof buffer, NULL, NULL);
    if (read == 0)
      break;
    if (read > 0)
      g_string_append_len (got, buffer, read);
    else
      g_main_context_iteration (NULL, FALSE);
    seen = 0;
    for (gsize i = 0; i < got->len; i++)
      seen += got->str[i] == 0x1c;
  }
  if (!late)
    g_source_remove (timer);
  return g_string_free (got, FALSE);
}

static void
test_ack_after_durable (void)
{
  Station station = { .hold = TRUE };
  station_start (&station);
  g_autoptr (GSocketConnection) monitor = connect_to (&station);
  send_reading (monitor, 1, 96);
  send_reading (monitor, 2, 97);
  g_autofree char *early = receive_acks (monitor, 1, 300);
  g_assert_cmpstr (early, ==, "");
  g_assert_cmpuint (station.held->len, ==, 2);
  /* The disk finishes the second first; the monitor hears of the first first. */
  mllp_message_done (g_ptr_array_index (station.held, 1), NULL);
  mllp_message_done (g_ptr_array_index (station.held, 0), NULL);
  g_autofree char *acks = receive_acks (monitor, 2, 5000);
  const char *one = strstr (acks, "MSA|AA|1"), *two = strstr (acks, "MSA|AA|2");
  g_assert_nonnull (one);
  g_assert_nonnull (two);
  g_assert_true (one < two);
  station_end (&station);
}

static void
test_refused_and_repeated (void)
{
  Station station = { .refuse = TRUE };
  station_start (&station);
  g_autoptr (GSocketConnection) monitor = connect_to (&station);
  send_reading (monitor, 1, 96);
  g_autofree char *refused = receive_acks (monitor, 1, 5000);
  g_assert_nonnull (strstr (refused, "MSA|AE|1|disk full"));
  station.refuse = FALSE;
  for (guint i = 0; i < 3; i++) {
    send_reading (monitor, 1, 96);
    g_autofree char *ack = receive_acks (monitor, 1, 5000);
    g_assert_nonnull (strstr (ack, "MSA|AA|1"));
  }
  g_assert_cmpuint (station.duplicates, ==, 2);
  station_end (&station);
}

static void
test_dirty_stream (void)
{
  Station station = { 0 };
  station_start (&station);
  g_autoptr (GSocketConnection) monitor = connect_to (&station);
  send_text (monitor, "\0\0noise\r\n\vno message\x1c\r", 22);
  g_autofree char *refusal = receive_acks (monitor, 1, 5000);
  g_assert_nonnull (strstr (refusal, "MSA|AR|"));
  static const char ADT[] = "\vMSH|^~\\&|M||||20261120090313||ADT^A01|9|P|2.6\rPID|1\r\x1c\r";
  send_text (monitor, ADT, sizeof ADT - 1);
  g_autofree char *unsupported = receive_acks (monitor, 1, 5000);
  g_assert_nonnull (strstr (unsupported, "MSA|AR|9|"));
  send_reading (monitor, 3, 95);
  g_autofree char *ack = receive_acks (monitor, 1, 5000);
  g_assert_nonnull (strstr (ack, "MSA|AA|3"));
  g_assert_cmpuint (station.readings, ==, 1);
  station_end (&station);
}

/* Two messages and a batch in one frame, and one that is refused between: each is answered, by its
 * own control id, in order. */
static void
test_each_message_is_answered (void)
{
  static const char HEAD[] = "MSH|^~\\&|M||||20261120090313+0700||";
  static const char ROW[] = "|P|2.6\rOBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1|96|%\r";
  Station station = { .hold = TRUE };
  station_start (&station);
  g_autoptr (GSocketConnection) monitor = connect_to (&station);
  g_autofree char *text = g_strdup_printf (
      "\vFHS|^~\\&\rBHS|^~\\&\r%sORU^R01|a%s%sADT^A01|b|P|2.6\r%sORU^R01|c%sBTS|3\r"
      "FTS|1\r\x1c\r\vMSH|\x1c\r\v%sORU^R01|d%s\x1c\r",
      HEAD, ROW, HEAD, HEAD, ROW, HEAD, ROW);
  send_text (monitor, text, strlen (text));
  g_autofree char *early = receive_acks (monitor, 1, 300);
  g_assert_cmpstr (early, ==, "");
  g_assert_cmpuint (station.held->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    mllp_message_done (g_ptr_array_index (station.held, i), NULL);
  g_autofree char *acks = receive_acks (monitor, 5, 5000);
  const char *order[] = { "MSA|AA|a", "MSA|AR|b", "MSA|AA|c", "MSA|AR||", "MSA|AA|d" };
  const char *at = acks;
  for (guint i = 0; i < G_N_ELEMENTS (order); i++) {
    at = strstr (at, order[i]);
    g_assert_nonnull (at);
  }
  station_end (&station);
}

static void
test_too_long_is_answered (void)
{
  Station station = { 0 };
  station_start (&station);
  g_autoptr (GSocketConnection) monitor = connect_to (&station);
  g_autoptr (GString) text
      = g_string_new ("\vMSH|^~\\&|M||||20261120090313||ORU^R01|big|P|2.4\rOBX|1|TX|x||");
  while (text->len <= 1024 * 1024)
    g_string_append (text, "0123456789abcdef");
  g_string_append (text, "\r\x1c\r");
  GSocket *socket = g_socket_connection_get_socket (monitor);
  for (gsize at = 0; at < text->len;) {
    gssize n = g_socket_send (socket, text->str + at, text->len - at, NULL, NULL);
    at += MAX (n, 0);
    g_main_context_iteration (NULL, FALSE);
  }
  g_autofree char *ack = receive_acks (monitor, 1, 5000);
  g_assert_nonnull (strstr (ack, "MSA|AR|big|longer than"));
  send_reading (monitor, 3, 95);
  g_autofree char *next = receive_acks (monitor, 1, 5000);
  g_assert_nonnull (strstr (next, "MSA|AA|3"));
  station_end (&station);
}

/* A sender that closes its half after the message still gets its answer, then the end. */
static void
test_half_closed (void)
{
  Station station = { .hold = TRUE };
  station_start (&station);
  g_autoptr (GSocketConnection) monitor = connect_to (&station);
  send_reading (monitor, 1, 96);
  g_assert_true (g_socket_shutdown (g_socket_connection_get_socket (monitor), FALSE, TRUE, NULL));
  g_autofree char *early = receive_acks (monitor, 1, 300);
  g_assert_cmpstr (early, ==, "");
  mllp_message_done (g_ptr_array_index (station.held, 0), NULL);
  g_autofree char *acks = receive_acks (monitor, 2, 5000);
  g_assert_nonnull (strstr (acks, "MSA|AA|1"));
  g_assert_cmpint (
      g_socket_receive (g_socket_connection_get_socket (monitor), (char[1]){ 0 }, 1, NULL, NULL),
      ==, 0);
  station_end (&station);
}

/* Without control id and time the same bytes are a new reading of the same value. */
static void
test_anonymous_is_no_duplicate (void)
{
  static const char TEXT[]
      = "\vMSH|^~\\&|M||||||ORU^R01||P|2.3\rOBX|1|NM|150456^^MDC|1|96|%\r\x1c\r";
  Station station = { 0 };
  station_start (&station);
  g_autoptr (GSocketConnection) monitor = connect_to (&station);
  for (guint i = 0; i < 2; i++) {
    send_text (monitor, TEXT, sizeof TEXT - 1);
    g_autofree char *ack = receive_acks (monitor, 1, 5000);
    g_assert_nonnull (strstr (ack, "MSA|AA|"));
  }
  g_assert_cmpuint (station.readings, ==, 2);
  g_assert_cmpuint (station.duplicates, ==, 0);
  station_end (&station);
}

static void
test_gone_before_durable (void)
{
  Station station = { .hold = TRUE };
  station_start (&station);
  GSocketConnection *monitor = connect_to (&station);
  send_reading (monitor, 1, 96);
  while (station.held->len == 0)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (monitor);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  mllp_message_done (g_ptr_array_index (station.held, 0), NULL);
  station_end (&station);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mllp-listener/ack-after-durable", test_ack_after_durable);
  g_test_add_func ("/mllp-listener/refused-and-repeated", test_refused_and_repeated);
  g_test_add_func ("/mllp-listener/dirty-stream", test_dirty_stream);
  g_test_add_func ("/mllp-listener/each-message-is-answered", test_each_message_is_answered);
  g_test_add_func ("/mllp-listener/too-long-is-answered", test_too_long_is_answered);
  g_test_add_func ("/mllp-listener/half-closed", test_half_closed);
  g_test_add_func ("/mllp-listener/anonymous-is-no-duplicate", test_anonymous_is_no_duplicate);
  g_test_add_func ("/mllp-listener/gone-before-durable", test_gone_before_durable);
  return g_test_run ();
}
