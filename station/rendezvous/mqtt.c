#include "station/rendezvous/mqtt_private.h"

#include <mosquitto.h>

#define FIRST_WAIT_US (G_USEC_PER_SEC / 2)

void
mqtt_broker_free (MqttBroker *broker)
{
  g_free (broker->address);
  g_free (broker->host);
  g_clear_pointer (&broker->tls, SSL_CTX_free);
  g_free (broker);
}

void
mqtt_place_clear (MqttPlace *place)
{
  g_clear_pointer (&place->brokers, g_ptr_array_unref);
  g_clear_pointer (&place->client_id, g_free);
}

static void
wish_free (Wish *wish)
{
  if (wish == NULL)
    return;
  g_free (wish->will_topic);
  g_free (wish->will);
  g_strfreev (wish->topics);
  g_free (wish);
}

static void
news_free (void *data)
{
  News *news = data;
  g_free (news->text);
  g_free (news->payload);
  g_free (news);
}

gint64
mqtt_wait_us (guint tries, gint64 most_us)
{
  gint64 most = tries < 20 ? MIN (most_us, (gint64)FIRST_WAIT_US << tries) : most_us;
  return (gint64)(g_random_double () * (double)most);
}

/* ---- To the main loop -------------------------------------------------------------------------
 */

static gboolean
tell (void *data)
{
  Mqtt *mqtt = data;
  GQueue news = G_QUEUE_INIT;
  News *one;
  g_mutex_lock (&mqtt->lock);
  while ((one = g_queue_pop_head (&mqtt->news)) != NULL)
    g_queue_push_tail (&news, one);
  mqtt->news_bytes = 0;
  g_clear_pointer (&mqtt->telling, g_source_unref);
  g_mutex_unlock (&mqtt->lock);
  while ((one = g_queue_pop_head (&news)) != NULL) {
    if (one->kind == NEWS_CONNECTED)
      mqtt->events->connected (one->address, mqtt->arg);
    else if (one->kind == NEWS_DISCONNECTED)
      mqtt->events->disconnected (one->address, one->trouble, one->text, mqtt->arg);
    else
      mqtt->events->message (one->text, one->payload, one->length, mqtt->arg);
    news_free (one);
  }
  return G_SOURCE_REMOVE;
}

void
mqtt_add_news (Mqtt *mqtt, News what)
{
  News *news = g_memdup2 (&what, sizeof what);
  if (mqtt->ending
      || (news->kind == NEWS_MESSAGE
          && (g_queue_get_length (&mqtt->news) >= MQTT_WAITING
              || mqtt->news_bytes + news->length > MQTT_WAITING_BYTES))) {
    news_free (news);
    return;
  }
  mqtt->news_bytes += news->length;
  g_queue_push_tail (&mqtt->news, news);
  if (mqtt->telling != NULL)
    return;
  mqtt->telling = g_idle_source_new ();
  g_source_set_priority (mqtt->telling, G_PRIORITY_DEFAULT);
  g_source_set_callback (mqtt->telling, tell, mqtt, NULL);
  g_source_attach (mqtt->telling, mqtt->context);
}

/* ---- The thread -------------------------------------------------------------------------------
 */

static Wish *
next_wish (Mqtt *mqtt)
{
  g_mutex_lock (&mqtt->lock);
  while (mqtt->wish == NULL && !mqtt->ending)
    g_cond_wait (&mqtt->wished, &mqtt->lock);
  Wish *wish = mqtt->ending ? NULL : g_steal_pointer (&mqtt->wish);
  g_mutex_unlock (&mqtt->lock);
  return wish;
}

static void
unref (Mqtt *mqtt)
{
  if (!g_atomic_int_dec_and_test (&mqtt->references))
    return;
  g_queue_clear_full (&mqtt->news, news_free);
  g_hash_table_unref (mqtt->unsent);
  wish_free (mqtt->wish);
  mqtt_place_clear (&mqtt->place);
  g_mutex_clear (&mqtt->lock);
  g_cond_clear (&mqtt->wished);
  g_cond_clear (&mqtt->ended);
  g_main_context_unref (mqtt->context);
  g_free (mqtt);
}

static void *
run_thread (void *data)
{
  Mqtt *mqtt = data;
  Wish *wish;
  while ((wish = next_wish (mqtt)) != NULL) {
    const MqttBroker *broker = mqtt->place.brokers->pdata[mqtt->next++ % mqtt->place.brokers->len];
    Run run = { .mqtt = mqtt, .broker = broker, .wish = wish };
    mqtt_run_session (&run);
    wish_free (wish);
    g_mutex_lock (&mqtt->lock);
    mqtt_add_news (mqtt, (News){ .kind = NEWS_DISCONNECTED,
                                 .address = broker->address,
                                 .trouble = run.trouble,
                                 .text = run.why });
    g_mutex_unlock (&mqtt->lock);
  }
  g_mutex_lock (&mqtt->lock);
  mqtt->over = TRUE;
  g_cond_signal (&mqtt->ended);
  g_mutex_unlock (&mqtt->lock);
  unref (mqtt);
  return NULL;
}

/* ---- The main thread's side -------------------------------------------------------------------
 */

Mqtt *
mqtt_new (MqttPlace *place, const MqttEvents *events, void *arg)
{
  static gsize once;
  if (g_once_init_enter (&once)) {
    mosquitto_lib_init ();
    g_once_init_leave (&once, 1);
  }
  Mqtt *mqtt = g_new0 (Mqtt, 1);
  mqtt->place = *place;
  *place = (MqttPlace){ 0 };
  mqtt->next = g_random_int_range (0, (int)mqtt->place.brokers->len);
  mqtt->events = events;
  mqtt->arg = arg;
  mqtt->context = g_main_context_ref_thread_default ();
  g_mutex_init (&mqtt->lock);
  g_cond_init (&mqtt->wished);
  g_cond_init (&mqtt->ended);
  g_queue_init (&mqtt->news);
  mqtt->unsent = g_hash_table_new (NULL, NULL);
  mqtt->references = 2;
  g_thread_unref (g_thread_new ("mqtt", run_thread, mqtt));
  return mqtt;
}

void
mqtt_free (Mqtt *mqtt)
{
  if (mqtt == NULL)
    return;
  gint64 until = g_get_monotonic_time () + MQTT_LOOP_MS * 1000 + MQTT_FAREWELL_US;
  g_mutex_lock (&mqtt->lock);
  mqtt->ending = TRUE;
  g_cond_signal (&mqtt->wished);
  if (mqtt->telling != NULL) {
    g_source_destroy (mqtt->telling);
    g_clear_pointer (&mqtt->telling, g_source_unref);
  }
  while (!mqtt->over && g_cond_wait_until (&mqtt->ended, &mqtt->lock, until))
    ;
  g_mutex_unlock (&mqtt->lock);
  unref (mqtt);
}

void
mqtt_connect (Mqtt *mqtt, const char *will_topic, const char *will,
              const char *const *subscriptions)
{
  Wish *wish = g_new0 (Wish, 1);
  wish->will_topic = g_strdup (will_topic);
  wish->will = g_strdup (will);
  wish->topics = g_strdupv ((GStrv)subscriptions);
  g_mutex_lock (&mqtt->lock);
  wish_free (mqtt->wish);
  mqtt->wish = wish;
  g_cond_signal (&mqtt->wished);
  g_mutex_unlock (&mqtt->lock);
}

gboolean
mqtt_publish (Mqtt *mqtt, const char *topic, const void *payload, gsize length, int qos,
              gboolean retain)
{
  int id = 0;
  gboolean good = FALSE;
  g_mutex_lock (&mqtt->lock);
  if (mqtt->connected && g_hash_table_size (mqtt->unsent) < MQTT_WAITING
      && mqtt->unsent_bytes + length <= MQTT_WAITING_BYTES)
    good = mosquitto_publish (mqtt->session, &id, topic, (int)length, payload, qos, retain)
           == MOSQ_ERR_SUCCESS;
  if (good) {
    g_hash_table_insert (mqtt->unsent, GINT_TO_POINTER (id), GSIZE_TO_POINTER (length));
    mqtt->unsent_bytes += length;
  }
  g_mutex_unlock (&mqtt->lock);
  return good;
}
