/* Nonin 9560 over classic Bluetooth's serial port (an rfcomm tty), data format 13: one frame a
 * measurement, told again until it is acknowledged.
 *
 *   02   format u16 (000D)   length u16 (14, or 23 with the serial number)   data   sum   03
 *   data: year month day hour minute second as BCD (the year two bytes), hundredths,
 *         status u16, pulse u16 (01FF: none), reserved, SpO2 (7F: none)[, serial number]
 *
 * all big-endian, the sum that of the data's bytes; answered by 06, or 15 when the sum is wrong.
 */
#include "media/devices/line_device.h"
#include "media/devices/reading.h"

#include <string.h>

#define STX 0x02
#define ETX 0x03
#define ACK 0x06
#define NAK 0x15

#define FORMAT_SPOT 13
#define HEAD 5 /* STX, format, length */
#define DATA 14
#define DATA_WITH_SERIAL 23
#define FRAME_MAX (HEAD + DATA_WITH_SERIAL + 2)

#define SPO2 150456
#define PULSE 149530
#define NO_SPO2 0x7F
#define NO_PULSE 0x1FF

enum { /* of both status bytes */
       STATUS_NOT_MEASURED = 0x0100,
       STATUS_SMART_POINT = 0x0200, /* passed its check of quality */
       STATUS_MEMORY = 0x0010,
       STATUS_BATTERY_LOW = 0x0001,
};

#define TOLD_MAX 32 /* what was acknowledged, and may come again when that was not heard */

typedef struct {
  LineOutput output;
  guint8 window[FRAME_MAX];
  guint n;
  GQueue told; /* GBytes: data of frames that were given out */
  guint64 frames;
} Spot;

static void *
spot_make (const LineOutput *output)
{
  Spot *spot = g_new0 (Spot, 1);
  spot->output = *output;
  g_queue_init (&spot->told);
  return spot;
}

static void
spot_free (void *self)
{
  Spot *spot = self;
  g_queue_clear_full (&spot->told, (GDestroyNotify)g_bytes_unref);
  g_free (spot);
}

/* ---- One measurement ------------------------------------------------------------------------- */

static guint
u16 (const guint8 *at)
{
  return (guint)at[0] << 8 | at[1];
}

static guint
bcd (guint8 byte)
{
  return (byte >> 4) * 10u + (byte & 15);
}

/* The device's clock, in the station's zone; 0: it is no time. */
static gint64
device_time (const guint8 *d)
{
  g_autoptr (GDateTime) time
      = g_date_time_new_local ((int)(bcd (d[0]) * 100 + bcd (d[1])), (int)bcd (d[2]),
                               (int)bcd (d[3]), (int)bcd (d[4]), (int)bcd (d[5]), bcd (d[6]));
  return time != NULL ? g_date_time_to_unix (time) * G_USEC_PER_SEC : 0;
}

static void
put_time (Observation *observation, const guint8 *d, guint status)
{
  observation->device_time
      = g_strdup_printf ("%02u%02u-%02u-%02uT%02u:%02u:%02u", bcd (d[0]), bcd (d[1]), bcd (d[2]),
                         bcd (d[3]), bcd (d[4]), bcd (d[5]), bcd (d[6]));
  if ((status & STATUS_MEMORY) == 0)
    return; /* just measured, whatever its clock says */
  gint64 time_us = device_time (d);
  observation_add_flag (observation, "stored");
  if (time_us == 0) {
    observation_add_flag (observation, "clock-invalid");
    return;
  }
  observation->time_us = time_us;
  observation->time_source = OBS_TIME_DEVICE_LOCAL;
}

static void
give (Spot *spot, guint32 mdc, guint raw, guint none, const guint8 *d, LineTime now)
{
  guint status = u16 (d + 8);
  Observation *observation = reading_new (mdc, now.utc_us);
  put_time (observation, d, status);
  if ((status & STATUS_NOT_MEASURED) == 0 && raw != none && raw != 0)
    reading_set (observation, raw, 0, NULL);
  if ((status & STATUS_SMART_POINT) == 0)
    observation_add_flag (observation, "QUES");
  if ((status & STATUS_BATTERY_LOW) != 0)
    observation_add_flag (observation, "battery-low");
  feed_observation (spot->output.sink, observation);
}

static int
compare_bytes (const void *a, const void *b)
{
  return g_bytes_equal (a, b) ? 0 : 1;
}

static void
take_data (Spot *spot, const guint8 *data, gsize length, LineTime now)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  if (g_queue_find_custom (&spot->told, bytes, compare_bytes) != NULL)
    return;
  g_queue_push_tail (&spot->told, g_bytes_ref (bytes));
  if (spot->told.length > TOLD_MAX)
    g_bytes_unref (g_queue_pop_head (&spot->told));
  give (spot, SPO2, data[13], NO_SPO2, data, now);
  give (spot, PULSE, u16 (data + 10), NO_PULSE, data, now);
}

/* ---- Frames ---------------------------------------------------------------------------------- */

static void
answer (const Spot *spot, guint8 byte)
{
  if (spot->output.send != NULL)
    spot->output.send (&byte, 1, spot->output.arg);
}

/* Length of the frame that the window begins with; 0: none begins here; more than n: it may. */
static guint
frame_length (const guint8 *window, guint n)
{
  static const guint8 head[] = { STX, 0, FORMAT_SPOT, 0 };
  if (memcmp (window, head, MIN (n, sizeof head)) != 0)
    return 0;
  if (n < HEAD)
    return HEAD;
  guint length = window[HEAD - 1];
  return length == DATA || length == DATA_WITH_SERIAL ? HEAD + length + 2 : 0;
}

/* A whole frame, or what has its length. FALSE: it is none. */
static gboolean
take_frame (Spot *spot, guint length, LineTime now)
{
  const guint8 *data = spot->window + HEAD;
  guint size = length - HEAD - 2;
  guint8 sum = 0;
  if (spot->window[length - 1] != ETX)
    return FALSE;
  for (guint i = 0; i < size; i++)
    sum += data[i];
  if (sum != data[size]) {
    answer (spot, NAK);
    return TRUE;
  }
  spot->frames++;
  take_data (spot, data, size, now);
  answer (spot, ACK);
  return TRUE;
}

static void
drop (Spot *spot, guint bytes)
{
  spot->n -= bytes;
  memmove (spot->window, spot->window + bytes, spot->n);
}

static void
spot_feed (void *self, const guint8 *data, gsize length, LineTime now)
{
  Spot *spot = self;
  for (gsize i = 0; i < length; i++) {
    spot->window[spot->n++] = data[i];
    for (guint whole; spot->n > 0 && (whole = frame_length (spot->window, spot->n)) <= spot->n;)
      drop (spot, whole == 0 || !take_frame (spot, whole, now) ? 1 : whole);
  }
}

/* ---- The line -------------------------------------------------------------------------------- */

static void
spot_open (void *self, LineTime now)
{
  ((Spot *)self)->n = 0;
}

static gint64
spot_tick (void *self, LineTime now)
{
  return 0;
}

static void
spot_close (void *self, LineTime now, LineClosing how)
{
  ((Spot *)self)->n = 0;
}

static guint64
spot_frames (void *self)
{
  return ((Spot *)self)->frames;
}

static const LineSettings settings[] = { { 9600, LINE_PARITY_NONE }, { 0 } };

const LineKind line_kind_nonin_spot = {
  .name = "nonin-9560",
  .category = "oximeter",
  .settings = settings,
  .spot = TRUE,
  .convincing = 1,
  .bytes_per_second = 960,
  .make = spot_make,
  .free = spot_free,
  .open = spot_open,
  .feed = spot_feed,
  .tick = spot_tick,
  .close = spot_close,
  .frames = spot_frames,
};
