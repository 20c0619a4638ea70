/* Who may hold connections to the station's web server, who goes when there are too many, and who
 * asks too much. The machine's own browser (the doctor's) and everybody else have room apart, so
 * that nobody elsewhere can keep the doctor out.
 *
 * Sans-IO; now is monotonic, µs. Main thread.
 */
#pragma once
#include <glib.h>

typedef struct Crowd Crowd;
typedef struct CrowdMember CrowdMember;

enum {
  CROWD_LOCAL = 256,       /* connections of this machine */
  CROWD_ELSEWHERE = 320,   /* of all others, */
  CROWD_PER_ADDRESS = 64,  /* of one address of them (IPv6: of one /64), */
  CROWD_ARRIVALS = 96,     /* new ones of one address at once, */
  CROWD_ARRIVALS_RATE = 8, /* and a second, in the long run */
  CROWD_REQUESTS = 600,    /* requests of one address at once, */
  CROWD_REQUESTS_RATE = 20,
  CROWD_ADDRESSES = 4096, /* that are remembered */
  CROWD_GRACE_S = 15,     /* a WebSocket may take so long until it is known who it is, */
  CROWD_ANSWER_S = 120,   /* and an answer until it is taken, where others want the room */
};

/* What a connection does; the order in which they go when there is no room. */
typedef enum {
  CROWD_SILENT, /* has not asked for anything whole yet: no TLS, no header */
  CROWD_IDLE,   /* was answered */
  CROWD_SOCKET, /* a WebSocket */
  CROWD_ASKING, /* is being answered */
} CrowdUse;

typedef enum {
  CROWD_WELCOME,
  CROWD_FULL,         /* no room, and nobody who may go */
  CROWD_ADDRESS_FULL, /* this address has enough */
  CROWD_TOO_FAST,     /* this address comes too often, or asks too much */
  CROWD_ANSWERS,      /* how many there are */
} CrowdAnswer;

typedef struct {
  /* Closes a connection now; crowd_leave() may come within or later. */
  void (*drop) (void *who, void *arg);
  /* A WebSocket's other end has shown who it is. */
  gboolean (*is_known) (void *who, void *arg);
} CrowdEvents;

Crowd *crowd_new (const CrowdEvents *events, void *arg);
/* Members must have left. */
void crowd_free (Crowd *crowd);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Crowd, crowd_free)

/* Before a connection is taken: whether it may, by its address as text. Somebody may be dropped
 * for it. */
CrowdAnswer crowd_may_enter (Crowd *crowd, const char *address, gint64 now);
/* It was taken: CROWD_SILENT (transfer none; until crowd_leave()). who: for the events. */
CrowdMember *crowd_enter (Crowd *crowd, const char *address, void *who, gint64 now);
void crowd_use (CrowdMember *member, CrowdUse use, gint64 now);
/* A request: FALSE when its address asks too much. */
gboolean crowd_may_ask (CrowdMember *member, gint64 now);
gboolean crowd_is_local (const CrowdMember *member);
void crowd_leave (CrowdMember *member);

typedef struct {
  guint local, elsewhere, addresses;
  guint64 refused[CROWD_ANSWERS]; /* connections, by why */
  guint64 dropped;                /* for others */
  guint64 asked_too_much;         /* requests */
} CrowdFigures;
void crowd_figures (const Crowd *crowd, CrowdFigures *ret);
