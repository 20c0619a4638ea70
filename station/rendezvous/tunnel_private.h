/* Between tunnel.c (frames) and tunnel_open.c (how a tunnel begins). */
#pragma once
#include "station/rendezvous/tunnel.h"

struct Tunnel {
  TunnelEnds ends;
  const TunnelEvents *events;
  void *arg;
  gboolean page; /* this end is the page's */
  TunnelState state;
  char *why;
  guint8 key_send[JOSE_KEY], key_receive[JOSE_KEY];
  /* The page's end until the answer is there. */
  guint8 r[JOSE_KEY], salt[32];
  char *secret;
  json_t *key;

  gint64 began, heard, said; /* monotonic µs; heard, said: last frame */
  gboolean owes;             /* an acknowledgement, */
  gint64 owes_at;            /* by then */

  /* Receiving. */
  guint64 highest, window;        /* newest frame; bit i: highest - i has come */
  guint64 delivered;              /* last message that was */
  GBytes *held[TUNNEL_UNDER_WAY]; /* messages behind a missing one, by number */
  gsize held_bytes;

  /* Sending. */
  guint64 frames;       /* sent so far */
  guint64 acknowledged; /* messages; the next number is that of the head of out */
  GQueue out;           /* GBytes*: the first under_way are sent and not acknowledged */
  gsize out_bytes, under_way_bytes;
  guint under_way;
  gint64 repeat_at, timed_at; /* timed_at: when the head was sent, 0 when it was repeated */
  gint64 round_trip;
  guint repeats;

  TunnelFigures figures;
};

Tunnel *tunnel_new (gboolean page, gint64 now, const TunnelEvents *events, void *arg);
/* An answer, to the page that opened. */
gboolean tunnel_take_answer (Tunnel *tunnel, const char *text, gsize length, gint64 now);
