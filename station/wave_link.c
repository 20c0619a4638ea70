#include "station/wave_link.h"
#include "station/room.h"
#include "station/wave_fills.h"

#include <string.h>

/* Ways of sending, the best first; steps of hub_ask_waves(). */
enum { ALL, SLOW, SOME, FEW, WAYS };

#define TICK_MS 40
#define MEASURE_TICKS 50
#define MESSAGE_MAX 1150
/* Nothing comes any more: the hub need not keep anything free. */
#define IDLE_TICKS 125
/* Before anything was measured. */
#define BITS_A_SAMPLE 8
/* A link that falls goes through several ways within a second, and the words for each would stand
 * before everything else on it. */
#define FALL_TOLD_US (2 * G_USEC_PER_SEC)

/* Of each way, between its messages. */
static const guint TICKS[WAYS] = { 1, 5, 12, 12 };

typedef struct {
  char *label;
  gboolean open;  /* its channel `wave` */
  int way;        /* -1: none */
  gint64 told_us; /* of the streams and its way */
  gboolean fell;  /* its way is worse than what it was told */
} LinkPeer;

struct WaveLink {
  Station *station;
  WaveRecord *record;
  WavePacker *packers[WAYS];
  guint64 bytes[WAYS]; /* on the wire, since the last measurement */
  guint bps[WAYS];     /* 0: not measured */
  guint timer, ticks, idle_ticks;
  gboolean asked;    /* the hub keeps bits for waves */
  GHashTable *peers; /* label → LinkPeer* */
  WaveFills *fills;
};

static const char *
way_name (int way)
{
  static const char *const names[] = { "all", "slow", "some", "few" };
  return way >= 0 && way < WAYS ? names[way] : "none";
}

/* ---- Live ---------------------------------------------------------------------------------------
 */

/* The leads of an ECG that say most, the best first: II shows rhythm and P waves, V1 and V5 the
 * right and the left side. */
static const struct {
  guint32 mdc;
  const char *name;
} LEADS[] = { { 131330, "II" }, { 131331, "V1" }, { 131335, "V5" } };

static guint32
lead_called (const WaveStream *stream, guint n)
{
  for (guint i = 0; i < stream->lead_count; i++) {
    const WaveLead *lead = &stream->leads[i];
    if (lead->mdc == LEADS[n].mdc
        || (lead->name != NULL && g_ascii_strcasecmp (lead->name, LEADS[n].name) == 0))
      return 1u << i;
  }
  return 0;
}

/* Of the first `many` of them those that there are; other signals have one lead each. */
static guint32
best_leads (const WaveStream *stream, guint many)
{
  guint32 leads = 0;
  for (guint n = 0; n < many; n++)
    leads |= lead_called (stream, n);
  return leads != 0 ? leads : 1;
}

static guint32
leads_of (const WaveStream *stream, int way)
{
  switch (way) {
  case FEW:
    return best_leads (stream, 1);
  case SOME:
    return best_leads (stream, G_N_ELEMENTS (LEADS));
  default:
    return stream->lead_count == 32 ? G_MAXUINT32 : (1u << stream->lead_count) - 1;
  }
}

static void
send_to_all (WaveLink *link, int way, GBytes *message)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, link->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const LinkPeer *peer = value;
    if (peer->open && peer->way == way)
      room_send_bytes (link->station->room, peer->label, "wave", message);
  }
}

static void
send_way (WaveLink *link, int way)
{
  g_autoptr (GPtrArray) messages = wave_packer_take (link->packers[way]);
  for (guint i = 0; i < messages->len; i++) {
    link->bytes[way] += g_bytes_get_size (messages->pdata[i]) + WAVE_AROUND;
    send_to_all (link, way, messages->pdata[i]);
  }
}

static void
measure (WaveLink *link)
{
  guint bps[WAYS];
  for (int way = 0; way < WAYS; way++) {
    guint now = (guint)(link->bytes[way] * 8 * 1000 / (MEASURE_TICKS * TICK_MS));
    link->bytes[way] = 0;
    /* What was guessed gives way at once, later on it changes slowly. */
    link->bps[way] = link->bps[way] == 0 ? now : (link->bps[way] * 3 + now) / 4;
    bps[way] = MAX (link->bps[way], 1000);
  }
  room_ask_waves (link->station->room, bps, WAYS);
}

static void
stop (WaveLink *link)
{
  g_clear_handle_id (&link->timer, g_source_remove);
  room_ask_waves (link->station->room, NULL, 0);
  link->asked = FALSE;
  memset (link->bytes, 0, sizeof link->bytes);
  memset (link->bps, 0, sizeof link->bps);
}

/* What is live has gone down to a lead or three: what was missed waits. */
static gboolean
is_held (const char *label, void *arg)
{
  WaveLink *link = arg;
  const LinkPeer *peer = g_hash_table_lookup (link->peers, label);
  return link->idle_ticks <= IDLE_TICKS && peer != NULL && (peer->way < 0 || peer->way > SLOW);
}

static gboolean
tick (void *data)
{
  WaveLink *link = data;
  link->ticks++;
  for (int way = 0; way < WAYS; way++)
    if (link->ticks % TICKS[way] == 0)
      send_way (link, way);
  if (link->ticks % MEASURE_TICKS == 0)
    measure (link);
  wave_fills_serve (link->fills, is_held, link);
  if (++link->idle_ticks > IDLE_TICKS && wave_fills_is_empty (link->fills)) {
    link->timer = 0;
    stop (link);
    return G_SOURCE_REMOVE;
  }
  return G_SOURCE_CONTINUE;
}

static void
start_timer (WaveLink *link)
{
  if (link->timer == 0)
    link->timer = g_timeout_add (TICK_MS, tick, link);
}

/* Bits must be kept free before the first measurement, else pictures have them. */
static void
ask_at_first (WaveLink *link, const WaveStream *stream)
{
  if (link->asked)
    return;
  link->asked = TRUE;
  guint a_lead = (guint)((guint64)stream->rate_num * BITS_A_SAMPLE / stream->rate_den);
  guint bps[WAYS];
  for (int way = 0; way < WAYS; way++)
    bps[way] = a_lead * (guint)__builtin_popcount (leads_of (stream, way))
               + WAVE_AROUND * 8 * 1000 / (TICK_MS * TICKS[way]);
  room_ask_waves (link->station->room, bps, WAYS);
}

void
wave_link_push (WaveLink *link, const WaveTrack *track, const WaveBlock *block)
{
  if (link->station->room == NULL)
    return;
  ask_at_first (link, track->stream);
  for (int way = 0; way < WAYS; way++)
    wave_packer_push (link->packers[way], track->number, track->epoch, block,
                      leads_of (track->stream, way));
  link->idle_ticks = 0;
  start_timer (link);
}

void
wave_link_forget (WaveLink *link)
{
  for (int way = 0; way < WAYS; way++)
    g_ptr_array_unref (wave_packer_take (link->packers[way]));
  wave_fills_forget (link->fills);
}

/* ---- Peers --------------------------------------------------------------------------------------
 */

static void
peer_free (void *data)
{
  LinkPeer *peer = data;
  g_free (peer->label);
  g_free (peer);
}

static LinkPeer *
peer_of (WaveLink *link, const char *label)
{
  LinkPeer *peer = g_hash_table_lookup (link->peers, label);
  if (peer == NULL) {
    peer = g_new0 (LinkPeer, 1);
    peer->label = g_strdup (label);
    peer->way = -1;
    g_hash_table_insert (link->peers, peer->label, peer);
  }
  return peer;
}

void
wave_link_set_open (WaveLink *link, const char *label, gboolean open)
{
  if (label != NULL)
    peer_of (link, label)->open = open;
}

gboolean
wave_link_set_way (WaveLink *link, const char *label, int way)
{
  LinkPeer *peer = peer_of (link, label);
  gboolean falls = peer->way >= 0 && (way < 0 || way > peer->way);
  peer->way = way;
  peer->fell = falls && g_get_monotonic_time () - peer->told_us < FALL_TOLD_US;
  return !peer->fell;
}

void
wave_link_gone (WaveLink *link, const char *label)
{
  wave_fills_gone (link->fills, label);
  g_hash_table_remove (link->peers, label);
}

/* ---- What there is ------------------------------------------------------------------------------
 */

static json_t *
stream_json (const WaveTrack *track, int way)
{
  const WaveStream *stream = track->stream;
  json_t *sent = json_array ();
  guint32 leads = way >= 0 ? leads_of (stream, way) : 0;
  for (guint i = 0; i < stream->lead_count; i++)
    if (leads >> i & 1)
      json_array_append_new (sent, json_integer (i));
  return json_pack ("{s:i, s:s, s:s, s:[i,i], s:b, s:o, s:o, s:I, s:I}", "stream",
                    (int)track->number, "device", track->device, "wave", stream->id, "rate",
                    (int)stream->rate_num, (int)stream->rate_den, "test", stream->test, "leads",
                    wave_record_leads (stream), "sent", sent, "epoch", (json_int_t)track->epoch,
                    "next", (json_int_t)track->next);
}

static void
tell_one (WaveLink *link, LinkPeer *peer, const GPtrArray *tracks, const char *consult)
{
  peer->told_us = g_get_monotonic_time ();
  peer->fell = FALSE;
  json_t *streams = json_array ();
  for (guint i = 0; i < tracks->len; i++) {
    const WaveTrack *track = tracks->pdata[i];
    if (g_strcmp0 (track->consult, consult) == 0)
      json_array_append_new (streams, stream_json (track, peer->way));
  }
  room_send (link->station->room, peer->label,
             json_pack ("{s:s, s:s, s:s?, s:o}", "type", "waves", "level", way_name (peer->way),
                        "consultation", consult, "streams", streams));
}

void
wave_link_tell (WaveLink *link, const GPtrArray *tracks, const char *consult, const char *label)
{
  GHashTableIter iter;
  void *value;
  if (label != NULL) {
    tell_one (link, peer_of (link, label), tracks, consult);
    return;
  }
  g_hash_table_iter_init (&iter, link->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    tell_one (link, value, tracks, consult);
}

void
wave_link_tell_falls (WaveLink *link, const GPtrArray *tracks, const char *consult)
{
  gint64 now_us = g_get_monotonic_time ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, link->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    LinkPeer *peer = value;
    if (peer->fell && now_us - peer->told_us >= FALL_TOLD_US)
      tell_one (link, peer, tracks, consult);
  }
}

static void
tell_clocks (WaveLink *link, const LinkPeer *peer, json_t *maps)
{
  Room *room = link->station->room;
  if (room != NULL && peer->way >= 0)
    room_send (room, peer->label,
               json_pack ("{s:s, s:O, s:o}", "type", "waves.clock", "maps", maps, "frames",
                          room_frame_clocks (room, peer->label)));
}

void
wave_link_clocks (WaveLink *link, const GPtrArray *tracks, const char *consult, const char *label)
{
  json_t *maps = json_array ();
  for (guint i = 0; i < tracks->len; i++) {
    const WaveTrack *track = tracks->pdata[i];
    guint64 index;
    gint64 us;
    double period_us;
    if (g_strcmp0 (track->consult, consult) == 0
        && wave_clock_map (track->clock, &index, &us, &period_us))
      json_array_append_new (maps, json_pack ("{s:i, s:I, s:I, s:I, s:f}", "stream",
                                              (int)track->number, "epoch", (json_int_t)track->epoch,
                                              "index", (json_int_t)index, "us", (json_int_t)us,
                                              "period_us", period_us));
  }
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, link->peers);
  while (json_array_size (maps) > 0 && g_hash_table_iter_next (&iter, NULL, &value)) {
    const LinkPeer *peer = value;
    if (label == NULL || g_str_equal (peer->label, label))
      tell_clocks (link, peer, maps);
  }
  json_decref (maps);
}

void
wave_link_fill (WaveLink *link, const char *label, const json_t *message)
{
  if (!wave_fills_ask (link->fills, peer_of (link, label)->label, message))
    return;
  link->idle_ticks = 0;
  start_timer (link);
}

/* ---- Life ---------------------------------------------------------------------------------------
 */

WaveLink *
wave_link_new (Station *station, WaveRecord *record)
{
  WaveLink *link = g_new0 (WaveLink, 1);
  link->station = station;
  link->record = record;
  for (int way = 0; way < WAYS; way++)
    link->packers[way] = wave_packer_new (MESSAGE_MAX);
  link->fills = wave_fills_new (station, record);
  link->peers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, peer_free);
  return link;
}

void
wave_link_free (WaveLink *link)
{
  wave_link_forget (link);
  g_clear_handle_id (&link->timer, g_source_remove);
  for (int way = 0; way < WAYS; way++)
    wave_packer_free (link->packers[way]);
  wave_fills_free (link->fills);
  g_hash_table_unref (link->peers);
  g_free (link);
}
