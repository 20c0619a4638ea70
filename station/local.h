/* What the running station tells programs of its own user on this machine: STATE/local.sock, mode
 * 0600, read-only. Who connects gets a line of JSON at once,
 *
 *   {"feeds": feeds_json(), "devices": device_values_json()}
 *
 * and another whenever that has changed, at most twice a second; nothing is read. Main thread.
 */
#pragma once
#include "station/station.h"

typedef struct Local Local;

/* NULL when the socket cannot be made, which the log tells: the station works without it. */
Local *local_new (Station *station);
void local_free (Local *local);
/* The socket of a state folder (transfer full). */
char *local_path (const char *state_dir);
