#include "media/transport/hub_private.h"
#include <string.h>

enum {
  LOCAL_BPS = 10000000, /* no link to be measured */
  FORWARDED_SOUND_BPS = 128000,
  FORWARDED_LEAST_BPS = 30000,
};
#define LOSS_MAX 0.2
#define LAYER_SILENT_US (1 * G_USEC_PER_SEC)
#define LITTLE_US (1 * G_USEC_PER_SEC)
#define BEST_PAUSE_US (10 * G_USEC_PER_SEC)
#define BEST_PAUSE_MAX_US (300 * G_USEC_PER_SEC)

/* What lines need */

static gboolean
shows (const HubLine *line)
{
  switch (line->role) {
  case LINE_SOURCE:
    return line->codec != MEDIA_CODEC_NONE && !line->rejected;
  case LINE_FORWARD:
    return line->from != NULL;
  case LINE_OWN:
    break;
  }
  return FALSE;
}

char *
hub_line_name (const HubLine *line)
{
  return line->role == LINE_SOURCE
             ? g_strconcat ("source-", line->source->name, NULL)
             : g_strconcat ("peer-", line->from != NULL ? line->from->peer->label : "", NULL);
}

static gboolean
is_looked_at (const HubLine *line)
{
  if (line->peer->looks == NULL)
    return TRUE;
  g_autofree char *name = hub_line_name (line);
  return g_strv_contains ((const char *const *)line->peer->looks, name);
}

static AllocationClass
class_of (HubLine *line)
{
  line->looked_at = is_looked_at (line);
  if (line->kind == MEDIA_VIDEO)
    return line->looked_at ? ALLOCATION_LOOKED_AT : ALLOCATION_REST;
  gboolean stethoscope = line->role == LINE_SOURCE && hub_source_is_stethoscope (line->source);
  return stethoscope ? ALLOCATION_STETHOSCOPE : ALLOCATION_SOUND;
}

static guint
steps_of_source (const HubLine *line, AllocationStep *steps)
{
  const HubSource *source = line->source;
  /* A stethoscope goes only to who asked for it. */
  gboolean unasked = hub_source_is_stethoscope (source) && !(line->peer->looks && line->looked_at);
  if (source->muted || unasked)
    return 0;
  Rung rungs[RUNG_MAX];
  guint n = rung_count (line->codec);
  hub_source_steps (source, line->codec, rungs);
  for (guint i = 0; i < n; i++)
    steps[i] = (AllocationStep){
      hub_bitrate_on_wire (source, line->codec, rungs[i].rung, rungs[i].min_bps),
      hub_bitrate_with_parity (
          line, hub_bitrate_on_wire (source, line->codec, rungs[i].rung, rungs[i].max_bps)),
    };
  return n;
}

/* Encodings of others cannot be made smaller here: they go or they do not. */
static guint
steps_of_peer (const HubLine *line, AllocationStep *steps)
{
  const HubLine *own = line->from;
  if (own->kind == MEDIA_AUDIO) {
    guint bps = CLAMP (own->layers[0].bps, FORWARDED_LEAST_BPS, FORWARDED_SOUND_BPS);
    steps[0] = (AllocationStep){ bps, bps };
    return own->layers[0].bps > 0 && !own->peer->muted;
  }
  guint n = 0;
  for (guint i = 0; i < LAYERS_MAX; i++)
    if (own->layers[i].seen_us != 0)
      n = i + 1;
  /* A browser that is short of time or bits stops its best layer: the next takes its place. */
  guint bps = FORWARDED_LEAST_BPS;
  for (guint i = n; i > 0; i--) {
    if (own->layers[i - 1].seen_us != 0)
      bps = MAX (own->layers[i - 1].bps, FORWARDED_LEAST_BPS);
    steps[i - 1] = (AllocationStep){ bps, bps };
  }
  return n;
}

static gboolean
is_coming (const HubLine *own)
{
  for (guint i = 0; i < LAYERS_MAX; i++)
    if (own->layers[i].seen_us != 0)
      return TRUE;
  return FALSE;
}

/* The layer that stands for a step: it, or the next worse one that comes; if none, it. */
static int
layer_for (const HubLine *own, int step)
{
  for (int i = step; i >= 0 && i < LAYERS_MAX; i++)
    if (own->layers[i].seen_us != 0)
      return i;
  return step;
}

static void
ask_line (HubLine *line)
{
  if (!shows (line)) {
    hub_allocate_forget_line (line);
    return;
  }
  AllocationClass class = class_of (line);
  if (line->share == NULL)
    line->share = allocation_add_stream (line->peer->share, class);
  AllocationStep steps[ALLOCATION_STEPS];
  guint n = line->role == LINE_SOURCE ? steps_of_source (line, steps) : steps_of_peer (line, steps);
  allocation_set_class (line->share, class);
  allocation_set_steps (line->share, steps, n);
  allocation_set_best (line->share, line->role == LINE_SOURCE && line->kind == MEDIA_VIDEO
                                        ? line->peer->hub->best
                                        : 0);
}

static void
ask_peer (HubPeer *peer, gint64 now_us)
{
  if (!hub_peer_is_alive (peer) || peer->reserved) {
    hub_allocate_forget (peer);
    return;
  }
  if (peer->share == NULL)
    peer->share = allocation_add_peer (peer->hub->allocation, !peer->local);
  guint bps = peer->local ? LOCAL_BPS : peer->estimate_bps;
  gboolean silent = peer_is_silent (peer->peer);
  peer->live |= !silent && peer->state == HUB_PEER_CONNECTED;
  if (silent && peer->live)
    peer->little_us = now_us + LITTLE_US;
  allocation_set_silent (peer->share, silent, now_us);
  /* What is lost is sent again. */
  if (!silent)
    allocation_set_estimate (peer->share, (guint)(bps * (1 - MIN (peer->figures.loss, LOSS_MAX))),
                             now_us);
  for (guint i = 0; i < peer->lines->len; i++)
    if (((HubLine *)peer->lines->pdata[i])->role != LINE_OWN)
      ask_line (peer->lines->pdata[i]);
  if (peer->way != HUB_WAY_PAGE)
    return; /* it has no channels */
  hub_waves_ask (peer);
  hub_file_ask (peer);
}

void
hub_allocate_forget_line (HubLine *line)
{
  if (line->share != NULL)
    allocation_remove_stream (line->peer->share, line->share);
  line->share = NULL;
}

void
hub_allocate_forget (HubPeer *peer)
{
  for (guint i = 0; i < peer->lines->len; i++)
    ((HubLine *)peer->lines->pdata[i])->share = NULL;
  if (peer->share != NULL)
    allocation_remove_peer (peer->hub->allocation, peer->share);
  peer->share = NULL;
  peer->waves = NULL;
  peer->file.share = NULL;
}

/* What lines get */

static HubOutlet *
outlet_for (const HubLine *line)
{
  if (line->share == NULL)
    return NULL;
  int step = allocation_step (line->share);
  /* Muted: the encoder goes on, so that it is heard or seen again at once. */
  if (line->source->muted)
    return line->viewing != NULL && line->viewing->codec == line->codec
               ? line->viewing
               : hub_source_outlet (line->source, line->codec, 0);
  if (step == ALLOCATION_NONE)
    return NULL;
  Rung rungs[RUNG_MAX];
  hub_source_steps (line->source, line->codec, rungs);
  return hub_source_outlet (line->source, line->codec, rungs[step].rung);
}

/* What encoders would take for all that is allotted. */
static guint
encoding_cost (Hub *hub)
{
  guint cost = 0;
  g_autoptr (GHashTable) outlets = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const HubPeer *peer = value;
    for (guint i = 0; i < peer->lines->len; i++) {
      const HubLine *line = peer->lines->pdata[i];
      HubOutlet *outlet = line->role == LINE_SOURCE ? outlet_for (line) : NULL;
      if (outlet != NULL && g_hash_table_add (outlets, outlet))
        cost += rung_cost (outlet->source->prefer, outlet->codec, outlet->rung,
                           outlet->source->width, outlet->source->height);
    }
  }
  return cost;
}

static void
run (Hub *hub, gint64 now_us)
{
  GHashTableIter iter;
  gpointer peer;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &peer))
    ask_peer (peer, now_us);
  allocation_run (hub->allocation, now_us);
}

/* Over what the machine has time for, all pictures become smaller; the sound never. A better rung
 * is tried again ever more rarely. */
static void
run_within_machine (Hub *hub, gint64 now_us)
{
  if (hub->best > 0 && now_us - hub->best_us >= hub->best_pause_us) {
    hub->best--;
    hub->best_us = now_us;
  }
  run (hub, now_us);
  while (encoding_cost (hub) > hub->encoders && hub->best < RUNG_MAX - 1) {
    hub->best++;
    gboolean again = now_us - hub->best_us < hub->best_pause_us;
    hub->best_pause_us
        = again ? CLAMP (2 * hub->best_pause_us, BEST_PAUSE_US, BEST_PAUSE_MAX_US) : BEST_PAUSE_US;
    hub->best_us = now_us;
    run (hub, now_us);
  }
}

static void
give_forwarded (HubLine *line)
{
  if (line->kind == MEDIA_AUDIO)
    return;
  int wanted = line->share != NULL ? allocation_step (line->share) : ALLOCATION_NONE;
  /* Nothing has come yet: the first packets decide. */
  if (line->share != NULL && !is_coming (line->from))
    wanted = 0;
  wanted = layer_for (line->from, wanted);
  if (wanted == line->wanted)
    return;
  line->wanted = wanted;
  if (wanted != ALLOCATION_NONE)
    peer_request_keyframe (line->from->peer->peer, line->from->mid);
}

static gboolean
is_worse (const HubLine *line)
{
  return line->share != NULL && line->kind == MEDIA_VIDEO && line->looked_at
         && allocation_step (line->share) > 0;
}

/* What it looks at and cannot have. */
static HubLine *
missed (const HubPeer *peer)
{
  for (guint i = 0; i < peer->lines->len; i++) {
    HubLine *line = peer->lines->pdata[i];
    if (line->role == LINE_SOURCE && line->kind == MEDIA_VIDEO && line->looked_at
        && line->share != NULL && line->agreed && !line->source->muted
        && allocation_step (line->share) == ALLOCATION_NONE)
      return line;
  }
  return NULL;
}

static gboolean
misses_a_peer (const HubPeer *peer)
{
  for (guint i = 0; i < peer->lines->len; i++) {
    const HubLine *line = peer->lines->pdata[i];
    if (line->role == LINE_FORWARD && line->kind == MEDIA_VIDEO && line->looked_at
        && line->from != NULL && is_coming (line->from) && line->wanted == ALLOCATION_NONE)
      return TRUE;
  }
  return FALSE;
}

static void
set_sight (HubPeer *peer)
{
  HubLine *line = missed (peer);
  HubSight sight = HUB_SIGHT_FULL;
  for (guint i = 0; i < peer->lines->len; i++)
    if (is_worse (peer->lines->pdata[i]))
      sight = HUB_SIGHT_SMALLER;
  if (line != NULL || misses_a_peer (peer))
    sight = HUB_SIGHT_STILLS;
  hub_still_show (peer, peer->way == HUB_WAY_PAGE ? line : NULL);
  if (peer->sight == sight)
    return;
  peer->sight = sight;
  hub_emit_sight (peer);
}

static void
give_peer (HubPeer *peer)
{
  for (guint i = 0; i < peer->lines->len; i++) {
    HubLine *line = peer->lines->pdata[i];
    if (line->role == LINE_SOURCE) {
      hub_line_view (line, outlet_for (line));
      hub_bitrate_set_parity (line);
    } else if (line->role == LINE_FORWARD && line->from != NULL)
      give_forwarded (line);
  }
  set_sight (peer);
  hub_waves_give (peer);
}

static void
update_bitrates (Hub *hub)
{
  for (guint i = 0; i < hub->sources->len; i++) {
    HubSource *source = hub->sources->pdata[i];
    for (guint codec = MEDIA_H264; codec <= MEDIA_VP8; codec++)
      for (guint rung = 0; rung < rung_count (codec); rung++)
        hub_bitrate_update (&source->outlets[codec][rung]);
  }
}

void
hub_allocate (Hub *hub)
{
  run_within_machine (hub, g_get_monotonic_time ());
  GHashTableIter iter;
  gpointer peer;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &peer))
    give_peer (peer);
  update_bitrates (hub);
}

static gboolean
allocate_now (gpointer data)
{
  Hub *hub = data;
  hub_timer_clear (&hub->allocate_source);
  hub_allocate (hub);
  return G_SOURCE_REMOVE;
}

void
hub_allocate_soon (Hub *hub)
{
  if (hub->allocate_source == NULL)
    hub->allocate_source = hub_timer (hub, 0, allocate_now, hub);
}

void
hub_look_at (HubPeer *peer, const char *const *streams)
{
  g_strfreev (peer->looks);
  peer->looks = g_strdupv ((char **)streams);
  hub_allocate (peer->hub);
}

void
hub_allocate_measure (Hub *hub, gint64 now_us)
{
  static const gint64 LOOK_US = G_USEC_PER_SEC / 2; /* the hub's tick */
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const HubPeer *peer = value;
    for (guint kind = 0; kind < G_N_ELEMENTS (peer->own); kind++)
      for (guint i = 0; i < LAYERS_MAX; i++) {
        HubLayer *layer = &peer->own[kind]->layers[i];
        guint bps = (guint)(layer->bytes * 8 * G_USEC_PER_SEC / LOOK_US);
        layer->bytes = 0;
        layer->bps = layer->bps == 0 ? bps : (guint)((guint64)layer->bps * 3 / 4 + bps / 4);
        if (layer->seen_us != 0 && now_us - layer->seen_us > LAYER_SILENT_US) {
          layer->bps = 0;
          layer->seen_us = 0;
        }
      }
  }
}
