#include "media/transport/hub_private.h"

#define RATE_OVER_US (2 * G_USEC_PER_SEC)
enum {
  LINGER_MS = 4000, /* a page that reloads finds the encoder running */
  GOP_BYTES = 256 * 1024,
  GOP_FRAMES = 60,
  /* What a new viewer gets of it. More would take longer to send and to decode than a key frame
   * takes to be made. */
  BURST_FRAMES = 20,
  FRESH_FRAMES = 6,
  BURST_SPACING_US = 1000,
  KEY_INTERVAL_MIN_US = 300000,
  KEY_INTERVAL_MAX_US = 2000000,
  KEY_AGE_US = 50000, /* a frame's way through the encoder */
  KEY_SHARE = 3,      /* key frames may take a third of the bits */
};

static void
outlet_init (HubOutlet *outlet, HubSource *source, MediaCodec codec, guint rung)
{
  outlet->source = source;
  outlet->codec = codec;
  outlet->rung = rung;
  outlet->viewers = g_ptr_array_new ();
  outlet->loss = HUB_LOSS_UNKNOWN;
  outlet->gop = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
}

static void
outlet_clear (HubOutlet *outlet)
{
  hub_timer_clear (&outlet->linger);
  hub_timer_clear (&outlet->key_timer);
  g_ptr_array_unref (outlet->viewers);
  g_ptr_array_unref (outlet->gop);
}

HubSource *
hub_source_new (Hub *hub, const char *name, MediaKind kind)
{
  HubSource *source = g_new0 (HubSource, 1);
  source->hub = hub;
  source->name = g_strdup (name);
  source->kind = kind;
  for (int codec = 0; codec < N_CODECS; codec++)
    for (guint rung = 0; rung < RUNG_MAX; rung++)
      outlet_init (&source->outlets[codec][rung], source, codec, rung);
  return source;
}

void
hub_source_free (HubSource *source)
{
  for (int codec = 0; codec < N_CODECS; codec++)
    for (guint rung = 0; rung < RUNG_MAX; rung++)
      outlet_clear (&source->outlets[codec][rung]);
  g_free (source->name);
  g_free (source);
}

/* Viewers */

static gboolean
end_linger (gpointer data)
{
  HubOutlet *outlet = data;
  hub_timer_clear (&outlet->linger);
  hub_timer_clear (&outlet->key_timer);
  outlet->key_wanted_us = 0;
  outlet->key_urgent = FALSE;
  outlet->live = FALSE;
  outlet->bitrate = 0;
  outlet->loss = HUB_LOSS_UNKNOWN;
  g_ptr_array_set_size (outlet->gop, 0);
  outlet->gop_bytes = outlet->key_bytes = 0;
  hub_emit_want_live (outlet);
  return G_SOURCE_REMOVE;
}

static void
start_live (HubOutlet *outlet)
{
  outlet->live = TRUE;
  hub_emit_want_live (outlet);
}

static gboolean
is_needed (const HubOutlet *outlet)
{
  return outlet->viewers->len > 0 || outlet->holds > 0;
}

static void
need (HubOutlet *outlet)
{
  hub_timer_clear (&outlet->linger);
  if (!outlet->live)
    start_live (outlet);
}

static void
need_no_more (HubOutlet *outlet)
{
  if (!is_needed (outlet) && outlet->live && outlet->linger == NULL)
    outlet->linger = hub_timer (outlet->source->hub, LINGER_MS, end_linger, outlet);
}

void
hub_outlet_hold (HubOutlet *outlet)
{
  outlet->holds++;
  need (outlet);
}

void
hub_outlet_release (HubOutlet *outlet)
{
  outlet->holds--;
  need_no_more (outlet);
}

static void
join (HubOutlet *outlet, HubLine *line)
{
  g_ptr_array_add (outlet->viewers, line);
  need (outlet);
}

static void
leave (HubOutlet **outlet, HubLine *line)
{
  HubOutlet *left = *outlet;
  *outlet = NULL;
  if (left == NULL)
    return;
  g_ptr_array_remove_fast (left->viewers, line);
  need_no_more (left);
}

void
hub_source_keep (HubSource *source, gboolean on)
{
  HubOutlet *outlet = &source->outlets[MEDIA_OPUS][0];
  if (source->kind != MEDIA_AUDIO || source->kept == on)
    return;
  source->kept = on;
  if (on)
    hub_outlet_hold (outlet);
  else
    hub_outlet_release (outlet);
}

HubOutlet *
hub_source_outlet (HubSource *source, MediaCodec codec, guint rung)
{
  return &source->outlets[codec][rung];
}

/* Key frames: asked for at once when the last asking is long ago, else later, never dropped. The
 * interval grows with what a key frame costs, so that many requests do not eat the picture; who has
 * no picture at all yet does not wait for that. */

static gint64
key_interval_us (const HubOutlet *outlet)
{
  if (outlet->bitrate == 0 || outlet->key_urgent)
    return KEY_INTERVAL_MIN_US;
  gint64 cost_us = (gint64)outlet->key_bytes * 8 * G_USEC_PER_SEC / outlet->bitrate;
  return CLAMP (cost_us * KEY_SHARE, KEY_INTERVAL_MIN_US, KEY_INTERVAL_MAX_US);
}

static gboolean ask_when_due (gpointer data);

static void
arm_key_timer (HubOutlet *outlet, gint64 delay_us)
{
  hub_timer_clear (&outlet->key_timer);
  outlet->key_timer
      = hub_timer (outlet->source->hub, (guint)(delay_us / 1000 + 1), ask_when_due, outlet);
}

/* Asks again after the interval if the encoder did not answer. */
static gboolean
ask_when_due (gpointer data)
{
  HubOutlet *outlet = data;
  hub_timer_clear (&outlet->key_timer);
  if (!outlet->live)
    outlet->key_wanted_us = 0;
  if (outlet->key_wanted_us == 0)
    return G_SOURCE_REMOVE;
  gint64 now_us = g_get_monotonic_time (), interval_us = key_interval_us (outlet);
  gint64 due_us = outlet->key_asked_us == 0 ? now_us : outlet->key_asked_us + interval_us;
  if (due_us > now_us) {
    arm_key_timer (outlet, due_us - now_us);
    return G_SOURCE_REMOVE;
  }
  outlet->key_asked_us = now_us;
  hub_emit_want_keyframe (outlet);
  arm_key_timer (outlet, interval_us);
  return G_SOURCE_REMOVE;
}

static void
want_key_frame (HubOutlet *outlet, gboolean urgent)
{
  gboolean sooner = urgent && !outlet->key_urgent;
  if (outlet->codec == MEDIA_OPUS || outlet->codec == MEDIA_JPEG
      || (outlet->key_wanted_us != 0 && !sooner))
    return;
  outlet->key_urgent |= urgent;
  outlet->key_wanted_us = g_get_monotonic_time ();
  ask_when_due (outlet);
}

void
hub_outlet_want_keyframe (HubOutlet *outlet)
{
  want_key_frame (outlet, FALSE);
}

void
hub_source_steps (const HubSource *source, MediaCodec codec, Rung steps[RUNG_MAX])
{
  rung_fit (source->prefer, codec, source->width, source->height, source->rate, steps);
}

/* Only the first rung shows how large the whole picture is. */
static void
note_size (HubOutlet *outlet)
{
  HubSource *source = outlet->source;
  if (outlet->codec != MEDIA_H264 || outlet->rung != 0)
    return;
  source->width = outlet->width;
  source->height = outlet->height;
  hub_allocate_soon (source->hub);
}

/* The camera's own pace is seen where nothing thins it. */
static void
note_rate (HubOutlet *outlet, const Frame *frame)
{
  HubSource *source = outlet->source;
  if (outlet->codec != MEDIA_H264 || outlet->rung != 0)
    return;
  gint64 passed_us = frame->capture_us - source->counted_us;
  if (source->counted_us == 0 || passed_us < 0 || passed_us > 2 * RATE_OVER_US) {
    source->counted = 0;
    source->counted_us = frame->capture_us;
    return;
  }
  source->counted++;
  if (passed_us < RATE_OVER_US)
    return;
  guint rate = (guint)(((gint64)source->counted * G_USEC_PER_SEC + passed_us / 2) / passed_us);
  source->counted = 0;
  source->counted_us = frame->capture_us;
  if (ABS ((int)rate - (int)source->rate) * 5 < (int)source->rate)
    return;
  source->rate = MAX (rate, 1);
  hub_allocate_soon (source->hub);
}

/* A key frame that was captured well before it was wished satisfies nobody who came since: their
 * request may stem from its loss. */
static void
note_key_frame (HubOutlet *outlet, Frame *frame)
{
  outlet->key_bytes = g_bytes_get_size (frame->data);
  if (frame->width != 0 && (frame->width != outlet->width || frame->height != outlet->height)) {
    outlet->width = frame->width;
    outlet->height = frame->height;
    note_size (outlet);
  }
  if (outlet->key_wanted_us == 0 || frame->capture_us + KEY_AGE_US < outlet->key_wanted_us)
    return;
  outlet->key_wanted_us = 0;
  outlet->key_urgent = FALSE;
  hub_timer_clear (&outlet->key_timer);
}

/* The current group of pictures */

static void
keep_frame (HubOutlet *outlet, Frame *frame)
{
  note_rate (outlet, frame);
  if (frame->key) {
    note_key_frame (outlet, frame);
    g_ptr_array_set_size (outlet->gop, 0);
    outlet->gop_bytes = 0;
  } else if (outlet->gop->len == 0) {
    return;
  }
  outlet->gop_bytes += g_bytes_get_size (frame->data);
  if (outlet->gop_bytes > GOP_BYTES || outlet->gop->len >= GOP_FRAMES)
    g_ptr_array_set_size (outlet->gop, 0);
  else
    g_ptr_array_add (outlet->gop, frame_ref (frame));
}

/* What the viewer's link takes within a quarter of a second. */
static gsize
burst_bytes (const HubLine *line)
{
  if (line->peer->local)
    return GOP_BYTES;
  return MAX (line->peer->estimate_bps / 8 / 4, 24 * 1024);
}

/* A young group is sent whatever its size: a key frame made anew would be as large, and later. */
static gboolean
gop_fits (const HubOutlet *outlet, const HubLine *line)
{
  guint n = outlet->gop->len;
  return n > 0
         && (n <= FRESH_FRAMES || (n <= BURST_FRAMES && outlet->gop_bytes <= burst_bytes (line)));
}

/* An encoder that has only been started begins with a key frame by itself. */
static gboolean
has_begun (const HubOutlet *outlet)
{
  return outlet->key_bytes > 0;
}

void
hub_outlet_prepare (HubOutlet *outlet)
{
  if (has_begun (outlet) && (outlet->gop->len == 0 || outlet->gop->len > FRESH_FRAMES))
    want_key_frame (outlet, TRUE);
}

/* The burst's times are drawn together towards its newest frame: a receiver takes the first frame
 * for "now", and would else play everything late by the age of the key frame. */
void
hub_outlet_begin (HubOutlet *outlet, HubLine *line)
{
  if (outlet->codec == MEDIA_OPUS || !line->agreed || line->started || outlet->source->muted)
    return;
  if (!has_begun (outlet))
    return;
  if (!gop_fits (outlet, line)) {
    want_key_frame (outlet, TRUE);
    return;
  }
  guint n = outlet->gop->len;
  const Frame *newest = outlet->gop->pdata[n - 1];
  for (guint i = 0; i < n; i++) {
    const Frame *kept = outlet->gop->pdata[i];
    gint64 time_us = newest->capture_us - (gint64)(n - 1 - i) * BURST_SPACING_US;
    g_autoptr (Frame) frame
        = frame_new (kept->codec, kept->key, time_us, kept->duration_us, kept->data);
    frame->width = kept->width;
    frame->height = kept->height;
    peer_send_frame (line->peer->peer, line->mid, frame);
  }
  line->started = TRUE;
}

/* Lines change what they show */

static void
log_view (const HubLine *line)
{
  g_info ("event=rung peer=%s source=%s rung=%d", line->peer->id, line->source->name,
          line->viewing != NULL ? (int)line->viewing->rung : -1);
}

static void
view_at_once (HubLine *line, HubOutlet *outlet)
{
  HubOutlet *before = line->viewing;
  line->started = FALSE;
  line->viewing = outlet;
  if (outlet != NULL)
    join (outlet, line);
  leave (&before, line);
  log_view (line);
  if (outlet != NULL && line->peer->state == HUB_PEER_CONNECTED)
    hub_outlet_begin (outlet, line);
}

void
hub_line_view (HubLine *line, HubOutlet *outlet)
{
  if (outlet != NULL && line->next == outlet)
    return;
  leave (&line->next, line);
  if (line->viewing == outlet)
    return;
  gboolean later = outlet != NULL && line->viewing != NULL && line->started
                   && line->viewing->codec == outlet->codec;
  if (!later) {
    view_at_once (line, outlet);
    return;
  }
  line->next = outlet;
  join (outlet, line);
  if (has_begun (outlet))
    hub_outlet_want_keyframe (outlet);
}

/* The key frame that a line waited for: from here on it shows this outlet. */
static void
change_over (HubLine *line)
{
  HubOutlet *before = line->viewing;
  line->viewing = g_steal_pointer (&line->next);
  leave (&before, line);
  log_view (line);
}

/* Frames */

static void
send_frame (HubLine *line, Frame *frame)
{
  if (line->peer->state != HUB_PEER_CONNECTED || !line->agreed)
    return;
  gboolean video = line->kind == MEDIA_VIDEO;
  if (video && !line->started && !frame->key)
    return;
  line->started = TRUE;
  peer_send_frame (line->peer->peer, line->mid, frame);
}

void
hub_source_frame (HubSource *source, Frame *frame)
{
  if (frame->rung >= rung_count (frame->codec))
    return;
  HubOutlet *outlet = hub_source_outlet (source, frame->codec, frame->rung);
  if (!outlet->live || media_codec_kind (frame->codec) != source->kind)
    return;
  if (frame->codec == MEDIA_JPEG) {
    hub_still_frame (outlet, frame);
    return;
  }
  if (source->kind == MEDIA_VIDEO)
    keep_frame (outlet, frame);
  if (source->muted)
    return;
  for (guint i = 0; i < outlet->viewers->len; i++) {
    HubLine *line = outlet->viewers->pdata[i];
    if (line->next == outlet && frame->key)
      change_over (line);
    if (line->viewing == outlet)
      send_frame (line, frame);
  }
}

gboolean
hub_source_is_stethoscope (const HubSource *source)
{
  return source->kind == MEDIA_AUDIO && source->prefer == RUNG_FAITHFUL;
}

/* The encoders of its rungs begin anew with other bounds. */
void
hub_source_prefer (HubSource *source, RungPrefer prefer)
{
  if (source->prefer == prefer)
    return;
  source->prefer = prefer;
  hub_allocate (source->hub);
}

void
hub_source_mute (HubSource *source, gboolean muted)
{
  if (source->muted == muted)
    return;
  source->muted = muted;
  for (int codec = 0; codec < N_CODECS; codec++)
    for (guint rung = 0; rung < RUNG_MAX; rung++) {
      HubOutlet *outlet = &source->outlets[codec][rung];
      for (guint i = 0; i < outlet->viewers->len; i++)
        ((HubLine *)outlet->viewers->pdata[i])->started = FALSE;
      if (!muted && outlet->viewers->len > 0)
        hub_outlet_want_keyframe (outlet);
    }
  hub_allocate (source->hub);
}
