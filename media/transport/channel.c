#include "media/transport/channel.h"
#include "media/transport/peer.h"
#include <string.h>

/* RFC 8831 §8 */
enum {
  PPID_DCEP = 50,
  PPID_TEXT = 51,
  PPID_BINARY = 53,
  PPID_TEXT_EMPTY = 56,
  PPID_BINARY_EMPTY = 57,
};

/* RFC 8832 §8.2 */
enum { DCEP_ACK = 0x02, DCEP_OPEN = 0x03, DCEP_OPEN_SIZE = 12 };
enum { RELIABLE = 0x00, PARTIAL_RETRANSMIT = 0x01, PARTIAL_TIMED = 0x02, UNORDERED = 0x80 };

typedef struct {
  char *label;
  guint16 stream;
  gboolean open;
  gboolean unordered;
  guint lifetime_ms;
} Channel;

struct Channels {
  Sctp *sctp;
  const ChannelEvents *events;
  void *arg;
  guint32 max_message_size;
  guint16 next_stream;
  GPtrArray *list; /* Channel */
};

/* ---- DCEP ---- */

static guint
get16 (const guint8 *p)
{
  return (guint)p[0] << 8 | p[1];
}

gboolean
dcep_parse_open (const guint8 *data, gsize size, DcepOpen *ret_open)
{
  if (size < DCEP_OPEN_SIZE || data[0] != DCEP_OPEN)
    return FALSE;
  guint type = data[1] & ~UNORDERED;
  gsize label_size = get16 (data + 8), protocol_size = get16 (data + 10);
  const char *label = (const char *)data + DCEP_OPEN_SIZE;
  if (type > PARTIAL_TIMED || size != DCEP_OPEN_SIZE + label_size + protocol_size
      || label_size > CHANNEL_MAX_LABEL || !g_utf8_validate_len (label, label_size, NULL))
    return FALSE;
  *ret_open = (DcepOpen){ .unordered = (data[1] & UNORDERED) != 0 };
  if (type == PARTIAL_TIMED)
    ret_open->lifetime_ms = get16 (data + 4) << 16 | get16 (data + 6);
  memcpy (ret_open->label, label, label_size);
  return TRUE;
}

GBytes *
dcep_write_open (const DcepOpen *open)
{
  gsize label_size = strlen (open->label);
  GByteArray *message = g_byte_array_new ();
  guint8 head[DCEP_OPEN_SIZE] = { DCEP_OPEN };
  head[1] = (guint8)((open->lifetime_ms ? PARTIAL_TIMED : RELIABLE)
                     | (open->unordered ? UNORDERED : 0));
  for (guint i = 0; i < 4; i++)
    head[4 + i] = (guint8)(open->lifetime_ms >> (24 - 8 * i));
  head[8] = (guint8)(label_size >> 8);
  head[9] = (guint8)label_size;
  g_byte_array_append (message, head, sizeof head);
  g_byte_array_append (message, (const guint8 *)open->label, (guint)label_size);
  return g_byte_array_free_to_bytes (message);
}

/* ---- the list ---- */

static void
channel_free (gpointer data)
{
  Channel *channel = data;
  g_free (channel->label);
  g_free (channel);
}

static Channel *
find_stream (Channels *channels, guint16 stream)
{
  for (guint i = 0; i < channels->list->len; i++) {
    Channel *channel = g_ptr_array_index (channels->list, i);
    if (channel->stream == stream)
      return channel;
  }
  return NULL;
}

static Channel *
find_label (Channels *channels, const char *label)
{
  for (guint i = 0; i < channels->list->len; i++) {
    Channel *channel = g_ptr_array_index (channels->list, i);
    if (strcmp (channel->label, label) == 0)
      return channel;
  }
  return NULL;
}

static Channel *
add (Channels *channels, guint16 stream, const DcepOpen *open)
{
  if (channels->list->len >= CHANNEL_MAX_COUNT || find_label (channels, open->label)
      || find_stream (channels, stream))
    return NULL;
  Channel *channel = g_new0 (Channel, 1);
  channel->label = g_strdup (open->label);
  channel->stream = stream;
  channel->unordered = open->unordered;
  channel->lifetime_ms = open->lifetime_ms;
  g_ptr_array_add (channels->list, channel);
  return channel;
}

static void
set_open (Channels *channels, Channel *channel)
{
  if (channel->open)
    return;
  channel->open = TRUE;
  channels->events->change (channels, channel->label, TRUE, channels->arg);
}

/* Takes it off the list; the event comes when nothing refers to it any more. */
static void
drop (Channels *channels, Channel *channel)
{
  g_autofree char *label = g_strdup (channel->label);
  gboolean was_open = channel->open;
  g_ptr_array_remove (channels->list, channel);
  if (was_open)
    channels->events->change (channels, label, FALSE, channels->arg);
}

/* ---- public ---- */

Channels *
channels_new (Sctp *sctp, gboolean dtls_client, guint32 max_message_size,
              const ChannelEvents *events, void *arg)
{
  Channels *channels = g_new0 (Channels, 1);
  channels->sctp = sctp;
  channels->events = events;
  channels->arg = arg;
  channels->next_stream = dtls_client ? 0 : 1;
  channels->max_message_size = max_message_size && max_message_size < SCTP_MAX_MESSAGE
                                   ? max_message_size
                                   : SCTP_MAX_MESSAGE;
  channels->list = g_ptr_array_new_with_free_func (channel_free);
  return channels;
}

void
channels_free (Channels *channels)
{
  if (!channels)
    return;
  g_ptr_array_unref (channels->list);
  g_free (channels);
}

gboolean
channels_open (Channels *channels, const char *label, gboolean unordered, guint lifetime_ms)
{
  DcepOpen open = { .unordered = unordered, .lifetime_ms = lifetime_ms };
  if (g_strlcpy (open.label, label, sizeof open.label) >= sizeof open.label
      || channels->next_stream >= SCTP_MAX_STREAMS || !add (channels, channels->next_stream, &open))
    return FALSE;
  SctpSend how = { .stream = channels->next_stream, .ppid = PPID_DCEP };
  channels->next_stream += 2;
  g_autoptr (GBytes) message = dcep_write_open (&open);
  return sctp_send (channels->sctp, &how, message);
}

gboolean
channels_send (Channels *channels, const char *label, gboolean text, GBytes *data, GError **error)
{
  Channel *channel = find_label (channels, label);
  gsize size = g_bytes_get_size (data);
  if (!channel || !channel->open) {
    g_set_error (error, PEER_ERROR, PEER_ERROR_CHANNEL, "channel \"%s\" is not open", label);
    return FALSE;
  }
  if (size > channels->max_message_size) {
    g_set_error (error, PEER_ERROR, PEER_ERROR_CHANNEL,
                 "channel \"%s\": a message of %" G_GSIZE_FORMAT " bytes; the limit is %u", label,
                 size, channels->max_message_size);
    return FALSE;
  }
  SctpSend how = { .stream = channel->stream,
                   .ppid = text ? PPID_TEXT : PPID_BINARY,
                   .unordered = channel->unordered,
                   .lifetime_ms = channel->lifetime_ms };
  static const guint8 zero = 0;
  g_autoptr (GBytes) content = g_bytes_ref (data);
  if (size == 0) { /* SCTP has no empty messages (RFC 8831 §6.6) */
    how.ppid = text ? PPID_TEXT_EMPTY : PPID_BINARY_EMPTY;
    g_bytes_unref (content);
    content = g_bytes_new_static (&zero, 1);
  }
  if (!sctp_send (channels->sctp, &how, content)) {
    g_set_error (error, PEER_ERROR, PEER_ERROR_CHANNEL,
                 "channel \"%s\": %" G_GSIZE_FORMAT " bytes wait already", label,
                 sctp_waiting (channels->sctp));
    return FALSE;
  }
  return TRUE;
}

static void
receive_open (Channels *channels, guint16 stream, const DcepOpen *open)
{
  Channel *channel = add (channels, stream, open);
  if (!channel) {
    sctp_reset_stream (channels->sctp, stream);
    return;
  }
  static const guint8 ack = DCEP_ACK;
  g_autoptr (GBytes) message = g_bytes_new_static (&ack, 1);
  SctpSend how = { .stream = stream, .ppid = PPID_DCEP };
  sctp_send (channels->sctp, &how, message);
  set_open (channels, channel);
}

static void
receive_dcep (Channels *channels, guint16 stream, GBytes *data)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (data, &size);
  DcepOpen open;
  Channel *channel = find_stream (channels, stream);
  if (size == 1 && bytes[0] == DCEP_ACK && channel)
    set_open (channels, channel);
  else if (dcep_parse_open (bytes, size, &open))
    receive_open (channels, stream, &open);
}

static void
receive_message (Channels *channels, guint16 stream, gboolean text, GBytes *data)
{
  Channel *channel = find_stream (channels, stream);
  gsize size;
  const char *bytes = g_bytes_get_data (data, &size);
  if (!channel || (text && !g_utf8_validate_len (bytes, size, NULL)))
    return;
  /* Data may overtake the acknowledgement, and means the same (RFC 8832 §6). */
  set_open (channels, channel);
  channels->events->message (channels, channel->label, text, data, channels->arg);
}

void
channels_receive (Channels *channels, guint16 stream, guint32 ppid, GBytes *data)
{
  g_autoptr (GBytes) empty = g_bytes_new_static ("", 0);
  switch (ppid) {
  case PPID_DCEP:
    receive_dcep (channels, stream, data);
    break;
  case PPID_TEXT:
  case PPID_BINARY:
    receive_message (channels, stream, ppid == PPID_TEXT, data);
    break;
  case PPID_TEXT_EMPTY:
  case PPID_BINARY_EMPTY:
    receive_message (channels, stream, ppid == PPID_TEXT_EMPTY, empty);
    break;
  default:
    break;
  }
}

void
channels_reset (Channels *channels, guint16 stream)
{
  Channel *channel = find_stream (channels, stream);
  if (!channel)
    return;
  sctp_reset_stream (channels->sctp, stream); /* our direction too (RFC 8831 §6.7) */
  drop (channels, channel);
}

void
channels_down (Channels *channels)
{
  while (channels->list->len > 0)
    drop (channels, g_ptr_array_index (channels->list, 0));
}
