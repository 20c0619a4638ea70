/* One page's WebSocket, seen from the protocol: frames in, messages out (docs/protocol.md).
 *
 * No socket in here: the carrier (websocket.c, or a test) gives frames to client_receive() and
 * gets messages by ClientEvents. Main thread.
 */
#pragma once
#include <glib.h>
#include <jansson.h>

typedef struct Station Station;
typedef struct Session Session;
typedef struct Client Client;
typedef struct Desk Desk;

#define CLIENT_MAX_FRAME (256 * 1024)
#define CLIENT_MAX_DEPTH 16

typedef enum { CLIENT_CONSOLE, CLIENT_JOIN, CLIENT_DESK } ClientKind;

typedef struct {
  /* One frame, JSON text; not kept. */
  void (*send) (Client *client, const char *text, gsize length, void *arg);
  /* Close the socket when what was sent is gone. */
  void (*close) (Client *client, void *arg);
  gboolean is_far; /* anybody on the internet may have opened it: names of users are not told */
} ClientEvents;

struct Client {
  guint references;
  Station *station;
  ClientKind kind;
  const ClientEvents *events; /* NULL when the socket is gone */
  void *arg;
  gboolean loopback; /* the page runs on this machine */

  char *peer;     /* its peer at the hub; NULL: none */
  char *reserved; /* a peer that waits for the page to be let in; NULL: none */

  /* Console: who is signed in here. */
  Session *session;

  /* Console: what a passkey has to answer; NULL: nothing was asked. */
  char *challenge;

  /* Join page: nonce of its hello; the guest it turned out to be. */
  char *nonce;
  char *consult, *guest;
  /* Desk: who sits there (calls/desk.h); NULL: nobody yet. A desk also comes in as a guest. */
  Desk *desk;
  guint failures;  /* wrong secrets and malformed frames on this socket */
  gboolean opened; /* it showed an invitation, with its PIN where there is one */
  guint probes;    /* of the link */
  gint64 head_us;  /* CLOCK_MONOTONIC: when it was given the log's head; 0: never */

  gint64 budget_us; /* of a token bucket: when the next message is in order */
};

/* Greets the page. The carrier owns the reference and gives it back by client_gone(). */
Client *client_new (Station *station, ClientKind kind, gboolean loopback,
                    const ClientEvents *events, void *arg);
Client *client_ref (Client *client);
void client_unref (Client *client);
/* The socket is gone; nothing is sent from now on. Drops the carrier's reference. */
void client_gone (Client *client);

/* One whole frame, hostile. */
void client_receive (Client *client, const char *text, gsize length);
/* (transfer full) message; dropped when the socket is gone. */
void client_send (Client *client, json_t *message);
void client_close (Client *client);

/* Parses a frame within the protocol's bounds; NULL with a text of what was wrong. */
json_t *client_parse (const char *text, gsize length, const char **ret_wrong);
