/* When sample i of a stream was taken, on CLOCK_MONOTONIC: a line through the times of arrival.
 *
 * A sample arrives when it was taken, and some delay later that is never negative and mostly small.
 * So the line's slope is that of a regression over the last minute (the device's oscillator, within
 * 500 ppm of its nominal rate), and it lies at the fastest arrivals, not in the midst of them. A
 * new epoch begins a new line. A constant delay, which every device has, cannot be seen from here:
 * times are late by that much, alike for all samples.
 *
 * Sans-IO: times come in as arguments.
 */
#pragma once
#include <glib.h>

typedef struct WaveClock WaveClock;

/* Samples a second, nominal: a rational. */
WaveClock *wave_clock_new (guint rate_num, guint rate_den);
void wave_clock_free (WaveClock *clock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WaveClock, wave_clock_free)

/* Forgets everything: a new epoch. */
void wave_clock_reset (WaveClock *clock);
/* Sample `index` was there at `arrival_us` (monotonic). In the order of arrival; an index before
 * the last one is left out. */
void wave_clock_add (WaveClock *clock, guint64 index, gint64 arrival_us);
/* Sample i was taken at *ret_us + (i - *ret_index) * *ret_period_us. FALSE: nothing has come. */
gboolean wave_clock_map (const WaveClock *clock, guint64 *ret_index, gint64 *ret_us,
                         double *ret_period_us);
