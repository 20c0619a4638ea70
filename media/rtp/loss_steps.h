/* Steps of a protection against loss, with hysteresis: more is given at once, one step less after
 * 10 s below half of the loss that asked for the step in use. Sans-IO. */
#pragma once
#include <glib.h>

typedef struct {
  guint step;    /* in use; 0: none */
  gint64 low_us; /* since when the loss asks for less; 0: it does not */
} LossSteps;

/* The step for now: from[i] is the loss, 0..1, from which step i is worth its bits, rising; from[0]
 * is 0. */
guint loss_steps_follow (LossSteps *steps, const double *from, guint n, double loss, gint64 now_us);
