/* Between http.c, websocket.c and server.c: what a connection is. */
#pragma once
#include "station/server.h"

#include <libwebsockets.h>
#include <openssl/ssl.h>

#define SERVER_SUBPROTOCOL "nhipcau.1"
#define SERVER_OUT_MAX (32u << 20) /* bytes that may wait for one page */

struct Server {
  Station *station;
  Identity *identity;
  struct lws_context *context;
  Crowd *crowd;
  gint64 said_us[CROWD_ANSWERS]; /* when the log heard of refusals last, and how many since */
  guint unsaid[CROWD_ANSWERS];
  GPtrArray *tls; /* SSL_CTX* of the listeners */
};

/* What libwebsockets keeps per connection; zeroed by it. */
typedef struct Waiting Waiting;
typedef struct WhipCall WhipCall;
typedef struct {
  /* HTTP answer under way. */
  Waiting *waiting; /* for something that is not here yet; NULL: for nothing */
  WhipCall *whip;   /* a request of a publisher; NULL: none */
  gboolean last;    /* the connection ends behind the answer */
  GBytes *body;
  gsize sent;
  /* WebSocket. */
  struct lws *wsi;
  Client *client;
  GByteArray *in;
  GQueue *out; /* GBytes*, each with LWS_PRE bytes in front */
  gsize out_bytes;
  gboolean closing;
} Connection;

Server *server_of (struct lws *wsi);

int http_callback (struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t length);
int websocket_callback (struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                        size_t length);

/* A header as text; NULL when absent or longer than 2 KiB (transfer full). */
char *server_header (struct lws *wsi, enum lws_token_indexes token);

int server_load_certificate (struct lws *wsi, SSL_CTX *context);
/* Before a connection is taken: -1 when it is refused. */
int server_filter (struct lws *listener, const struct lws_filter_network_conn_args *from);
void server_entered (struct lws *wsi);
void server_left (struct lws *wsi);
void server_use (struct lws *wsi, CrowdUse use);
/* FALSE: its address asks too much. */
gboolean server_may_ask (struct lws *wsi);
/* The other end is on this machine. */
gboolean server_is_local (struct lws *wsi);

/* ---- Answers ------------------------------------------------------------------------------ */

typedef struct {
  unsigned status;
  const char *mime;
  const char *cache;                                        /* Cache-Control */
  gboolean brotli;                                          /* `body` is compressed (RFC 7932) */
  const char *location, *etag, *accept_patch, *accept_post; /* NULL: not said */
  GBytes *body;                                             /* (transfer full) */
} Answer;

/* Sends the headers and lets the body follow; the return value of the HTTP callback. */
int http_answer (struct lws *wsi, Connection *connection, const Answer *answer);
int http_answer_text (struct lws *wsi, Connection *connection, unsigned status, const char *text);

/* A file of the pages; lives as long as the program. */
typedef struct {
  const char *mime;
  gboolean immutable; /* its name never names anything else */
  GBytes *body;
  GBytes *brotli; /* the same, compressed when it was built; NULL: it is not worth it */
} Page;

/* NULL: nothing is there. */
const Page *pages_find (const char *path);
/* An answer that is not here yet, of this type; http_give() brings it. */
Waiting *http_wait (struct lws *wsi, Connection *connection, const char *mime);
/* From the main loop, once; the headers follow when the socket takes them. bytes NULL: it is not to
 * be had, status says why. */
void http_give (Waiting *waiting, GBytes *bytes, unsigned status);
/* "/media/…": one record of a recording. */
int media_file_answer (struct lws *wsi, Connection *connection, const char *path);
/* Who is signed in where the request comes from, and may see patients; NULL: nobody. */
const Session *media_file_session (struct lws *wsi);
/* Viewing is logged, once per sign-in and consultation. */
void media_file_log_view (Station *station, const Session *session, const char *consult);
/* "/attachment/…": an attachment, or a picture of one. */
int attachment_file_answer (struct lws *wsi, Connection *connection, const char *path);
/* "/paper/…": a paper of a consultation, made now. */
int paper_file_answer (struct lws *wsi, Connection *connection, const char *path);
/* "/slip/…": what a patient takes home. */
int slip_file_answer (struct lws *wsi, Connection *connection, const char *path);
/* The socket takes bytes, and something was waited for. */
int attachment_file_ready (struct lws *wsi, Connection *connection);
void attachment_file_gone (Connection *connection);

/* whip_http.c: "/whip", "/whip/ID". */
int whip_http_answer (struct lws *wsi, Connection *connection, const char *path);
/* A part of the body; all of it. */
int whip_http_body (Connection *connection, const void *data, gsize size);
int whip_http_complete (struct lws *wsi, Connection *connection);
/* The socket takes bytes, and a reply was waited for. */
int whip_http_ready (struct lws *wsi, Connection *connection);
void whip_http_gone (Connection *connection);
