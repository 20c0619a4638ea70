/* Speech-like sound for tests and the demonstration: voiced syllables with moving formants,
 * consonant noise, phrases and pauses. It says nothing in any language and is made here, so it has
 * no licence but ours.
 */
#pragma once
#include <glib.h>

/* Fills samples[n] at `rate` Hz, mono. The same seed gives the same sound. Starts and ends in
 * silence, so that it can be looped. */
void babble (gint16 *samples, gsize n, guint rate, guint32 seed);
