#include "media/rtp/recv_stream.h"
#include "media/congestion/rate_meter.h"
#include "media/rtp/audio_buffer.h"
#include "media/rtp/nack_list.h"
#include "media/rtp/payload.h"
#include "media/rtp/red.h"
#include "media/rtp/reception.h"
#include "media/rtp/video_buffer.h"

enum {
  VIDEO_WAIT_US = G_USEC_PER_SEC,
  VIDEO_WAIT_NO_NACK_US = 100000, /* then only reordering can fill a gap */
  AUDIO_MIN_US = 20000,
  AUDIO_MAX_US = 120000,
  DEFAULT_RTT_US = 100000,
  PLI_PAUSE_US = 300000,
  PLI_PAUSE_MAX_US = 3 * G_USEC_PER_SEC,
  KEY_SHARE = 3, /* key frames that were not urgent may take a third of the bits, */
  KEY_INTERVAL_MAX_US = 2 * G_USEC_PER_SEC, /* but are not that far apart */
  TIME_JUMP_S = 600,                        /* a larger step of RTP time is a new time base */
  CAPTURE_AGE_MAX_US = 10 * G_USEC_PER_SEC,
};

struct RecvStream {
  RecvStreamConfig config;
  RecvStreamEvents events;
  void *arg;
  guint rate;
  guint32 ssrc;
  guint epoch;
  Reception reception;
  NackList nacks;
  VideoBuffer video;
  AudioBuffer audio;
  gint64 rtt_us;
  guint32 last_timestamp; /* of the packet with the highest number */

  /* RTP time on our clock: by arrival, and by the last sender report */
  RemoteClock *clock, *own_clock;
  gint64 time;    /* extended RTP timestamp seen last */
  gint64 base_us; /* smallest arrival - RTP time */
  gboolean reported;
  guint64 report_ntp;
  gint64 report_time; /* extended RTP timestamp */

  gboolean pli_wanted, pli_urgent;
  gint64 pli_due_us, pli_pause_us;
  gint64 pli_sent_us;
  RateMeter received;
  guint64 key_bytes;     /* of the newest key frame */
  guint32 key_timestamp; /* it is coming in while packets have this one */
  gboolean key_coming;
  RecvStreamStats stats;
};

static void
frame_out (Frame *frame, void *arg)
{
  RecvStream *s = arg;
  if (s->events.frame)
    s->events.frame (s, frame, s->arg);
}

RecvStream *
recv_stream_new (RtpPacketPool *pool, const RecvStreamConfig *config,
                 const RecvStreamEvents *events, void *arg)
{
  RecvStream *s = g_new0 (RecvStream, 1);
  s->config = *config;
  s->config.n_payload_types = MIN (config->n_payload_types, RTP_MAX_PAYLOAD_TYPES);
  s->events = *events;
  s->arg = arg;
  s->rate = config->kind == MEDIA_VIDEO ? 90000 : 48000;
  s->rtt_us = DEFAULT_RTT_US;
  s->pli_pause_us = PLI_PAUSE_US;
  s->pli_due_us = G_MININT64;
  s->clock = config->clock ? config->clock : (s->own_clock = remote_clock_new ());
  reception_init (&s->reception, s->rate);
  gint64 wait = config->max_wait_us ? config->max_wait_us
                : config->nack      ? VIDEO_WAIT_US
                                    : VIDEO_WAIT_NO_NACK_US;
  gint64 min = config->min_delay_us ? config->min_delay_us : AUDIO_MIN_US;
  gint64 max = config->max_delay_us ? config->max_delay_us : AUDIO_MAX_US;
  if (config->frames && config->kind == MEDIA_VIDEO)
    video_buffer_init (&s->video, pool, wait, frame_out, s);
  else if (config->frames)
    audio_buffer_init (&s->audio, pool, min, max, frame_out, s);
  return s;
}

static gboolean
has_video (RecvStream *s)
{
  return s->config.frames && s->config.kind == MEDIA_VIDEO;
}

static gboolean
has_audio (RecvStream *s)
{
  return s->config.frames && s->config.kind == MEDIA_AUDIO;
}

void
recv_stream_free (RecvStream *s)
{
  if (has_video (s))
    video_buffer_clear (&s->video);
  if (has_audio (s))
    audio_buffer_clear (&s->audio);
  g_clear_pointer (&s->own_clock, remote_clock_free);
  g_free (s);
}

MediaKind
recv_stream_kind (RecvStream *s)
{
  return s->config.kind;
}

guint32
recv_stream_ssrc (RecvStream *s)
{
  return s->ssrc;
}

static const RtpPayloadType *
find_payload_type (RecvStream *s, guint8 number, gboolean *ret_rtx)
{
  for (guint i = 0; i < s->config.n_payload_types; i++) {
    const RtpPayloadType *type = &s->config.payload_types[i];
    *ret_rtx = type->rtx != 0 && type->rtx == number;
    if (type->number == number || *ret_rtx || (type->red != 0 && type->red == number))
      return type;
  }
  return NULL;
}

gboolean
recv_stream_has_payload_type (RecvStream *s, guint8 payload_type, gboolean *ret_rtx)
{
  return find_payload_type (s, payload_type, ret_rtx) != NULL;
}

void
recv_stream_set_payload_types (RecvStream *s, const RtpPayloadType *types, guint n)
{
  s->config.n_payload_types = MIN (n, RTP_MAX_PAYLOAD_TYPES);
  for (guint i = 0; i < s->config.n_payload_types; i++)
    s->config.payload_types[i] = types[i];
}

static void
wish_pli (RecvStream *s, gboolean urgent, gint64 now_us)
{
  if (s->config.kind != MEDIA_VIDEO)
    return;
  s->pli_urgent |= urgent;
  if (s->pli_wanted)
    return;
  s->pli_wanted = TRUE;
  s->pli_due_us = MAX (s->pli_due_us, now_us);
}

/* Of our own: the record lost the thread. */
static void
want_pli (RecvStream *s, gint64 now_us)
{
  wish_pli (s, FALSE, now_us);
}

/* So that many wishes do not eat the picture: as for our own encoders (hub_source.c). */
static gint64
key_interval_us (RecvStream *s)
{
  guint bps = rate_meter_bps (&s->received, RATE_METER_STEPS - 1, s->pli_due_us);
  if (bps == 0 || s->key_bytes == 0)
    return PLI_PAUSE_US;
  gint64 cost_us = (gint64)(s->key_bytes * 8 * G_USEC_PER_SEC / bps);
  return CLAMP (cost_us * KEY_SHARE, PLI_PAUSE_US, KEY_INTERVAL_MAX_US);
}

static gint64
pli_due_us (RecvStream *s)
{
  if (s->pli_urgent || s->pli_sent_us == 0)
    return s->pli_due_us;
  return MAX (s->pli_due_us, s->pli_sent_us + key_interval_us (s));
}

void
recv_stream_want_keyframe (RecvStream *s, gint64 now_us)
{
  wish_pli (s, TRUE, now_us);
}

void
recv_stream_pass_keyframe (RecvStream *s, gint64 now_us)
{
  wish_pli (s, FALSE, now_us);
}

gboolean
recv_stream_take_pli (RecvStream *s, gint64 now_us)
{
  if (!s->pli_wanted || !s->reception.started || now_us < pli_due_us (s))
    return FALSE;
  s->stats.plis++;
  s->pli_sent_us = now_us;
  s->pli_due_us = now_us + MAX (s->pli_pause_us, s->rtt_us + s->rtt_us / 2);
  s->pli_pause_us = MIN (2 * s->pli_pause_us, PLI_PAUSE_MAX_US);
  return TRUE;
}

static void
key_frame_began (RecvStream *s)
{
  s->pli_wanted = s->pli_urgent = FALSE;
  s->pli_pause_us = PLI_PAUSE_US;
}

/* The sender began anew: other SSRC, or other numbers. */
static void
restart (RecvStream *s, guint32 ssrc)
{
  if (s->reception.started)
    s->epoch++;
  s->ssrc = ssrc;
  reception_init (&s->reception, s->rate);
  nack_list_clear (&s->nacks);
  s->reported = FALSE;
  if (has_video (s))
    video_buffer_restart (&s->video);
  if (has_audio (s))
    audio_buffer_restart (&s->audio);
}

static gint64
rtp_us (RecvStream *s, gint64 time)
{
  return time * G_USEC_PER_SEC / s->rate;
}

/* Capture time of a packet on our clock. */
static gint64
map_capture (RecvStream *s, guint32 timestamp, gboolean first, gint64 now_us)
{
  gint64 time = rtp_extend_timestamp (s->time, timestamp), at;
  if (first || ABS (time - s->time) > (gint64)TIME_JUMP_S * s->rate) {
    first = TRUE;
    time = timestamp;
    s->reported = FALSE;
  }
  gint64 transit = now_us - rtp_us (s, time);
  s->time = time;
  /* Beyond two seconds it is a new time base, not delay. */
  if (first || transit < s->base_us || transit > s->base_us + 2 * G_USEC_PER_SEC)
    s->base_us = transit;
  if (s->reported && remote_clock_map (s->clock, s->report_ntp, &at)) {
    at += rtp_us (s, time - s->report_time);
    if (at <= now_us && now_us - at <= CAPTURE_AGE_MAX_US)
      return at;
  }
  return MIN (now_us, rtp_us (s, time) + s->base_us);
}

void
recv_stream_sender_report (RecvStream *s, const RtcpSenderInfo *info, gint64 now_us)
{
  reception_sender_report (&s->reception, info->ntp, now_us);
  remote_clock_update (s->clock, info->ntp, now_us);
  s->report_ntp = info->ntp;
  s->report_time = rtp_extend_timestamp (s->time, info->timestamp);
  s->reported = s->reception.started;
}

/* Sequence number of a media packet; FALSE: drop it. */
static gboolean
take_seq (RecvStream *s, const RtpView *view, gint64 *ret_seq)
{
  ReceptionVerdict verdict = reception_take (&s->reception, view->seq, ret_seq);
  if (verdict == RECEPTION_RESTART) {
    restart (s, view->ssrc);
    verdict = reception_take (&s->reception, view->seq, ret_seq);
  }
  switch (verdict) {
  case RECEPTION_DUPLICATE:
    s->stats.duplicates++;
    return FALSE;
  case RECEPTION_LATE:
  case RECEPTION_DOUBT:
    s->stats.late++;
    return FALSE;
  default:
    return TRUE;
  }
}

/* before: the highest number until now. */
static void
track_gaps (RecvStream *s, gint64 before, gint64 seq, gint64 now_us)
{
  if (seq <= before) {
    nack_list_arrived (&s->nacks, seq);
    return;
  }
  if (seq > before + 1 && s->config.nack && !nack_list_add (&s->nacks, before + 1, seq, now_us))
    want_pli (s, now_us);
}

/* H.264 shows the begin of a key frame by its SPS; an IDR without one begins a frame only when the
 * packet before it belongs to another. */
static gboolean
is_key_start (RecvStream *s, const PayloadInfo *info, const RtpView *view, gboolean in_order,
              MediaCodec codec)
{
  if (codec != MEDIA_H264)
    return info->key && info->start;
  return info->parameters
         || (info->key && info->start && in_order && view->timestamp != s->last_timestamp);
}

static void
count_key (RecvStream *s, const RtpIncoming *incoming)
{
  guint32 timestamp = incoming->view.timestamp;
  rate_meter_add (&s->received, incoming->view.payload_size, incoming->arrived_us);
  if (incoming->key_start && (!s->key_coming || timestamp != s->key_timestamp)) {
    s->key_coming = TRUE;
    s->key_timestamp = timestamp;
    s->key_bytes = 0;
  }
  if (s->key_coming && timestamp == s->key_timestamp)
    s->key_bytes += incoming->view.payload_size;
}

static void
deliver (RecvStream *s, const RtpIncoming *incoming)
{
  if (s->events.packet)
    s->events.packet (s, incoming, s->arg);
  if (has_audio (s))
    audio_buffer_put (&s->audio, incoming);
  if (!has_video (s))
    return;
  video_buffer_put (&s->video, incoming);
  if (s->video.need_key)
    want_pli (s, incoming->arrived_us);
}

static void
receive_media (RecvStream *s, const RtpView *view, MediaCodec codec, gboolean recovered,
               gint64 now_us)
{
  gboolean first = !s->reception.started;
  guint epoch = s->epoch;
  gint64 before = s->reception.highest, seq;
  if (!take_seq (s, view, &seq))
    return;
  first |= epoch != s->epoch;
  if (first)
    before = seq - 1;
  PayloadInfo info = { 0 };
  gboolean in_order = !first && seq == before + 1;
  track_gaps (s, before, seq, now_us);
  reception_count (&s->reception, seq, view->timestamp, recovered, now_us);
  gboolean good = view->payload_size == 0
                  || payload_inspect (codec, view->payload, view->payload_size, &info);
  RtpIncoming incoming = {
    .view = *view,
    .codec = codec,
    .seq = seq,
    .epoch = s->epoch,
    .arrived_us = now_us,
    .capture_us = map_capture (s, view->timestamp, first, now_us),
    .key_start = good && is_key_start (s, &info, view, in_order, codec),
    .recovered = recovered,
  };
  if (seq == s->reception.highest)
    s->last_timestamp = view->timestamp;
  s->stats.packets++;
  s->stats.bytes += view->payload_size;
  s->stats.recovered += recovered;
  if (!good) { /* passed on as an empty packet, so that its number is not missed */
    s->stats.malformed++;
    incoming.view.payload_size = 0;
  }
  if (s->config.kind == MEDIA_VIDEO) {
    if (incoming.key_start)
      key_frame_began (s);
    count_key (s, &incoming);
  }
  deliver (s, &incoming);
}

static guint32
block_ticks (RecvStream *s, const RedBlock *block)
{
  return (guint32)(payload_opus_duration_us (block->data, block->size) * s->rate / G_USEC_PER_SEC);
}

/* RED does not say which numbers its older packets had: those just before, as long as the packets
 * follow each other without a pause. `view` is the primary one. */
static void
receive_older (RecvStream *s, const RtpView *view, const RtpPayloadType *type,
               const RedBlock *blocks, guint n_older, gint64 now_us)
{
  guint32 age = 0;
  gint64 seq = rtp_extend_seq (s->reception.highest, view->seq);
  gint64 first = seq - n_older;
  for (guint i = n_older; i > 0; i--) {
    age += block_ticks (s, &blocks[i - 1]);
    if (blocks[i - 1].payload_type != type->number || blocks[i - 1].offset != age
        || blocks[i - 1].size == 0)
      first = MAX (first, seq - n_older + i); /* this one and those before are of no use */
  }
  for (guint i = 0; i < n_older; i++) {
    if (seq - n_older + i < first || !reception_misses (&s->reception, seq - n_older + i))
      continue;
    RtpView older = *view;
    older.seq = (guint16)(seq - n_older + i);
    older.timestamp = view->timestamp - blocks[i].offset;
    older.payload_type = type->number;
    older.marker = FALSE;
    older.payload = blocks[i].data;
    older.payload_size = blocks[i].size;
    receive_media (s, &older, type->codec, TRUE, now_us);
  }
}

static void
receive_red (RecvStream *s, const RtpView *view, const RtpPayloadType *type, gint64 now_us)
{
  RedBlock blocks[RED_MAX_BLOCKS];
  guint n = red_parse (view->payload, view->payload_size, blocks);
  RtpView primary = *view;
  primary.payload_type = type->number;
  primary.payload_size = 0; /* malformed: its number is not missed all the same */
  if (n == 0 || blocks[n - 1].payload_type != type->number) {
    s->stats.malformed += view->payload_size > 0;
  } else {
    primary.payload = blocks[n - 1].data;
    primary.payload_size = blocks[n - 1].size;
    receive_older (s, view, type, blocks, n - 1, now_us);
  }
  receive_media (s, &primary, type->codec, FALSE, now_us);
}

void
recv_stream_receive (RecvStream *s, const RtpView *view, gint64 now_us)
{
  gboolean rtx;
  const RtpPayloadType *type = find_payload_type (s, view->payload_type, &rtx);
  RtpView original = *view;
  if (!type) {
    s->stats.malformed++;
    return;
  }
  if (rtx) {
    /* Padding on the RTX stream is bandwidth probing of the sender's, no error. */
    if (s->reception.started && rtp_unwrap_rtx (view, type->number, s->ssrc, &original))
      receive_media (s, &original, type->codec, TRUE, now_us);
    return;
  }
  if (view->ssrc != s->ssrc)
    restart (s, view->ssrc);
  if (view->payload_type != type->number)
    receive_red (s, view, type, now_us);
  else
    receive_media (s, view, type->codec, FALSE, now_us);
}

void
recv_stream_poll (RecvStream *s, gint64 now_us)
{
  if (has_audio (s))
    audio_buffer_poll (&s->audio, now_us);
  if (!has_video (s))
    return;
  video_buffer_poll (&s->video, now_us);
  if (s->video.need_key && s->video.started)
    want_pli (s, now_us);
  if (!s->video.need_key)
    nack_list_drop_before (&s->nacks, s->video.ring.next);
}

gint64
recv_stream_next_us (RecvStream *s)
{
  gint64 next = nack_list_next_us (&s->nacks);
  if (s->pli_wanted && s->reception.started)
    next = MIN (next, pli_due_us (s));
  if (has_video (s))
    next = MIN (next, video_buffer_next_us (&s->video));
  if (has_audio (s))
    next = MIN (next, audio_buffer_next_us (&s->audio));
  return next;
}

void
recv_stream_set_rtt (RecvStream *s, gint64 rtt_us)
{
  s->rtt_us = rtt_us;
}

gsize
recv_stream_take_nacks (RecvStream *s, gint64 now_us, guint16 *seqs, gsize max)
{
  guint64 given_up = s->nacks.given_up;
  /* Sound that would come after its time is not worth asking for. */
  if (has_audio (s))
    nack_list_drop_before (&s->nacks, s->audio.ring.next);
  gsize n = nack_list_take (&s->nacks, now_us, s->rtt_us, seqs, max);
  s->stats.nacked += n;
  if (has_video (s) && s->nacks.given_up != given_up) {
    video_buffer_give_up (&s->video, now_us);
    if (s->video.need_key)
      want_pli (s, now_us);
  }
  return n;
}

gboolean
recv_stream_report (RecvStream *s, gint64 now_us, RtcpBlock *ret_block)
{
  if (!s->reception.started)
    return FALSE;
  reception_block (&s->reception, s->ssrc, now_us, ret_block);
  return TRUE;
}

void
recv_stream_stats (RecvStream *s, RecvStreamStats *ret_stats)
{
  *ret_stats = s->stats;
  ret_stats->given_up = s->nacks.given_up;
  ret_stats->lost = reception_lost (&s->reception);
  ret_stats->jitter_ms = s->reception.jitter * 1000 / s->rate;
  if (has_video (s)) {
    ret_stats->frames = s->video.frames;
    ret_stats->frames_lost = s->video.frames_lost;
    ret_stats->late += s->video.late;
  }
  if (has_audio (s)) {
    ret_stats->frames = s->audio.frames;
    ret_stats->frames_lost = s->audio.frames_lost;
    ret_stats->late += s->audio.late;
    ret_stats->audio_delay_us = s->audio.delay_us;
  }
}
