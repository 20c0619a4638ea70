/* Nonin OEM III module, serial data format 2 (docs/devices.md has the bytes): 75 frames a second of
 * 5 bytes, each with a checksum; 25 of them make a packet, whose third bytes are the numbers. 9600
 * 8N1; nothing has to be sent. */
#include "media/devices/oximeter.h"

#include <string.h>

#define RATE 75
#define FRAME 5
#define PACKET 25
#define START 0x01

#define STATUS_SYNC 0x01
#define STATUS_RED 0x04   /* perfusion: low; with green: marginal */
#define STATUS_GREEN 0x02 /* good */
#define STATUS_SENSOR_ALARM 0x08
#define STATUS_OUT_OF_TRACK 0x10
#define STATUS_ARTIFACT 0x20
#define STATUS_DISCONNECTED 0x40

/* Frames of a packet, counted from 1. */
#define AT_PULSE 1
#define AT_PULSE_LOW 2
#define AT_SPO2 3

#define NO_SPO2 0x7F
#define NO_PULSE 0x1FF

typedef struct {
  LineOutput output;
  Oximeter *oximeter;
  guint8 window[FRAME];
  guint n;
  guint place; /* of the newest frame in its packet; 0: not known */
  guint pulse_high, pulse;
  guint64 frames;
} Nonin;

static void *
nonin_make (const LineOutput *output)
{
  Nonin *nonin = g_new0 (Nonin, 1);
  nonin->output = *output;
  nonin->oximeter = oximeter_new (output, RATE, 8, 1);
  return nonin;
}

static void
nonin_free (void *self)
{
  Nonin *nonin = self;
  oximeter_free (nonin->oximeter);
  g_free (nonin);
}

static gboolean
is_frame (const guint8 *b)
{
  return b[0] == START && (b[1] & 0x80) != 0 && ((b[0] + b[1] + b[2] + b[3]) & 0xFF) == b[4];
}

static guint
flags_of (guint8 status)
{
  guint flags = 0;
  if (status & STATUS_DISCONNECTED)
    flags |= OXIMETER_SENSOR_OFF;
  if (status & STATUS_SENSOR_ALARM)
    flags |= OXIMETER_NO_FINGER;
  if (status & STATUS_OUT_OF_TRACK)
    flags |= OXIMETER_SEARCHING;
  if (status & STATUS_ARTIFACT)
    flags |= OXIMETER_ARTIFACT;
  if ((status & (STATUS_RED | STATUS_GREEN)) == STATUS_RED)
    flags |= OXIMETER_LOW_PERFUSION;
  return flags;
}

static void
take_number (Nonin *nonin, guint8 value, guint flags, LineTime now)
{
  if (nonin->place == AT_PULSE) {
    nonin->pulse_high = value & 3;
  } else if (nonin->place == AT_PULSE_LOW) {
    nonin->pulse = nonin->pulse_high << 7 | (value & 0x7F);
  } else if (nonin->place == AT_SPO2) {
    guint spo2 = value & 0x7F;
    /* An artifact or low perfusion of one beat says little about an average of four: they go with
     * the packet's numbers, never alone. */
    const OximeterState state
        = { .spo2 = spo2 == NO_SPO2 || spo2 == 0 ? -1 : (int)spo2,
            .pulse = nonin->pulse == NO_PULSE || nonin->pulse == 0 ? -1 : (int)nonin->pulse,
            .flags = flags };
    oximeter_state (nonin->oximeter, &state, now);
  }
}

static void
take_frame (Nonin *nonin, LineTime now)
{
  const guint8 *b = nonin->window;
  guint flags = flags_of (b[1]);
  nonin->frames++;
  if (b[1] & STATUS_SYNC)
    nonin->place = 1;
  else if (nonin->place > 0)
    nonin->place = nonin->place < PACKET ? nonin->place + 1 : 0;
  take_number (nonin, b[3], flags, now);
  gboolean measured = (flags & (OXIMETER_SENSOR_OFF | OXIMETER_NO_FINGER)) == 0;
  oximeter_sample (nonin->oximeter, measured ? b[2] : WAVE_MISSING, now);
}

static void
nonin_feed (void *self, const guint8 *data, gsize length, LineTime now)
{
  Nonin *nonin = self;
  for (gsize i = 0; i < length; i++) {
    nonin->window[nonin->n++] = data[i];
    if (nonin->n < FRAME)
      continue;
    if (is_frame (nonin->window)) {
      take_frame (nonin, now);
      nonin->n = 0;
      continue;
    }
    /* Not at the beginning of a frame: lost, until the next sync. */
    oximeter_gap (nonin->oximeter);
    nonin->place = 0;
    memmove (nonin->window, nonin->window + 1, FRAME - 1);
    nonin->n = FRAME - 1;
  }
}

static void
nonin_open (void *self, LineTime now)
{
  Nonin *nonin = self;
  nonin->n = nonin->place = 0;
}

static gint64
nonin_tick (void *self, LineTime now)
{
  return 0;
}

static void
nonin_close (void *self, LineTime now, LineClosing how)
{
  Nonin *nonin = self;
  nonin->n = nonin->place = 0;
  if (how == LINE_ENDED)
    oximeter_gap (nonin->oximeter);
  else
    oximeter_lost (nonin->oximeter, now);
}

static guint64
nonin_frames (void *self)
{
  return ((Nonin *)self)->frames;
}

static const LineSettings settings[] = { { 9600, LINE_PARITY_NONE }, { 0 } };

const LineKind line_kind_nonin = {
  .name = "nonin",
  .category = "oximeter",
  .settings = settings,
  .patience_s = 3,
  .convincing = 5,
  .bytes_per_second = RATE * FRAME,
  .make = nonin_make,
  .free = nonin_free,
  .open = nonin_open,
  .feed = nonin_feed,
  .tick = nonin_tick,
  .close = nonin_close,
  .frames = nonin_frames,
};
