/* One SCTP association inside a DTLS connection (RFC 8261, RFC 8831).
 *
 * A cover over usrsctp without a thread for its timers: they are driven by the loops
 * of those who use it, and what it calls back is queued and handed on from the owner's context, so
 * that no callback comes on another thread, nor after sctp_free().
 *
 * The association outlives broken paths: it never gives up by itself; ICE and DTLS decide.
 *
 * Thread: the context's. Events come from within sctp_receive() or from the loop; only `send` comes
 * from within the other functions too. A handler may call anything but sctp_free().
 */
#pragma once
#include <glib.h>

typedef struct Sctp Sctp;

enum {
  SCTP_PORT = 5000,                   /* ours, as browsers have it */
  SCTP_MAX_MESSAGE = 256 * 1024,      /* bytes of a message, both ways */
  SCTP_MAX_WAITING = 4 * 1024 * 1024, /* bytes that wait to be sent */
  SCTP_MAX_STREAMS = 256,
};

typedef struct {
  guint16 stream;
  guint32 ppid;
  gboolean unordered;
  guint lifetime_ms; /* RFC 3758 timed reliability; 0: reliable */
} SctpSend;

typedef struct {
  /* A packet for dtls_send(). */
  void (*send) (Sctp *sctp, const guint8 *packet, gsize size, void *arg);
  void (*up) (Sctp *sctp, void *arg);
  /* The other side ended the association. */
  void (*down) (Sctp *sctp, void *arg);
  void (*message) (Sctp *sctp, guint16 stream, guint32 ppid, GBytes *data, void *arg);
  /* The other side reset its side of the stream (RFC 6525): the channel is closed. */
  void (*reset) (Sctp *sctp, guint16 stream, void *arg);
} SctpEvents;

/* Begins to connect at once. mtu: bytes of a packet. Errors: PEER_ERROR_FAILED. */
Sctp *sctp_new (GMainContext *context, guint16 remote_port, guint mtu, const SctpEvents *events,
                void *arg, GError **error);
/* Aborts the association; the last `send` events come from within, no other event follows. */
void sctp_close (Sctp *sctp);
void sctp_free (Sctp *sctp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Sctp, sctp_free)

gboolean sctp_is_up (Sctp *sctp);
void sctp_receive (Sctp *sctp, const guint8 *packet, gsize size);
/* The path was closed and is open again: what is unanswered is sent at once. */
void sctp_path_back (Sctp *sctp);
/* Queues a message. FALSE: larger than SCTP_MAX_MESSAGE, empty, or SCTP_MAX_WAITING passed. */
gboolean sctp_send (Sctp *sctp, const SctpSend *how, GBytes *data);
/* Resets our side of a stream, after what was sent on it. */
void sctp_reset_stream (Sctp *sctp, guint16 stream);
gsize sctp_waiting (Sctp *sctp); /* bytes not yet given to the library */
/* Messages that the other side has not acknowledged, pieces of large ones counted each. */
guint sctp_outstanding (Sctp *sctp);
