#include "media/devices/mllp_private.h"
#include "media/devices/hl7_ack.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define MAX_CONNECTIONS 64
/* Messages of one connection that wait for the disk; reading pauses above. */
#define MAX_WAITING 32
#define REMEMBERED 1024

static void connection_read (MllpConnection *connection);

/* ---- What was acknowledged ---------------------------------------------------------------- */

static void
remember (MllpListener *listener, const char *digest)
{
  if (digest == NULL || g_hash_table_contains (listener->remembered, digest))
    return;
  if (g_queue_get_length (&listener->remembered_order) == REMEMBERED)
    g_hash_table_remove (listener->remembered, g_queue_pop_head (&listener->remembered_order));
  char *copy = g_strdup (digest);
  g_hash_table_add (listener->remembered, copy);
  g_queue_push_tail (&listener->remembered_order, copy);
}

/* ---- Connections -------------------------------------------------------------------------- */

static MllpConnection *
connection_ref (MllpConnection *connection)
{
  g_ref_count_inc (&connection->refs);
  return connection;
}

static void
connection_unref (MllpConnection *connection)
{
  if (!g_ref_count_dec (&connection->refs))
    return;
  g_queue_clear_full (&connection->waiting, (GDestroyNotify)mllp_message_free);
  g_object_unref (connection->socket);
  g_object_unref (connection->cancel);
  mllp_free (connection->mllp);
  g_byte_array_unref (connection->out);
  g_free (connection->address);
  g_free (connection);
}

static void
connection_close (MllpConnection *connection)
{
  MllpListener *listener = connection->listener;
  if (listener == NULL)
    return;
  connection->listener = NULL;
  g_cancellable_cancel (connection->cancel);
  g_io_stream_close (G_IO_STREAM (connection->socket), NULL, NULL);
  g_ptr_array_remove_fast (listener->connections, connection);
}

static void connection_flush (MllpConnection *connection);

static void
on_written (GObject *stream, GAsyncResult *result, gpointer data)
{
  MllpConnection *connection = data;
  g_autoptr (GError) error = NULL;
  gssize n = g_output_stream_write_finish (G_OUTPUT_STREAM (stream), result, &error);
  connection->writing = FALSE;
  if (n < 0)
    connection_close (connection);
  else {
    g_byte_array_remove_range (connection->out, 0, n);
    connection_flush (connection);
  }
  connection_unref (connection);
}

static void
connection_flush (MllpConnection *connection)
{
  if (connection->writing || connection->listener == NULL)
    return;
  if (connection->out->len == 0) {
    if (connection->ended && g_queue_is_empty (&connection->waiting))
      connection_close (connection);
    else
      connection_read (connection);
    return;
  }
  connection->writing = TRUE;
  g_output_stream_write_async (g_io_stream_get_output_stream (G_IO_STREAM (connection->socket)),
                               connection->out->data, connection->out->len, G_PRIORITY_DEFAULT,
                               connection->cancel, on_written, connection_ref (connection));
}

static void
queue_frame (MllpConnection *connection, GBytes *message)
{
  gsize length;
  const char *data = g_bytes_get_data (message, &length);
  g_autoptr (GBytes) frame = mllp_frame (data, length);
  g_byte_array_append (connection->out, g_bytes_get_data (frame, NULL), g_bytes_get_size (frame));
}

/* Answers in order of arrival whatever the order in which the disk was done. */
static void
answer_finished (MllpConnection *connection)
{
  MllpMessage *message;
  while ((message = g_queue_peek_head (&connection->waiting)) != NULL && message->done) {
    g_queue_pop_head (&connection->waiting);
    g_autoptr (GPtrArray) replies = message->answer != NULL
                                        ? g_ptr_array_ref (message->answer)
                                        : hl7_acknowledge (message->message, message->profile,
                                                           message->error, g_get_real_time ());
    for (guint i = 0; i < replies->len; i++)
      queue_frame (connection, g_ptr_array_index (replies, i));
    if (message->error == NULL && connection->listener != NULL)
      remember (connection->listener, message->digest);
    mllp_message_free (message);
  }
  connection_flush (connection);
}

typedef struct {
  MllpMessage *message;
  GError *error;
} Done;

static gboolean
on_done (gpointer data)
{
  Done *done = data;
  MllpConnection *connection = done->message->connection;
  done->message->done = TRUE;
  done->message->error = done->error;
  answer_finished (connection);
  connection_unref (connection);
  g_free (done);
  return G_SOURCE_REMOVE;
}

void
mllp_message_done (MllpMessage *message, const GError *error)
{
  Done *done = g_new0 (Done, 1);
  done->message = message;
  done->error = error != NULL ? g_error_copy (error) : NULL;
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_done, done, NULL);
  g_source_attach (source, g_object_get_data (G_OBJECT (message->connection->socket), "context"));
}

void
mllp_message_answer (MllpMessage *message, GBytes *answer)
{
  message->answer
      = hl7_acknowledge_with (message->message, message->profile, answer, g_get_real_time ());
  mllp_message_done (message, NULL);
}

/* Told in its turn, after what came before it. */
static void
reject (MllpConnection *connection, const guint8 *data, gsize length, const GError *error)
{
  MllpMessage *message = g_new0 (MllpMessage, 1);
  message->connection = connection;
  g_queue_push_tail (&connection->waiting, message);
  message->answer = hl7_reject (data, length, error, g_get_real_time ());
  message->error = g_error_copy (error);
  message->done = TRUE;
  answer_finished (connection);
}

static void
on_message (const guint8 *data, gsize length, void *arg)
{
  MllpConnection *connection = arg;
  g_autoptr (GError) error = NULL;
  if (connection->listener == NULL)
    return;
  MllpMessage *message = mllp_message_read (connection, data, length, &error);
  if (message == NULL) {
    g_info ("mllp: event=refused peer=%s %s", connection->address, error->message);
    reject (connection, data, length, error);
    return;
  }
  g_queue_push_tail (&connection->waiting, message);
  connection_ref (connection); /* until it is done */
  if (!hl7_content_is_supported (message->message)) {
    error = g_error_new_literal (HL7_ERROR, HL7_ERROR_TYPE,
                                 "message type not supported; this port takes ORU^R01, ORU^R40, "
                                 "QRY^A19, QRY^R02 and QBP^Q22");
    mllp_message_done (message, error);
    return;
  }
  connection->listener->receive (connection->listener, message, connection->listener->arg);
}

static void
on_frame (const guint8 *data, gsize length, void *arg)
{
  hl7_split (data, length, on_message, arg);
}

static void
on_read (GObject *stream, GAsyncResult *result, gpointer data)
{
  MllpConnection *connection = data;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (stream), result, NULL);
  connection->reading = FALSE;
  if (n < 0) {
    connection_close (connection);
  } else if (n == 0) {
    connection->ended = TRUE;
    connection_flush (connection);
  } else {
    mllp_feed (connection->mllp, connection->buffer, n, on_frame, connection);
    connection_flush (connection);
  }
  connection_unref (connection);
}

static void
connection_read (MllpConnection *connection)
{
  if (connection->listener == NULL || connection->reading || connection->ended
      || connection->out->len > 0 || g_queue_get_length (&connection->waiting) >= MAX_WAITING)
    return;
  connection->reading = TRUE;
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (connection->socket)),
                             connection->buffer, MLLP_READ_SIZE, G_PRIORITY_DEFAULT,
                             connection->cancel, on_read, connection_ref (connection));
}

static char *
remote_address (GSocketConnection *socket)
{
  g_autoptr (GSocketAddress) address = g_socket_connection_get_remote_address (socket, NULL);
  return G_IS_INET_SOCKET_ADDRESS (address) ? g_inet_address_to_string (
             g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)))
                                            : g_strdup ("unknown");
}

/* Sockets stay open for days; a monitor that was switched off must be noticed before its next
 * connections have used up what we allow: after about two minutes. */
static void
keep_alive (GSocket *socket)
{
  g_socket_set_keepalive (socket, TRUE);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPIDLE, 60, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPINTVL, 15, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPCNT, 4, NULL);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *socket, GObject *source, gpointer data)
{
  MllpListener *listener = data;
  if (listener->connections->len >= MAX_CONNECTIONS) {
    g_warning ("mllp: event=refused more than %d connections", MAX_CONNECTIONS);
    return TRUE;
  }
  MllpConnection *connection = g_new0 (MllpConnection, 1);
  g_ref_count_init (&connection->refs);
  connection->listener = listener;
  connection->socket = g_object_ref (socket);
  connection->cancel = g_cancellable_new ();
  connection->mllp = mllp_new ();
  connection->address = remote_address (socket);
  connection->out = g_byte_array_new ();
  g_queue_init (&connection->waiting);
  g_object_set_data_full (G_OBJECT (socket), "context", g_main_context_ref (listener->context),
                          (GDestroyNotify)g_main_context_unref);
  keep_alive (g_socket_connection_get_socket (socket));
  g_ptr_array_add (listener->connections, connection);
  connection_read (connection);
  return TRUE;
}

/* ---- The listener ------------------------------------------------------------------------- */

MllpListener *
mllp_listen (const char *address, guint16 port, MllpReceive receive, MllpProfile profile, void *arg,
             GError **error)
{
  g_autoptr (GSocketAddress) place = g_inet_socket_address_new_from_string (address, port);
  if (place == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "\"%s\" is not an IP address to listen on", address);
    return NULL;
  }
  g_autoptr (GSocketService) service = g_socket_service_new ();
  g_autoptr (GSocketAddress) bound = NULL;
  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (service), place, G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, NULL, &bound, error)) {
    g_prefix_error (error, "cannot listen for HL7 on %s port %u: ", address, port);
    return NULL;
  }
  MllpListener *listener = g_new0 (MllpListener, 1);
  listener->context = g_main_context_ref_thread_default ();
  listener->service = g_steal_pointer (&service);
  listener->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  listener->receive = receive;
  listener->profile = profile;
  listener->wcm = wcm_new ();
  listener->arg = arg;
  listener->connections = g_ptr_array_new_with_free_func ((GDestroyNotify)connection_unref);
  listener->remembered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_signal_connect (listener->service, "incoming", G_CALLBACK (on_incoming), listener);
  g_socket_service_start (listener->service);
  return listener;
}

guint16
mllp_port (MllpListener *listener)
{
  return listener->port;
}

void
mllp_listener_free (MllpListener *listener)
{
  g_socket_service_stop (listener->service);
  g_signal_handlers_disconnect_by_data (listener->service, listener);
  g_socket_listener_close (G_SOCKET_LISTENER (listener->service));
  while (listener->connections->len > 0)
    connection_close (g_ptr_array_index (listener->connections, 0));
  g_object_unref (listener->service);
  g_ptr_array_unref (listener->connections);
  g_queue_clear (&listener->remembered_order);
  g_hash_table_unref (listener->remembered);
  wcm_free (listener->wcm);
  g_main_context_unref (listener->context);
  g_free (listener);
}
