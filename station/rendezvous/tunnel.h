/* A sealed conversation between a page and a station over a carrier that is trusted with nothing
 * (docs/rendezvous.md, Tunnel). Both ends: the station's for the station, the page's for tests and
 * for load.
 *
 * Sans-IO: bytes come in by tunnel_receive() and go out by TunnelEvents.publish; `now` is
 * monotonic µs. Main thread. Events may not free the tunnel they come from.
 */
#pragma once
#include "station/rendezvous/jose.h"

typedef struct Tunnel Tunnel;

enum {
  TUNNEL_MESSAGE_MAX = 256 * 1024, /* bytes of one message */
  TUNNEL_UNDER_WAY = 32,           /* messages sent and not acknowledged; held out of order */
  TUNNEL_WAITING = 512,            /* messages behind those */
  TUNNEL_WAITING_BYTES = 4 << 20,
  TUNNEL_CLIENT_LENGTH = 22,
  TUNNEL_SESSION_LENGTH = 16,
};
#define TUNNEL_SILENCE_US (20 * G_USEC_PER_SEC)

typedef struct {
  /* A frame, to be sent on this end's topic; not kept. */
  void (*publish) (Tunnel *tunnel, const char *text, gsize length, void *arg);
  /* A message of the other end: whole, in order, once. UTF-8 is not checked; a 0 byte follows. */
  void (*message) (Tunnel *tunnel, const char *text, gsize length, void *arg);
} TunnelEvents;

/* Who stands at the ends; all of it is in the keys. */
typedef struct {
  char *station, *box, *client, *session;
} TunnelEnds;
void tunnel_ends_clear (TunnelEnds *ends);

/* ---- The station's end --------------------------------------------------------------------- */

/* An opening, read and not yet answered. */
typedef struct {
  TunnelEnds ends;
  guint8 hash[32]; /* of the opening as sent */
  guint8 once[32]; /* the same however it is written down: each counts once */
  guint8 r[JOSE_KEY];
  json_t *key; /* the page's */
} TunnelOpening;
void tunnel_opening_clear (TunnelOpening *opening);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TunnelOpening, tunnel_opening_clear)

/* Reads what came at open/{box}. epoch_keys: private JWKs, an array. Hostile. */
gboolean tunnel_opening_read (const char *text, gsize length, const char *station, const char *box,
                              const json_t *epoch_keys, TunnelOpening *ret, GError **error);
/* "no" as an answer, for out/{client} (transfer full). code: "no-such", "busy". */
char *tunnel_opening_refuse (const TunnelOpening *opening, const char *code, GError **error);
/* The tunnel, and its answer for out/{client} (transfer full). secret: of the invitation; "" for
 * the box "desk". Until a frame has come it is not open. */
Tunnel *tunnel_accept (const TunnelOpening *opening, const char *secret, gint64 now,
                       const TunnelEvents *events, void *arg, char **ret_answer, GError **error);

/* ---- The page's end ------------------------------------------------------------------------ */

/* For open/{box} (transfer full). epoch_key: of presence. ends: taken over (contents moved);
 * session NULL: a fresh one. */
Tunnel *tunnel_dial (TunnelEnds *ends, const char *secret, const json_t *epoch_key, gint64 now,
                     const TunnelEvents *events, void *arg, char **ret_open, GError **error);

/* ---- Both ---------------------------------------------------------------------------------- */

void tunnel_free (Tunnel *tunnel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tunnel, tunnel_free)

const TunnelEnds *tunnel_ends (const Tunnel *tunnel);
typedef enum {
  TUNNEL_OPENING, /* page: no answer yet; station: no frame yet */
  TUNNEL_OPEN,
  TUNNEL_REFUSED, /* page: tunnel_why() is the code */
  TUNNEL_CLOSED,  /* by either end */
  TUNNEL_LOST,    /* silence, too much that waits, or its life is over */
} TunnelState;
TunnelState tunnel_state (const Tunnel *tunnel);
const char *tunnel_why (const Tunnel *tunnel);

/* What came on the other end's topic: TRUE when it was this tunnel's and new. Hostile; what is
 * not accepted changes nothing. */
gboolean tunnel_receive (Tunnel *tunnel, const char *text, gsize length, gint64 now);
/* FALSE: it is not open, or too much waits (and then it is lost). */
gboolean tunnel_send (Tunnel *tunnel, const char *text, gsize length, gint64 now);
/* Tells the other end, and is closed. */
void tunnel_close (Tunnel *tunnel, gint64 now);
/* Repeats, acknowledges, keeps alive, gives up. Returns when it wants to be called next (µs). */
gint64 tunnel_tick (Tunnel *tunnel, gint64 now);

typedef struct {
  guint64 accepted;                  /* frames */
  guint64 refused;                   /* sealed otherwise, of another form */
  guint64 replayed;                  /* had before, or too old */
  guint64 delivered, sent, repeated; /* messages; repeated: frames */
} TunnelFigures;
const TunnelFigures *tunnel_figures (const Tunnel *tunnel);
