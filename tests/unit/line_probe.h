/* A device on a line in a test: what it says is kept. */
#pragma once
#include "media/devices/line_device.h"

typedef struct {
  const LineKind *kind;
  void *device;
  FeedSink sink;
  LineTime now;
  GPtrArray *observations, *waves, *alarms; /* Observation*, WaveBlock*, DeviceAlarm* */
  GByteArray *sent;
} LineProbe;

static void
probe_observation (Observation *observation, void *arg)
{
  g_ptr_array_add (((LineProbe *)arg)->observations, observation);
}

static void
probe_wave (WaveBlock *block, void *arg)
{
  g_ptr_array_add (((LineProbe *)arg)->waves, block);
}

static void
probe_alarm (DeviceAlarm *alarm, void *arg)
{
  g_ptr_array_add (((LineProbe *)arg)->alarms, alarm);
}

static void
probe_send (const guint8 *data, gsize length, void *arg)
{
  g_byte_array_append (((LineProbe *)arg)->sent, data, (guint)length);
}

static inline LineProbe *
probe_new (const LineKind *kind)
{
  LineProbe *probe = g_new0 (LineProbe, 1);
  probe->kind = kind;
  probe->observations = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
  probe->waves = g_ptr_array_new_with_free_func ((GDestroyNotify)wave_block_free);
  probe->alarms = g_ptr_array_new_with_free_func ((GDestroyNotify)device_alarm_free);
  probe->sent = g_byte_array_new ();
  probe->sink = (FeedSink){
    .observation = probe_observation, .wave = probe_wave, .alarm = probe_alarm, .arg = probe
  };
  probe->now = (LineTime){ .monotonic_us = 100 * G_USEC_PER_SEC,
                           .utc_us = 1763600000 * (gint64)G_USEC_PER_SEC };
  const LineOutput output = { .sink = &probe->sink, .send = probe_send, .arg = probe };
  probe->device = kind->make (&output);
  kind->open (probe->device, probe->now);
  return probe;
}

static inline void
probe_free (LineProbe *probe)
{
  probe->kind->free (probe->device);
  g_ptr_array_unref (probe->observations);
  g_ptr_array_unref (probe->waves);
  g_ptr_array_unref (probe->alarms);
  g_byte_array_unref (probe->sent);
  g_free (probe);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LineProbe, probe_free)

static inline void
probe_pass (LineProbe *probe, gint64 us)
{
  probe->now.monotonic_us += us;
  probe->now.utc_us += us;
}

static inline void
probe_feed (LineProbe *probe, const guint8 *data, gsize length)
{
  probe->kind->feed (probe->device, data, length, probe->now);
}

/* "spo2 97 %, pulse !not-measured #no-finger" of the observations from `from` on. */
static inline char *
probe_text (const LineProbe *probe, guint from)
{
  GString *text = g_string_new (NULL);
  for (guint i = from; i < probe->observations->len; i++) {
    const Observation *o = probe->observations->pdata[i];
    g_string_append_printf (text, "%s%s", i > from ? ", " : "",
                            o->vital != NULL ? o->vital : o->code);
    if (o->type == OBS_NUMBER)
      g_string_append_printf (text, " %s %s", o->number_text, o->unit);
    else
      g_string_append_printf (text, " !%s", o->absent_reason);
    for (guint f = 0; o->flags[f] != NULL; f++)
      g_string_append_printf (text, " #%s", o->flags[f]);
  }
  return g_string_free (text, FALSE);
}
