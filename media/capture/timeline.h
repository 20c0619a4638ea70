/* When samples of a sound card were, told by jittery times of its blocks: a delay-locked loop
 * (F. Adriaensen, "Using a DLL to filter time", LAC 2005) that learns the card's true rate.
 * Sans-IO.
 */
#pragma once
#include <glib.h>

typedef struct {
  gboolean started;
  gint64 samples;   /* counted so far */
  double at_us;     /* when sample `samples` is due */
  double period_us; /* of one sample */
  gint64 begun;     /* value of `samples` when it last began anew */
} Timeline;

void timeline_init (Timeline *timeline, guint rate);
/* n samples more, the first of them at_us. TRUE: it began anew, times before are void (the first
 * block, or one that is 100 ms off: the card paused). */
gboolean timeline_add (Timeline *timeline, guint n, gint64 at_us);
/* Fractional number of the sample that is due at that time. */
double timeline_sample (const Timeline *timeline, double at_us);
