/* Contec CMS50 finger oximeters (docs/devices.md has the bytes).
 *
 *   since version 4.6 and 7 of the firmware, 115200 8N1: 9 bytes at 60 Hz, bit 7 clear in the first
 *   only; some firmwares leave the last two or one out: the length is learnt
 *   before, 19200 8O1: 5 bytes at 60 Hz, bit 7 set in the first only
 *
 * Neither has a checksum. A frame counts when it has its length up to the first byte of the next
 * and is one of three in a row with nothing between them, what it says when two in a row say it.
 */
#include "media/devices/oximeter.h"

#include <string.h>

#define RATE 60
#define NEW_MIN 7
#define NEW_MAX 9
#define OLD_SIZE 5
#define TYPE_LIVE 0x01
/* So many frames of another length are another firmware, not garbage. */
#define RELEARN 8

#define KEEP_ALIVE_US G_USEC_PER_SEC
#define START_AGAIN_US (2 * G_USEC_PER_SEC)
#define OP_START 0xA1
#define OP_STOP 0xA7
#define OP_KEEP_ALIVE 0xAF

/* A frame being gathered; n 0: waiting for a first byte. */
typedef struct {
  guint8 bytes[NEW_MAX];
  guint n;
  gboolean overlong;
} Gathering;

/* Whole frames in a row before any counts. */
#define IN_A_ROW 3

typedef struct {
  OximeterState state;
  gint32 sample; /* WAVE_MISSING: none */
  LineTime now;
} Frame;

typedef struct {
  LineOutput output;
  Oximeter *oximeter;
  Gathering newer, older;
  Frame waiting[IN_A_ROW]; /* until there are so many */
  guint in_a_row;
  guint learnt, strange; /* length of the newer frames; how many in a row had another */
  guint64 frames;
  gint64 frame_us, sent_us;
} Contec;

static void *
contec_make (const LineOutput *output)
{
  Contec *contec = g_new0 (Contec, 1);
  contec->output = *output;
  contec->oximeter = oximeter_new (output, RATE, 7, 2);
  return contec;
}

static void
contec_free (void *self)
{
  Contec *contec = self;
  oximeter_free (contec->oximeter);
  g_free (contec);
}

/* ---- Frames ---------------------------------------------------------------------------------- */

static void
give (Contec *contec, const Frame *frame)
{
  contec->frames++;
  contec->frame_us = frame->now.monotonic_us;
  oximeter_state (contec->oximeter, &frame->state, frame->now);
  oximeter_sample (contec->oximeter, frame->sample, frame->now);
}

static void
take (Contec *contec, const OximeterState *state, guint8 pleth, LineTime now)
{
  gboolean measured
      = (state->flags & (OXIMETER_NO_FINGER | OXIMETER_SENSOR_OFF | OXIMETER_SEARCHING)) == 0;
  const Frame frame = { *state, measured ? pleth : WAVE_MISSING, now };
  if (contec->in_a_row == IN_A_ROW) {
    give (contec, &frame);
    return;
  }
  contec->waiting[contec->in_a_row++] = frame;
  for (guint i = 0; contec->in_a_row == IN_A_ROW && i < IN_A_ROW; i++)
    give (contec, &contec->waiting[i]);
}

static void
lose_place (Contec *contec)
{
  contec->in_a_row = 0;
  oximeter_gap (contec->oximeter);
}

static int
or_none (guint8 value, guint8 none)
{
  return value == none || value == 0 ? -1 : value;
}

static void
take_newer (Contec *contec, const guint8 *bytes, guint n, LineTime now)
{
  guint8 p[NEW_MAX - 2] = { 0 };
  for (guint i = 0; i + 2 < n; i++)
    p[i] = (guint8)((bytes[2 + i] & 0x7F) | (bytes[1] >> i & 1) << 7);
  const OximeterState state = {
    .pulse = or_none (p[3], 0xFF),
    .spo2 = or_none (p[4] & 0x7F, 0x7F),
    .flags = (p[0] & 0x10 ? OXIMETER_NO_FINGER : 0) | (p[0] & 0x80 ? OXIMETER_SENSOR_OFF : 0)
             | (p[1] & 0x80 ? OXIMETER_SEARCHING : 0),
  };
  take (contec, &state, p[1] & 0x7F, now);
}

static void
take_older (Contec *contec, const guint8 *b, LineTime now)
{
  const OximeterState state = {
    .pulse = or_none ((guint8)((b[3] & 0x7F) | (b[2] & 0x40) << 1), 0xFF),
    .spo2 = or_none (b[4] & 0x7F, 0x7F),
    .flags = (b[0] & 0x10 ? OXIMETER_NO_FINGER : 0) | (b[2] & 0x10 ? OXIMETER_SENSOR_OFF : 0)
             | (b[2] & 0x20 ? OXIMETER_SEARCHING : 0),
  };
  contec->learnt = 0;
  take (contec, &state, b[1] & 0x7F, now);
}

/* A first byte came, or the end: what was gathered before is a frame or garbage. */
static void
end_newer (Contec *contec, LineTime now)
{
  Gathering *g = &contec->newer;
  gboolean possible = !g->overlong && g->n >= NEW_MIN && g->n <= NEW_MAX;
  if (contec->learnt == 0 && possible)
    contec->learnt = g->n;
  if (possible && g->n == contec->learnt) {
    contec->strange = 0;
    if (g->bytes[0] == TYPE_LIVE) /* else an answer to a question that we did not ask */
      take_newer (contec, g->bytes, g->n, now);
  } else if (contec->learnt != 0 && g->n > 0) {
    lose_place (contec);
    if (possible && ++contec->strange >= RELEARN)
      contec->learnt = 0;
  }
}

static void
end_older (Contec *contec, LineTime now)
{
  Gathering *g = &contec->older;
  if (g->n == OLD_SIZE && !g->overlong)
    take_older (contec, g->bytes, now);
  else if (g->n > 0 && contec->learnt == 0)
    lose_place (contec);
}

static void
gather (Gathering *g, guint8 byte, guint size)
{
  if (g->n == 0)
    return;
  if (g->n < size)
    g->bytes[g->n++] = byte;
  else
    g->overlong = TRUE;
}

static void
begin (Gathering *g, guint8 byte)
{
  *g = (Gathering){ .bytes = { byte }, .n = 1 };
}

static void
contec_feed (void *self, const guint8 *data, gsize length, LineTime now)
{
  Contec *contec = self;
  for (gsize i = 0; i < length; i++) {
    if (data[i] & 0x80) {
      end_older (contec, now);
      begin (&contec->older, data[i]);
      gather (&contec->newer, data[i], NEW_MAX);
    } else {
      end_newer (contec, now);
      begin (&contec->newer, data[i]);
      gather (&contec->older, data[i], OLD_SIZE);
    }
  }
}

/* ---- What the device must hear --------------------------------------------------------------- */

static void
send_command (Contec *contec, guint8 operation, LineTime now)
{
  const guint8 command[] = { 0x7D, 0x81, operation, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 };
  contec->sent_us = now.monotonic_us;
  if (contec->output.send != NULL)
    contec->output.send (command, sizeof command, contec->output.arg);
}

static void
contec_open (void *self, LineTime now)
{
  Contec *contec = self;
  contec->newer = contec->older = (Gathering){ .n = 0 };
  contec->in_a_row = 0;
  contec->frame_us = now.monotonic_us;
  send_command (contec, OP_START, now);
}

/* A newer device falls silent unless it hears from us; an older one does not listen. */
static gint64
contec_tick (void *self, LineTime now)
{
  Contec *contec = self;
  if (now.monotonic_us - contec->sent_us >= KEEP_ALIVE_US) {
    gboolean silent = now.monotonic_us - contec->frame_us >= START_AGAIN_US;
    send_command (contec, silent ? OP_START : OP_KEEP_ALIVE, now);
  }
  return contec->sent_us + KEEP_ALIVE_US;
}

static void
contec_close (void *self, LineTime now, LineClosing how)
{
  Contec *contec = self;
  end_newer (contec, now);
  end_older (contec, now);
  contec->newer = contec->older = (Gathering){ .n = 0 };
  if (how == LINE_ENDED)
    oximeter_gap (contec->oximeter);
  else
    oximeter_lost (contec->oximeter, now);
  if (how == LINE_LEFT)
    send_command (contec, OP_STOP, now);
}

static guint64
contec_frames (void *self)
{
  return ((Contec *)self)->frames;
}

static const LineSettings settings[] = {
  { 115200, LINE_PARITY_NONE },
  { 19200, LINE_PARITY_ODD },
  { 0 },
};

const LineKind line_kind_contec = {
  .name = "contec",
  .category = "oximeter",
  .settings = settings,
  .patience_s = 4,
  .convincing = 30,
  .bytes_per_second = RATE * NEW_MAX,
  .make = contec_make,
  .free = contec_free,
  .open = contec_open,
  .feed = contec_feed,
  .tick = contec_tick,
  .close = contec_close,
  .frames = contec_frames,
};
