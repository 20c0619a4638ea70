#include "media/devices/wave_clock.h"

#include <math.h>

enum { POINTS = 120 };
/* One point of each half second: its fastest arrival. */
#define POINT_US (G_USEC_PER_SEC / 2)
/* Before so much has been seen, jitter says more about the slope than the oscillator. */
#define SLOPE_AFTER_US (10 * G_USEC_PER_SEC)
#define DRIFT_MAX 500e-6
/* The line lies at the fastest of so many points: a minute of drift error would drag it along. */
#define FLOOR_POINTS 20

typedef struct {
  guint64 index;
  gint64 us;
} Point;

struct WaveClock {
  double nominal_us;
  Point points[POINTS]; /* a ring; the newest is still looking for a faster arrival */
  guint n, next;
  gint64 began_us; /* of the newest point */
  guint64 last;
};

WaveClock *
wave_clock_new (guint rate_num, guint rate_den)
{
  WaveClock *clock = g_new0 (WaveClock, 1);
  clock->nominal_us = 1e6 * rate_den / rate_num;
  return clock;
}

void
wave_clock_free (WaveClock *clock)
{
  g_free (clock);
}

void
wave_clock_reset (WaveClock *clock)
{
  clock->n = clock->next = 0;
  clock->last = 0;
}

static const Point *
point (const WaveClock *clock, guint age)
{
  return &clock->points[(clock->next + POINTS - 1 - age) % POINTS];
}

/* How late b was, measured against a, if the device ran at its nominal rate. */
static double
lateness (const WaveClock *clock, const Point *a, guint64 index, gint64 us)
{
  return (double)(us - a->us) - ((double)index - (double)a->index) * clock->nominal_us;
}

void
wave_clock_add (WaveClock *clock, guint64 index, gint64 arrival_us)
{
  if (clock->n > 0 && index <= clock->last)
    return;
  clock->last = index;
  Point *newest = &clock->points[(clock->next + POINTS - 1) % POINTS];
  if (clock->n > 0 && arrival_us - clock->began_us < POINT_US) {
    if (lateness (clock, newest, index, arrival_us) <= 0)
      *newest = (Point){ index, arrival_us };
    return;
  }
  clock->points[clock->next] = (Point){ index, arrival_us };
  clock->next = (clock->next + 1) % POINTS;
  clock->n = MIN (clock->n + 1, POINTS);
  clock->began_us = arrival_us;
}

/* Least squares over the points, relative to the newest. */
static double
slope (const WaveClock *clock)
{
  const Point *origin = point (clock, 0), *oldest = point (clock, clock->n - 1);
  double n = clock->n, sx = 0, sy = 0, sxx = 0, sxy = 0;
  if (origin->us - oldest->us < SLOPE_AFTER_US)
    return clock->nominal_us;
  for (guint i = 0; i < clock->n; i++) {
    double x = (double)point (clock, i)->index - (double)origin->index;
    double y = (double)(point (clock, i)->us - origin->us);
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
  }
  double spread = n * sxx - sx * sx;
  double fitted = spread > 0 ? (n * sxy - sx * sy) / spread : clock->nominal_us;
  return CLAMP (fitted, clock->nominal_us * (1 - DRIFT_MAX), clock->nominal_us * (1 + DRIFT_MAX));
}

gboolean
wave_clock_map (const WaveClock *clock, guint64 *ret_index, gint64 *ret_us, double *ret_period_us)
{
  if (clock->n == 0)
    return FALSE;
  const Point *origin = point (clock, 0);
  double period = slope (clock), floor = 0;
  for (guint i = 0; i < MIN (clock->n, FLOOR_POINTS); i++) {
    const Point *p = point (clock, i);
    double late
        = (double)(p->us - origin->us) - ((double)p->index - (double)origin->index) * period;
    floor = fmin (floor, late);
  }
  *ret_index = origin->index;
  *ret_us = origin->us + (gint64)llround (floor);
  *ret_period_us = period;
  return TRUE;
}
