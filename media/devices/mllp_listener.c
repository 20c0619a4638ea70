#include "media/devices/mllp_listener.h"
#include "media/devices/hl7_ack.h"
#include "media/devices/mllp.h"
#include "media/devices/patient_query.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define MAX_CONNECTIONS 64
#define READ_SIZE 16384
/* Messages of one connection that wait for the disk; reading pauses above. */
#define MAX_WAITING 32
#define REMEMBERED 1024

typedef struct {
  grefcount refs;
  MllpListener *listener; /* NULL once the listener is gone */
  GSocketConnection *socket;
  GCancellable *cancel;
  Mllp *mllp;
  char *address;
  GQueue waiting; /* of MllpMessage*, in order of arrival: acknowledged in that order */
  GByteArray *out;
  gboolean reading, writing;
  gboolean ended; /* the other side sends no more; it may still wait for answers */
  guint8 buffer[READ_SIZE];
} Connection;

struct MllpListener {
  GMainContext *context;
  GSocketService *service;
  guint16 port;
  MllpReceive receive;
  MllpProfile profile;
  Wcm *wcm;
  void *arg;
  GPtrArray *connections;  /* of Connection* */
  GHashTable *remembered;  /* digests of messages acknowledged as durable */
  GQueue remembered_order; /* the same, oldest first */
};

struct MllpMessage {
  Connection *connection;
  Hl7Message *message; /* NULL: refused, the answer is ready */
  GPtrArray *answer;   /* frames' contents, of what was refused */
  Hl7Content *content;
  const Profile *profile;
  GBytes *raw;
  char *sender, *digest;
  gboolean duplicate;
  gboolean done; /* under the listener's context only */
  GError *error;
};

static void connection_read (Connection *connection);

/* ---- Messages ----------------------------------------------------------------------------- */

static void
message_free (MllpMessage *message)
{
  g_clear_pointer (&message->message, hl7_free);
  g_clear_pointer (&message->answer, g_ptr_array_unref);
  g_clear_pointer (&message->content, hl7_content_free);
  g_clear_pointer (&message->raw, g_bytes_unref);
  g_free (message->sender);
  g_free (message->digest);
  g_clear_error (&message->error);
  g_free (message);
}

const Hl7Content *
mllp_message_content (MllpMessage *message)
{
  return message->content;
}

GPtrArray *
mllp_message_steal_waves (MllpMessage *message)
{
  GPtrArray *waves = message->content->waves;
  message->content->waves = g_ptr_array_new_with_free_func ((GDestroyNotify)wave_block_free);
  return waves;
}

gboolean
mllp_message_is_acknowledged (MllpMessage *message)
{
  return hl7_is_acknowledged (message->message, message->profile);
}

const Hl7Message *
mllp_message_parsed (MllpMessage *message)
{
  return message->message;
}

GBytes *
mllp_message_raw (MllpMessage *message)
{
  return message->raw;
}

const char *
mllp_message_sender (MllpMessage *message)
{
  return message->sender;
}

gboolean
mllp_message_duplicate (MllpMessage *message)
{
  return message->duplicate;
}

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

static Connection *
connection_ref (Connection *connection)
{
  g_ref_count_inc (&connection->refs);
  return connection;
}

static void
connection_unref (Connection *connection)
{
  if (!g_ref_count_dec (&connection->refs))
    return;
  g_queue_clear_full (&connection->waiting, (GDestroyNotify)message_free);
  g_object_unref (connection->socket);
  g_object_unref (connection->cancel);
  mllp_free (connection->mllp);
  g_byte_array_unref (connection->out);
  g_free (connection->address);
  g_free (connection);
}

static void
connection_close (Connection *connection)
{
  MllpListener *listener = connection->listener;
  if (listener == NULL)
    return;
  connection->listener = NULL;
  g_cancellable_cancel (connection->cancel);
  g_io_stream_close (G_IO_STREAM (connection->socket), NULL, NULL);
  g_ptr_array_remove_fast (listener->connections, connection);
}

static void connection_flush (Connection *connection);

static void
on_written (GObject *stream, GAsyncResult *result, gpointer data)
{
  Connection *connection = data;
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
connection_flush (Connection *connection)
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
queue_frame (Connection *connection, GBytes *message)
{
  gsize length;
  const char *data = g_bytes_get_data (message, &length);
  g_autoptr (GBytes) frame = mllp_frame (data, length);
  g_byte_array_append (connection->out, g_bytes_get_data (frame, NULL), g_bytes_get_size (frame));
}

/* Answers in order of arrival whatever the order in which the disk was done. */
static void
answer_finished (Connection *connection)
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
    message_free (message);
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
  Connection *connection = done->message->connection;
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

static MllpMessage *
enqueue (Connection *connection)
{
  MllpMessage *message = g_new0 (MllpMessage, 1);
  message->connection = connection;
  g_queue_push_tail (&connection->waiting, message);
  return message;
}

/* Told in its turn, after what came before it. */
static void
reject (Connection *connection, const guint8 *data, gsize length, const GError *error)
{
  MllpMessage *message = enqueue (connection);
  message->answer = hl7_reject (data, length, error, g_get_real_time ());
  message->error = g_error_copy (error);
  message->done = TRUE;
  answer_finished (connection);
}

/* The same message again: same bytes from the same device. Without control id and time of its own
 * it is only a message like another, and its readings are new. NULL then. */
static char *
digest_of (const Hl7Message *message, GBytes *raw)
{
  g_autofree char *control = hl7_get (message, 0, 10, 0, 1, 1);
  g_autofree char *time = hl7_get (message, 0, 7, 0, 1, 1);
  /* Asked again, a question wants the answer of now. */
  if (patient_query_is_supported (message))
    return NULL;
  return control != NULL && time != NULL ? g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, raw)
                                         : NULL;
}

static char *
describe_sender (Connection *connection, const Hl7Message *message)
{
  g_autofree char *application = hl7_get (message, 0, 3, 0, 1, 1);
  return g_strdup_printf ("%s %.60s", connection->address, application != NULL ? application : "-");
}

/* Parsed, by the profile of its sender when it has one. */
static Hl7Message *
parse (Connection *connection, const guint8 *data, gsize length, const Profile **ret_profile,
       char **ret_sender, GError **error)
{
  MllpListener *listener = connection->listener;
  g_autoptr (Hl7Message) message = hl7_parse (data, length, NULL, error);
  if (message == NULL)
    return NULL;
  g_autofree char *sender = describe_sender (connection, message);
  const Profile *profile
      = listener->profile != NULL ? listener->profile (message, sender, listener->arg) : NULL;
  const char *charset = profile != NULL ? profile_charset (profile) : NULL;
  if (charset != NULL) {
    hl7_free (g_steal_pointer (&message));
    message = hl7_parse (data, length, charset, error);
  }
  *ret_profile = profile;
  *ret_sender = g_steal_pointer (&sender);
  return g_steal_pointer (&message);
}

/* So that each of them can be known again (Observation.raw, WaveBlock.raw). */
static void
name_content (const MllpMessage *message)
{
  const Hl7Content *content = message->content;
  const char *digest = message->digest;
  gboolean repeats = hl7_is_acknowledged (message->message, message->profile);
  for (guint i = 0; digest != NULL && i < content->observations->len; i++) {
    Observation *o = content->observations->pdata[i];
    o->raw = g_strdup_printf ("%.24s:%u", digest, i);
  }
  for (guint i = 0; digest != NULL && i < content->alarms->len; i++) {
    DeviceAlarm *alarm = content->alarms->pdata[i];
    alarm->origin->raw = g_strdup_printf ("%.24s:a%u", digest, i);
  }
  for (guint i = 0; digest != NULL && repeats && i < content->waves->len; i++) {
    WaveBlock *block = content->waves->pdata[i];
    block->raw = g_strdup_printf ("%.24s:w%u", digest, i);
  }
}

static Hl7Content *
read_content (Connection *connection, const MllpMessage *message)
{
  if (message->duplicate || !hl7_content_is_supported (message->message))
    return hl7_content_new ();
  return hl7_content_read (message->message, message->profile, connection->listener->wcm,
                           g_get_real_time (), g_get_monotonic_time (), connection->address);
}

static void
on_message (const guint8 *data, gsize length, void *arg)
{
  Connection *connection = arg;
  g_autoptr (GError) error = NULL;
  g_autofree char *sender = NULL;
  const Profile *profile = NULL;
  if (connection->listener == NULL)
    return;
  g_autoptr (Hl7Message) parsed = parse (connection, data, length, &profile, &sender, &error);
  if (parsed == NULL) {
    g_info ("mllp: event=refused peer=%s %s", connection->address, error->message);
    reject (connection, data, length, error);
    return;
  }
  MllpMessage *message = enqueue (connection);
  connection_ref (connection); /* until it is done */
  message->raw = g_bytes_new (data, length);
  message->digest = digest_of (parsed, message->raw);
  message->sender = g_steal_pointer (&sender);
  message->profile = profile;
  message->duplicate = message->digest != NULL
                       && g_hash_table_contains (connection->listener->remembered, message->digest);
  message->message = g_steal_pointer (&parsed);
  message->content = read_content (connection, message);
  name_content (message);
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
  Connection *connection = data;
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
connection_read (Connection *connection)
{
  if (connection->listener == NULL || connection->reading || connection->ended
      || connection->out->len > 0 || g_queue_get_length (&connection->waiting) >= MAX_WAITING)
    return;
  connection->reading = TRUE;
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (connection->socket)),
                             connection->buffer, READ_SIZE, G_PRIORITY_DEFAULT, connection->cancel,
                             on_read, connection_ref (connection));
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
  Connection *connection = g_new0 (Connection, 1);
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
