/* A connection to an MQTT broker (3.1.1) by libmosquitto, in a thread of its own: names are looked
 * up, keys in tokens used and sockets waited for there. Functions and events are of the main
 * thread.
 *
 * Nothing is kept while there is no connection, and what waits in either direction is bounded: what
 * goes over it repeats itself (docs/rendezvous.md).
 */
#pragma once
#include "station/rendezvous/broker_tls.h"

typedef struct Mqtt Mqtt;

enum {
  MQTT_LARGEST = 384 * 1024,    /* bytes of a payload; larger ones that come are dropped */
  MQTT_WAITING = 2048,          /* messages in either direction, */
  MQTT_WAITING_BYTES = 8 << 20, /* and their bytes */
  MQTT_ANSWER_S = 10, /* for a broker to take a connection, and to answer what is asked first */
};

typedef struct {
  char *address; /* for people */
  char *host;
  guint16 port;
  SSL_CTX *tls; /* broker_tls_new(); counted; NULL: none */
} MqttBroker;
void mqtt_broker_free (MqttBroker *broker);

typedef struct {
  GPtrArray *brokers; /* MqttBroker*, one at least: nodes of one cluster, any of them does */
  char *client_id;
} MqttPlace;
void mqtt_place_clear (MqttPlace *place);

typedef struct {
  /* address: which of the brokers. */
  void (*connected) (const char *address, void *arg);
  /* Or it could not be made. why: for the log, in English; NULL: nothing more is known. */
  void (*disconnected) (const char *address, BrokerTrouble trouble, const char *why, void *arg);
  /* payload: length bytes, a 0 byte behind. */
  void (*message) (const char *topic, const char *payload, gsize length, void *arg);
} MqttEvents;

/* Does not connect yet. place: taken over (contents moved). */
Mqtt *mqtt_new (MqttPlace *place, const MqttEvents *events, void *arg);
/* Ends the connection (what was published just before is sent, for a second at most) and the
 * thread; no event comes any more. */
void mqtt_free (Mqtt *mqtt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mqtt, mqtt_free)

/* Tries once; connected or disconnected follows, and disconnected again when it breaks. Which
 * broker: each in turn, the first one by chance, so that stations spread. The will (QoS 1,
 * retained) and the topics (QoS 0, NULL-terminated) hold for this connection. Not while one stands
 * or is tried. */
void mqtt_connect (Mqtt *mqtt, const char *will_topic, const char *will,
                   const char *const *subscriptions);
/* FALSE: no connection, or too much waits; it is dropped then. */
gboolean mqtt_publish (Mqtt *mqtt, const char *topic, const void *payload, gsize length, int qos,
                       gboolean retain);
/* How long to wait before try number `tries` (0: the first after a loss): full jitter, a random
 * time between 0 and min (most_us, 0.5 s · 2^tries). */
gint64 mqtt_wait_us (guint tries, gint64 most_us);
