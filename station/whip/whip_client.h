/* One session with a WHIP or WHEP endpoint: publishing to a conference's server, or reading from it
 * (RFC 9725, draft-ietf-wish-whep-03). HTTP alone; whoever owns it has the peer (hub.h, HUB_WAY_).
 *
 *   whip_client_new      OPTIONS: which ICE servers it names           -> ready
 *   whip_client_offer    POST: 201 with the answer                     -> answer
 *                              406 with an offer of the server's own   -> counter; then
 *   whip_client_answer   PATCH with the answer to that
 *   whip_client_candidate, _restart   PATCH, where the server takes it -> answer after a restart
 *   whip_client_end      DELETE
 *
 * Requests go one after the other, each bounded in time and size, in worker threads. Three
 * redirections (307, 308) are followed, only to hosts that may have the token. Main thread; events
 * come from the main loop.
 */
#pragma once
#include "station/whip/whip_links.h"
#include "station/whip/whip_words.h"

typedef struct WhipClient WhipClient;

typedef struct {
  const char *url;
  const char *token;        /* NULL: none */
  const char *ca_file;      /* NULL: the system's roots */
  const char *const *hosts; /* beside the URL's own, that may have the token; NULL: none */
  guint *pending;           /* counts requests under way */
} WhipServer;

typedef struct {
  void (*ready) (WhipClient *client, const WhipServers *servers, void *arg);
  void (*answer) (WhipClient *client, const char *sdp, void *arg);
  /* The server offers: what was offered to it is void. */
  void (*counter) (WhipClient *client, const char *sdp, void *arg);
  /* Nothing else comes. */
  void (*failed) (WhipClient *client, const WhipWords *why, void *arg);
} WhipEvents;

/* Strings are copied. */
WhipClient *whip_client_new (const WhipServer *server, const WhipEvents *events, void *arg);
void whip_client_offer (WhipClient *client, const char *sdp);
void whip_client_answer (WhipClient *client, const char *sdp);
/* sdp: an offer with the new credentials. */
void whip_client_restart (WhipClient *client, const char *sdp);
/* line NULL: no more will come. */
void whip_client_candidate (WhipClient *client, const char *line);
/* No event comes any more; the session is deleted at the server, and the client freed. */
void whip_client_end (WhipClient *client);

/* May a server send us from one address to the other? Same host, or one of `hosts`; HTTPS, unless
 * `from` is HTTP too. */
gboolean whip_may_go (const char *from, const char *to, const char *const *hosts);
