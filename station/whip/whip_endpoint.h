/* Other programs publish to this station by WHIP (RFC 9725): the receiving side, off unless [whip]
 * token-file is set. What HTTP carries is read and answered here; the carrier is whip_http.c.
 *
 * A publisher sends one sound and one picture into the consultation on screen, where they are
 * forwarded and recorded as any peer's; it gets nothing. Four at most; none without a consultation
 * that is live, and none after it. Main thread.
 */
#pragma once
#include "station/request.h"
#include "station/station.h"

enum { WHIP_BODY_MAX = 128 * 1024, WHIP_PUBLISHERS_MAX = 4 };

/* What is to be answered. */
typedef struct {
  unsigned status;
  const char *type;     /* of body; NULL: text/plain */
  const char *body;     /* NULL: none */
  const char *location; /* NULL: none */
  const char *etag;     /* with quotes; NULL: none */
} WhipReply;

/* Once; reply: (transfer none). May come from within the call. */
typedef void (*WhipDone) (const WhipReply *reply, void *arg);

WhipEndpoint *whip_endpoint_new (Station *station);
/* Answers that are owed come first, 503. */
void whip_endpoint_free (WhipEndpoint *endpoint);
gboolean whip_endpoint_is_on (const WhipEndpoint *endpoint);
/* authorization: the header, or NULL. In constant time. */
gboolean whip_endpoint_allows (const WhipEndpoint *endpoint, const char *authorization);

/* offer: what was POSTed to /whip, hostile. 201, 400, 409, 503. */
void whip_endpoint_post (WhipEndpoint *endpoint, const char *offer, WhipDone done, void *arg);
/* A PATCH of /whip/ID with a fragment, hostile. if_match NULL: none. 200, 204, 400, 404, 412, 428.
 */
void whip_endpoint_patch (WhipEndpoint *endpoint, const char *id, const char *if_match,
                          const char *text, WhipDone done, void *arg);
/* 200, 404. */
void whip_endpoint_delete (WhipEndpoint *endpoint, const char *id, WhipDone done, void *arg);
/* Nobody waits for the answers with this arg any more. */
void whip_endpoint_forget (WhipEndpoint *endpoint, void *arg);

/* The consultation on screen, or its state, may have changed. NULL is ignored. */
void whip_endpoint_follow (WhipEndpoint *endpoint);
/* [{publisher, name, state}] (transfer full) */
json_t *whip_endpoint_view (WhipEndpoint *endpoint);
/* "publisher.remove". */
void whip_endpoint_remove (Request *request);
