#include "station/peer_readings.h"

#include <string.h>

#define KNOWN_MAX 512
#define WEAK_EVERY_MS 900

typedef struct {
  guint number;
  json_t *words; /* all of it that is told once */
  json_t *last;  /* as told last */
} Known;

struct PeerReadings {
  PeerReadingsSend send;
  void *arg;
  GHashTable *known; /* identity → Known* */
  json_t *pending;   /* vital → observation; NULL: none */
  gint64 sent_us;
  guint timer;
};

static void
known_free (void *data)
{
  Known *known = data;
  json_decref (known->words);
  json_decref (known->last);
  g_free (known);
}

PeerReadings *
peer_readings_new (PeerReadingsSend send, void *arg)
{
  PeerReadings *readings = g_new0 (PeerReadings, 1);
  readings->send = send;
  readings->arg = arg;
  readings->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, known_free);
  return readings;
}

void
peer_readings_forget (PeerReadings *readings)
{
  g_hash_table_remove_all (readings->known);
  g_clear_pointer (&readings->pending, json_decref);
  g_clear_handle_id (&readings->timer, g_source_remove);
}

void
peer_readings_free (PeerReadings *readings)
{
  if (readings == NULL)
    return;
  peer_readings_forget (readings);
  g_hash_table_unref (readings->known);
  g_free (readings);
}

/* What is of one kind, from one place of one device. */
static char *
identity_of (const json_t *item)
{
  static const char *const keys[] = { "vital", "device", "code", "site", "containment" };
  GString *identity = g_string_new (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    const char *word = json_string_value (json_object_get (item, keys[i]));
    g_string_append (identity, word != NULL ? word : "");
    g_string_append_c (identity, '\n');
  }
  return g_string_free (identity, FALSE);
}

/* (transfer full) Without what changes from second to second. A number is told as its text: that
 * there is one is a word. */
static json_t *
words_of (json_t *item)
{
  json_t *words = json_copy (item);
  if (json_is_number (json_object_get (words, "value"))
      && json_is_string (json_object_get (words, "value_text")))
    json_object_set_new (words, "value", json_true ());
  json_object_del (words, "value_text");
  json_object_del (words, "time");
  json_object_del (words, "received");
  json_object_del (words, "message");
  json_object_del (words, "raw");
  return words;
}

static gboolean
same_member (const json_t *a, const json_t *b, const char *key)
{
  return json_equal (json_object_get (a, key), json_object_get (b, key));
}

/* A new arrival of the same measurement says nothing new. */
static gboolean
is_unchanged (const Known *known, const json_t *item)
{
  return same_member (known->last, item, "value_text") && same_member (known->last, item, "time");
}

static gboolean
is_brief (const Known *known, const json_t *item, const json_t *words)
{
  return known != NULL && json_is_string (json_object_get (item, "value_text"))
         && json_equal (known->words, words);
}

/* The group of `now` with the item's times, made when it is not there. */
static json_t *
group_of (json_t *now, json_t *item)
{
  size_t i;
  json_t *group;
  json_array_foreach (now, i, group)
  {
    if (same_member (group, item, "time") && same_member (group, item, "received"))
      return group;
  }
  group = json_object ();
  json_object_set (group, "time", json_object_get (item, "time"));
  if (json_object_get (item, "received") != NULL)
    json_object_set (group, "received", json_object_get (item, "received"));
  json_object_set_new (group, "values", json_array ());
  json_array_append_new (now, group);
  return group;
}

static void
tell_whole (PeerReadings *readings, json_t *items, json_t *item, char *identity, json_t *words)
{
  json_t *whole = json_copy (item);
  Known *known = g_hash_table_lookup (readings->known, identity);
  if (known == NULL && g_hash_table_size (readings->known) < KNOWN_MAX) {
    known = g_new0 (Known, 1);
    known->number = g_hash_table_size (readings->known) + 1;
    g_hash_table_insert (readings->known, g_strdup (identity), known);
  }
  if (known != NULL) {
    json_decref (known->words);
    json_decref (known->last);
    known->words = json_incref (words);
    known->last = json_incref (item);
    json_object_set_new (whole, "no", json_integer (known->number));
  }
  json_array_append_new (items, whole);
}

static void
tell_item (PeerReadings *readings, json_t *items, json_t *now, json_t *item)
{
  g_autofree char *identity = identity_of (item);
  json_auto_t *words = words_of (item);
  Known *known = g_hash_table_lookup (readings->known, identity);
  if (!is_brief (known, item, words)) {
    tell_whole (readings, items, item, identity, words);
    return;
  }
  if (is_unchanged (known, item))
    return;
  json_decref (known->last);
  known->last = json_incref (item);
  json_array_append_new (
      json_object_get (group_of (now, item), "values"),
      json_pack ("[i, O]", (int)known->number, json_object_get (item, "value_text")));
}

static void
tell (PeerReadings *readings, json_t *list)
{
  json_auto_t *items = json_array (), *now = json_array ();
  size_t i;
  json_t *item;
  json_array_foreach (list, i, item)
  {
    tell_item (readings, items, now, item);
  }
  readings->sent_us = g_get_monotonic_time ();
  if (json_array_size (items) == 0 && json_array_size (now) == 0)
    return;
  json_t *message = json_pack ("{s:s, s:O}", "type", "readings", "items", items);
  if (json_array_size (now) > 0)
    json_object_set (message, "now", now);
  readings->send (message, readings->arg);
}

static gboolean
tell_pending (void *arg)
{
  PeerReadings *readings = arg;
  json_auto_t *pending = g_steal_pointer (&readings->pending);
  json_auto_t *list = json_array ();
  const char *vital;
  json_t *item;
  readings->timer = 0;
  json_object_foreach (pending, vital, item)
  {
    json_array_append (list, item);
  }
  tell (readings, list);
  return G_SOURCE_REMOVE;
}

static void
keep_newest (PeerReadings *readings, json_t *items)
{
  size_t i;
  json_t *item;
  if (readings->pending == NULL)
    readings->pending = json_object ();
  json_array_foreach (items, i, item)
  {
    const char *vital = json_string_value (json_object_get (item, "vital"));
    if (vital != NULL)
      json_object_set (readings->pending, vital, item);
  }
}

void
peer_readings_take (PeerReadings *readings, json_t *items, gboolean weak)
{
  if (!weak && readings->pending == NULL) {
    tell (readings, items);
    return;
  }
  keep_newest (readings, items);
  gint64 wait_ms = WEAK_EVERY_MS - (g_get_monotonic_time () - readings->sent_us) / 1000;
  if (wait_ms <= 0) {
    g_clear_handle_id (&readings->timer, g_source_remove);
    tell_pending (readings);
  } else if (readings->timer == 0) {
    readings->timer = g_timeout_add ((guint)wait_ms, tell_pending, readings);
  }
}
