/* What each device said last, for who looks after the station (local.h). No patient is in it: who
 * helps on the telephone needs to see that a device works, not whose values these are. Main thread.
 */
#pragma once
#include <jansson.h>
#include <glib.h>

typedef struct DeviceValues DeviceValues;

DeviceValues *device_values_new (void);
void device_values_free (DeviceValues *values);
/* An observation as JSON: a reference is taken. At most 64 devices, 64 values each, the newest. */
void device_values_take (DeviceValues *values, const char *device, const char *sender,
                         json_t *observation);
/* [{device, sender, values: [observation]}] (transfer full), without the patients, in the order of
 * their coming. */
json_t *device_values_json (const DeviceValues *values);
