/* [serial NAME] of station.conf. */
#include "media/devices/line_device.h"
#include "media/devices/serial_port.h"
#include "station/config_keys.h"

#include <string.h>

ConfigSerial *
config_serial_new (Config *config, const char *name)
{
  ConfigSerial *serial = g_new0 (ConfigSerial, 1);
  serial->name = g_strdup (name);
  g_ptr_array_add (config->serials, serial);
  return serial;
}

void
config_serial_free (void *data)
{
  ConfigSerial *serial = data;
  g_free (serial->name);
  g_free (serial->title);
  g_free (serial->port);
  g_free (serial->kind);
  g_free (serial);
}

char *
config_serial_judge (const Config *config, const ConfigSerial *serial)
{
  if (serial->port == NULL)
    return g_strdup ("wants the key port");
  if (g_str_has_prefix (serial->port, CONFIG_SERIAL_LAN)
      && g_strcmp0 (serial->kind, line_kind_intellivue.name) != 0)
    return g_strdup ("wants kind = intellivue: nothing else is at a port udp:ADDRESS");
  for (guint i = 0; i < config->serials->len; i++) {
    const ConfigSerial *other = config->serials->pdata[i];
    if (other != serial && g_strcmp0 (other->port, serial->port) == 0)
      return g_strdup_printf ("has the port of [serial %s]", other->name);
  }
  return NULL;
}

static char *
take (char **target, const char *value)
{
  g_free (*target);
  *target = g_strdup (value);
  return NULL;
}

char *
config_parse_serial_port (ConfigPlace *place, const char *value)
{
  ConfigSerial *serial = place->section;
  gboolean lan = g_str_has_prefix (value, CONFIG_SERIAL_LAN)
                 && g_hostname_is_ip_address (value + strlen (CONFIG_SERIAL_LAN));
  if (!lan && !serial_port_is_valid (value))
    return g_strdup ("wants a path such as /dev/ttyUSB0 or /dev/serial/by-id/…, usb:VVVV:PPPP "
                     "(vendor and product as lsusb tells them), or udp:ADDRESS of an IntelliVue");
  return take (&serial->port, value);
}

char *
config_parse_serial_kind (ConfigPlace *place, const char *value)
{
  ConfigSerial *serial = place->section;
  g_autoptr (GString) allowed = g_string_new ("wants auto");
  if (g_str_equal (value, "auto")) {
    g_clear_pointer (&serial->kind, g_free);
    return NULL;
  }
  for (const LineKind *const *kind = line_kinds (); *kind != NULL; kind++)
    if (g_str_equal ((*kind)->name, value))
      return take (&serial->kind, value);
  for (const LineKind *const *kind = line_kinds (); *kind != NULL; kind++)
    g_string_append_printf (allowed, "%s%s", kind[1] != NULL ? ", " : " or ", (*kind)->name);
  return g_string_free (g_steal_pointer (&allowed), FALSE);
}

char *
config_parse_serial_speed (ConfigPlace *place, const char *value)
{
  ConfigSerial *serial = place->section;
  guint64 baud = 0;
  if (!g_ascii_string_to_unsigned (value, 10, 1, G_MAXUINT, &baud, NULL)
      || !serial_port_has_speed ((guint)baud))
    return g_strdup ("wants a speed that lines have, such as 9600, 19200 or 115200");
  serial->speed = (guint)baud;
  return NULL;
}

char *
config_parse_serial_title (ConfigPlace *place, const char *value)
{
  ConfigSerial *serial = place->section;
  if (*value == '\0' || !g_utf8_validate (value, -1, NULL) || g_utf8_strlen (value, -1) > 60)
    return g_strdup ("wants a text of 1 to 60 characters");
  return take (&serial->title, value);
}

char *
config_parse_serial_room (ConfigPlace *place, const char *value)
{
  return config_take_boolean (&((ConfigSerial *)place->section)->room, value);
}

char *
config_parse_serial_capture (ConfigPlace *place, const char *value)
{
  return config_take_boolean (&((ConfigSerial *)place->section)->capture, value);
}
