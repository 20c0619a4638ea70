/* What can be paired: the devices with a health service that BlueZ knows. */
#include "media/devices/bluez_private.h"
#include "media/devices/gatt.h"

void
bluez_found_free (BluezFound *found)
{
  g_free (found->address);
  g_free (found->name);
  g_free (found);
}

static const char *
kind_of (const Bluez *bluez, const char *path)
{
  g_autoptr (GVariant) uuids = bluez_property (bluez, path, BLUEZ_DEVICE, "UUIDs");
  if (uuids == NULL || !g_variant_is_of_type (uuids, G_VARIANT_TYPE_STRING_ARRAY))
    return NULL;
  g_autofree const char **texts = g_variant_get_strv (uuids, NULL);
  for (guint i = 0; texts[i] != NULL; i++) {
    const char *kind = gatt_kind_of_service (gatt_uuid (texts[i]));
    if (kind != NULL)
      return kind;
  }
  return NULL;
}

#define NAME_MAX_CHARS 60

static char *
name_of (const Bluez *bluez, const char *path, const char *address)
{
  g_autoptr (GVariant) alias = bluez_property (bluez, path, BLUEZ_DEVICE, "Name");
  if (alias == NULL || !g_variant_is_of_type (alias, G_VARIANT_TYPE_STRING))
    return g_strdup (address);
  char *name = g_utf8_substring (
      g_variant_get_string (alias, NULL), 0,
      MIN (NAME_MAX_CHARS, g_utf8_strlen (g_variant_get_string (alias, NULL), -1)));
  for (char *c = name; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  return name;
}

static BluezFound *
found_at (const Bluez *bluez, const char *path)
{
  const char *kind = kind_of (bluez, path);
  g_autoptr (GVariant) address = bluez_property (bluez, path, BLUEZ_DEVICE, "Address");
  g_autoptr (GVariant) rssi = bluez_property (bluez, path, BLUEZ_DEVICE, "RSSI");
  if (kind == NULL || address == NULL || !g_variant_is_of_type (address, G_VARIANT_TYPE_STRING))
    return NULL;
  BluezFound *found = g_new0 (BluezFound, 1);
  found->address = g_ascii_strup (g_variant_get_string (address, NULL), 17);
  found->name = name_of (bluez, path, found->address);
  found->kind = kind;
  found->paired = bluez_flag (bluez, path, BLUEZ_DEVICE, "Paired");
  if (rssi != NULL && g_variant_is_of_type (rssi, G_VARIANT_TYPE_INT16))
    found->rssi = g_variant_get_int16 (rssi);
  return found;
}

GPtrArray *
bluez_found (const Bluez *bluez)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify)bluez_found_free);
  g_autoptr (GPtrArray) paths = bluez_paths (bluez, BLUEZ_DEVICE, "/");
  for (guint i = 0; i < paths->len; i++) {
    BluezFound *found = found_at (bluez, paths->pdata[i]);
    if (found != NULL)
      g_ptr_array_add (list, found);
  }
  return list;
}
