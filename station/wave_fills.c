#include "station/wave_fills.h"
#include "station/room.h"

/* Of one peer. */
#define FILLS_MAX 32
/* The newest of a stream that a page may ask back. */
#define FILL_SPAN_MAX (600u * 1000)

/* What a peer asked for. */
typedef struct {
  char *label;
  guint32 epoch;
  guint64 from, to;
} Fill;

struct WaveFills {
  Station *station;
  WaveRecord *record;
  GQueue waiting;  /* Fill*, served in turn */
  GHashTable *due; /* label → gint64*: its next row may go then, monotonic */
};

static void
fill_free (void *data)
{
  Fill *fill = data;
  g_free (fill->label);
  g_free (fill);
}

WaveFills *
wave_fills_new (Station *station, WaveRecord *record)
{
  WaveFills *fills = g_new0 (WaveFills, 1);
  fills->station = station;
  fills->record = record;
  g_queue_init (&fills->waiting);
  fills->due = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return fills;
}

void
wave_fills_free (WaveFills *fills)
{
  wave_fills_forget (fills);
  g_hash_table_unref (fills->due);
  g_free (fills);
}

void
wave_fills_forget (WaveFills *fills)
{
  g_queue_clear_full (&fills->waiting, fill_free);
}

gboolean
wave_fills_is_empty (const WaveFills *fills)
{
  return fills->waiting.length == 0;
}

void
wave_fills_gone (WaveFills *fills, const char *label)
{
  for (GList *at = fills->waiting.head, *next; at != NULL; at = next) {
    Fill *fill = at->data;
    next = at->next;
    if (g_str_equal (fill->label, label)) {
      g_queue_delete_link (&fills->waiting, at);
      fill_free (fill);
    }
  }
  g_hash_table_remove (fills->due, label);
}

static gboolean
get_index (const json_t *message, const char *key, guint64 most, guint64 *ret_value)
{
  const json_t *value = json_object_get (message, key);
  if (!json_is_integer (value) || json_integer_value (value) < 0
      || (guint64)json_integer_value (value) > most)
    return FALSE;
  *ret_value = (guint64)json_integer_value (value);
  return TRUE;
}

gboolean
wave_fills_ask (WaveFills *fills, const char *label, const json_t *message)
{
  guint64 epoch, from, to;
  guint waiting = 0;
  for (GList *at = fills->waiting.head; at != NULL; at = at->next)
    waiting += g_str_equal (((Fill *)at->data)->label, label);
  if (waiting >= FILLS_MAX || !get_index (message, "epoch", G_MAXUINT32, &epoch)
      || !get_index (message, "from", WAVE_CODEC_FIRST_MAX, &from)
      || !get_index (message, "to", WAVE_CODEC_FIRST_MAX, &to) || to <= from)
    return FALSE;
  Fill *fill = g_new0 (Fill, 1);
  fill->label = g_strdup (label);
  fill->epoch = (guint32)epoch;
  fill->from = to - from > FILL_SPAN_MAX ? to - FILL_SPAN_MAX : from;
  fill->to = to;
  g_queue_push_tail (&fills->waiting, fill);
  return TRUE;
}

/* Sends one row of it. FALSE: there is no more. */
static gboolean
serve (WaveFills *fills, Fill *fill, gsize *ret_bytes)
{
  guint64 next = 0;
  json_auto_t *row = wave_record_find (fills->record, fills->station->screen->id, fill->epoch,
                                       fill->from, fill->to, &next);
  json_t *message
      = json_pack ("{s:s, s:I}", "type", "waves.filled", "epoch", (json_int_t)fill->epoch);
  static const char *const MEMBERS[] = { "first", "count", "data" };
  for (guint i = 0; row != NULL && i < G_N_ELEMENTS (MEMBERS); i++)
    json_object_set (message, MEMBERS[i], json_object_get (row, MEMBERS[i]));
  *ret_bytes = row != NULL ? json_string_length (json_object_get (row, "data")) + WAVE_AROUND : 0;
  fill->from = next;
  if (row == NULL)
    json_object_set_new (message, "done", json_true ());
  room_send (fills->station->room, fill->label, message);
  return row != NULL;
}

static gboolean
is_due (const WaveFills *fills, const char *label, gint64 now_us)
{
  const gint64 *due_us = g_hash_table_lookup (fills->due, label);
  return due_us == NULL || now_us >= *due_us;
}

/* Who has a slow link waits longer for the next. */
static void
set_due (WaveFills *fills, const char *label, gsize bytes, gint64 now_us)
{
  guint quarter = MAX (room_estimate_bps (fills->station->room, label) / 4, 4000);
  gint64 due_us = now_us + (gint64)((guint64)bytes * 8 * G_USEC_PER_SEC / quarter);
  g_hash_table_replace (fills->due, g_strdup (label), g_memdup2 (&due_us, sizeof due_us));
}

void
wave_fills_serve (WaveFills *fills, WaveFillsHeld held, void *arg)
{
  gint64 now_us = g_get_monotonic_time ();
  gsize bytes = 0;
  for (guint i = g_queue_get_length (&fills->waiting); i > 0 && bytes == 0; i--) {
    Fill *fill = g_queue_pop_head (&fills->waiting);
    gboolean waits = !is_due (fills, fill->label, now_us) || held (fill->label, arg);
    gboolean more = fills->station->screen != NULL && (waits || serve (fills, fill, &bytes));
    if (bytes > 0)
      set_due (fills, fill->label, bytes, now_us);
    if (more)
      g_queue_push_tail (&fills->waiting, fill);
    else
      fill_free (fill);
  }
}
