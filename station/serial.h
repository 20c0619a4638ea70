/* The devices behind serial ports that station.conf names: one feed each. Main thread. */
#pragma once
#include "station/station.h"

typedef struct Serial Serial;

Serial *serial_start (Station *station);
/* Takes leave of the devices; before feeds_free(). */
void serial_free (Serial *serial);
/* "serial-NAME" (transfer full): how a device that does not name itself is known. */
char *serial_device_id (const ConfigSerial *config);
