/* Bytes of a serial device, as they came over the line: "contec", "nonin", "nonin-9560",
 * "intellivue". A file has
 * no times: the bytes pass at the device's own pace, from now on. */
#include "media/devices/decode_kinds.h"
#include "media/devices/line_device.h"

#include <gio/gio.h>

typedef struct {
  DecodeOut out;
  void *arg;
} Decoding;

static void
give (Decoding *decoding, json_t *object)
{
  decoding->out (object, decoding->arg);
  json_decref (object);
}

static void
on_observation (Observation *observation, void *arg)
{
  give (arg, observation_to_json (observation));
  observation_free (observation);
}

static void
on_wave (WaveBlock *block, void *arg)
{
  give (arg, wave_block_to_json (block));
  wave_block_free (block);
}

static void
on_alarm (DeviceAlarm *alarm, void *arg)
{
  give (arg, device_alarm_to_json (alarm));
  device_alarm_free (alarm);
}

static gboolean
decode_line (const LineKind *kind, const guint8 *data, gsize length, DecodeOut out, void *arg,
             GError **error)
{
  Decoding decoding = { .out = out, .arg = arg };
  const FeedSink sink
      = { .observation = on_observation, .wave = on_wave, .alarm = on_alarm, .arg = &decoding };
  const LineOutput output = { .sink = &sink };
  gint64 start = g_get_real_time ();
  LineTime now = { .monotonic_us = G_USEC_PER_SEC, .utc_us = start };
  void *device = kind->make (&output);
  kind->open (device, now);
  for (gsize i = 0; i < length; i++) {
    gint64 passed = (gint64)(i * (guint64)G_USEC_PER_SEC / kind->bytes_per_second);
    now = (LineTime){ .monotonic_us = G_USEC_PER_SEC + passed, .utc_us = start + passed };
    kind->feed (device, data + i, 1, now);
  }
  kind->close (device, now, LINE_ENDED);
  guint64 frames = kind->frames (device);
  kind->free (device);
  if (frames > 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "no frame of a %s device in the file: another device, or another line speed",
               kind->name);
  return FALSE;
}

gboolean
decode_contec (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
               GError **error)
{
  return decode_line (&line_kind_contec, data, length, out, arg, error);
}

gboolean
decode_nonin (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
              GError **error)
{
  return decode_line (&line_kind_nonin, data, length, out, arg, error);
}

gboolean
decode_nonin_spot (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
                   GError **error)
{
  return decode_line (&line_kind_nonin_spot, data, length, out, arg, error);
}

gboolean
decode_intellivue (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
                   GError **error)
{
  return decode_line (&line_kind_intellivue, data, length, out, arg, error);
}
