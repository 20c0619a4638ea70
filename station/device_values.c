#include "station/device_values.h"

#define DEVICES_MAX 64
#define VALUES_MAX 64

struct DeviceValues {
  json_t *devices; /* device → {sender, values: {vital or code → observation}}, in order */
};

DeviceValues *
device_values_new (void)
{
  DeviceValues *values = g_new0 (DeviceValues, 1);
  values->devices = json_object ();
  return values;
}

void
device_values_free (DeviceValues *values)
{
  json_decref (values->devices);
  g_free (values);
}

static json_t *
entry_of (DeviceValues *values, const char *device)
{
  json_t *entry = json_object_get (values->devices, device);
  if (entry != NULL)
    return entry;
  if (json_object_size (values->devices) >= DEVICES_MAX)
    json_object_del (values->devices, json_object_iter_key (json_object_iter (values->devices)));
  entry = json_pack ("{s:{}}", "values");
  json_object_set_new (values->devices, device, entry);
  return entry;
}

void
device_values_take (DeviceValues *values, const char *device, const char *sender,
                    json_t *observation)
{
  json_t *entry = entry_of (values, device);
  json_t *table = json_object_get (entry, "values");
  const char *key = json_string_value (json_object_get (observation, "vital"));
  if (key == NULL)
    key = json_string_value (json_object_get (observation, "code"));
  if (key == NULL
      || (json_object_size (table) >= VALUES_MAX && json_object_get (table, key) == NULL))
    return;
  json_object_set (table, key, observation);
  json_object_set_new (entry, "sender", json_string (sender));
}

json_t *
device_values_json (const DeviceValues *values)
{
  json_t *list = json_array (), *entry;
  const char *device;
  json_object_foreach (values->devices, device, entry)
  {
    json_t *all = json_array (), *observation;
    const char *key;
    json_object_foreach (json_object_get (entry, "values"), key, observation)
    {
      json_t *copy = json_copy (observation);
      json_object_del (copy, "patient");
      json_array_append_new (all, copy);
    }
    json_array_append_new (list, json_pack ("{s:s, s:O?, s:o}", "device", device, "sender",
                                            json_object_get (entry, "sender"), "values", all));
  }
  return list;
}
