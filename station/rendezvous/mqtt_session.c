/* One connection to one broker, from name lookup to its end. In the thread of mqtt.c. */
#include "station/rendezvous/mqtt_private.h"

#include <errno.h>
#include <gio/gio.h>
#include <mosquitto.h>
#include <openssl/err.h>
#include <string.h>

#define KEEP_ALIVE_S 30
#define SERVER_UNAVAILABLE 3 /* return code of CONNACK, MQTT 3.1.1 §3.2.2.3 */

/* ---- Callbacks of libmosquitto, in the thread -------------------------------------------------
 */

static void
give_up (Run *run, BrokerTrouble trouble, const char *why)
{
  run->trouble = trouble;
  g_free (run->why);
  run->why = g_strdup (why);
}

static void
on_connect (struct mosquitto *session, void *data, int code)
{
  Run *run = data;
  if (code != 0) {
    give_up (run, code == SERVER_UNAVAILABLE ? BROKER_SILENT : BROKER_FORBIDDEN,
             mosquitto_connack_string (code));
    return;
  }
  /* QoS 0: what comes this way repeats itself, and clusters make a stored queue of each
   * subscription of QoS 1. */
  for (guint i = 0; run->wish->topics[i] != NULL; i++)
    mosquitto_subscribe (session, NULL, run->wish->topics[i], 0);
}

/* Presence is published when pages that see it can be heard. */
static void
on_subscribe (struct mosquitto *session, void *data, int id, int count, const int *granted)
{
  Run *run = data;
  if (count > 0 && granted[0] > 2) {
    give_up (run, BROKER_FORBIDDEN,
             "the broker refuses a subscription: its rules (ACL) do not fit "
             "this station's id");
    mosquitto_disconnect (session);
    return;
  }
  g_mutex_lock (&run->mqtt->lock);
  if (!run->told) {
    run->told = run->mqtt->connected = TRUE;
    mqtt_add_news (run->mqtt, (News){ .kind = NEWS_CONNECTED, .address = run->broker->address });
  }
  g_mutex_unlock (&run->mqtt->lock);
}

static void
on_message (struct mosquitto *session, void *data, const struct mosquitto_message *message)
{
  Run *run = data;
  if (message->payloadlen <= 0 || message->payloadlen > MQTT_LARGEST || message->retain)
    return;
  char *payload = g_malloc ((gsize)message->payloadlen + 1);
  memcpy (payload, message->payload, (gsize)message->payloadlen);
  payload[message->payloadlen] = '\0';
  g_mutex_lock (&run->mqtt->lock);
  mqtt_add_news (run->mqtt, (News){ .kind = NEWS_MESSAGE,
                                    .text = g_strdup (message->topic),
                                    .payload = payload,
                                    .length = (gsize)message->payloadlen });
  g_mutex_unlock (&run->mqtt->lock);
}

static void
on_publish (struct mosquitto *session, void *data, int id)
{
  Mqtt *mqtt = ((Run *)data)->mqtt;
  g_mutex_lock (&mqtt->lock);
  mqtt->unsent_bytes -= GPOINTER_TO_SIZE (g_hash_table_lookup (mqtt->unsent, GINT_TO_POINTER (id)));
  g_hash_table_remove (mqtt->unsent, GINT_TO_POINTER (id));
  g_mutex_unlock (&mqtt->lock);
}

/* ---- The thread -------------------------------------------------------------------------------
 */

static struct mosquitto *
new_session (Mqtt *mqtt, const Wish *wish, Run *run)
{
  struct mosquitto *session = mosquitto_new (mqtt->place.client_id, true, run);
  if (session == NULL)
    return NULL;
  mosquitto_threaded_set (session, true);
  mosquitto_int_option (session, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option (session, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
  if (run->broker->tls != NULL) {
    mosquitto_int_option (session, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    mosquitto_void_option (session, MOSQ_OPT_SSL_CTX, run->broker->tls);
  }
  mosquitto_connect_callback_set (session, on_connect);
  mosquitto_subscribe_callback_set (session, on_subscribe);
  mosquitto_message_callback_set (session, on_message);
  mosquitto_publish_callback_set (session, on_publish);
  mosquitto_will_set (session, wish->will_topic, (int)strlen (wish->will), wish->will, 1, true);
  return session;
}

/* What a code of libmosquitto means, with errno and OpenSSL's queue as they are then. */
static void
explain (Run *run, int code, int number)
{
  g_autofree char *why = NULL;
  BrokerTrouble trouble = broker_tls_trouble (run->broker->tls, &why);
  if (run->trouble != BROKER_GOOD)
    return;
  /* libmosquitto has emptied the queue then: who shook hands and hangs up before the answer to
   * CONNECT does not like our certificate, which TLS 1.3 shows last. */
  if (trouble == BROKER_GOOD && run->entered && !run->told && run->broker->tls != NULL)
    trouble = BROKER_STRANGER;
  if (trouble == BROKER_GOOD)
    trouble = code == MOSQ_ERR_EAI     ? BROKER_NO_NAME
              : code == MOSQ_ERR_ERRNO ? broker_errno_trouble (number)
              : code == MOSQ_ERR_TLS   ? BROKER_NO_TLS
                                       : BROKER_LOST;
  give_up (run, trouble,
           why != NULL              ? why
           : code == MOSQ_ERR_ERRNO ? g_strerror (number)
                                    : mosquitto_strerror (code));
}

static void
set_session (Mqtt *mqtt, struct mosquitto *session)
{
  g_mutex_lock (&mqtt->lock);
  mqtt->session = session;
  mqtt->connected = FALSE;
  g_hash_table_remove_all (mqtt->unsent);
  mqtt->unsent_bytes = 0;
  g_mutex_unlock (&mqtt->lock);
}

/* Sends what is left, and no longer than that. */
static gboolean
may_end (Mqtt *mqtt, gint64 *since)
{
  g_mutex_lock (&mqtt->lock);
  gboolean ending = mqtt->ending, sent = g_hash_table_size (mqtt->unsent) == 0;
  g_mutex_unlock (&mqtt->lock);
  if (!ending)
    return FALSE;
  if (*since == 0)
    *since = g_get_monotonic_time ();
  return sent || g_get_monotonic_time () - *since > MQTT_FAREWELL_US;
}

/* libmosquitto waits for a machine that says nothing as long as the kernel does, two minutes; where
 * there is another one that is too long. */
static gboolean
is_there (Run *run)
{
  g_autoptr (GError) error = NULL;
  if (run->mqtt->place.brokers->len < 2)
    return TRUE;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_socket_client_set_timeout (client, MQTT_ANSWER_S);
  g_socket_client_set_enable_proxy (client, FALSE);
  g_autoptr (GSocketConnection) connection = g_socket_client_connect_to_host (
      client, run->broker->host, run->broker->port, NULL, &error);
  if (connection != NULL)
    return TRUE;
  give_up (run,
           error->domain == G_RESOLVER_ERROR ? BROKER_NO_NAME
           : g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED)
               ? BROKER_REFUSED
               : BROKER_UNREACHABLE,
           error->message);
  return FALSE;
}

static int
loop (Run *run, struct mosquitto *session, gint64 *ending_since)
{
  gint64 begun = g_get_monotonic_time ();
  int code = MOSQ_ERR_SUCCESS;
  while (code == MOSQ_ERR_SUCCESS && !may_end (run->mqtt, ending_since)) {
    code = mosquitto_loop (session, *ending_since != 0 ? 10 : MQTT_LOOP_MS, 1);
    if (!run->told && g_get_monotonic_time () - begun > MQTT_ANSWER_S * G_USEC_PER_SEC) {
      give_up (run, BROKER_SILENT, "it takes the connection, and does not answer");
      return MOSQ_ERR_SUCCESS;
    }
  }
  return code;
}

void
mqtt_run_session (Run *run)
{
  Mqtt *mqtt = run->mqtt;
  gint64 ending_since = 0;
  ERR_clear_error ();
  if (!is_there (run))
    return;
  struct mosquitto *session = new_session (mqtt, run->wish, run);
  if (session == NULL) {
    give_up (run, BROKER_LOST, "out of memory");
    return;
  }
  int code = mosquitto_connect (session, run->broker->host, run->broker->port, KEEP_ALIVE_S);
  int number = errno;
  if (code == MOSQ_ERR_SUCCESS) {
    run->entered = TRUE;
    set_session (mqtt, session);
    code = loop (run, session, &ending_since);
    number = errno;
    set_session (mqtt, NULL);
  }
  if (code == MOSQ_ERR_SUCCESS)
    mosquitto_disconnect (session);
  explain (run, code, number);
  mosquitto_destroy (session);
}
