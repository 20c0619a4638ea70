#include "media/onvif/onvif_http.h"

#include <libsoup/soup.h>
#include <string.h>

#define PIECE 16384
#define PARALLEL 4 /* a Stop never waits behind what the camera has not answered */

struct OnvifHttp {
  SoupSession *session;
  GUri *device;
  char *user, *password;
  GPtrArray *calls; /* Call, under way */
};

typedef struct {
  OnvifHttp *http; /* NULL: freed meanwhile */
  SoupMessage *message;
  char *type;    /* Content-Type */
  GBytes *asked; /* the request's body */
  GCancellable *cancel;
  guint deadline;
  gboolean late;
  GInputStream *stream;
  GByteArray *body;
  OnvifDone done;
  void *arg;
} Call;

gboolean
onvif_check_address (const char *address, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  if (uri != NULL && g_uri_get_user (uri) == NULL && g_uri_get_fragment (uri) == NULL
      && g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0'
      && (g_str_equal (g_uri_get_scheme (uri), "http")
          || g_str_equal (g_uri_get_scheme (uri), "https")))
    return TRUE;
  g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_CONFIG,
                       "wants the camera's device service, such as "
                       "http://192.168.1.20/onvif/device_service (user and password apart)");
  return FALSE;
}

static gboolean
trust (OnvifHttp *http, const char *ca_file, GError **error)
{
  g_autoptr (GTlsDatabase) database
      = ca_file != NULL ? g_tls_file_database_new (ca_file, error) : NULL;
  if (ca_file != NULL && database == NULL)
    return FALSE;
  if (database != NULL)
    soup_session_set_tls_database (http->session, database);
  return TRUE;
}

OnvifHttp *
onvif_http_new (const char *address, const char *user, const char *password, const char *ca_file,
                GError **error)
{
  if (!onvif_check_address (address, error))
    return NULL;
  OnvifHttp *http = g_new0 (OnvifHttp, 1);
  http->device = g_uri_parse (address, SOUP_HTTP_URI_FLAGS, NULL);
  http->session = soup_session_new_with_options ("proxy-resolver", NULL, "max-conns-per-host",
                                                 PARALLEL, "timeout", 10, "idle-timeout", 30, NULL);
  soup_session_remove_feature_by_type (http->session, SOUP_TYPE_AUTH_BASIC);
  http->user = g_strdup (user);
  http->password = g_strdup (password);
  http->calls = g_ptr_array_new ();
  if (trust (http, ca_file, error))
    return http;
  onvif_http_free (http);
  return NULL;
}

void
onvif_http_free (OnvifHttp *http)
{
  if (http == NULL)
    return;
  for (guint i = 0; i < http->calls->len; i++) {
    Call *call = http->calls->pdata[i];
    call->http = NULL;
    g_cancellable_cancel (call->cancel);
  }
  g_ptr_array_unref (http->calls);
  g_object_unref (http->session);
  g_uri_unref (http->device);
  g_free (http->user);
  g_free (http->password);
  g_free (http);
}

static void
call_end (Call *call, const OnvifAnswer *answer, const GError *error)
{
  OnvifHttp *http = call->http;
  g_clear_handle_id (&call->deadline, g_source_remove);
  if (http != NULL) {
    g_ptr_array_remove_fast (http->calls, call);
    call->done (answer, error, call->arg);
  }
  g_clear_object (&call->stream);
  g_object_unref (call->message);
  g_object_unref (call->cancel);
  g_byte_array_unref (call->body);
  g_clear_pointer (&call->asked, g_bytes_unref);
  g_free (call->type);
  g_free (call);
}

/* What libsoup says in its own domains, in ours. */
static void
call_fail (Call *call, const GError *cause)
{
  g_autoptr (GError) error = NULL;
  if (call->late)
    error = g_error_new (MEDIA_ERROR, MEDIA_ERROR_UNREACHABLE, "the camera did not answer in time");
  else
    error = g_error_new (MEDIA_ERROR, MEDIA_ERROR_UNREACHABLE, "the camera does not answer: %s",
                         cause->message);
  call_end (call, NULL, error);
}

static void
call_judge (Call *call)
{
  g_autoptr (GError) error = NULL;
  guint status = soup_message_get_status (call->message);
  g_autoptr (OnvifAnswer) answer = NULL;
  if (status == SOUP_STATUS_UNAUTHORIZED || status == SOUP_STATUS_FORBIDDEN)
    g_set_error (&error, MEDIA_ERROR, MEDIA_ERROR_REFUSED, "the camera refuses user or password");
  else if (SOUP_STATUS_IS_REDIRECTION (status))
    g_set_error (&error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                 "the camera sends elsewhere (HTTP %u): give the address it means", status);
  else
    answer = onvif_answer_parse (call->body->data, call->body->len, &error);
  call_end (call, answer, error);
}

static void
on_bytes (GObject *stream, GAsyncResult *result, void *data)
{
  Call *call = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes
      = g_input_stream_read_bytes_finish (G_INPUT_STREAM (stream), result, &error);
  if (bytes == NULL) {
    call_fail (call, error);
    return;
  }
  gsize size;
  const guint8 *piece = g_bytes_get_data (bytes, &size);
  g_byte_array_append (call->body, piece, (guint)size);
  if (size == 0 || call->body->len > ONVIF_ANSWER_MAX)
    call_judge (call);
  else
    g_input_stream_read_bytes_async (call->stream, PIECE, G_PRIORITY_DEFAULT, call->cancel,
                                     on_bytes, call);
}

static void
on_answered (GObject *session, GAsyncResult *result, void *data)
{
  Call *call = data;
  g_autoptr (GError) error = NULL;
  call->stream = soup_session_send_finish (SOUP_SESSION (session), result, &error);
  if (call->stream == NULL)
    call_fail (call, error);
  else
    g_input_stream_read_bytes_async (call->stream, PIECE, G_PRIORITY_DEFAULT, call->cancel,
                                     on_bytes, call);
}

static gboolean
on_authenticate (SoupMessage *message, SoupAuth *auth, gboolean retrying, Call *call)
{
  const OnvifHttp *http = call->http;
  if (retrying || http == NULL || http->user == NULL || http->password == NULL)
    return FALSE;
  soup_auth_authenticate (auth, http->user, http->password);
  return TRUE;
}

static gboolean
on_late (void *data)
{
  Call *call = data;
  call->deadline = 0;
  call->late = TRUE;
  g_cancellable_cancel (call->cancel);
  return G_SOURCE_REMOVE;
}

/* Also when the request goes out again with what the camera wanted to know: libsoup has read the
 * body by then. */
static void
set_body (SoupMessage *message, Call *call)
{
  soup_message_set_request_body_from_bytes (message, call->type, call->asked);
}

static SoupMessage *
message_new (const OnvifHttp *http, const char *path)
{
  g_autoptr (GUri) uri = path != NULL
                             ? g_uri_parse_relative (http->device, path, SOUP_HTTP_URI_FLAGS, NULL)
                             : g_uri_ref (http->device);
  /* "//elsewhere/…" is a path too, by the camera's word. */
  if (uri == NULL || g_strcmp0 (g_uri_get_host (uri), g_uri_get_host (http->device)) != 0
      || g_uri_get_port (uri) != g_uri_get_port (http->device))
    return NULL;
  SoupMessage *message = soup_message_new_from_uri (SOUP_METHOD_POST, uri);
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  return message;
}

static gboolean
on_no_place (void *data)
{
  Call *call = data;
  g_autoptr (GError) error = g_error_new (MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                                          "the camera names an address that cannot be asked");
  call->deadline = 0;
  call_end (call, NULL, error);
  return G_SOURCE_REMOVE;
}

void
onvif_http_ask (OnvifHttp *http, const char *path, const char *action, const char *text,
                OnvifDone done, void *arg)
{
  Call *call = g_new0 (Call, 1);
  SoupMessage *message = message_new (http, path);
  call->http = http;
  call->message
      = message != NULL ? message : soup_message_new_from_uri (SOUP_METHOD_POST, http->device);
  call->cancel = g_cancellable_new ();
  call->body = g_byte_array_new ();
  call->done = done;
  call->arg = arg;
  g_ptr_array_add (http->calls, call);
  if (message == NULL) {
    call->deadline = g_idle_add (on_no_place, call);
    return;
  }
  call->deadline = g_timeout_add (ONVIF_ANSWER_US / 1000, on_late, call);
  call->type = g_strdup_printf ("application/soap+xml; charset=utf-8; action=\"%s\"", action);
  call->asked = g_bytes_new (text, strlen (text));
  set_body (message, call);
  g_signal_connect (message, "restarted", G_CALLBACK (set_body), call);
  g_signal_connect (message, "authenticate", G_CALLBACK (on_authenticate), call);
  soup_session_send_async (http->session, message, G_PRIORITY_DEFAULT, call->cancel, on_answered,
                           call);
}
