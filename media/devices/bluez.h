/* Bluetooth LE by BlueZ (org.bluez on the system bus): what can be paired, and a driver for each
 * device that is.
 *
 *   advertisement ─► Connect ─► ServicesResolved ─► StartNotify, ReadValue ─► gatt_read() ─►
 * FeedSink
 *
 * Everything comes back by itself: the bus, bluetoothd, the adapter, the device. All functions and
 * all events in the thread and main context that called bluez_new().
 */
#pragma once
#include "media/devices/feed.h"

typedef struct Bluez Bluez;
typedef struct BluezDevice BluezDevice;

typedef enum {
  BLUEZ_NO_BUS,     /* no system bus */
  BLUEZ_NO_DAEMON,  /* no bluetoothd on it */
  BLUEZ_NO_ADAPTER, /* not plugged in */
  BLUEZ_BLOCKED,    /* rfkill: a key or switch, aeroplane mode */
  BLUEZ_OFF,        /* being switched on */
  BLUEZ_READY,
} BluezState;

/* State, devices found, or the question of a pairing have changed. Never during a call of ours. */
typedef void (*BluezChanged) (void *arg);
Bluez *bluez_new (BluezChanged changed, void *arg);
/* Its devices are to be gone by then. */
void bluez_free (Bluez *bluez);
BluezState bluez_state (const Bluez *bluez);

/* ---- Pairing ------------------------------------------------------------------------------- */

/* Looks for devices without a break, for people who wait; ends by itself after two minutes. */
void bluez_search (Bluez *bluez, gboolean on);
gboolean bluez_is_searching (const Bluez *bluez);

typedef struct {
  char *address;    /* "AA:BB:CC:DD:EE:FF" */
  char *name;       /* as the device calls itself, else its address; valid UTF-8 */
  const char *kind; /* gatt_kind_of_service() */
  int rssi;         /* dBm; 0: not heard at present */
  gboolean paired;  /* this machine has a bond with it */
} BluezFound;
void bluez_found_free (BluezFound *found);
/* Devices with a health service of ours that BlueZ knows (transfer full, of BluezFound*). */
GPtrArray *bluez_found (const Bluez *bluez);

/* error: NULL, or the last part of BlueZ's error name ("AuthenticationFailed"), "no-such", "busy",
 * "gone". Comes once, never before bluez_pair() returns. */
typedef void (*BluezPaired) (const char *address, const char *error, void *arg);
/* One at a time. An old bond that this machine still has goes first. */
void bluez_pair (Bluez *bluez, const char *address, BluezPaired done, void *arg);

typedef enum {
  BLUEZ_ASKS_NOTHING,
  BLUEZ_SHOWS_PASSKEY,  /* to be typed on the device */
  BLUEZ_WANTS_PASSKEY,  /* the device shows it */
  BLUEZ_WANTS_AGREEMENT /* both show it: are they alike? */
} BluezQuestion;
/* What the pairing under way asks for. ret_passkey: 0 to 999999, of those that show one. */
BluezQuestion bluez_question (const Bluez *bluez, guint32 *ret_passkey);
/* passkey: where one was wanted. */
void bluez_answer (Bluez *bluez, gboolean agreed, guint32 passkey);
/* This machine's bond with a device, and all that BlueZ knows of it. */
void bluez_remove (Bluez *bluez, const char *address);

/* ---- Driving ------------------------------------------------------------------------------- */

typedef struct {
  /* sequence: of the newest record of its memory that came; to be given to bluez_device_new()
   * after a restart. */
  void (*record) (guint16 sequence, void *arg);
  /* What the device says of itself, once a connection: "manufacturer" "model" "firmware" "pnp-id".
   */
  void (*about) (const char *what, const char *text, void *arg);
  void *arg;
} BluezDeviceEvents;

/* A paired device, from now on connected to whenever it advertises. kind: what it was paired as.
 * last_record: −1 none. sink and events are copied. Raw bytes are a 16-bit UUID, little-endian, and
 * the value. */
BluezDevice *bluez_device_new (Bluez *bluez, const char *address, const char *kind, int last_record,
                               const FeedSink *sink, const BluezDeviceEvents *events);
void bluez_device_free (BluezDevice *device);
