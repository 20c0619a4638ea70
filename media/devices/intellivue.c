/* Philips IntelliVue at its RS-232 port ("MIB") or its LAN port: association, polls, keep-alive
 * (Data Export Interface Programming Guide; docs/devices.md has the bytes).
 *
 *   we                                    monitor
 *   association request (0D)      ──►
 *                                 ◄──     response (0E), or refusal (0C)
 *                                 ◄──     MDS create event
 *   its result                    ──►
 *   polls: patient, numerics; 1 s ──►
 *   poll: alert monitor; 2 s      ──►
 *                                 ◄──     results
 *   extended poll: waves, 30 s    ──►
 *                                 ◄──     results, 256 ms
 *
 * A monitor that hears no poll for the time that follows from the negotiated poll period aborts
 * (19); we ask anew. Numerics wait until the monitor has said whose they are.
 */
#include "media/devices/intellivue_frame.h"
#include "media/devices/intellivue_poll.h"
#include "media/devices/intellivue_request.h"

#define SECOND G_USEC_PER_SEC
#define ASK_AGAIN_US (5 * SECOND)
#define REFUSED_US (10 * SECOND)
#define SILENT_US (10 * SECOND)
#define PATIENT_WAIT_US (3 * SECOND)
#define WAVES_EVERY_US (30 * SECOND)
#define ALERTS_EVERY_US (2 * SECOND)
#define TICK_US (SECOND / 4)
#define POLL_PERIOD_MAX (10 * IV_TICKS_PER_SECOND)
#define WAVES_PERIOD (60 * IV_TICKS_PER_SECOND)

/* Each request has an invoke id of its own, by which an error is known. */
enum { ID_NUMERICS = 1, ID_PATIENT, ID_WAVES, ID_PRIORITY, ID_ALERTS };

typedef enum { IDLE, ASKED, ASSOCIATED, POLLING } State;

typedef struct {
  LineOutput output;
  gboolean bare; /* a datagram is a payload: no frames */
  IvDeframer deframer;
  IvPoll *poll;
  State state;
  gint64 due_us;                          /* idle, asked: when to ask */
  gint64 since_us;                        /* in this state */
  gint64 heard_us;                        /* the newest data of the monitor */
  gint64 patient_us, waves_us, alerts_us; /* asked last */
  gint64 period_us;                       /* between polls of numerics */
  gboolean patient_refused, alerts_refused;
  guint64 frames;
  LineTime now; /* of what is being fed */
} IntelliVue;

static void *
intellivue_make (const LineOutput *output)
{
  IntelliVue *iv = g_new0 (IntelliVue, 1);
  iv->output = *output;
  iv->poll = iv_poll_new (&iv->output);
  iv->period_us = SECOND;
  return iv;
}

static void *
lan_make (const LineOutput *output)
{
  IntelliVue *iv = intellivue_make (output);
  iv->bare = TRUE;
  return iv;
}

static void
intellivue_free (void *self)
{
  IntelliVue *iv = self;
  iv_poll_free (iv->poll);
  g_free (iv);
}

/* (transfer full) payload */
static void
send_payload (IntelliVue *iv, GByteArray *payload)
{
  g_autoptr (GByteArray) frame
      = iv->bare ? g_byte_array_ref (payload) : iv_frame (payload->data, payload->len);
  g_byte_array_unref (payload);
  if (iv->output.send != NULL)
    iv->output.send (frame->data, frame->len, iv->output.arg);
}

/* ---- Association ----------------------------------------------------------------------------- */

static void
enter (IntelliVue *iv, State state, LineTime now)
{
  if (iv->state >= ASSOCIATED && state < ASSOCIATED)
    iv_poll_lost (iv->poll);
  iv->state = state;
  iv->since_us = iv->heard_us = now.monotonic_us;
}

/* The poll period that the monitor wants at least stands in its poll profile, the attribute
 * {0001, length, 80000000, period}; where it is in the response depends on the release. */
static void
take_response (IntelliVue *iv, const guint8 *payload, gsize length)
{
  iv->period_us = SECOND;
  for (gsize i = 0; i + 12 <= length; i++) {
    IvReader reader = { .at = payload + i, .left = length - i };
    guint32 head = iv_u32 (&reader), revision = iv_u32 (&reader), period = iv_u32 (&reader);
    if (head >> 16 == 1 && (head & 0xFFFF) >= 24 && (head & 0xFFFF) <= 64 && revision == 0x80000000
        && period <= POLL_PERIOD_MAX)
      iv->period_us = MAX (iv->period_us, (gint64)period * 125);
  }
  enter (iv, ASSOCIATED, iv->now);
}

/* ---- What the monitor says ------------------------------------------------------------------- */

static void
take_event (IntelliVue *iv, IvReader *reader)
{
  guint id = iv_u16 (reader), command = iv_u16 (reader);
  iv_skip (reader, 2);
  IvReader object = iv_part (reader, 6);
  guint32 time = iv_u32 (reader);
  guint event = iv_u16 (reader);
  if (reader->bad || command != IV_CONFIRMED_EVENT)
    return;
  send_payload (iv, iv_request_event_result (id, object.at, time, event));
  if (event != IV_EVENT_MDS_CREATE || iv->state == POLLING)
    return;
  enter (iv, POLLING, iv->now);
  iv->patient_us = iv->waves_us = iv->alerts_us = 0;
  iv->patient_refused = iv->alerts_refused = FALSE;
}

static void
take_result (IntelliVue *iv, IvReader *reader)
{
  iv_skip (reader, 2); /* invoke id */
  guint command = iv_u16 (reader);
  iv_skip (reader, 2 + 6); /* length, object */
  guint action = iv_u16 (reader);
  IvReader reply = iv_part (reader, iv_u16 (reader));
  if (reader->bad || command != IV_CONFIRMED_ACTION
      || (action != IV_ACTION_POLL && action != IV_ACTION_POLL_EXTENDED))
    return;
  iv->frames++;
  iv->heard_us = iv->now.monotonic_us;
  iv_poll_take (iv->poll, &reply, action == IV_ACTION_POLL_EXTENDED, iv->now);
}

static void
take_data (IntelliVue *iv, IvReader *reader)
{
  iv_skip (reader, 4);
  guint operation = iv_u16 (reader);
  iv_skip (reader, 2);
  if (operation == IV_INVOKE) {
    take_event (iv, reader);
  } else if (operation == IV_RESULT) {
    take_result (iv, reader);
  } else if (operation == IV_LINKED) {
    iv_skip (reader, 2);
    take_result (iv, reader);
  } else if (operation == IV_FAILED) {
    iv->heard_us = iv->now.monotonic_us;
    guint id = iv_u16 (reader);
    iv->patient_refused |= id == ID_PATIENT;
    iv->alerts_refused |= id == ID_ALERTS;
  }
}

static void
take_payload (const guint8 *payload, gsize length, void *arg)
{
  IntelliVue *iv = arg;
  IvReader reader = { .at = payload, .left = length };
  switch (length > 0 ? payload[0] : 0) {
  case IV_SESSION_DATA:
    take_data (iv, &reader);
    break;
  case IV_SESSION_RESPONSE:
    if (iv->state == ASKED)
      take_response (iv, payload, length);
    break;
  case IV_SESSION_REFUSAL:
    enter (iv, IDLE, iv->now);
    iv->due_us = iv->now.monotonic_us + REFUSED_US;
    break;
  case IV_SESSION_ABORT:
  case IV_SESSION_RELEASE:
    enter (iv, IDLE, iv->now);
    iv->due_us = iv->now.monotonic_us + SECOND;
    break;
  default:
    break;
  }
}

static void
intellivue_feed (void *self, const guint8 *data, gsize length, LineTime now)
{
  IntelliVue *iv = self;
  iv->now = now;
  if (iv->bare)
    take_payload (data, length, iv);
  else
    iv_deframer_feed (&iv->deframer, data, length, take_payload, iv);
}

/* ---- Time ------------------------------------------------------------------------------------ */

static void
poll_what_is_due (IntelliVue *iv, gint64 now)
{
  gboolean known = iv_poll_knows_patient (iv->poll) || iv->patient_refused;
  gboolean may = known || now - iv->since_us >= PATIENT_WAIT_US;
  if (now - iv->patient_us >= iv->period_us) {
    iv->patient_us = now;
    /* The patient before each poll of numerics: another may have been admitted since. */
    send_payload (iv, iv_request_poll (ID_PATIENT, IV_CLASS_PATIENT, IV_GROUP_PATIENT));
    if (may)
      send_payload (iv, iv_request_poll (ID_NUMERICS, IV_CLASS_NUMERIC, IV_GROUP_VALUES));
  }
  if (!may)
    return;
  if (!iv->alerts_refused && now - iv->alerts_us >= ALERTS_EVERY_US) {
    iv->alerts_us = now;
    send_payload (iv, iv_request_poll (ID_ALERTS, IV_CLASS_ALERTS, IV_GROUP_ALERTS));
  }
  if (iv->waves_us == 0)
    send_payload (iv, iv_request_wave_choice (ID_PRIORITY));
  if (iv->waves_us == 0 || now - iv->waves_us >= WAVES_EVERY_US) {
    iv->waves_us = now;
    send_payload (iv, iv_request_waves (ID_WAVES, WAVES_PERIOD));
  }
}

static gint64
intellivue_tick (void *self, LineTime time)
{
  IntelliVue *iv = self;
  gint64 now = time.monotonic_us;
  if (iv->state >= ASSOCIATED && now - iv->heard_us >= SILENT_US) {
    send_payload (iv, iv_request_abort ());
    enter (iv, IDLE, time);
    iv->due_us = now;
  }
  if (iv->state < ASSOCIATED && now >= iv->due_us) {
    /* It may still hold an association of before, and then hears no request. */
    if (iv->state == ASKED)
      send_payload (iv, iv_request_abort ());
    enter (iv, ASKED, time);
    iv->due_us = now + ASK_AGAIN_US;
    send_payload (iv, iv_request_association ());
  }
  if (iv->state == POLLING)
    poll_what_is_due (iv, now);
  return now + TICK_US;
}

static void
intellivue_open (void *self, LineTime now)
{
  IntelliVue *iv = self;
  iv->deframer = (IvDeframer){ .n = 0 };
  enter (iv, IDLE, now);
  iv->due_us = 0;
  intellivue_tick (self, now);
}

static void
intellivue_close (void *self, LineTime now, LineClosing how)
{
  IntelliVue *iv = self;
  if (how == LINE_LEFT && iv->state >= ASSOCIATED)
    send_payload (iv, iv_request_release ());
  enter (iv, IDLE, now);
}

static guint64
intellivue_frames (void *self)
{
  return ((IntelliVue *)self)->frames;
}

static const LineSettings settings[]
    = { { 115200, LINE_PARITY_NONE }, { 19200, LINE_PARITY_NONE }, { 0 } };

const LineKind line_kind_intellivue = {
  .name = "intellivue",
  .category = "monitor",
  .settings = settings,
  .patience_s = 12,
  .convincing = 1,
  .bytes_per_second = 4000,
  .make = intellivue_make,
  .free = intellivue_free,
  .open = intellivue_open,
  .feed = intellivue_feed,
  .tick = intellivue_tick,
  .close = intellivue_close,
  .frames = intellivue_frames,
};

const LineKind line_kind_intellivue_lan = {
  .name = "intellivue-lan",
  .category = "monitor",
  .patience_s = 12,
  .convincing = 1,
  .bytes_per_second = 4000,
  .make = lan_make,
  .free = intellivue_free,
  .open = intellivue_open,
  .feed = intellivue_feed,
  .tick = intellivue_tick,
  .close = intellivue_close,
  .frames = intellivue_frames,
};
