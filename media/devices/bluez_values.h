/* The characteristics of one device, between the two files that know them (private to
 * media/devices). */
#pragma once
#include "media/devices/bluez_private.h"
#include "media/devices/gatt_racp.h"

struct BluezValues {
  Bluez *bluez;
  BluezDevice *device;
  const FeedSink *sink;
  BluezDeviceEvents events;
  GCancellable *life;

  GHashTable *subscribed; /* paths that notify, or were asked to */
  guint pending;          /* answers without which nothing is asked for by RACP */
  char *racp_path;        /* NULL: none in this connection */
  guint racp_timer;
  RacpRecords records;
  gboolean unasked;    /* records are still to be asked for in this connection */
  int accepted;        /* sequence number whose context is wanted too; −1: none */
  gint64 clock_off_us; /* as in GattContext */
  gint64 clock_off_until_us, clock_read_us;
  GQueue seen; /* guint hashes of measurements with the device's time */
};

/* 16-bit UUID of a characteristic; 0: none of the SIG's. */
guint16 bluez_values_uuid (const BluezValues *values, const char *path);
/* One whose values come by themselves and are of use here. */
gboolean bluez_values_is_notified (guint16 uuid);
void bluez_values_write (BluezValues *values, const char *path, const guint8 *data, gsize length,
                         GAsyncReadyCallback done, void *arg);
/* Asks the device for its records, once a connection, when all before it has been answered. */
void bluez_values_ask_records (BluezValues *values);
