/* Between the two files of Bluetooth. */
#pragma once
#include "media/devices/bluez.h"
#include "station/bluetooth.h"
#include "station/feeds.h"

typedef struct {
  Bluetooth *bluetooth;
  char *address, *name;
  const char *kind; /* one of gatt_kind_of_service() */
  gboolean room;
  int record;    /* newest record of its memory that came; −1: none */
  json_t *about; /* {model: …} */
  Feed *feed;
  BluezDevice *driver;
} Paired;

struct Bluetooth {
  Station *station;
  Bluez *bluez;
  GPtrArray *paired; /* Paired*, owned */
  json_t *told;      /* what pages know; NULL: nothing */
  guint save_timer;
  Request *pairing; /* waits for its answer; NULL: none */
};

/* NULL: not paired. */
Paired *bluetooth_find (const Bluetooth *bluetooth, const char *address);
/* A device that is paired, or is so anew: driven from now on. */
Paired *bluetooth_add (Bluetooth *bluetooth, const char *address, const char *name,
                       const char *kind);
void bluetooth_drive (Paired *paired);
void bluetooth_drop (Bluetooth *bluetooth, Paired *paired);
/* What pages see of Bluetooth may have changed: they hear of it if so. */
void bluetooth_tell (Bluetooth *bluetooth);
/* done may be NULL; as station_write(). */
void bluetooth_write (Bluetooth *bluetooth, const char *user, WriteDone done, void *arg);
