#include "station/serial.h"
#include "media/devices/serial_feed.h"
#include "media/devices/udp_feed.h"
#include "station/feeds.h"

#include <string.h>

typedef struct {
  Feed *feed;
  SerialFeed *driver; /* one of the two */
  UdpFeed *lan;
} Port;

struct Serial {
  GPtrArray *ports; /* Port* */
};

char *
serial_device_id (const ConfigSerial *config)
{
  return g_strconcat ("serial-", config->name, NULL);
}

static void
port_free (void *data)
{
  Port *port = data;
  serial_feed_free (port->driver);
  udp_feed_free (port->lan);
  feed_remove (port->feed);
  g_free (port);
}

/* What the page calls it before its kind is known. */
static const char *
category_of (const LineKind *kind)
{
  return kind != NULL ? kind->category : "serial";
}

static const LineKind *
kind_of (const ConfigSerial *config)
{
  if (g_str_has_prefix (config->port, CONFIG_SERIAL_LAN))
    return &line_kind_intellivue_lan;
  return config->kind != NULL ? line_kind_find (config->kind) : NULL;
}

static void
add_port (Serial *serial, Station *station, const ConfigSerial *config)
{
  const LineKind *kind = kind_of (config);
  g_autofree char *id = serial_device_id (config);
  Port *port = g_new0 (Port, 1);
  port->feed = feeds_add (station->feeds, id, config->title != NULL ? config->title : config->name,
                          category_of (kind));
  if (config->capture)
    feed_capture (port->feed, capturing_new (station, id, kind != NULL ? kind->name : NULL));
  if (kind == &line_kind_intellivue_lan)
    port->lan = udp_feed_new (config->port + strlen (CONFIG_SERIAL_LAN), UDP_FEED_INTELLIVUE_PORT,
                              kind, id, feed_sink (port->feed));
  else
    port->driver = serial_feed_new (config->port, kind, config->speed, id, feed_sink (port->feed));
  g_ptr_array_add (serial->ports, port);
}

Serial *
serial_start (Station *station)
{
  Serial *serial = g_new0 (Serial, 1);
  serial->ports = g_ptr_array_new_with_free_func (port_free);
  for (guint i = 0; i < station->config->serials->len; i++)
    add_port (serial, station, station->config->serials->pdata[i]);
  return serial;
}

void
serial_free (Serial *serial)
{
  g_ptr_array_unref (serial->ports);
  g_free (serial);
}
