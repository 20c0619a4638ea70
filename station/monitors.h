/* Patient monitors that speak HL7 v2: listens for them ([mllp] of station.conf), knows their
 * profiles, and hands on what they send: readings to readings.h, waves to waves.h. Main thread.
 */
#pragma once
#include "station/station.h"

/* Reads the profiles, then listens; no port, no listener. Errors name the file and line of a
 * profile that is not good, or the address that cannot be had. */
Monitors *monitors_new (Station *station, GError **error);
void monitors_free (Monitors *monitors);

/* Where profiles are read from, as of device decode too: those that came with the program, then
 * those of the station: `profiles` of [mllp], or a folder of that name beside station.conf
 * (transfer full). */
GStrv monitors_profile_folders (const Config *config);
