/* What readings.c, readings_devices.c and readings_console.c share: devices, and what waits of
 * them. */
#pragma once
#include "station/kept.h"
#include "station/readings.h"

typedef struct {
  json_t *observation;
  gint64 arrived_us;
  char *patient_id; /* NULL: the device sent none */
} Waiting;

typedef struct {
  char *id, *sender;
  gint64 last_us;
  gboolean room;     /* belongs to this room by station.conf */
  char *consult;     /* claimed for it */
  gint64 claimed_us; /* what arrived until then has been taken over */
  gboolean held_back_said;
  GQueue waiting; /* Waiting* */
} Device;

struct Readings {
  Station *station;
  GHashTable *devices; /* id → Device* */
  Kept *kept;
};

/* For GDestroyNotify: a Waiting*. */
void readings_waiting_free (void *waiting);
void readings_device_free (void *device); /* a Device* */

/* The device of this id, which is known from now on; the one that has been silent longest is
 * forgotten when there are too many. sender: as of readings_take(), may be NULL. */
Device *readings_device (Readings *readings, const char *id, const char *sender);
/* A reading that is on the disk waits for somebody to claim it. patient_id may be NULL. */
void readings_device_wait (Device *device, json_t *observation, gint64 arrived_us,
                           const char *patient_id);
/* Whose is what it sends now: NULL, nobody's, also when the device names another patient than the
 * owner's. A name that nothing can be compared with is believed of a device that the doctor has
 * claimed; one of the room may still have the patient before in its memory. */
Consult *readings_device_owner (Readings *readings, Device *device, const char *patient_id);
/* Tells the consultation once that something of this device was held back. */
void readings_say_held_back (Readings *readings, Device *device, const Consult *consult);
