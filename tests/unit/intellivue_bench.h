/* A station's end and a model of an IntelliVue monitor, joined by a line. */
#pragma once
#include "intellivue_model.h"
#include "line_probe.h"

typedef struct {
  LineProbe *probe;
  IntellivueModel *model;
  GByteArray *to_station; /* what the monitor sent */
  gboolean station_mute;
} Bench;

static void
from_monitor (const guint8 *data, gsize length, void *arg)
{
  g_byte_array_append (((Bench *)arg)->to_station, data, (guint)length);
}

static inline void
bench_begin (Bench *bench)
{
  *bench = (Bench){ .to_station = g_byte_array_new () };
  bench->model = intellivue_model_new (from_monitor, bench);
  bench->probe = probe_new (&line_kind_intellivue);
}

static inline void
bench_end (Bench *bench)
{
  probe_free (bench->probe);
  g_byte_array_unref (bench->to_station);
  g_free (bench->model);
}

static inline void
run (Bench *bench, double seconds)
{
  LineProbe *probe = bench->probe;
  for (guint i = 0; i < seconds * 50; i++) {
    g_autoptr (GByteArray) sent = g_steal_pointer (&probe->sent);
    probe->sent = g_byte_array_new ();
    if (!bench->station_mute)
      intellivue_model_hear (bench->model, sent->data, sent->len, probe->now.monotonic_us);
    intellivue_model_tick (bench->model, probe->now.monotonic_us);
    probe_feed (probe, bench->to_station->data, bench->to_station->len);
    g_byte_array_set_size (bench->to_station, 0);
    probe->kind->tick (probe->device, probe->now);
    probe_pass (probe, G_USEC_PER_SEC / 50);
  }
}

static inline guint
count_of (const LineProbe *probe, const char *vital)
{
  guint count = 0;
  for (guint i = 0; i < probe->observations->len; i++)
    count += g_strcmp0 (((Observation *)probe->observations->pdata[i])->vital, vital) == 0;
  return count;
}

static inline const Observation *
last_of (const LineProbe *probe, const char *vital)
{
  for (guint i = probe->observations->len; i > 0; i--) {
    const Observation *o = probe->observations->pdata[i - 1];
    if (g_strcmp0 (o->vital, vital) == 0)
      return o;
  }
  g_error ("no %s", vital);
}
