#include "media/devices/feed.h"

void
feed_observation (const FeedSink *sink, Observation *observation)
{
  if (sink->observation != NULL)
    sink->observation (observation, sink->arg);
  else
    observation_free (observation);
}

void
feed_wave (const FeedSink *sink, WaveBlock *block)
{
  if (sink->wave != NULL)
    sink->wave (block, sink->arg);
  else
    wave_block_free (block);
}

void
feed_alarm (const FeedSink *sink, DeviceAlarm *alarm)
{
  if (sink->alarm != NULL)
    sink->alarm (alarm, sink->arg);
  else
    device_alarm_free (alarm);
}

void
feed_state (const FeedSink *sink, FeedState state, const char *why_vi, const char *why_en,
            int battery)
{
  if (sink->state != NULL)
    sink->state (state, why_vi, why_en, battery, sink->arg);
}

void
feed_raw (const FeedSink *sink, FeedDirection direction, const guint8 *data, gsize length)
{
  if (sink->raw != NULL)
    sink->raw (direction, data, length, sink->arg);
}
