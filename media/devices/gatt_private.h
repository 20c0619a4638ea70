/* Between the parsers of GATT characteristics (private to media/devices). */
#pragma once
#include "media/devices/gatt.h"
#include "media/devices/gatt_number.h"

/* A value being read. Past its end every read gives 0 and `short_of` stays TRUE. */
typedef struct {
  const guint8 *data;
  gsize length, at;
  gboolean short_of;

  const GattContext *context;
  GPtrArray *found;  /* Observation*, owned */
  GPtrArray *flags;  /* of the whole measurement: static texts */
  char *device_time; /* as the device wrote it; NULL: none */
  gint64 time_us;    /* 0: no usable time of the device */
  char *user;        /* slot of the device's user; NULL: none */
  char *sequence;    /* number of the record; NULL: none */
  gboolean stored;   /* comes from the device's memory */
  gboolean test;
  const char *absent; /* none of the values counts, for this reason; NULL: they do */
} GattValue;

guint8 gatt_u8 (GattValue *value);
guint16 gatt_u16 (GattValue *value);
guint32 gatt_u24 (GattValue *value);
guint32 gatt_u32 (GattValue *value);
GattNumber gatt_take_sfloat (GattValue *value);

/* 7 bytes, org.bluetooth.characteristic.date_time. */
void gatt_take_time (GattValue *value);
void gatt_take_user (GattValue *value);
/* Says it of every observation of this value. flag: static. */
void gatt_flag (GattValue *value, const char *flag);
/* One flag per bit of status that has a name; names may have NULLs. */
void gatt_flag_bits (GattValue *value, guint32 status, const char *const *names, guint n);

/* An observation by its code, of a number in `ucum`. Converted to the unit in which the station
 * keeps this quantity. Stays owned by value. */
Observation *gatt_add_number (GattValue *value, guint32 mdc, GattNumber number, const char *ucum);
/* The same for what has no code of ours: no vital sign. */
Observation *gatt_add_other (GattValue *value, const char *code, GattNumber number,
                             const char *ucum);
/* text: (transfer full) */
Observation *gatt_add_text (GattValue *value, guint32 mdc, const char *code, char *text);

/* ---- One characteristic each; the cursor stands at its first byte. */
void gatt_read_blood_pressure (GattValue *value);
void gatt_read_temperature (GattValue *value);
void gatt_read_weight (GattValue *value);
void gatt_read_heart_rate (GattValue *value);
void gatt_read_plx_spot (GattValue *value);
void gatt_read_plx_continuous (GattValue *value);
void gatt_read_nonin (GattValue *value);
void gatt_read_glucose (GattValue *value);
void gatt_read_glucose_context (GattValue *value);
void gatt_read_racp (GattValue *value);
void gatt_read_battery (GattValue *value);
void gatt_read_clock (GattValue *value);
void gatt_read_words (GattValue *value);
void gatt_read_pnp_id (GattValue *value);
void gatt_read_system_id (GattValue *value);
