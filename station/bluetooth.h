/* Bluetooth LE devices of the station: pairing from the console, the paired ones as feeds.
 *
 * What is paired is a row of the station's own, so that it survives: {devices: [{device, name,
 * kind, room, record, about}]}. A device with `room` belongs to the room, as by [device NAME] of
 * station.conf; the others are claimed (readings.h). Main thread.
 */
#pragma once
#include "station/request.h"
#include "station/station.h"

/* NULL: its row cannot be read. NULL without error: [bluetooth] enabled = false. */
Bluetooth *bluetooth_new (Station *station, GError **error);
void bluetooth_free (Bluetooth *bluetooth);
/* bluetooth may be NULL. */
gboolean bluetooth_is_of_room (const Bluetooth *bluetooth, const char *device);
/* `bluetooth` of the console's state (docs/protocol.md), (transfer full); null: switched off. */
json_t *bluetooth_json (const Bluetooth *bluetooth);

/* Messages of the console. */
void bluetooth_search (Request *request);
void bluetooth_pair (Request *request);
void bluetooth_answer (Request *request);
void bluetooth_save (Request *request);
void bluetooth_forget (Request *request);
