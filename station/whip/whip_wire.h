/* Inside of a WHIP client: one request, and the worker thread that carries it. */
#pragma once
#include "station/tls_fetch.h"
#include "station/whip/whip_client.h"

#include <gio/gio.h>

#define WHIP_SDP_TYPE "application/sdp"

typedef enum {
  WHIP_OPTIONS,
  WHIP_OFFER,
  WHIP_TRICKLE,
  WHIP_RESTART,
  WHIP_ANSWER,
  WHIP_DELETE,
} WhipAsk;

/* A request, on its way through a worker thread. */
typedef struct {
  WhipClient *client; /* a reference; for the main thread */
  const gint *stop;   /* atomic, the client's */
  WhipAsk ask;
  char *url, *token, *ca_file, *etag;
  GStrv hosts;
  GBytes *body;
  /* what came */
  TlsAnswer answer;
  gboolean astray; /* redirected to where it may not go, or too often */
} WhipJob;

/* All but the client. */
void whip_job_clear (WhipJob *job);
const char *whip_method (WhipAsk ask);
/* location as it stands in an answer of base (transfer full); NULL: it may not go there. */
char *whip_resolve (const char *base, const char *location, const char *const *hosts);
/* data: WhipJob. TRUE, or the error of tls_fetch(). */
void whip_wire_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable);
