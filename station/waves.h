/* Waves of medical devices: whose they are, by the same rule as readings (readings.h); kept in the
 * consultation's record; sent to everybody in it. Main thread.
 */
#pragma once
#include "media/devices/wave.h"
#include "station/station.h"

Waves *waves_new (Station *station);
void waves_free (Waves *waves);

/* (transfer full) The next samples of a stream, in the order of the device. A stream is known by
 * its device and id; one of the same name with other leads or another rate takes its place. A
 * device that names none is "wave". What is nobody's is let go. */
void waves_take (Waves *waves, WaveBlock *block);
