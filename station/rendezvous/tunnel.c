/* Frames: numbered, each taken once, messages in order (docs/rendezvous.md, Frames). */
#include "station/rendezvous/tunnel_private.h"

#include <openssl/crypto.h>
#include <string.h>

#define OPENING_US (10 * G_USEC_PER_SEC)
#define LIFE_US (12 * G_TIME_SPAN_HOUR)
#define FRAMES_MAX (1u << 24)
#define ALIVE_US (5 * G_USEC_PER_SEC)
#define OWED_US (G_USEC_PER_SEC / 10)
#define REPEAT_MIN_US G_USEC_PER_SEC
#define REPEAT_MAX_US (4 * G_USEC_PER_SEC)
#define WINDOW 64
#define HELD_BYTES (1 << 20)
#define UNDER_WAY_BYTES (512 * 1024)

static const char alive[] = "{}", closing[] = "{\"close\":true}";

static void
drop (void *bytes)
{
  g_bytes_unref (bytes);
}

Tunnel *
tunnel_new (gboolean page, gint64 now, const TunnelEvents *events, void *arg)
{
  Tunnel *tunnel = g_new0 (Tunnel, 1);
  tunnel->page = page;
  tunnel->events = events;
  tunnel->arg = arg;
  tunnel->began = tunnel->heard = tunnel->said = now;
  g_queue_init (&tunnel->out);
  return tunnel;
}

void
tunnel_free (Tunnel *tunnel)
{
  if (tunnel == NULL)
    return;
  tunnel_ends_clear (&tunnel->ends);
  if (tunnel->secret != NULL)
    OPENSSL_cleanse (tunnel->secret, strlen (tunnel->secret));
  g_free (tunnel->secret);
  g_free (tunnel->why);
  g_clear_pointer (&tunnel->key, json_decref);
  for (guint i = 0; i < TUNNEL_UNDER_WAY; i++)
    g_clear_pointer (&tunnel->held[i], g_bytes_unref);
  g_queue_clear_full (&tunnel->out, drop);
  OPENSSL_cleanse (tunnel, sizeof *tunnel);
  g_free (tunnel);
}

const TunnelEnds *
tunnel_ends (const Tunnel *tunnel)
{
  return &tunnel->ends;
}

TunnelState
tunnel_state (const Tunnel *tunnel)
{
  return tunnel->state;
}

const char *
tunnel_why (const Tunnel *tunnel)
{
  return tunnel->why;
}

const TunnelFigures *
tunnel_figures (const Tunnel *tunnel)
{
  return &tunnel->figures;
}

static void
lose (Tunnel *tunnel, const char *why)
{
  tunnel->state = TUNNEL_LOST;
  g_free (tunnel->why);
  tunnel->why = g_strdup (why);
}

/* ---- Sending ----------------------------------------------------------------------------------
 */

/* n 0: no message. */
static void
send_frame (Tunnel *tunnel, guint64 n, const void *plain, gsize length, gint64 now)
{
  json_auto_t *header = json_pack ("{s:s, s:I, s:I, s:I}", "kid", tunnel->ends.session, "f",
                                   (json_int_t)++tunnel->frames, "n", (json_int_t)n, "a",
                                   (json_int_t)tunnel->delivered);
  g_autofree char *text = jose_seal_dir (tunnel->key_send, header, plain, length, NULL);
  if (text == NULL) {
    lose (tunnel, "sealing failed");
    return;
  }
  tunnel->said = now;
  tunnel->owes = FALSE;
  tunnel->events->publish (tunnel, text, strlen (text), tunnel->arg);
}

static void
send_number (Tunnel *tunnel, guint at, gint64 now)
{
  gsize length;
  const void *plain = g_bytes_get_data (g_queue_peek_nth (&tunnel->out, at), &length);
  send_frame (tunnel, tunnel->acknowledged + 1 + at, plain, length, now);
}

static gint64
repeat_after (const Tunnel *tunnel)
{
  gint64 first = CLAMP (2 * tunnel->round_trip, REPEAT_MIN_US, REPEAT_MAX_US);
  return MIN (first << MIN (tunnel->repeats, 4u), REPEAT_MAX_US);
}

static void
fill_window (Tunnel *tunnel, gint64 now)
{
  while (tunnel->under_way < MIN (g_queue_get_length (&tunnel->out), TUNNEL_UNDER_WAY)) {
    gsize size = g_bytes_get_size (g_queue_peek_nth (&tunnel->out, tunnel->under_way));
    if (tunnel->under_way > 0 && tunnel->under_way_bytes + size > UNDER_WAY_BYTES)
      return;
    if (tunnel->under_way == 0) {
      tunnel->timed_at = now;
      tunnel->repeat_at = now + repeat_after (tunnel);
    }
    tunnel->under_way_bytes += size;
    send_number (tunnel, tunnel->under_way++, now);
  }
}

gboolean
tunnel_send (Tunnel *tunnel, const char *text, gsize length, gint64 now)
{
  if (tunnel->state != TUNNEL_OPEN || length > TUNNEL_MESSAGE_MAX)
    return FALSE;
  if (g_queue_get_length (&tunnel->out) >= TUNNEL_UNDER_WAY + TUNNEL_WAITING
      || tunnel->out_bytes + length > TUNNEL_WAITING_BYTES) {
    lose (tunnel, "the other end takes nothing");
    return FALSE;
  }
  g_queue_push_tail (&tunnel->out, g_bytes_new (text, length));
  tunnel->out_bytes += length;
  tunnel->figures.sent++;
  fill_window (tunnel, now);
  return tunnel->state == TUNNEL_OPEN;
}

void
tunnel_close (Tunnel *tunnel, gint64 now)
{
  if (tunnel->state == TUNNEL_OPEN)
    send_frame (tunnel, 0, closing, strlen (closing), now);
  if (tunnel->state <= TUNNEL_OPEN)
    tunnel->state = TUNNEL_CLOSED;
}

/* ---- Receiving --------------------------------------------------------------------------------
 */

static gboolean
is_new (const Tunnel *tunnel, guint64 f)
{
  if (f > tunnel->highest)
    return TRUE;
  guint64 back = tunnel->highest - f;
  return f > 0 && back < WINDOW && (tunnel->window >> back & 1) == 0;
}

static void
mark (Tunnel *tunnel, guint64 f)
{
  if (f > tunnel->highest) {
    guint64 ahead = f - tunnel->highest;
    tunnel->window = ahead < WINDOW ? tunnel->window << ahead : 0;
    tunnel->highest = f;
  }
  tunnel->window |= G_GUINT64_CONSTANT (1) << (tunnel->highest - f);
}

static void
take_acknowledgement (Tunnel *tunnel, guint64 a, gint64 now)
{
  if (a <= tunnel->acknowledged || a > tunnel->acknowledged + tunnel->under_way)
    return;
  if (tunnel->timed_at != 0) {
    gint64 sample = now - tunnel->timed_at;
    tunnel->round_trip = tunnel->round_trip == 0 ? sample : (7 * tunnel->round_trip + sample) / 8;
  }
  for (; tunnel->acknowledged < a; tunnel->acknowledged++) {
    GBytes *bytes = g_queue_pop_head (&tunnel->out);
    tunnel->out_bytes -= g_bytes_get_size (bytes);
    tunnel->under_way_bytes -= g_bytes_get_size (bytes);
    tunnel->under_way--;
    g_bytes_unref (bytes);
  }
  tunnel->repeats = 0;
  tunnel->timed_at = 0;
  tunnel->repeat_at = now + repeat_after (tunnel);
  fill_window (tunnel, now);
}

static void
deliver (Tunnel *tunnel)
{
  for (;;) {
    GBytes **slot = &tunnel->held[(tunnel->delivered + 1) % TUNNEL_UNDER_WAY];
    if (*slot == NULL || tunnel->state != TUNNEL_OPEN)
      return;
    g_autoptr (GBytes) bytes = g_steal_pointer (slot);
    gsize size;
    const char *text = g_bytes_get_data (bytes, &size);
    tunnel->held_bytes -= size;
    tunnel->delivered++;
    tunnel->figures.delivered++;
    tunnel->events->message (tunnel, text, size, tunnel->arg);
  }
}

static void
take_message (Tunnel *tunnel, guint64 n, GBytes *plain, gint64 now)
{
  gsize size = g_bytes_get_size (plain);
  if (!tunnel->owes)
    tunnel->owes_at = now + OWED_US;
  tunnel->owes = TRUE;
  if (n <= tunnel->delivered || n > tunnel->delivered + TUNNEL_UNDER_WAY
      || size > TUNNEL_MESSAGE_MAX)
    return;
  GBytes **slot = &tunnel->held[n % TUNNEL_UNDER_WAY];
  /* The one that is waited for always finds room. */
  if (*slot != NULL || (n != tunnel->delivered + 1 && tunnel->held_bytes + size > HELD_BYTES))
    return;
  *slot = g_bytes_ref (plain);
  tunnel->held_bytes += size;
  deliver (tunnel);
}

static void
take_frame (Tunnel *tunnel, guint64 n, guint64 a, GBytes *plain, gint64 now)
{
  tunnel->heard = now;
  tunnel->figures.accepted++;
  if (tunnel->state == TUNNEL_OPENING)
    tunnel->state = TUNNEL_OPEN;
  take_acknowledgement (tunnel, a, now);
  if (n > 0)
    take_message (tunnel, n, plain, now);
  else if (g_bytes_get_size (plain) == strlen (closing)
           && memcmp (g_bytes_get_data (plain, NULL), closing, strlen (closing)) == 0)
    tunnel->state = TUNNEL_CLOSED;
}

gboolean
tunnel_receive (Tunnel *tunnel, const char *text, gsize length, gint64 now)
{
  guint64 f, n, a;
  g_auto (JoseSealed) sealed = { 0 };
  if (tunnel->state > TUNNEL_OPEN)
    return FALSE;
  if (tunnel->page && tunnel->state == TUNNEL_OPENING)
    return tunnel_take_answer (tunnel, text, length, now);
  if (!jose_read (text, length, "dir", NULL, &sealed, NULL)
      || !g_str_equal (jose_sealed_text (&sealed, "kid"), tunnel->ends.session)
      || !jose_sealed_number (&sealed, "f", &f) || !jose_sealed_number (&sealed, "n", &n)
      || !jose_sealed_number (&sealed, "a", &a)) {
    tunnel->figures.refused++;
    return FALSE;
  }
  if (!is_new (tunnel, f)) {
    tunnel->figures.replayed++;
    return FALSE;
  }
  g_autoptr (GBytes) plain = jose_open_dir (&sealed, tunnel->key_receive, NULL);
  if (plain == NULL) {
    tunnel->figures.refused++;
    return FALSE;
  }
  mark (tunnel, f);
  take_frame (tunnel, n, a, plain, now);
  return TRUE;
}

/* ---- Time -------------------------------------------------------------------------------------
 */

static void
repeat (Tunnel *tunnel, gint64 now)
{
  tunnel->repeats++;
  tunnel->timed_at = 0;
  tunnel->repeat_at = now + repeat_after (tunnel);
  tunnel->figures.repeated += tunnel->under_way;
  for (guint i = 0; i < tunnel->under_way && tunnel->state == TUNNEL_OPEN; i++)
    send_number (tunnel, i, now);
}

static gboolean
is_over (Tunnel *tunnel, gint64 now)
{
  if (tunnel->state == TUNNEL_OPENING && now - tunnel->began >= OPENING_US)
    lose (tunnel, "no answer");
  else if (tunnel->state == TUNNEL_OPEN && now - tunnel->heard >= TUNNEL_SILENCE_US)
    lose (tunnel, "silence");
  else if (now - tunnel->began >= LIFE_US || tunnel->frames >= FRAMES_MAX)
    lose (tunnel, "it is old");
  return tunnel->state > TUNNEL_OPEN;
}

gint64
tunnel_tick (Tunnel *tunnel, gint64 now)
{
  if (tunnel->state > TUNNEL_OPEN || is_over (tunnel, now))
    return G_MAXINT64;
  if (tunnel->state == TUNNEL_OPENING)
    return tunnel->began + OPENING_US;
  if (tunnel->under_way > 0 && now >= tunnel->repeat_at)
    repeat (tunnel, now);
  if ((tunnel->owes && now >= tunnel->owes_at) || now - tunnel->said >= ALIVE_US)
    send_frame (tunnel, 0, alive, strlen (alive), now);
  gint64 next = MIN (tunnel->heard + TUNNEL_SILENCE_US, tunnel->said + ALIVE_US);
  if (tunnel->owes)
    next = MIN (next, tunnel->owes_at);
  if (tunnel->under_way > 0)
    next = MIN (next, tunnel->repeat_at);
  return next;
}
