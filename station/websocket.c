/* The carrier of the protocol: frames in and out of libwebsockets. */
#include "station/server_private.h"

#include <string.h>

static void
drop_out (void *data)
{
  g_bytes_unref (data);
}

static void
send_frame (Client *client, const char *text, gsize length, void *arg)
{
  Connection *connection = arg;
  if (connection->closing)
    return;
  if (connection->out_bytes + length > SERVER_OUT_MAX) {
    g_info ("server: a page takes nothing any more; closing");
    connection->closing = TRUE;
    g_queue_clear_full (connection->out, drop_out);
    connection->out_bytes = 0;
    lws_callback_on_writable (connection->wsi);
    return;
  }
  guint8 *padded = g_malloc (LWS_PRE + length);
  memcpy (padded + LWS_PRE, text, length);
  g_queue_push_tail (connection->out, g_bytes_new_take (padded, LWS_PRE + length));
  connection->out_bytes += length;
  lws_callback_on_writable (connection->wsi);
}

static void
close_socket (Client *client, void *arg)
{
  Connection *connection = arg;
  connection->closing = TRUE;
  lws_callback_on_writable (connection->wsi);
}

static const ClientEvents client_events = { .send = send_frame, .close = close_socket };

static int
established (struct lws *wsi, Connection *connection)
{
  g_autofree char *path = server_header (wsi, WSI_TOKEN_GET_URI);
  ClientKind kind = g_strcmp0 (path, "/ws/join") == 0   ? CLIENT_JOIN
                    : g_strcmp0 (path, "/ws/desk") == 0 ? CLIENT_DESK
                                                        : CLIENT_CONSOLE;
  server_use (wsi, CROWD_SOCKET);
  connection->wsi = wsi;
  connection->in = g_byte_array_new ();
  connection->out = g_queue_new ();
  connection->client = client_new (server_of (wsi)->station, kind, server_is_local (wsi),
                                   &client_events, connection);
  return 0;
}

static int
write_next (struct lws *wsi, Connection *connection)
{
  GBytes *frame = connection->out != NULL ? g_queue_pop_head (connection->out) : NULL;
  if (frame == NULL) {
    if (!connection->closing)
      return 0;
    lws_close_reason (wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
    return -1;
  }
  gsize size;
  /* libwebsockets writes into the LWS_PRE bytes in front; nobody else has these bytes. */
  guint8 *bytes = (guint8 *)g_bytes_get_data (frame, &size);
  gsize length = size - LWS_PRE;
  int written = lws_write (wsi, bytes + LWS_PRE, length, LWS_WRITE_TEXT);
  connection->out_bytes -= length;
  g_bytes_unref (frame);
  if (written < (int)length)
    return -1;
  if (!g_queue_is_empty (connection->out) || connection->closing)
    lws_callback_on_writable (wsi);
  return 0;
}

static int
received (struct lws *wsi, Connection *connection, const void *in, size_t length)
{
  if (connection->closing)
    return 0;
  if (lws_frame_is_binary (wsi)) {
    lws_close_reason (wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, NULL, 0);
    return -1;
  }
  if (lws_is_first_fragment (wsi))
    g_byte_array_set_size (connection->in, 0);
  if (connection->in->len + length > CLIENT_MAX_FRAME) {
    lws_close_reason (wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
    return -1;
  }
  g_byte_array_append (connection->in, in, (guint)length);
  if (!lws_is_final_fragment (wsi) || lws_remaining_packet_payload (wsi) > 0)
    return 0;
  client_receive (connection->client, (const char *)connection->in->data, connection->in->len);
  g_byte_array_set_size (connection->in, 0);
  return 0;
}

static int
closed (Connection *connection)
{
  if (connection == NULL || connection->client == NULL)
    return 0;
  client_gone (g_steal_pointer (&connection->client));
  g_byte_array_unref (g_steal_pointer (&connection->in));
  g_queue_free_full (g_steal_pointer (&connection->out), drop_out);
  return 0;
}

int
websocket_callback (struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t length)
{
  Connection *connection = user;
  switch (reason) {
  case LWS_CALLBACK_ESTABLISHED:
    return established (wsi, connection);
  case LWS_CALLBACK_SERVER_WRITEABLE:
    return write_next (wsi, connection);
  case LWS_CALLBACK_RECEIVE:
    return received (wsi, connection, in, length);
  case LWS_CALLBACK_CLOSED:
    return closed (connection);
  case LWS_CALLBACK_WSI_DESTROY:
    server_left (wsi);
    return 0;
  default:
    return 0;
  }
}
