/* Between mqtt.c and mqtt_session.c. */
#pragma once
#include "station/rendezvous/mqtt.h"

#define MQTT_LOOP_MS 1000
#define MQTT_FAREWELL_US G_USEC_PER_SEC

/* One connection that is wanted. */
typedef struct {
  char *will_topic, *will;
  GStrv topics;
} Wish;

/* From the thread to the main loop. */
typedef enum { NEWS_CONNECTED, NEWS_DISCONNECTED, NEWS_MESSAGE } NewsKind;
typedef struct {
  NewsKind kind;
  BrokerTrouble trouble;
  const char *address; /* of the place */
  char *text;          /* why, or the topic */
  char *payload;
  gsize length;
} News;

struct Mqtt {
  MqttPlace place;
  guint next; /* of its brokers; the thread's */
  const MqttEvents *events;
  void *arg;
  GMainContext *context;

  gint references; /* the owner's, the thread's: one that waits for a name server is left alone */

  GMutex lock; /* all below */
  GCond wished, ended;
  gboolean over; /* the thread touches nothing of ours any more */
  Wish *wish;
  gboolean ending;
  struct mosquitto *session; /* of the thread; published to from the main thread */
  gboolean connected;
  GHashTable *unsent; /* message id → bytes */
  gsize unsent_bytes;
  GQueue news;
  gsize news_bytes;
  GSource *telling; /* NULL: none is under way */
};

/* A connection under way; of the thread. */
typedef struct {
  Mqtt *mqtt;
  const MqttBroker *broker;
  const Wish *wish;
  BrokerTrouble trouble; /* as far as a callback knows it */
  char *why;
  gboolean entered; /* TCP and TLS stand */
  gboolean told;    /* that it is connected */
} Run;

/* Under the lock. what: contents are taken over. */
void mqtt_add_news (Mqtt *mqtt, News what);
/* From its beginning to its end; run->trouble and ->why (transfer full) say what that was. */
void mqtt_run_session (Run *run);
