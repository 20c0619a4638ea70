/* Measures congestion control on a link in virtual time, several seeds: what tests/bench prints as
 * ours for capacity-drop, capacity-rise and random-loss. One JSON line: {"median", "all"}. */
#include "virtual_call.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECOND = 1000000, SEEDS = 21, STEP_US = 20000, DELAY_US = 40000, SHORT_QUEUE_US = 100000 };

static VirtualCall *
call_new (guint bps, double loss, guint32 seed)
{
  FlowConfig flow = { 0 };
  VirtualLinkConfig up
      = { .bps = bps, .queue_bytes = bps / 16, .delay_us = DELAY_US, .loss = loss };
  VirtualLinkConfig down = { .delay_us = DELAY_US };
  return virtual_call_new (&up, &down, &flow, 1, seed);
}

/* 1 Mbit/s becomes 500 kbit/s: seconds until the queue stays below 100 ms for a second. */
static double
capacity_drop (guint32 seed)
{
  g_autoptr (VirtualCall) call = call_new (1000000, 0, seed);
  virtual_call_run (call, 20 * SECOND + seed * 137000);
  virtual_call_set_capacity (call, 500000);
  gint64 begun_us = virtual_call_now (call), long_us = begun_us;
  while (virtual_call_now (call) - long_us < SECOND
         && virtual_call_now (call) - begun_us < 30 * SECOND) {
    virtual_call_run (call, STEP_US);
    if (virtual_call_queue_us (call) > SHORT_QUEUE_US)
      long_us = virtual_call_now (call);
  }
  return (double)(long_us - begun_us) / SECOND;
}

/* 300 kbit/s become 1 Mbit/s: seconds until the estimate is 90 % of it. */
static double
capacity_rise (guint32 seed)
{
  g_autoptr (VirtualCall) call = call_new (300000, 0, seed);
  virtual_call_run (call, 30 * SECOND + seed * 137000);
  virtual_call_set_capacity (call, 1000000);
  gint64 begun_us = virtual_call_now (call);
  while (virtual_call_estimate (call, 0) < 900000
         && virtual_call_now (call) - begun_us < 60 * SECOND)
    virtual_call_run (call, STEP_US);
  return (double)(virtual_call_now (call) - begun_us) / SECOND;
}

/* 1 Mbit/s that loses 5 % behind the bottleneck: share of it that arrives over a minute. */
static double
random_loss (guint32 seed)
{
  g_autoptr (VirtualCall) call = call_new (1000000, 0.05, seed);
  virtual_call_run (call, 20 * SECOND);
  virtual_call_reset (call);
  virtual_call_run (call, 60 * SECOND);
  FlowFigures figures;
  virtual_call_figures (call, 0, &figures);
  return (double)figures.arrived_bytes * 8 / 60 / 1000000;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    double (*measure) (guint32 seed);
  } benches[] = { { "capacity-drop", capacity_drop },
                  { "capacity-rise", capacity_rise },
                  { "random-loss", random_loss } };
  for (guint i = 0; i < G_N_ELEMENTS (benches); i++) {
    if (argc != 2 || strcmp (argv[1], benches[i].name) != 0)
      continue;
    double values[SEEDS];
    for (guint seed = 0; seed < SEEDS; seed++)
      values[seed] = benches[i].measure (seed + 1);
    qsort (values, SEEDS, sizeof values[0], compare);
    json_t *all = json_array ();
    for (guint seed = 0; seed < SEEDS; seed++)
      json_array_append_new (all, json_real (values[seed]));
    json_t *line = json_pack ("{s:f, s:o}", "median", values[SEEDS / 2], "all", all);
    char *text = json_dumps (line, JSON_COMPACT | JSON_REAL_PRECISION (4));
    printf ("%s\n", text);
    free (text);
    json_decref (line);
    return 0;
  }
  fprintf (stderr, "bench-congestion: one argument: capacity-drop, capacity-rise or random-loss\n");
  return 2;
}
