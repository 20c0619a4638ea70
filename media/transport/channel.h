/* Data channels on an SCTP association: names for streams (RFC 8831, RFC 8832).
 *
 * Channels are known by their labels; a second one with the same label is refused (its stream is
 * reset), as is one too many. A channel is open when the other side has acknowledged it, or has
 * opened it.
 *
 * Thread: that of the association. Events come from within channels_receive(), channels_reset(),
 * channels_down(), and never twice for the same change.
 */
#pragma once
#include "media/transport/sctp.h"

typedef struct Channels Channels;

enum { CHANNEL_MAX_LABEL = 64 /* bytes */, CHANNEL_MAX_COUNT = 16 };

typedef struct {
  void (*change) (Channels *channels, const char *label, gboolean open, void *arg);
  void (*message) (Channels *channels, const char *label, gboolean text, GBytes *data, void *arg);
} ChannelEvents;

/* The association must outlive the object. dtls_client: decides which stream numbers are ours
 * (RFC 8832 §6). max_message_size: of the other side, bytes; 0: any. */
Channels *channels_new (Sctp *sctp, gboolean dtls_client, guint32 max_message_size,
                        const ChannelEvents *events, void *arg);
void channels_free (Channels *channels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Channels, channels_free)

/* Asks the other side to open a channel. lifetime_ms 0: reliable. FALSE: label taken or too many.
 */
gboolean channels_open (Channels *channels, const char *label, gboolean unordered,
                        guint lifetime_ms);
/* Errors: PEER_ERROR_CHANNEL. */
gboolean channels_send (Channels *channels, const char *label, gboolean text, GBytes *data,
                        GError **error);

/* From the events of the association. */
void channels_receive (Channels *channels, guint16 stream, guint32 ppid, GBytes *data);
void channels_reset (Channels *channels, guint16 stream);
void channels_down (Channels *channels); /* all are closed */

/* A DATA_CHANNEL_OPEN message (RFC 8832 §5.1). */
typedef struct {
  gboolean unordered;
  guint lifetime_ms; /* 0: reliable, or limited by a number of retransmissions, which we take so */
  char label[CHANNEL_MAX_LABEL + 1];
} DcepOpen;

/* FALSE: not a whole OPEN, an unknown type, a label that is too long or no UTF-8. */
gboolean dcep_parse_open (const guint8 *data, gsize size, DcepOpen *ret_open);
GBytes *dcep_write_open (const DcepOpen *open);
