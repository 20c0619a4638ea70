/* The idle lock: a page that nobody has touched for [station] idle-lock minutes is signed out, and
 * with the last such page the vault closes: VK and the keys of finished consultations are wiped
 * from memory (records/vault.h). Capture, calls and recording go on; they have keys of their own.
 */
#pragma once
#include "station/station.h"

/* Every few seconds, main thread. */
void idle_lock_tick (Station *station);
