/* What readings.c and readings_console.c share: devices, and what waits of them. */
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
