#include "media/transport/relay_probe.h"
#include "media/transport/relay_connect.h"
#include "media/transport/timer.h"
#include <stun/stunagent.h>
#include <stun/usages/turn.h>
#include <string.h>

enum {
  AGAIN_US = 500000, /* UDP loses packets */
  MAX_ROUNDS = 4,    /* without, with credentials, and stale nonces */
  MAX_MESSAGE = 1500,
};

/* Outlives relay_probe_free() while a callback of GIO is under way. */
struct RelayProbe {
  grefcount users;
  const Relay *relay;
  RelayProbed done;
  gpointer data;
  char *user, *password;
  GCancellable *end;
  Timer *bound, *again;
  GIOStream *stream;
  StunAgent agent;
  StunMessage request;
  guint8 out[MAX_MESSAGE];
  gsize out_size;
  gboolean writing;
  guint8 in[MAX_MESSAGE];
  gsize in_size;
  guint8 demand[MAX_MESSAGE]; /* realm and nonce of the relay */
  StunMessage demanded;
  gboolean has_demand;
  guint rounds;
};

static void read_on (RelayProbe *probe);

static void
probe_unref (RelayProbe *probe)
{
  if (!g_ref_count_dec (&probe->users))
    return;
  timer_free (probe->bound);
  timer_free (probe->again);
  g_clear_object (&probe->stream);
  g_object_unref (probe->end);
  g_free (probe->user);
  g_free (probe->password);
  g_free (probe);
}

static RelayProbe *
probe_ref (RelayProbe *probe)
{
  g_ref_count_inc (&probe->users);
  return probe;
}

static void
finish (RelayProbe *probe, RelayOutcome outcome, guint code, const char *detail)
{
  RelayProbed done = probe->done;
  probe->done = NULL;
  if (done == NULL)
    return;
  timer_stop (probe->bound);
  timer_stop (probe->again);
  RelayReport report = { outcome, code, (char *)detail };
  probe_ref (probe);
  done (probe->relay, &report, probe->data);
  g_cancellable_cancel (probe->end);
  probe_unref (probe);
}

/* The end of what was under way is no failure. */
static void
fail (RelayProbe *probe, const GError *error)
{
  RelayReport report;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  relay_report_from_error (error, &report);
  finish (probe, report.outcome, 0, report.detail);
  relay_report_clear (&report);
}

/* ---- sending ---- */

static void
on_written (GObject *source, GAsyncResult *result, gpointer data)
{
  RelayProbe *probe = data;
  g_autoptr (GError) error = NULL;
  probe->writing = FALSE;
  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error))
    fail (probe, error);
  probe_unref (probe);
}

static void
send_request (RelayProbe *probe)
{
  if (probe->writing)
    return;
  probe->writing = TRUE;
  g_output_stream_write_all_async (g_io_stream_get_output_stream (probe->stream), probe->out,
                                   probe->out_size, G_PRIORITY_DEFAULT, probe->end, on_written,
                                   probe_ref (probe));
}

static void
wait_again (RelayProbe *probe)
{
  timer_at (probe->again, g_get_monotonic_time () + AGAIN_US);
}

static void
on_again (gpointer data)
{
  send_request (data);
  wait_again (data);
}

static void
ask (RelayProbe *probe)
{
  if (++probe->rounds > MAX_ROUNDS) {
    finish (probe, RELAY_BROKEN, 0, "it asks for credentials again and again");
    return;
  }
  probe->out_size = stun_usage_turn_create (
      &probe->agent, &probe->request, probe->out, sizeof probe->out,
      probe->has_demand ? &probe->demanded : NULL, STUN_USAGE_TURN_REQUEST_PORT_NORMAL, -1, -1,
      (guint8 *)probe->user, strlen (probe->user), (guint8 *)probe->password,
      strlen (probe->password), STUN_USAGE_TURN_COMPATIBILITY_RFC5766);
  if (probe->out_size == 0) {
    finish (probe, RELAY_BROKEN, 0, "user or realm are too long for a request");
    return;
  }
  send_request (probe);
  if (probe->relay->transport == RELAY_UDP)
    wait_again (probe);
}

/* Best effort: without it the relay keeps the address for ten minutes. */
static void
give_back (RelayProbe *probe)
{
  guint8 buffer[MAX_MESSAGE];
  gsize size = stun_usage_turn_create_refresh (
      &probe->agent, &probe->request, buffer, sizeof buffer, &probe->demanded, 0,
      (guint8 *)probe->user, strlen (probe->user), (guint8 *)probe->password,
      strlen (probe->password), STUN_USAGE_TURN_COMPATIBILITY_RFC5766);
  GOutputStream *out = g_io_stream_get_output_stream (probe->stream);
  if (size > 0)
    g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (out), buffer, size, NULL,
                                                NULL);
}

/* ---- answers ---- */

static char *
reason_of (const StunMessage *response)
{
  guint16 size = 0;
  const char *value = stun_message_find (response, STUN_ATTRIBUTE_ERROR_CODE, &size);
  g_autofree char *text
      = value != NULL && size > 4 ? g_strndup (value + 4, MIN (size - 4, 80)) : NULL;
  return text != NULL && g_utf8_validate (text, -1, NULL) ? g_strescape (text, NULL) : NULL;
}

static RelayOutcome
outcome_of (int code)
{
  switch (code) {
  case 401:
    return RELAY_UNAUTHORIZED;
  case 403:
    return RELAY_FORBIDDEN;
  case 486:
    return RELAY_QUOTA;
  case 508:
    return RELAY_FULL;
  default:
    return RELAY_REFUSED;
  }
}

static void
take_error (RelayProbe *probe, const StunMessage *response)
{
  int code = 0;
  stun_message_find_error ((StunMessage *)response, &code);
  gboolean challenge = code == 438 || (code == 401 && !probe->has_demand);
  if (challenge && stun_message_has_attribute (response, STUN_ATTRIBUTE_NONCE)
      && stun_message_has_attribute (response, STUN_ATTRIBUTE_REALM)) {
    memcpy (probe->demand, response->buffer, stun_message_length (response));
    probe->demanded = *response;
    probe->demanded.buffer = probe->demand;
    probe->has_demand = TRUE;
    ask (probe);
    return;
  }
  g_autofree char *reason = reason_of (response);
  finish (probe, outcome_of (code), (guint)code, reason);
}

static void
take_message (RelayProbe *probe, gsize size)
{
  StunMessage response;
  struct sockaddr_storage relayed, mapped, other;
  socklen_t relayed_size = sizeof relayed, mapped_size = sizeof mapped, other_size = sizeof other;
  guint32 bandwidth = 0, lifetime = 0;
  if (stun_agent_validate (&probe->agent, &response, probe->in, size, NULL, NULL)
      != STUN_VALIDATION_SUCCESS)
    return;
  switch (stun_usage_turn_process (&response, &relayed, &relayed_size, &mapped, &mapped_size,
                                   &other, &other_size, &bandwidth, &lifetime,
                                   STUN_USAGE_TURN_COMPATIBILITY_RFC5766)) {
  case STUN_USAGE_TURN_RETURN_RELAY_SUCCESS:
  case STUN_USAGE_TURN_RETURN_MAPPED_SUCCESS:
    give_back (probe);
    finish (probe, RELAY_GOOD, 0, NULL);
    break;
  case STUN_USAGE_TURN_RETURN_ALTERNATE_SERVER:
    finish (probe, RELAY_REFUSED, 300, "it sends us to another server");
    break;
  case STUN_USAGE_TURN_RETURN_ERROR:
    take_error (probe, &response);
    break;
  case STUN_USAGE_TURN_RETURN_INVALID:
    break;
  }
}

/* A stream may bring half a message or two. */
static void
take_bytes (RelayProbe *probe)
{
  while (probe->done != NULL && probe->in_size > 0) {
    int length = stun_message_validate_buffer_length (probe->in, probe->in_size, TRUE);
    if (length == STUN_MESSAGE_BUFFER_INCOMPLETE && probe->in_size < sizeof probe->in)
      return;
    if (length <= 0) {
      finish (probe, RELAY_BROKEN, 0, "what came back is no STUN message");
      return;
    }
    take_message (probe, (gsize)length);
    probe->in_size -= (gsize)length;
    memmove (probe->in, probe->in + length, probe->in_size);
  }
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  RelayProbe *probe = data;
  g_autoptr (GError) error = NULL;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);
  if (n > 0 && probe->done != NULL) {
    probe->in_size += (gsize)n;
    take_bytes (probe);
    if (probe->done != NULL)
      read_on (probe);
  } else if (n == 0) {
    finish (probe, RELAY_BROKEN, 0, "the connection was cut");
  } else if (n < 0) {
    fail (probe, error);
  }
  probe_unref (probe);
}

static void
read_on (RelayProbe *probe)
{
  if (probe->relay->transport == RELAY_UDP)
    probe->in_size = 0;
  g_input_stream_read_async (g_io_stream_get_input_stream (probe->stream),
                             probe->in + probe->in_size, sizeof probe->in - probe->in_size,
                             G_PRIORITY_DEFAULT, probe->end, on_read, probe_ref (probe));
}

static void
on_connected (GSocketConnection *connection, const RelayReport *report, gpointer data)
{
  RelayProbe *probe = data;
  if (report != NULL)
    finish (probe, report->outcome, 0, report->detail);
  if (connection != NULL) {
    probe->stream = G_IO_STREAM (connection);
    if (probe->done != NULL) {
      ask (probe);
      read_on (probe);
    }
  }
  probe_unref (probe);
}

/* ---- life ---- */

static void
on_bound (gpointer data)
{
  RelayProbe *probe = data;
  g_autofree char *detail = g_strdup_printf ("no answer within %d s", RELAY_PROBE_MS / 1000);
  finish (probe, RELAY_SILENT, 0, detail);
}

RelayProbe *
relay_probe_new (const Relay *relay, RelayProbed done, gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  RelayProbe *probe = g_new0 (RelayProbe, 1);
  g_ref_count_init (&probe->users);
  probe->relay = relay;
  probe->done = done;
  probe->data = data;
  probe->end = g_cancellable_new ();
  relay_credentials (relay, g_get_real_time () / G_USEC_PER_SEC, &probe->user, &probe->password);
  stun_agent_init (&probe->agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                   STUN_AGENT_USAGE_LONG_TERM_CREDENTIALS);
  probe->bound = timer_new (context, on_bound, probe);
  probe->again = timer_new (context, on_again, probe);
  timer_at (probe->bound, g_get_monotonic_time () + RELAY_PROBE_MS * 1000);
  relay_connect (relay, probe->end, on_connected, probe_ref (probe));
  return probe;
}

void
relay_probe_free (RelayProbe *probe)
{
  if (probe == NULL)
    return;
  probe->done = NULL;
  timer_stop (probe->bound);
  timer_stop (probe->again);
  g_cancellable_cancel (probe->end);
  probe_unref (probe);
}
