/* Epoch keys, presence, last will, rings. */
#include "station/rendezvous/switchboard_private.h"

#include <string.h>

#define KEY_LIFE_US G_TIME_SPAN_HOUR
#define KEY_GRACE_US (5 * G_TIME_SPAN_MINUTE)
#define REPEAT_US (15 * G_TIME_SPAN_MINUTE)
#define SIGN_EVERY_US G_USEC_PER_SEC

/* ---- Epoch keys -------------------------------------------------------------------------------
 */

static GHashTable *
once_new (void)
{
  return g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
}

gboolean
switchboard_new_key (Switchboard *board, gint64 now, GError **error)
{
  json_t *key = jose_ecdh_key_new (error);
  if (key == NULL)
    return FALSE;
  g_autofree char *kid = jose_thumbprint (key);
  json_object_set_new (key, "kid", json_string (kid));
  json_array_insert_new (board->epoch_keys, 0, key);
  while (json_array_size (board->epoch_keys) > 2)
    json_array_remove (board->epoch_keys, 2);
  g_clear_pointer (&board->once[1], g_hash_table_unref);
  board->once[1] = board->once[0];
  board->once[0] = once_new ();
  board->key_made_at = now;
  board->presence_due = TRUE;
  return TRUE;
}

static void
renew_key (Switchboard *board, gint64 now)
{
  g_autoptr (GError) error = NULL;
  if (json_array_size (board->epoch_keys) > 1 && now - board->key_made_at >= KEY_GRACE_US)
    json_array_remove (board->epoch_keys, 1);
  if (now - board->key_made_at < KEY_LIFE_US
      && g_hash_table_size (board->once[0]) < SWITCHBOARD_OPENINGS_PER_KEY)
    return;
  if (!switchboard_new_key (board, now, &error))
    g_warning ("rendezvous: %s", error->message);
}

/* ---- Presence ---------------------------------------------------------------------------------
 */

const char *
switchboard_presence_topic (const Switchboard *board)
{
  return board->presence_topic;
}

char *
switchboard_will (Switchboard *board, GError **error)
{
  board->connected = FALSE;
  board->turn.link++;
  board->turn.seq = 0;
  PresenceTurn last = { board->turn.epoch, board->turn.link, PRESENCE_WILL_SEQ };
  g_free (board->will);
  board->will = presence_sign (board->key, board->station, &last, NULL, 0, error);
  return g_strdup (board->will);
}

static void
publish (Switchboard *board, const char *topic, const char *jws)
{
  board->events->publish (topic, jws, strlen (jws), TRUE, board->arg);
}

static void
publish_presence (Switchboard *board, gint64 now, gint64 utc_us)
{
  g_autoptr (GError) error = NULL;
  board->turn.seq++;
  g_autofree char *jws = presence_sign (board->key, board->station, &board->turn,
                                        json_array_get (board->epoch_keys, 0), utc_us, &error);
  board->signed_at = board->presence_at = now;
  board->presence_due = FALSE;
  if (jws == NULL)
    g_warning ("rendezvous: presence: %s", error->message);
  else
    publish (board, board->presence_topic, jws);
}

/* ---- Rings ------------------------------------------------------------------------------------
 */

static void
ring_free (void *data)
{
  Ring *ring = data;
  g_free (ring->topic);
  json_decref (ring->calls);
  g_free (ring);
}

void
switchboard_ring (Switchboard *board, const char *desk, const json_t *calls)
{
  if (board->rings == NULL)
    board->rings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, ring_free);
  Ring *ring = g_hash_table_lookup (board->rings, desk);
  if (ring != NULL && json_equal (ring->calls, calls))
    return;
  json_t *known = json_array ();
  for (gsize i = 0; i < MIN (json_array_size (calls), PRESENCE_CALLS_MAX); i++)
    json_array_append (known, json_array_get (calls, i));
  if (ring == NULL) {
    ring = g_new0 (Ring, 1);
    ring->topic = g_strdup_printf ("nhipcau/1/%s/ring/%s", board->station, desk);
    g_hash_table_insert (board->rings, g_strdup (desk), ring);
  }
  json_decref (ring->calls);
  ring->calls = known;
  ring->due = TRUE;
}

static void
publish_ring (Switchboard *board, const char *desk, Ring *ring, gint64 now)
{
  g_autoptr (GError) error = NULL;
  board->turn.seq++;
  g_autofree char *jws
      = presence_sign_ring (board->key, board->station, desk, &board->turn, ring->calls, &error);
  ring->due = FALSE;
  board->signed_at = now;
  if (jws == NULL)
    g_warning ("rendezvous: ring: %s", error->message);
  else
    publish (board, ring->topic, jws);
}

static Ring *
ring_due (Switchboard *board, const char **ret_desk)
{
  GHashTableIter iter;
  void *desk, *ring;
  if (board->rings == NULL)
    return NULL;
  g_hash_table_iter_init (&iter, board->rings);
  while (g_hash_table_iter_next (&iter, &desk, &ring))
    if (((Ring *)ring)->due) {
      *ret_desk = desk;
      return ring;
    }
  return NULL;
}

/* ---- The connection ---------------------------------------------------------------------------
 */

void
switchboard_connected (Switchboard *board, gint64 now, gint64 utc_us)
{
  GHashTableIter iter;
  void *ring;
  board->connected = TRUE;
  publish_presence (board, now, utc_us);
  if (board->rings == NULL)
    return;
  g_hash_table_iter_init (&iter, board->rings);
  while (g_hash_table_iter_next (&iter, NULL, &ring))
    ((Ring *)ring)->due = TRUE;
}

void
switchboard_leave (Switchboard *board, gint64 utc_us)
{
  GHashTableIter iter;
  void *desk, *ring;
  if (!board->connected)
    return;
  if (board->rings != NULL) {
    g_hash_table_iter_init (&iter, board->rings);
    while (g_hash_table_iter_next (&iter, &desk, &ring)) {
      gboolean rings = json_array_size (((Ring *)ring)->calls) > 0;
      json_array_clear (((Ring *)ring)->calls);
      if (rings)
        publish_ring (board, desk, ring, board->signed_at);
    }
  }
  publish (board, board->presence_topic, board->will);
  board->connected = FALSE;
}

/* One signature a second: a key in a token is slow. */
void
switchboard_public_tick (Switchboard *board, gint64 now, gint64 utc_us)
{
  const char *desk = NULL;
  renew_key (board, now);
  if (!board->connected || now - board->signed_at < SIGN_EVERY_US)
    return;
  Ring *ring = ring_due (board, &desk);
  if (board->presence_due || now - board->presence_at >= REPEAT_US)
    publish_presence (board, now, utc_us);
  else if (ring != NULL)
    publish_ring (board, desk, ring, now);
}

void
switchboard_public_free (Switchboard *board)
{
  g_clear_pointer (&board->rings, g_hash_table_unref);
  g_clear_pointer (&board->once[0], g_hash_table_unref);
  g_clear_pointer (&board->once[1], g_hash_table_unref);
  g_clear_pointer (&board->epoch_keys, json_decref);
  g_free (board->will);
}
