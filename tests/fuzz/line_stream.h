/* A device on a line, for a fuzzer: bytes in pieces, time that passes, everything written as JSON.
 */
#pragma once
#include "media/devices/line_device.h"

static void
line_observation (Observation *observation, void *arg)
{
  json_t *object = observation_to_json (observation);
  g_autofree char *text = json_dumps (object, JSON_COMPACT);
  /* Whatever was sent, what is kept is valid UTF-8, hence valid JSON; and a number is one. */
  if (text == NULL)
    g_error ("an observation that cannot be written");
  json_decref (object);
  observation_free (observation);
}

static void
line_wave (WaveBlock *block, void *arg)
{
  json_t *object = wave_block_to_json (block);
  g_autofree char *text = json_dumps (object, JSON_COMPACT);
  if (text == NULL || block->count == 0)
    g_error ("a wave that cannot be written");
  json_decref (object);
  wave_block_free (block);
}

static void
line_alarm (DeviceAlarm *alarm, void *arg)
{
  json_t *object = device_alarm_to_json (alarm);
  g_autofree char *text = json_dumps (object, JSON_COMPACT);
  if (text == NULL)
    g_error ("an alarm that cannot be written");
  json_decref (object);
  device_alarm_free (alarm);
}

static void
line_send (const guint8 *data, gsize length, void *arg)
{
}

/* The first byte: how long the pieces are; each takes `step_us`. */
static inline void
line_stream (const LineKind *kind, const guint8 *data, gsize size, gint64 step_us)
{
  const FeedSink sink = { .observation = line_observation, .wave = line_wave, .alarm = line_alarm };
  const LineOutput output = { .sink = &sink, .device = "serial-fuzz", .send = line_send };
  LineTime now = { .monotonic_us = G_USEC_PER_SEC, .utc_us = 1763600000 * (gint64)G_USEC_PER_SEC };
  if (size < 1)
    return;
  gsize step = 1 + data[0];
  void *device = kind->make (&output);
  kind->open (device, now);
  for (gsize at = 1; at < size; at += step) {
    kind->feed (device, data + at, MIN (step, size - at), now);
    kind->tick (device, now);
    now.monotonic_us += step_us;
    now.utc_us += step_us;
  }
  kind->close (device, now, data[0] % 3);
  kind->free (device);
}
