/* /whip and /whip/ID: the carrier of the endpoint to which other programs publish
 * (whip/whip_endpoint.h). Whoever has no token is answered before anything of his is read. */
#include "station/server_private.h"
#include "station/whip/whip_endpoint.h"
#include "station/whip/whip_fragment.h"

#include <string.h>

#define BODY_SECONDS 10
#define REPLY_SECONDS 30

typedef enum { CALL_POST, CALL_PATCH, CALL_DELETE } CallKind;

/* A request under way. */
struct WhipCall {
  Connection *connection;
  WhipEndpoint *endpoint;
  CallKind kind;
  char *id, *if_match;
  GByteArray *body;
  /* the reply, once it is there */
  unsigned status; /* 0: not yet */
  const char *type;
  GBytes *text;
  char *location, *etag;
};

static void
call_free (WhipCall *call)
{
  whip_endpoint_forget (call->endpoint, call);
  g_free (call->id);
  g_free (call->if_match);
  g_byte_array_unref (call->body);
  g_clear_pointer (&call->text, g_bytes_unref);
  g_free (call->location);
  g_free (call->etag);
  g_free (call);
}

void
whip_http_gone (Connection *connection)
{
  g_clear_pointer (&connection->whip, call_free);
}

/* What of the request has not been read is not taken for the next one. */
static int
refuse (struct lws *wsi, Connection *connection, unsigned status, const char *text)
{
  connection->last = TRUE;
  return http_answer_text (wsi, connection, status, text);
}

/* ---- The reply --------------------------------------------------------------------------------
 */

static void
on_done (const WhipReply *reply, void *arg)
{
  WhipCall *call = arg;
  const char *body = reply->body != NULL ? reply->body : "";
  call->status = reply->status;
  call->type = reply->type != NULL ? reply->type : "text/plain; charset=utf-8";
  call->text = g_bytes_new (body, strlen (body));
  call->location = g_strdup (reply->location);
  call->etag = g_strdup (reply->etag);
  lws_callback_on_writable (call->connection->wsi);
}

int
whip_http_ready (struct lws *wsi, Connection *connection)
{
  WhipCall *call = connection->whip;
  if (call->status == 0)
    return 0;
  Answer answer = { .status = call->status,
                    .mime = call->type,
                    .cache = "no-store",
                    .location = call->location,
                    .etag = call->etag,
                    .accept_patch = call->status == 201 ? WHIP_FRAGMENT_TYPE : NULL,
                    .body = g_steal_pointer (&call->text) };
  int result = http_answer (wsi, connection, &answer);
  whip_http_gone (connection);
  return result;
}

/* ---- The request ------------------------------------------------------------------------------
 */

static void
ask (WhipCall *call)
{
  const char *text = (const char *)call->body->data;
  if (call->kind == CALL_POST)
    whip_endpoint_post (call->endpoint, text, on_done, call);
  else if (call->kind == CALL_PATCH)
    whip_endpoint_patch (call->endpoint, call->id, call->if_match, text, on_done, call);
  else
    whip_endpoint_delete (call->endpoint, call->id, on_done, call);
}

int
whip_http_body (Connection *connection, const void *data, gsize size)
{
  WhipCall *call = connection->whip;
  if (call == NULL)
    return connection->last ? 0 : -1; /* refused already */
  if (call->body->len + size > WHIP_BODY_MAX)
    return -1;
  g_byte_array_append (call->body, data, (guint)size);
  return 0;
}

int
whip_http_complete (struct lws *wsi, Connection *connection)
{
  WhipCall *call = connection->whip;
  if (call == NULL)
    return 0;
  if (memchr (call->body->data, '\0', call->body->len) != NULL) {
    whip_http_gone (connection);
    return refuse (wsi, connection, 400, "no text\n");
  }
  g_byte_array_append (call->body, (const guint8 *)"", 1);
  lws_set_timeout (wsi, PENDING_TIMEOUT_HTTP_CONTENT, REPLY_SECONDS);
  ask (call);
  return 0;
}

static gboolean
is_of_type (struct lws *wsi, const char *type)
{
  g_autofree char *given = server_header (wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);
  if (given == NULL)
    return FALSE;
  given[strcspn (given, "; ")] = '\0';
  return g_ascii_strcasecmp (given, type) == 0;
}

/* Before any of the body: 0, or what it is refused with. */
static unsigned
judge_body (struct lws *wsi, const char *type)
{
  g_autofree char *length = server_header (wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
  guint64 bytes;
  if (length == NULL)
    return 411;
  if (!g_ascii_string_to_unsigned (length, 10, 1, WHIP_BODY_MAX, &bytes, NULL))
    return 413;
  return is_of_type (wsi, type) ? 0 : 415;
}

static int
begin (struct lws *wsi, Connection *connection, CallKind kind, const char *id)
{
  static const char *const types[] = { "application/sdp", WHIP_FRAGMENT_TYPE };
  unsigned wrong = kind == CALL_DELETE ? 0 : judge_body (wsi, types[kind]);
  if (wrong != 0)
    return refuse (wsi, connection, wrong,
                   wrong == 415 ? "wants application/sdp, or " WHIP_FRAGMENT_TYPE "\n"
                                : "wants a Content-Length of at most 131072\n");
  WhipCall *call = g_new0 (WhipCall, 1);
  call->connection = connection;
  call->endpoint = server_of (wsi)->station->whip;
  call->kind = kind;
  call->id = g_strdup (id);
  call->if_match = server_header (wsi, WSI_TOKEN_HTTP_IF_MATCH);
  call->body = g_byte_array_new ();
  connection->wsi = wsi;
  connection->whip = call;
  lws_set_timeout (wsi, PENDING_TIMEOUT_HTTP_CONTENT, BODY_SECONDS);
  if (kind == CALL_DELETE)
    ask (call);
  return 0;
}

static gboolean
is_method (struct lws *wsi, enum lws_token_indexes method)
{
  return lws_hdr_total_length (wsi, method) > 0;
}

static int
answer_options (struct lws *wsi, Connection *connection)
{
  Answer answer = { .status = 200,
                    .mime = "text/plain; charset=utf-8",
                    .cache = "no-store",
                    .accept_post = "application/sdp",
                    .body = g_bytes_new_static ("", 0) };
  return http_answer (wsi, connection, &answer);
}

int
whip_http_answer (struct lws *wsi, Connection *connection, const char *path)
{
  const WhipEndpoint *endpoint = server_of (wsi)->station->whip;
  g_autofree char *authorization = server_header (wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
  const char *id = g_str_has_prefix (path, "/whip/") ? path + strlen ("/whip/") : NULL;
  if (!whip_endpoint_is_on (endpoint))
    return refuse (wsi, connection, 404, "not found\n");
  if (is_method (wsi, WSI_TOKEN_OPTIONS_URI))
    return answer_options (wsi, connection);
  if (!whip_endpoint_allows (endpoint, authorization))
    return refuse (wsi, connection, 401, "wants Authorization: Bearer TOKEN\n");
  if (id == NULL && is_method (wsi, WSI_TOKEN_POST_URI))
    return begin (wsi, connection, CALL_POST, NULL);
  if (id != NULL && is_method (wsi, WSI_TOKEN_PATCH_URI))
    return begin (wsi, connection, CALL_PATCH, id);
  if (id != NULL && is_method (wsi, WSI_TOKEN_DELETE_URI))
    return begin (wsi, connection, CALL_DELETE, id);
  return refuse (wsi, connection, 405, "POST to /whip, PATCH and DELETE of its sessions\n");
}
