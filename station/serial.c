#include "station/serial.h"
#include "media/devices/serial_feed.h"
#include "station/feeds.h"

typedef struct {
  Feed *feed;
  SerialFeed *driver;
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
  feed_remove (port->feed);
  g_free (port);
}

/* What the page calls it before its kind is known. */
static const char *
category_of (const LineKind *kind)
{
  return kind != NULL ? kind->category : "serial";
}

static void
add_port (Serial *serial, Station *station, const ConfigSerial *config)
{
  const LineKind *kind = config->kind != NULL ? line_kind_find (config->kind) : NULL;
  g_autofree char *id = serial_device_id (config);
  Port *port = g_new0 (Port, 1);
  port->feed = feeds_add (station->feeds, id, config->title != NULL ? config->title : config->name,
                          category_of (kind));
  if (config->capture)
    feed_capture (port->feed, capturing_new (station, id, config->kind));
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
