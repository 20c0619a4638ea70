#include "media/transport/sctp.h"
#include "media/transport/peer.h"
#include "media/transport/sctp_library.h"
#include "media/transport/sctp_repeat.h"
#include "media/transport/timer.h"
#include <errno.h>
#include <string.h>
#include <usrsctp.h>

/* How often the library's timers run: closely after a packet, for delayed acknowledgements and
 * retransmission; seldom when nothing happens, since wake-ups cost more than the work. */
enum {
  TICK_BUSY_US = 20 * 1000,
  TICK_CALM_US = 100 * 1000,
  TICK_IDLE_US = 500 * 1000,
  BUSY_FOR_US = 300 * 1000,
  CALM_FOR_US = 3000 * 1000,
};

typedef struct {
  SctpSend how;
  GBytes *data;
  gint64 queued_us;
} Waiting;

typedef enum { INPUT_MESSAGE, INPUT_RESET, INPUT_UP, INPUT_DOWN } InputKind;

typedef struct {
  InputKind kind;
  guint16 stream;
  guint32 ppid;
  GBytes *data;
} Input;

struct Sctp {
  const SctpEvents *events;
  void *arg;
  GMainContext *context;
  guint id;
  struct socket *socket;
  gboolean up, delivering, closed;
  Timer *wake, *tick;
  SctpRepeat *repeat;
  gint64 last_packet_us;
  GQueue waiting; /* Waiting */
  gsize waiting_bytes;

  GMutex lock;   /* what follows is filled by the library, in any thread */
  guint inside;  /* our own calls under way, which flush when they leave */
  GQueue outbox; /* GBytes, packets */
  GQueue inbox;  /* Input */
  gboolean writable, skipping;
  guint16 skipped_stream;
};

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;
  g_bytes_unref (waiting->data);
  g_free (waiting);
}

static void
input_free (gpointer data)
{
  Input *input = data;
  g_clear_pointer (&input->data, g_bytes_unref);
  g_free (input);
}

/* ---- called by the library, locks held: only queue ---- */

/* With the lock held. */
static void
push (Sctp *sctp, GQueue *queue, gpointer item)
{
  g_queue_push_tail (queue, item);
  if (sctp->inside == 0)
    timer_wake (sctp->wake);
}

static void
push_input (Sctp *sctp, InputKind kind, guint16 stream, guint32 ppid, GBytes *data)
{
  Input *input = g_new (Input, 1);
  *input = (Input){ kind, stream, ppid, data };
  push (sctp, &sctp->inbox, input);
}

static void
on_output (void *object, const guint8 *packet, gsize size)
{
  Sctp *sctp = object;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&sctp->lock);
  push (sctp, &sctp->outbox, g_bytes_new (packet, size));
}

/* Pieces come only of messages beyond the delivery point, which is far above SCTP_MAX_MESSAGE:
 * they are counted off, not kept. */
static void
on_input (void *object, guint16 stream, guint32 ppid, gboolean end, const guint8 *data, gsize size)
{
  Sctp *sctp = object;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&sctp->lock);
  gboolean rest = sctp->skipping && sctp->skipped_stream == stream;
  if (!end) {
    sctp->skipping = TRUE;
    sctp->skipped_stream = stream;
    return;
  }
  if (rest)
    sctp->skipping = FALSE;
  else if (size <= SCTP_MAX_MESSAGE)
    push_input (sctp, INPUT_MESSAGE, stream, ppid, g_bytes_new (data, size));
}

static void
on_reset (Sctp *sctp, const struct sctp_stream_reset_event *event, gsize size)
{
  if (size < sizeof *event || !(event->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN)
      || (event->strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)))
    return;
  gsize n = (size - sizeof *event) / sizeof (uint16_t);
  for (gsize i = 0; i < n; i++) {
    uint16_t stream;
    memcpy (&stream, (const guint8 *)(event + 1) + i * sizeof stream, sizeof stream);
    push_input (sctp, INPUT_RESET, stream, 0, NULL);
  }
}

static void
on_association (Sctp *sctp, const struct sctp_assoc_change *change)
{
  switch (change->sac_state) {
  case SCTP_COMM_UP:
    push_input (sctp, INPUT_UP, 0, 0, NULL);
    break;
  case SCTP_RESTART: /* the other side has forgotten all channels */
  case SCTP_COMM_LOST:
  case SCTP_SHUTDOWN_COMP:
  case SCTP_CANT_STR_ASSOC:
    push_input (sctp, INPUT_DOWN, 0, 0, NULL);
    break;
  default:
    break;
  }
}

static void
on_notification (void *object, const guint8 *data, gsize size)
{
  Sctp *sctp = object;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&sctp->lock);
  const union sctp_notification *notification = (const void *)data;
  if (size < sizeof notification->sn_header || notification->sn_header.sn_length != size)
    return;
  switch (notification->sn_header.sn_type) {
  case SCTP_ASSOC_CHANGE:
    if (size >= sizeof notification->sn_assoc_change)
      on_association (sctp, &notification->sn_assoc_change);
    break;
  case SCTP_STREAM_RESET_EVENT:
    on_reset (sctp, &notification->sn_strreset_event, size);
    break;
  default:
    break;
  }
}

static void
on_writable (void *object)
{
  Sctp *sctp = object;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&sctp->lock);
  sctp->writable = TRUE;
  if (sctp->inside == 0)
    timer_wake (sctp->wake);
}

static const SctpLibraryEvents library_events = {
  .output = on_output, .input = on_input, .notification = on_notification, .writable = on_writable
};

/* ---- on the owner's context ---- */

static void
arm_tick (Sctp *sctp, gint64 now_us)
{
  gint64 quiet_us = now_us - sctp->last_packet_us;
  gboolean busy
      = quiet_us < BUSY_FOR_US || (quiet_us < CALM_FOR_US && sctp_repeat_waits (sctp->repeat));
  gint64 step = busy ? TICK_BUSY_US : quiet_us < CALM_FOR_US ? TICK_CALM_US : TICK_IDLE_US;
  /* On a common grid, so that the peers of a loop wake it once. */
  timer_at (sctp->tick, (now_us / step + 1) * step);
}

static void
note_packet (Sctp *sctp)
{
  gint64 now_us = g_get_monotonic_time ();
  gboolean was_quiet = now_us - sctp->last_packet_us >= BUSY_FOR_US;
  sctp->last_packet_us = now_us;
  if (was_quiet && !sctp->closed)
    arm_tick (sctp, now_us);
}

static void
enter (Sctp *sctp)
{
  g_mutex_lock (&sctp->lock);
  sctp->inside++;
  g_mutex_unlock (&sctp->lock);
}

/* Takes what is to be done next; ends `inside` when there is nothing. */
static gboolean
take (Sctp *sctp, GBytes **ret_packet, Input **ret_input, gboolean *ret_writable)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&sctp->lock);
  *ret_packet = g_queue_pop_head (&sctp->outbox);
  *ret_input = *ret_packet || sctp->delivering ? NULL : g_queue_pop_head (&sctp->inbox);
  *ret_writable = sctp->writable && !*ret_packet && !*ret_input;
  if (*ret_writable)
    sctp->writable = FALSE;
  if (*ret_packet || *ret_input || *ret_writable)
    return TRUE;
  sctp->inside--;
  return FALSE;
}

static void
deliver (Sctp *sctp, const Input *input)
{
  switch (input->kind) {
  case INPUT_MESSAGE:
    sctp->events->message (sctp, input->stream, input->ppid, input->data, sctp->arg);
    break;
  case INPUT_RESET:
    sctp->events->reset (sctp, input->stream, sctp->arg);
    break;
  case INPUT_UP:
    sctp->up = TRUE;
    sctp->events->up (sctp, sctp->arg);
    break;
  case INPUT_DOWN:
    sctp->up = FALSE;
    sctp->events->down (sctp, sctp->arg);
    break;
  }
}

static void pump (Sctp *sctp);

static void
leave (Sctp *sctp)
{
  GBytes *packet;
  Input *input;
  gboolean writable;
  while (take (sctp, &packet, &input, &writable)) {
    if (packet) {
      gsize size;
      const guint8 *data = g_bytes_get_data (packet, &size);
      sctp->events->send (sctp, data, size, sctp->arg);
      sctp_repeat_sent (sctp->repeat, packet, g_get_monotonic_time ());
      g_bytes_unref (packet);
      note_packet (sctp);
    } else if (input) {
      sctp->delivering = TRUE;
      if (!sctp->closed)
        deliver (sctp, input);
      sctp->delivering = FALSE;
      input_free (input);
    } else {
      pump (sctp);
    }
  }
}

/* The same for calls of the owner, who is not to get events from within them. */
static void
leave_quietly (Sctp *sctp)
{
  gboolean was_delivering = sctp->delivering;
  sctp->delivering = TRUE;
  leave (sctp);
  sctp->delivering = was_delivering;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&sctp->lock);
  if (!g_queue_is_empty (&sctp->inbox))
    timer_wake (sctp->wake);
}

static void
on_wake (void *arg)
{
  Sctp *sctp = arg;
  enter (sctp);
  leave (sctp);
}

static void
send_again (Sctp *sctp, gint64 now_us)
{
  GBytes *packet;
  while (sctp->up && (packet = sctp_repeat_due (sctp->repeat, now_us)) != NULL) {
    gsize size;
    const guint8 *data = g_bytes_get_data (packet, &size);
    sctp->events->send (sctp, data, size, sctp->arg);
    g_bytes_unref (packet);
  }
}

static void
on_tick (void *arg)
{
  Sctp *sctp = arg;
  gint64 now_us = g_get_monotonic_time ();
  send_again (sctp, now_us);
  enter (sctp);
  sctp_library_tick (now_us);
  leave (sctp);
  if (!sctp->closed)
    arm_tick (sctp, now_us);
}

/* FALSE: the library's buffer is full. */
static gboolean
hand_over (Sctp *sctp, const Waiting *waiting)
{
  gsize size;
  const void *data = g_bytes_get_data (waiting->data, &size);
  struct sctp_sendv_spa spa
      = { .sendv_flags = SCTP_SEND_SNDINFO_VALID,
          .sendv_sndinfo = { .snd_sid = waiting->how.stream,
                             .snd_flags = SCTP_EOR | SCTP_SACK_IMMEDIATELY
                                          | (waiting->how.unordered ? SCTP_UNORDERED : 0),
                             .snd_ppid = g_htonl (waiting->how.ppid) } };
  if (waiting->how.lifetime_ms > 0) {
    gint64 waited_ms = (g_get_monotonic_time () - waiting->queued_us) / 1000;
    if (waited_ms >= waiting->how.lifetime_ms)
      return TRUE;
    spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
    spa.sendv_prinfo.pr_policy = SCTP_PR_SCTP_TTL;
    spa.sendv_prinfo.pr_value = (uint32_t)(waiting->how.lifetime_ms - waited_ms);
  }
  if (usrsctp_sendv (sctp->socket, data, size, NULL, 0, &spa, sizeof spa, SCTP_SENDV_SPA, 0) >= 0)
    return TRUE;
  if (errno == EWOULDBLOCK)
    return FALSE;
  g_info ("sctp: a message of %" G_GSIZE_FORMAT " bytes on stream %u was refused: %s", size,
          waiting->how.stream, g_strerror (errno));
  return TRUE;
}

static void
pump (Sctp *sctp)
{
  while (sctp->up && !g_queue_is_empty (&sctp->waiting)) {
    Waiting *waiting = g_queue_peek_head (&sctp->waiting);
    if (!hand_over (sctp, waiting))
      return;
    sctp->waiting_bytes -= g_bytes_get_size (waiting->data);
    waiting_free (g_queue_pop_head (&sctp->waiting));
  }
}

/* ---- public ---- */

Sctp *
sctp_new (GMainContext *context, guint16 remote_port, guint mtu, const SctpEvents *events,
          void *arg, GError **error)
{
  g_autoptr (Sctp) sctp = g_new0 (Sctp, 1);
  sctp->events = events;
  sctp->arg = arg;
  g_mutex_init (&sctp->lock);
  g_queue_init (&sctp->waiting);
  g_queue_init (&sctp->outbox);
  g_queue_init (&sctp->inbox);
  sctp->wake = timer_new (context, on_wake, sctp);
  sctp->tick = timer_new (context, on_tick, sctp);
  sctp->repeat = sctp_repeat_new ();
  sctp->inside = 1; /* `send` shall not come before the caller has the object */
  sctp->id = sctp_library_add (sctp, &library_events);
  sctp->socket = sctp_library_connect (sctp->id, remote_port, mtu);
  g_mutex_lock (&sctp->lock);
  sctp->inside = 0;
  g_mutex_unlock (&sctp->lock);
  if (!sctp->socket) {
    g_set_error (error, PEER_ERROR, PEER_ERROR_FAILED, "cannot open an SCTP association: %s",
                 g_strerror (errno));
    return NULL;
  }
  sctp->last_packet_us = g_get_monotonic_time ();
  arm_tick (sctp, sctp->last_packet_us);
  timer_wake (sctp->wake);
  return g_steal_pointer (&sctp);
}

void
sctp_close (Sctp *sctp)
{
  if (sctp->closed)
    return;
  sctp->closed = TRUE;
  sctp->up = FALSE;
  enter (sctp);
  if (sctp->socket)
    usrsctp_close (sctp->socket);
  leave (sctp);
  sctp_library_remove (sctp->id);
  timer_stop (sctp->wake);
  timer_stop (sctp->tick);
}

void
sctp_free (Sctp *sctp)
{
  if (!sctp)
    return;
  sctp_close (sctp);
  timer_free (sctp->wake);
  timer_free (sctp->tick);
  sctp_repeat_free (sctp->repeat);
  g_queue_clear_full (&sctp->waiting, waiting_free);
  g_queue_clear_full (&sctp->outbox, (GDestroyNotify)g_bytes_unref);
  g_queue_clear_full (&sctp->inbox, input_free);
  g_mutex_clear (&sctp->lock);
  g_free (sctp);
}

gboolean
sctp_is_up (Sctp *sctp)
{
  return sctp->up;
}

void
sctp_receive (Sctp *sctp, const guint8 *packet, gsize size)
{
  if (sctp->closed)
    return;
  note_packet (sctp);
  sctp_repeat_received (sctp->repeat, packet, size, sctp->last_packet_us);
  enter (sctp);
  usrsctp_conninput (GUINT_TO_POINTER (sctp->id), packet, size, 0);
  leave (sctp);
}

void
sctp_path_back (Sctp *sctp)
{
  if (sctp->closed)
    return;
  gint64 now_us = g_get_monotonic_time ();
  sctp_repeat_path_back (sctp->repeat, now_us);
  send_again (sctp, now_us);
}

gboolean
sctp_send (Sctp *sctp, const SctpSend *how, GBytes *data)
{
  gsize size = g_bytes_get_size (data);
  if (sctp->closed || size == 0 || size > SCTP_MAX_MESSAGE
      || sctp->waiting_bytes + size > SCTP_MAX_WAITING)
    return FALSE;
  Waiting *waiting = g_new (Waiting, 1);
  *waiting = (Waiting){ *how, g_bytes_ref (data), g_get_monotonic_time () };
  g_queue_push_tail (&sctp->waiting, waiting);
  sctp->waiting_bytes += size;
  enter (sctp);
  pump (sctp);
  leave_quietly (sctp);
  return TRUE;
}

void
sctp_reset_stream (Sctp *sctp, guint16 stream)
{
  guint8 buffer[sizeof (struct sctp_reset_streams) + sizeof (uint16_t)] = { 0 };
  struct sctp_reset_streams reset
      = { .srs_flags = SCTP_STREAM_RESET_OUTGOING, .srs_number_streams = 1 };
  memcpy (buffer, &reset, sizeof reset);
  memcpy (buffer + offsetof (struct sctp_reset_streams, srs_stream_list), &stream, sizeof stream);
  if (sctp->closed)
    return;
  enter (sctp);
  if (usrsctp_setsockopt (sctp->socket, IPPROTO_SCTP, SCTP_RESET_STREAMS, buffer,
                          sizeof (struct sctp_reset_streams) + sizeof stream)
      != 0)
    g_debug ("sctp: stream %u could not be reset: %s", stream, g_strerror (errno));
  leave_quietly (sctp);
}

gsize
sctp_waiting (Sctp *sctp)
{
  return sctp->waiting_bytes;
}

guint
sctp_outstanding (Sctp *sctp)
{
  struct sctp_status status = { 0 };
  socklen_t size = sizeof status;
  guint waiting = g_queue_get_length (&sctp->waiting);
  if (sctp->closed || sctp->socket == NULL || !sctp->up)
    return waiting;
  enter (sctp);
  gboolean known
      = usrsctp_getsockopt (sctp->socket, IPPROTO_SCTP, SCTP_STATUS, &status, &size) == 0;
  leave_quietly (sctp);
  return waiting + (known ? status.sstat_unackdata + status.sstat_penddata : 0u);
}
