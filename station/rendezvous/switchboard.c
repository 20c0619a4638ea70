/* Tunnels of all pages. */
#include "station/rendezvous/switchboard_private.h"

#include <string.h>

#define RATE_ALL 500 /* openings a second, and at once, also forged ones: 0.15 ms each */
#define RATE_DESK 20
#define BURST_DESK 60
#define RATE_BOX 2
#define BURST_BOX 8
#define BOXES 1024 /* buckets that are remembered */

typedef struct {
  Switchboard *board;
  Tunnel *tunnel;
  char *topic;
  gboolean told;
  void *line; /* of the owner */
} Line;

static void
line_free (void *data)
{
  Line *line = data;
  tunnel_free (line->tunnel);
  g_free (line->topic);
  g_free (line);
}

Switchboard *
switchboard_new (const char *station, EVP_PKEY *key, gint64 epoch, const SwitchboardEvents *events,
                 void *arg, GError **error)
{
  g_autoptr (Switchboard) board = g_new0 (Switchboard, 1);
  board->station = g_strdup (station);
  board->key = key;
  board->events = events;
  board->arg = arg;
  board->turn.epoch = epoch;
  board->presence_topic = g_strdup_printf ("nhipcau/1/%s/presence", station);
  board->open_prefix = g_strdup_printf ("nhipcau/1/%s/open/", station);
  board->in_prefix = g_strdup_printf ("nhipcau/1/%s/in/", station);
  board->subscriptions[0] = g_strconcat (board->open_prefix, "+", NULL);
  board->subscriptions[1] = g_strconcat (board->in_prefix, "+", NULL);
  board->epoch_keys = json_array ();
  board->lines = g_ptr_array_new_with_free_func (line_free);
  board->boxes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!switchboard_new_key (board, g_get_monotonic_time (), error))
    return NULL;
  return g_steal_pointer (&board);
}

void
switchboard_free (Switchboard *board)
{
  if (board == NULL)
    return;
  for (guint i = 0; i < board->lines->len; i++) {
    Line *line = board->lines->pdata[i];
    if (line->told)
      board->events->closed (line->line, board->arg);
  }
  g_ptr_array_unref (board->lines);
  g_hash_table_unref (board->boxes);
  switchboard_public_free (board);
  g_free (board->station);
  g_free (board->presence_topic);
  g_free (board->open_prefix);
  g_free (board->in_prefix);
  g_free (board->subscriptions[0]);
  g_free (board->subscriptions[1]);
  g_free (board);
}

const char *const *
switchboard_subscriptions (const Switchboard *board)
{
  return (const char *const *)board->subscriptions;
}

/* ---- Lines ------------------------------------------------------------------------------------
 */

static void
publish_out (Tunnel *tunnel, const char *text, gsize length, void *arg)
{
  Line *line = arg;
  line->board->events->publish (line->topic, text, length, FALSE, line->board->arg);
}

static void
tell_opened (Line *line)
{
  if (line->told)
    return;
  line->told = TRUE;
  line->line = line->board->events->opened (line->tunnel, line->board->arg);
}

static void
message_in (Tunnel *tunnel, const char *text, gsize length, void *arg)
{
  Line *line = arg;
  tell_opened (line);
  line->board->events->message (line->line, text, length, line->board->arg);
}

static const TunnelEvents tunnel_events = { .publish = publish_out, .message = message_in };

static void
end_line (Switchboard *board, guint at)
{
  g_autofree Line *line = g_ptr_array_steal_index (board->lines, at);
  if (line->told)
    board->events->closed (line->line, board->arg);
  tunnel_free (line->tunnel);
  g_free (line->topic);
}

static void
sweep (Switchboard *board)
{
  for (guint i = board->lines->len; i > 0; i--) {
    const Line *line = board->lines->pdata[i - 1];
    if (tunnel_state (line->tunnel) > TUNNEL_OPEN)
      end_line (board, i - 1);
  }
}

/* How many lines there are of that kind; ret_oldest: the first of them. box NULL: any. */
static guint
count_lines (const Switchboard *board, const char *box, TunnelState state, guint *ret_oldest)
{
  guint count = 0;
  for (guint i = 0; i < board->lines->len; i++) {
    const Line *line = board->lines->pdata[i];
    if (tunnel_state (line->tunnel) != state
        || (box != NULL && !g_str_equal (tunnel_ends (line->tunnel)->box, box)))
      continue;
    if (count++ == 0)
      *ret_oldest = i;
  }
  return count;
}

static void
make_room (Switchboard *board, const char *box)
{
  guint oldest = 0;
  if (count_lines (board, NULL, TUNNEL_OPENING, &oldest) >= SWITCHBOARD_HALF_OPEN)
    end_line (board, oldest);
  /* A page that was reloaded has left its old tunnel behind; who has the secret may end one. */
  if (!g_str_equal (box, SWITCHBOARD_DESK)
      && count_lines (board, box, TUNNEL_OPENING, &oldest) >= SWITCHBOARD_PER_BOX)
    end_line (board, oldest);
}

/* ---- Openings ---------------------------------------------------------------------------------
 */

static gboolean
within (Bucket *bucket, guint rate, guint burst, gint64 now)
{
  gint64 cost = G_USEC_PER_SEC / rate;
  gint64 next = MAX (bucket->next, now - cost * (gint64)burst) + cost;
  if (next > now)
    return FALSE;
  bucket->next = next;
  return TRUE;
}

static gboolean
may_open (Switchboard *board, const char *box, gboolean known, gint64 now)
{
  if (!known)
    return within (&board->unknown, RATE_BOX, BURST_BOX, now);
  if (g_str_equal (box, SWITCHBOARD_DESK))
    return within (&board->desk, RATE_DESK, BURST_DESK, now);
  Bucket *bucket = g_hash_table_lookup (board->boxes, box);
  if (bucket == NULL) {
    if (g_hash_table_size (board->boxes) >= BOXES)
      g_hash_table_remove_all (board->boxes);
    bucket = g_new0 (Bucket, 1);
    bucket->next = G_MININT64 / 2;
    g_hash_table_insert (board->boxes, g_strdup (box), bucket);
  }
  return within (bucket, RATE_BOX, BURST_BOX, now);
}

/* Each counts once. */
static gboolean
is_replayed (const Switchboard *board, GBytes *once)
{
  return g_hash_table_contains (board->once[0], once)
         || (board->once[1] != NULL && g_hash_table_contains (board->once[1], once));
}

/* Forgeries cost a decryption and take nobody's turn; what is well made has a turn at its box. */
static gboolean
may_be_answered (Switchboard *board, const TunnelOpening *opening, gboolean known, gint64 now)
{
  g_autoptr (GBytes) once = g_bytes_new (opening->once, sizeof opening->once);
  if (is_replayed (board, once)) {
    board->figures.openings_replayed++;
    return FALSE;
  }
  if (!may_open (board, opening->ends.box, known, now)) {
    board->figures.openings_limited++;
    return FALSE;
  }
  g_hash_table_add (board->once[0], g_steal_pointer (&once));
  board->figures.openings++;
  return TRUE;
}

static void
refuse (Switchboard *board, const TunnelOpening *opening, const char *topic, const char *code)
{
  g_autofree char *answer = tunnel_opening_refuse (opening, code, NULL);
  if (answer != NULL)
    board->events->publish (topic, answer, strlen (answer), FALSE, board->arg);
}

static void
accept (Switchboard *board, const TunnelOpening *opening, const char *topic, const char *secret,
        gint64 now)
{
  g_autofree char *answer = NULL;
  g_autoptr (GError) error = NULL;
  make_room (board, opening->ends.box);
  Line *line = g_new0 (Line, 1);
  line->board = board;
  line->topic = g_strdup (topic);
  line->tunnel = tunnel_accept (opening, secret, now, &tunnel_events, line, &answer, &error);
  if (line->tunnel == NULL) {
    g_warning ("rendezvous: %s", error->message);
    line_free (line);
    return;
  }
  g_ptr_array_add (board->lines, line);
  board->events->publish (topic, answer, strlen (answer), FALSE, board->arg);
}

static gboolean
is_full (const Switchboard *board, const char *box)
{
  guint oldest;
  return count_lines (board, NULL, TUNNEL_OPEN, &oldest) >= SWITCHBOARD_TUNNELS
         || (g_str_equal (box, SWITCHBOARD_DESK)
             && count_lines (board, box, TUNNEL_OPEN, &oldest) >= SWITCHBOARD_DESKS);
}

static void
receive_opening (Switchboard *board, const char *box, const char *text, gsize length, gint64 now)
{
  g_auto (TunnelOpening) opening = { 0 };
  g_autofree char *secret = board->events->secret (box, board->arg);
  if (!within (&board->all, RATE_ALL, RATE_ALL, now)) {
    board->figures.openings_limited++;
    return;
  }
  if (!tunnel_opening_read (text, length, board->station, box, board->epoch_keys, &opening, NULL)) {
    board->figures.openings_refused++;
    return;
  }
  if (!may_be_answered (board, &opening, secret != NULL, now))
    return;
  g_autofree char *topic
      = g_strdup_printf ("nhipcau/1/%s/out/%s", board->station, opening.ends.client);
  if (secret == NULL)
    refuse (board, &opening, topic, "no-such");
  else if (is_full (board, box))
    refuse (board, &opening, topic, "busy");
  else
    accept (board, &opening, topic, secret, now);
}

/* ---- Frames -----------------------------------------------------------------------------------
 */

static void
too_many_of_box (Switchboard *board, const char *box, gint64 now)
{
  guint oldest = 0;
  if (g_str_equal (box, SWITCHBOARD_DESK)
      || count_lines (board, box, TUNNEL_OPEN, &oldest) <= SWITCHBOARD_PER_BOX)
    return;
  tunnel_close (((Line *)board->lines->pdata[oldest])->tunnel, now);
}

static void
receive_frame (Switchboard *board, const char *client, const char *text, gsize length, gint64 now)
{
  gboolean known = FALSE;
  for (guint i = board->lines->len; i > 0; i--) {
    Line *line = board->lines->pdata[i - 1];
    const TunnelFigures *figures = tunnel_figures (line->tunnel);
    guint64 replayed = figures->replayed;
    if (!g_str_equal (tunnel_ends (line->tunnel)->client, client))
      continue;
    known = TRUE;
    if (tunnel_receive (line->tunnel, text, length, now)) {
      board->figures.frames++;
      if (tunnel_state (line->tunnel) == TUNNEL_OPEN)
        tell_opened (line);
      too_many_of_box (board, tunnel_ends (line->tunnel)->box, now);
      sweep (board);
      return;
    }
    if (figures->replayed > replayed) {
      board->figures.frames_replayed++;
      return;
    }
  }
  if (known)
    board->figures.frames_refused++;
  else
    board->figures.unknown++;
}

void
switchboard_receive (Switchboard *board, const char *topic, const char *text, gsize length,
                     gint64 now)
{
  if (length > JOSE_LARGEST)
    return;
  if (g_str_has_prefix (topic, board->open_prefix))
    receive_opening (board, topic + strlen (board->open_prefix), text, length, now);
  else if (g_str_has_prefix (topic, board->in_prefix))
    receive_frame (board, topic + strlen (board->in_prefix), text, length, now);
}

void
switchboard_tick (Switchboard *board, gint64 now, gint64 utc_us)
{
  for (guint i = 0; i < board->lines->len; i++)
    tunnel_tick (((Line *)board->lines->pdata[i])->tunnel, now);
  sweep (board);
  switchboard_public_tick (board, now, utc_us);
}

gboolean
switchboard_is_busy (const Switchboard *board)
{
  return board->lines->len > 0;
}

void
switchboard_figures (const Switchboard *board, SwitchboardFigures *ret)
{
  guint oldest;
  *ret = board->figures;
  ret->tunnels = count_lines (board, NULL, TUNNEL_OPEN, &oldest);
  ret->half_open = count_lines (board, NULL, TUNNEL_OPENING, &oldest);
}
