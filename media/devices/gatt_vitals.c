/* Blood pressure (2A35), temperature (2A1C), weight (2A9D), heart rate (2A37). */
#include "media/devices/gatt_private.h"

#define CUFF_PULSE 149546
#define NIBP_SYS 150021
#define NIBP_DIA 150022
#define NIBP_MEAN 150023

static void
take_cuff_status (GattValue *value)
{
  static const char *const bits[]
      = { "body-movement", "cuff-loose", "irregular-pulse", NULL, NULL, "improper-position" };
  guint16 status = gatt_u16 (value);
  guint rate = status >> 3 & 3;
  gatt_flag_bits (value, status, bits, G_N_ELEMENTS (bits));
  if (rate == 1)
    gatt_flag (value, "pulse-rate-above-upper");
  if (rate == 2)
    gatt_flag (value, "pulse-rate-below-lower");
}

void
gatt_read_blood_pressure (GattValue *value)
{
  guint8 flags = gatt_u8 (value);
  const char *unit = (flags & 0x01) != 0 ? "kPa" : "mm[Hg]";
  Observation *sys = gatt_add_number (value, NIBP_SYS, gatt_take_sfloat (value), unit);
  Observation *dia = gatt_add_number (value, NIBP_DIA, gatt_take_sfloat (value), unit);
  gatt_add_number (value, NIBP_MEAN, gatt_take_sfloat (value), unit);
  if ((flags & 0x02) != 0)
    gatt_take_time (value);
  if ((flags & 0x04) != 0)
    gatt_add_number (value, CUFF_PULSE, gatt_take_sfloat (value), "/min");
  if ((flags & 0x08) != 0)
    gatt_take_user (value);
  if ((flags & 0x10) != 0)
    take_cuff_status (value);
  if (sys->type == OBS_NUMBER && dia->type == OBS_NUMBER && sys->number <= dia->number) {
    observation_add_flag (sys, "implausible");
    observation_add_flag (dia, "implausible");
  }
}

/* org.bluetooth.characteristic.temperature_type, and the code that says the place. */
static const struct {
  const char *site;
  guint32 mdc;
} TEMPERATURE_SITES[] = {
  { NULL, 150344 },       { "axilla", 188452 }, { "body", 150364 },
  { "ear", 188428 },      { "finger", 150344 }, { "gastro-intestinal", 150344 },
  { "mouth", 188424 },    { "rectum", 188420 }, { "toe", 150344 },
  { "tympanum", 150392 },
};

void
gatt_read_temperature (GattValue *value)
{
  guint8 flags = gatt_u8 (value);
  GattNumber number = gatt_float (gatt_u32 (value));
  guint8 type = 0;
  if ((flags & 0x02) != 0)
    gatt_take_time (value);
  if ((flags & 0x04) != 0)
    type = gatt_u8 (value);
  if (type >= G_N_ELEMENTS (TEMPERATURE_SITES))
    type = 0;
  Observation *o = gatt_add_number (value, TEMPERATURE_SITES[type].mdc, number,
                                    (flags & 0x01) != 0 ? "[degF]" : "Cel");
  o->site = g_strdup (TEMPERATURE_SITES[type].site);
}

static GattNumber
steps_of (guint raw, guint step, int exponent)
{
  return (GattNumber){ GATT_FINITE, (gint32)(raw * step), exponent };
}

#define WEIGHT_FAILED 0xFFFF

void
gatt_read_weight (GattValue *value)
{
  guint8 flags = gatt_u8 (value);
  gboolean pounds = (flags & 0x01) != 0;
  guint16 raw = gatt_u16 (value);
  GattNumber weight = pounds ? steps_of (raw, 1, -2) : steps_of (raw, 5, -3);
  if (raw == WEIGHT_FAILED) {
    weight.kind = GATT_NAN;
    gatt_flag (value, "measurement-failed");
  }
  gatt_add_number (value, 188736, weight, pounds ? "[lb_av]" : "kg");
  if ((flags & 0x02) != 0)
    gatt_take_time (value);
  if ((flags & 0x04) != 0)
    gatt_take_user (value);
  if ((flags & 0x08) == 0)
    return;
  gatt_add_number (value, 188752, steps_of (gatt_u16 (value), 1, -1), "kg/m2");
  guint16 height = gatt_u16 (value);
  gatt_add_number (value, 188740, pounds ? steps_of (height, 1, -1) : steps_of (height, 1, -3),
                   pounds ? "[in_i]" : "m");
}

/* 1/1024 s, in hundredths of a ms. */
static GattNumber
rr_interval (guint16 raw)
{
  return (GattNumber){ GATT_FINITE, (gint32)((raw * G_GINT64_CONSTANT (100000) + 512) / 1024), -2 };
}

void
gatt_read_heart_rate (GattValue *value)
{
  guint8 flags = gatt_u8 (value);
  guint contact = flags >> 1 & 3;
  guint rate = (flags & 0x01) != 0 ? gatt_u16 (value) : gatt_u8 (value);
  gatt_add_number (value, 147842, steps_of (rate, 1, 0), "/min");
  if (contact == 3)
    gatt_flag (value, "contact");
  if (contact == 2) {
    gatt_flag (value, "no-contact");
    value->absent = "invalid";
  }
  if ((flags & 0x08) != 0)
    gatt_add_other (value, "energy-expended", steps_of (gatt_u16 (value), 1, 0), "kJ");
  while ((flags & 0x10) != 0 && value->length - value->at >= 2)
    gatt_add_number (value, 147240, rr_interval (gatt_u16 (value)), "ms");
}
