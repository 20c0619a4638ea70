#include "station/feeds.h"
#include "station/alarms.h"
#include "station/readings.h"
#include "station/waves.h"

struct Feeds {
  Station *station;
  GPtrArray *feeds; /* Feed*, owned */
};

struct Feed {
  Feeds *feeds;
  FeedSink sink;
  char *id, *name, *kind;
  Capturing *capturing; /* NULL: not captured */
  FeedState state;
  char *why_vi, *why_en;
  int battery;
};

static void
feed_free (void *data)
{
  Feed *feed = data;
  capturing_free (feed->capturing);
  g_free (feed->id);
  g_free (feed->name);
  g_free (feed->kind);
  g_free (feed->why_vi);
  g_free (feed->why_en);
  g_free (feed);
}

static void
take_observation (Observation *observation, void *arg)
{
  Feed *feed = arg;
  g_autoptr (GPtrArray) one = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
  if (observation->device == NULL)
    observation->device = g_strdup (feed->id);
  g_ptr_array_add (one, observation);
  readings_take (feed->feeds->station->readings, feed->name, one, NULL, NULL);
}

static void
take_wave (WaveBlock *block, void *arg)
{
  Feed *feed = arg;
  waves_take (feed->feeds->station->waves, feed->id, feed->name, block);
}

static void
take_alarm (DeviceAlarm *alarm, void *arg)
{
  Feed *feed = arg;
  g_autoptr (GPtrArray) one = g_ptr_array_new_with_free_func ((GDestroyNotify)device_alarm_free);
  if (alarm->origin->device == NULL)
    alarm->origin->device = g_strdup (feed->id);
  g_ptr_array_add (one, alarm);
  alarms_take (feed->feeds->station, feed->name, one, NULL, NULL);
}

static const char *
state_name (FeedState state)
{
  static const char *const names[] = { "searching", "live", "lost", "failed" };
  return names[state];
}

static void
say_state (const Feed *feed)
{
  Station *station = feed->feeds->station;
  if (station->screen == NULL)
    return;
  if (feed->state == FEED_LIVE)
    station_event (station, station->screen->id, "station", "device-live", feed->name);
  else if (feed->state == FEED_LOST)
    station_event (station, station->screen->id, "station", "device-lost", feed->name);
}

static void
take_state (FeedState state, const char *why_vi, const char *why_en, int battery, void *arg)
{
  Feed *feed = arg;
  gboolean changed = state != feed->state;
  feed->state = state;
  feed->battery = battery;
  g_free (feed->why_vi);
  g_free (feed->why_en);
  feed->why_vi = g_strdup (why_vi);
  feed->why_en = g_strdup (why_en);
  if (changed)
    say_state (feed);
  station_changed (feed->feeds->station);
}

static void
take_raw (FeedDirection direction, const guint8 *data, gsize length, void *arg)
{
  capturing_take (((Feed *)arg)->capturing, direction, data, length);
}

Feeds *
feeds_new (Station *station)
{
  Feeds *feeds = g_new0 (Feeds, 1);
  feeds->station = station;
  feeds->feeds = g_ptr_array_new_with_free_func (feed_free);
  return feeds;
}

void
feeds_free (Feeds *feeds)
{
  g_ptr_array_unref (feeds->feeds);
  g_free (feeds);
}

Feed *
feeds_add (Feeds *feeds, const char *id, const char *name, const char *kind)
{
  Feed *feed = g_new0 (Feed, 1);
  feed->feeds = feeds;
  feed->id = g_strdup (id);
  feed->name = g_strdup (name);
  feed->kind = g_strdup (kind);
  feed->battery = -1;
  feed->sink = (FeedSink){ .observation = take_observation,
                           .wave = take_wave,
                           .alarm = take_alarm,
                           .state = take_state,
                           .arg = feed };
  g_ptr_array_add (feeds->feeds, feed);
  station_changed (feeds->station);
  return feed;
}

void
feed_remove (Feed *feed)
{
  Feeds *feeds = feed->feeds;
  g_ptr_array_remove (feeds->feeds, feed);
  station_changed (feeds->station);
}

void
feed_capture (Feed *feed, Capturing *capturing)
{
  feed->capturing = capturing;
  feed->sink.raw = take_raw;
}

const FeedSink *
feed_sink (Feed *feed)
{
  return &feed->sink;
}

json_t *
feeds_json (Feeds *feeds)
{
  json_t *list = json_array ();
  for (guint i = 0; i < feeds->feeds->len; i++) {
    const Feed *feed = feeds->feeds->pdata[i];
    json_t *item = json_pack ("{s:s, s:s, s:s, s:s}", "device", feed->id, "name", feed->name,
                              "kind", feed->kind, "state", state_name (feed->state));
    if (feed->why_vi != NULL)
      json_object_set_new (item, "why",
                           json_pack ("{s:s, s:s?}", "vi", feed->why_vi, "en", feed->why_en));
    if (feed->battery >= 0)
      json_object_set_new (item, "battery", json_integer (feed->battery));
    json_array_append_new (list, item);
  }
  return list;
}
