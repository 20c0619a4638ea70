/* Between the files of the BlueZ client (private to media/devices). */
#pragma once
#include "media/devices/bluez.h"
#include <gio/gio.h>

#define BLUEZ_NAME "org.bluez"
#define BLUEZ_ADAPTER "org.bluez.Adapter1"
#define BLUEZ_DEVICE "org.bluez.Device1"
#define BLUEZ_CHARACTERISTIC "org.bluez.GattCharacteristic1"

typedef struct BluezScan BluezScan;
typedef struct BluezPairing BluezPairing;
typedef struct BluezValues BluezValues;

struct Bluez {
  BluezChanged changed;
  void *changed_arg;
  guint changed_source;

  GCancellable *life;   /* of everything under way */
  GDBusConnection *bus; /* NULL: none yet */
  gboolean connecting;  /* to the bus; it may take longer than until the next try */
  GDBusObjectManager *manager;
  GCancellable *owner_life; /* of what was said to this bluetoothd */
  char *owner;              /* unique name of bluetoothd; NULL: none */
  char *adapter;            /* its path; NULL: none */
  gboolean blocked;
  guint retry;

  BluezState state;
  GPtrArray *devices; /* BluezDevice*, not owned */
  BluezScan *scan;
  BluezPairing *pairing;
};

/* Says `changed` when the loop comes round. */
void bluez_changed (Bluez *bluez);
/* Looks at everything anew. */
void bluez_update (Bluez *bluez);
/* A cached property of an object (transfer full); NULL: no such. */
GVariant *bluez_property (const Bluez *bluez, const char *path, const char *interface,
                          const char *name);
gboolean bluez_flag (const Bluez *bluez, const char *path, const char *interface, const char *name);
/* Path of the Device1 with this address (transfer full); NULL: BlueZ does not know it. */
char *bluez_device_path (const Bluez *bluez, const char *address);
/* Objects with that interface whose path begins with prefix (transfer full, of char*). */
GPtrArray *bluez_paths (const Bluez *bluez, const char *interface, const char *prefix);
/* parameters: consumed. done may be NULL; gets the connection as source. */
void bluez_call (Bluez *bluez, const char *path, const char *interface, const char *method,
                 GVariant *parameters, int timeout_ms, GCancellable *cancellable,
                 GAsyncReadyCallback done, void *arg);
/* "AuthenticationFailed" of "org.bluez.Error.AuthenticationFailed" (transfer full); NULL: no error
 * of a peer. */
char *bluez_error_name (const GError *error);

/* ---- bluez_scan.c */
BluezScan *bluez_scan_new (Bluez *bluez);
void bluez_scan_free (BluezScan *scan);
/* Another adapter or bluetoothd: nothing is running there. */
void bluez_scan_reset (BluezScan *scan);
/* Starts or stops as is needed now. */
void bluez_scan_update (BluezScan *scan);
void bluez_scan_search (BluezScan *scan, gboolean on);
gboolean bluez_scan_searching (const BluezScan *scan);
/* A device is missed that was there a moment ago: looks without a break for a while. */
void bluez_scan_hurry (BluezScan *scan);

/* ---- bluez_pair.c */
BluezPairing *bluez_pairing_new (Bluez *bluez);
void bluez_pairing_free (BluezPairing *pairing);
void bluez_pairing_reset (BluezPairing *pairing, gboolean register_agent);

/* ---- bluez_device.c */
const char *bluez_device_address (const BluezDevice *device);
gboolean bluez_device_connected (const BluezDevice *device);
/* Another bluetoothd, or none: what was said to the old one does not hold. */
void bluez_device_reset (BluezDevice *device);
/* Anything may have changed. */
void bluez_device_update (BluezDevice *device);
/* It was heard just now. */
void bluez_device_heard (BluezDevice *device);
/* Properties of an object at or under it changed. */
void bluez_device_changed (BluezDevice *device, const char *path, const char *interface,
                           GVariant *changed);
/* The other side refuses because the bond is not the one that it knows. */
void bluez_device_stale (BluezDevice *device);
void bluez_device_battery (BluezDevice *device, int percent);

/* ---- bluez_gatt.c: what comes and goes by the characteristics of one device */
BluezValues *bluez_values_new (Bluez *bluez, BluezDevice *device, const FeedSink *sink,
                               int last_record, const BluezDeviceEvents *events);
void bluez_values_free (BluezValues *values);
/* Asks for notifications of what is there; whether connected or not, for a device that notifies
 * before one has subscribed. */
void bluez_values_subscribe (BluezValues *values, const char *device_path);
/* Services are resolved: subscribes, reads battery and clock, asks for records. */
void bluez_values_begin (BluezValues *values, const char *device_path);
/* The device has something of use here: FALSE when what BlueZ remembers of it is not so any more.
 */
gboolean bluez_values_any (BluezValues *values, const char *device_path);
void bluez_values_end (BluezValues *values);
/* bluetoothd has forgotten what was asked. */
void bluez_values_reset (BluezValues *values);
void bluez_values_take (BluezValues *values, const char *path, GVariant *bytes);
