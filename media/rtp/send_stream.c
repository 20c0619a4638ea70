#include "media/rtp/send_stream.h"
#include "media/rtp/flexfec.h"
#include "media/rtp/history.h"
#include "media/rtp/payload.h"
#include "media/rtp/red.h"
#include "media/rtp/redundancy.h"
#include "media/rtp/vp8.h"

#include <string.h>

enum {
  DEFAULT_SIZE = 1200,
  HISTORY_VIDEO = 1024,
  HISTORY_AUDIO = 256,
  HISTORY_US = 3 * G_USEC_PER_SEC,
  DEFAULT_RTT_US = 100000,
  RESEND_MIN_US = 5000, /* of one number, however short the round trip */
  DEFAULT_LIMIT_BPS = 1000000,
  LIMIT_BURST_PACKETS = 6,
  AUDIO_DEVIATION_US = 40000,
  AUDIO_OVERLAP_US = 80000,
  BLANK_BYTES = 224,               /* of padding */
  PAD_RECENT = 16,                 /* packets that padding repeats, newest first */
  MIN_SWITCH_US = 1000,            /* timestamps go on by this at least when the source changes */
  OLDER_KEPT = REDUNDANCY_MAX + 1, /* and the packet in work */
};

/* The constant part of a header; sequence number, time and marker are patched in. */
typedef struct {
  guint8 bytes[RTP_HEADER_ROOM];
  gsize size;
  RtpSlots slots;
} Template;

typedef struct {
  gboolean on;
  guint32 source;
  guint epoch;
  gint64 seq_offset; /* ours - theirs */
  gint64 first_seq;  /* ours, of the switch: nothing older is forwarded */
  guint32 timestamp_offset;
} Forward;

/* A packet of sound that may go along with the next ones. */
typedef struct {
  gint64 seq; /* 0: none */
  guint32 timestamp;
  gsize size;
  guint8 data[RED_BLOCK_MAX];
} Older;

struct SendStream {
  RtpPacketPool *pool;
  SendStreamConfig config; /* its mid is the caller's and gone */
  char mid[RTP_MID_MAX + 1];
  SendStreamEmit emit;
  void *arg;
  Template media, rtx, parity;
  guint rate; /* RTP clock, Hz */
  History history;
  gint64 next_seq;
  guint16 next_rtx_seq;
  guint16 picture_id;

  gboolean started;
  guint32 last_timestamp; /* of the newest packet */
  gint64 last_capture_us;
  gint64 last_duration_us; /* audio */
  gboolean rebase;         /* the next frame anchors RTP time anew: there was forwarding */
  guint32 base_timestamp;
  gint64 base_capture_us;
  Forward forward;
  Vp8Numbers numbers; /* of what is forwarded */

  guint redundancy;
  Older older[OLDER_KEPT]; /* by number, modulo */
  double sound_bps;

  guint8 fec_type;      /* payload type; 0: none */
  guint parity_packets; /* to a parity packet; 0: none */
  FlexFec group;
  gint64 group_us; /* when it began */
  guint16 next_fec_seq;

  gint64 rtt_us;
  guint limit_bps;
  gint64 pad_seq;           /* the next that padding repeats */
  gint64 budget, budget_us; /* bytes for retransmissions; when it was filled */
  SendStreamStats stats;
};

static void
template_init (Template *template, guint32 ssrc, const SendStream *s)
{
  RtpHeader header = { .ssrc = ssrc, .mid = s->mid };
  template->size = rtp_write_header (template->bytes, &header, &s->config.ext, &template->slots);
}

void
send_stream_set_ext (SendStream *s, const RtpExtIds *ext)
{
  s->config.ext = *ext;
  template_init (&s->media, s->config.ssrc, s);
  template_init (&s->rtx, s->config.rtx_ssrc, s);
  template_init (&s->parity, s->config.fec_ssrc, s);
}

void
send_stream_set_payload_types (SendStream *s, const RtpPayloadType *types, guint n)
{
  s->config.n_payload_types = MIN (n, RTP_MAX_PAYLOAD_TYPES);
  for (guint i = 0; i < s->config.n_payload_types; i++)
    s->config.payload_types[i] = types[i];
}

SendStream *
send_stream_new (RtpPacketPool *pool, const SendStreamConfig *config, SendStreamEmit emit,
                 void *arg)
{
  SendStream *s = g_new0 (SendStream, 1);
  gboolean video = config->kind == MEDIA_VIDEO;
  s->pool = pool;
  s->config = *config;
  s->config.n_payload_types = MIN (config->n_payload_types, RTP_MAX_PAYLOAD_TYPES);
  s->config.mid = NULL;
  g_strlcpy (s->mid, config->mid ? config->mid : "", sizeof s->mid);
  s->emit = emit;
  s->arg = arg;
  send_stream_set_ext (s, &config->ext);
  if (s->config.max_size == 0)
    s->config.max_size = DEFAULT_SIZE;
  s->config.max_size = CLAMP (s->config.max_size, 200, RTP_PACKET_CAPACITY - 2);
  s->rate = video ? 90000 : 48000;
  guint capacity = config->history ? config->history : video ? HISTORY_VIDEO : HISTORY_AUDIO;
  history_init (&s->history, capacity, HISTORY_US);
  /* Never 0, so that extended numbers of late packets stay positive. */
  s->next_seq = (gint64)0x10000 + config->first_seq;
  /* Low, so that the other side need not guess a roll-over of SRTP (RFC 3711 3.3.1). */
  s->next_rtx_seq = (config->first_seq * 31u + 7u) & 0x7fff;
  s->next_fec_seq = (config->first_seq * 17u + 5u) & 0x7fff;
  s->picture_id = config->first_seq & 0x7fff;
  s->last_timestamp = config->first_timestamp;
  s->rtt_us = DEFAULT_RTT_US;
  s->limit_bps = DEFAULT_LIMIT_BPS;
  s->budget_us = G_MININT64 / 2;
  return s;
}

void
send_stream_free (SendStream *s)
{
  history_clear (&s->history);
  g_free (s);
}

guint32
send_stream_ssrc (SendStream *s)
{
  return s->config.ssrc;
}

guint32
send_stream_rtx_ssrc (SendStream *s)
{
  return s->config.rtx_ssrc;
}

MediaKind
send_stream_kind (SendStream *s)
{
  return s->config.kind;
}

static const RtpPayloadType *
find_payload_type (SendStream *s, MediaCodec codec)
{
  for (guint i = 0; i < s->config.n_payload_types; i++)
    if (s->config.payload_types[i].codec == codec)
      return &s->config.payload_types[i];
  return NULL;
}

gboolean
send_stream_accepts (SendStream *s, MediaCodec codec)
{
  return find_payload_type (s, codec) != NULL;
}

static RtpPacket *
new_packet (SendStream *s, const Template *template)
{
  RtpPacket *packet = rtp_packet_new (s->pool);
  memcpy (packet->data, template->bytes, template->size);
  packet->slots = template->slots;
  packet->payload_offset = (guint16) template->size;
  packet->class = s->config.kind == MEDIA_AUDIO ? RTP_CLASS_AUDIO : RTP_CLASS_VIDEO;
  packet->parity = FALSE;
  return packet;
}

static void
finish_header (RtpPacket *packet, gboolean marker, guint8 payload_type, gint64 seq,
               guint32 timestamp)
{
  packet->seq = seq;
  packet->data[1] = (guint8)((marker ? 0x80 : 0) | payload_type);
  rtp_put16 (packet->data + 2, (guint16)seq);
  rtp_put32 (packet->data + 4, timestamp);
}

/* Into the history and out. FALSE: the history knows the number already, or it is too old. */
static gboolean
send_new (SendStream *s, RtpPacket *packet, gint64 now_us)
{
  packet->queued_us = now_us;
  if (!history_put (&s->history, packet, now_us)) {
    rtp_packet_unref (packet);
    return FALSE;
  }
  s->stats.packets++;
  s->stats.bytes += packet->size - packet->payload_offset;
  s->emit (s, packet, s->arg);
  return TRUE;
}

static guint32
ticks (SendStream *s, gint64 us)
{
  us = CLAMP (us, -G_MAXINT32 * (gint64)1000, G_MAXINT32 * (gint64)1000);
  return (guint32)(us * s->rate / G_USEC_PER_SEC);
}

static guint32
frame_timestamp (SendStream *s, const Frame *frame)
{
  if (!s->started) {
    s->base_timestamp = s->config.first_timestamp;
    s->base_capture_us = frame->capture_us;
    return s->base_timestamp;
  }
  if (s->rebase) {
    gint64 elapsed = MAX (frame->capture_us - s->last_capture_us, MIN_SWITCH_US);
    s->base_timestamp = s->last_timestamp + ticks (s, elapsed);
    s->base_capture_us = frame->capture_us;
    return s->base_timestamp;
  }
  guint32 timestamp = s->base_timestamp + ticks (s, frame->capture_us - s->base_capture_us);
  if (s->config.kind == MEDIA_AUDIO) {
    guint32 expected = s->last_timestamp + ticks (s, s->last_duration_us);
    gint32 deviation = (gint32)(timestamp - expected);
    /* A packet that seems to overlap the last comes from an encoder with longer ones. */
    if (ABS ((gint64)deviation) < ticks (s, AUDIO_DEVIATION_US)
        || (deviation < 0 && -(gint64)deviation < ticks (s, AUDIO_OVERLAP_US)))
      return expected;
  }
  return (gint32)(timestamp - s->last_timestamp) > 0 ? timestamp : s->last_timestamp + 1;
}

/* Keeps the payload for the packets that follow. */
static void
keep_older (SendStream *s, const RtpPacket *packet, gint64 seq, guint32 timestamp)
{
  Older *older = &s->older[seq % OLDER_KEPT];
  older->size = (gsize)(packet->size - packet->payload_offset);
  older->seq = older->size <= RED_BLOCK_MAX && older->size > 0 ? seq : 0;
  older->timestamp = timestamp;
  if (older->seq != 0)
    memcpy (older->data, packet->data + packet->payload_offset, older->size);
}

/* Those sent just before, oldest first, without a gap up to this one. */
static guint
collect_older (SendStream *s, guint8 payload_type, gint64 seq, guint32 timestamp, RedBlock *blocks)
{
  guint n = 0;
  while (n < s->redundancy) {
    const Older *older = &s->older[(seq - n - 1) % OLDER_KEPT];
    guint32 offset = timestamp - older->timestamp;
    if (older->seq != seq - n - 1 || older->seq == 0 || offset == 0 || offset > RED_OFFSET_MAX)
      break;
    n++;
    blocks[s->redundancy - n]
        = (RedBlock){ payload_type, (guint16)offset, older->data, older->size };
  }
  if (n > 0 && n < s->redundancy)
    memmove (blocks, blocks + (s->redundancy - n), n * sizeof *blocks);
  return n;
}

/* Puts older sound beside the packet's own. Returns the payload type that the packet then has. */
static guint8
add_redundancy (SendStream *s, RtpPacket *packet, const RtpPayloadType *type, gint64 seq,
                guint32 timestamp)
{
  RedBlock blocks[REDUNDANCY_MAX + 1];
  guint8 own[RED_BLOCK_MAX];
  gsize size = (gsize)(packet->size - packet->payload_offset);
  if (type->red == 0 || size == 0 || size > sizeof own)
    return type->number;
  guint n = collect_older (s, type->number, seq, timestamp, blocks);
  memcpy (own, packet->data + packet->payload_offset, size);
  keep_older (s, packet, seq, timestamp);
  gint64 lasts_us = payload_opus_duration_us (own, size);
  if (lasts_us > 0)
    s->sound_bps += ((double)size * 8 * G_USEC_PER_SEC / (double)lasts_us - s->sound_bps) / 16;
  if (n == 0)
    return type->number;
  blocks[n] = (RedBlock){ type->number, 0, own, size };
  gsize room = s->config.max_size - packet->payload_offset;
  gsize whole = red_write (packet->data + packet->payload_offset, room, blocks, n + 1);
  if (whole == 0) /* too much: nothing was written */
    return type->number;
  packet->size = (guint16)(packet->payload_offset + whole);
  s->stats.redundant += n;
  return type->red;
}

/* ---- Parity (FlexFEC) ---- */

static gboolean
protects (SendStream *s)
{
  return s->parity_packets > 0 && s->fec_type != 0 && s->config.fec_ssrc != 0;
}

static void
drop_group (SendStream *s)
{
  s->group = (FlexFec){ 0 };
}

static void
end_group (SendStream *s, gint64 now_us)
{
  RtpPacket *packet = new_packet (s, &s->parity);
  gsize size = flexfec_write (&s->group, s->config.ssrc, packet->data + packet->payload_offset,
                              RTP_PACKET_CAPACITY - packet->payload_offset);
  drop_group (s);
  if (size == 0) {
    rtp_packet_unref (packet);
    return;
  }
  packet->parity = TRUE;
  packet->key = FALSE;
  packet->size = (guint16)(packet->payload_offset + size);
  packet->queued_us = now_us;
  finish_header (packet, FALSE, s->fec_type, s->next_fec_seq++, s->last_timestamp);
  s->stats.parity++;
  s->emit (s, packet, s->arg);
}

/* Before the packet leaves: what is stamped then counts as zero. */
static void
add_to_group (SendStream *s, const RtpPacket *packet, gint64 now_us)
{
  if (!protects (s))
    return;
  if (!flexfec_add (&s->group, packet->data, packet->size) && s->group.n > 0) {
    end_group (s, now_us);
    flexfec_add (&s->group, packet->data, packet->size);
  }
  if (s->group.n == 1)
    s->group_us = now_us;
}

/* The picture is whole, the next comes after interval_us: what could not be made good before a
 * retransmission would is no longer waited for. */
static void
end_group_of_picture (SendStream *s, gint64 interval_us, gint64 now_us)
{
  if (s->group.n > 0 && s->group.n >= s->parity_packets / 2
      && now_us - s->group_us + interval_us >= s->rtt_us)
    end_group (s, now_us);
}

/* What a packet may have so that its parity is no larger than max_size. */
static gsize
parity_room (SendStream *s)
{
  return protects (s) ? s->parity.size + FLEXFEC_HEADER_SIZE - RTP_HEADER_SIZE : 0;
}

gboolean
send_stream_frame (SendStream *s, const Frame *frame, gint64 now_us)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  const RtpPayloadType *type = find_payload_type (s, frame->codec);
  gsize room = s->config.max_size - s->media.size - parity_room (s);
  guint32 timestamp = frame_timestamp (s, frame);
  Packetizer packetizer;
  gboolean last = FALSE, any = FALSE;
  if (type)
    packetizer_init (&packetizer, frame->codec, data, size, room, s->picture_id);
  while (type && !last) {
    RtpPacket *packet = new_packet (s, &s->media);
    gsize payload = packetizer_next (&packetizer, packet->data + packet->payload_offset, &last);
    if (payload == 0) {
      rtp_packet_unref (packet);
      break;
    }
    /* Opus marks only the begin of a talk spurt (RFC 7587 4.1). */
    gboolean marker = s->config.kind == MEDIA_VIDEO ? last : !s->started;
    packet->size = (guint16)(packet->payload_offset + payload);
    packet->key = frame->key;
    guint8 number = add_redundancy (s, packet, type, s->next_seq, timestamp);
    finish_header (packet, marker, number, s->next_seq++, timestamp);
    add_to_group (s, packet, now_us);
    send_new (s, packet, now_us);
    if (s->group.n > 0 && s->group.n >= s->parity_packets)
      end_group (s, now_us);
    any = TRUE;
  }
  if (!any) {
    s->stats.frames_refused++;
    return FALSE;
  }
  s->stats.frames++;
  s->picture_id = (s->picture_id + 1) & 0x7fff;
  if (s->started)
    end_group_of_picture (s, frame->capture_us - s->last_capture_us, now_us);
  s->started = TRUE;
  s->rebase = s->forward.on = FALSE;
  s->last_timestamp = timestamp;
  s->last_capture_us = frame->capture_us;
  if (frame->codec == MEDIA_OPUS)
    s->last_duration_us = payload_opus_duration_us (data, size);
  return TRUE;
}

static void
begin_forward (SendStream *s, guint32 source, const RtpIncoming *packet)
{
  drop_group (s);
  guint32 timestamp = s->config.first_timestamp;
  if (s->started) {
    gint64 elapsed = MAX (packet->capture_us - s->last_capture_us, MIN_SWITCH_US);
    timestamp = s->last_timestamp + ticks (s, elapsed);
  }
  s->forward = (Forward){
    .on = TRUE,
    .source = source,
    .epoch = packet->epoch,
    .seq_offset = s->next_seq - packet->seq,
    .first_seq = s->next_seq,
    .timestamp_offset = timestamp - packet->view.timestamp,
  };
  vp8_numbers_switch (&s->numbers);
}

static gboolean
forward_packet (SendStream *s, const RtpPayloadType *type, const RtpIncoming *incoming,
                gboolean marker, gint64 now_us)
{
  const RtpView *view = &incoming->view;
  gint64 seq = incoming->seq + s->forward.seq_offset;
  if (seq < s->forward.first_seq || s->media.size + view->payload_size + 2 > RTP_PACKET_CAPACITY) {
    s->stats.forward_dropped++;
    return TRUE;
  }
  RtpPacket *packet = new_packet (s, &s->media);
  guint32 timestamp = view->timestamp + s->forward.timestamp_offset;
  if (view->payload_size > 0)
    memcpy (packet->data + packet->payload_offset, view->payload, view->payload_size);
  if (incoming->codec == MEDIA_VP8)
    vp8_renumber (&s->numbers, packet->data + packet->payload_offset, view->payload_size);
  packet->size = (guint16)(packet->payload_offset + view->payload_size);
  packet->key = incoming->key_start;
  /* What overtook others goes as it is: its place among the older ones is unknown. */
  guint8 number
      = seq >= s->next_seq ? add_redundancy (s, packet, type, seq, timestamp) : type->number;
  finish_header (packet, marker, number, seq, timestamp);
  if (!send_new (s, packet, now_us)) {
    s->stats.forward_dropped++;
    return TRUE;
  }
  if (seq >= s->next_seq) {
    s->next_seq = seq + 1;
    s->last_timestamp = timestamp;
    s->last_capture_us = incoming->capture_us;
  }
  s->started = s->rebase = TRUE;
  return TRUE;
}

gboolean
send_stream_forward (SendStream *s, guint32 source, const RtpIncoming *packet, gint64 now_us)
{
  const RtpPayloadType *type = find_payload_type (s, packet->codec);
  if (!type) {
    s->stats.forward_dropped++;
    return TRUE; /* no key frame would help */
  }
  const Forward *f = &s->forward;
  gboolean begins = !f->on || f->source != source || f->epoch != packet->epoch;
  if (begins && !packet->key_start) {
    s->stats.forward_dropped++;
    return FALSE;
  }
  gboolean marker = packet->view.marker;
  if (begins) {
    begin_forward (s, source, packet);
    marker |= s->config.kind == MEDIA_AUDIO;
  }
  return forward_packet (s, type, packet, marker, now_us);
}

void
send_stream_break (SendStream *s)
{
  s->forward.on = FALSE;
}

void
send_stream_forget (SendStream *s)
{
  drop_group (s);
  history_forget (&s->history);
}

static void
fill_budget (SendStream *s, gint64 now_us)
{
  gint64 most = LIMIT_BURST_PACKETS * DEFAULT_SIZE + s->limit_bps / 16; /* half a second */
  gint64 elapsed = CLAMP (now_us - s->budget_us, 0, G_USEC_PER_SEC);
  s->budget = MIN (most, s->budget + elapsed * s->limit_bps / 8 / G_USEC_PER_SEC);
  if (s->budget_us < 0)
    s->budget = most;
  s->budget_us = now_us;
}

static guint8
rtx_payload_type (SendStream *s, guint8 payload_type)
{
  for (guint i = 0; i < s->config.n_payload_types && s->config.rtx_ssrc; i++)
    if (s->config.payload_types[i].number == payload_type)
      return s->config.payload_types[i].rtx;
  return 0;
}

/* RFC 4588 4: the original sequence number, then the original payload. */
static RtpPacket *
wrap_rtx (SendStream *s, const RtpPacket *original, guint8 payload_type)
{
  RtpPacket *packet = new_packet (s, &s->rtx);
  guint8 *payload = packet->data + packet->payload_offset;
  gsize size = (gsize)(original->size - original->payload_offset);
  rtp_put16 (payload, (guint16)original->seq);
  memcpy (payload + 2, original->data + original->payload_offset, size);
  packet->size = (guint16)(packet->payload_offset + 2 + size);
  packet->key = original->key;
  finish_header (packet, original->data[1] >> 7, payload_type, s->next_rtx_seq++,
                 rtp_get32 (original->data + 4));
  return packet;
}

static gboolean
resend (SendStream *s, guint16 seq16, gint64 now_us)
{
  HistorySlot *slot = history_get (&s->history, rtp_extend_seq (s->next_seq - 1, seq16));
  if (!slot || slot->packet->queued || !slot->packet->stamped)
    return FALSE; /* gone, or has not even left for the first time */
  gint64 pause = MAX (s->rtt_us, RESEND_MIN_US);
  if (slot->resent_us != 0 && now_us - slot->resent_us < pause)
    return FALSE;
  if (s->budget < slot->packet->size)
    return FALSE;
  guint8 rtx = rtx_payload_type (s, slot->packet->data[1] & 127);
  RtpPacket *packet = rtx ? wrap_rtx (s, slot->packet, rtx) : rtp_packet_ref (slot->packet);
  if (s->config.kind == MEDIA_VIDEO)
    packet->class = RTP_CLASS_RETRANSMISSION;
  packet->queued_us = now_us;
  slot->resent_us = now_us;
  s->budget -= packet->size;
  s->emit (s, packet, s->arg);
  return TRUE;
}

void
send_stream_nack (SendStream *s, const guint16 *seqs, gsize n, gint64 now_us)
{
  s->stats.nacks += n;
  fill_budget (s, now_us);
  for (gsize i = 0; i < n; i++)
    if (resend (s, seqs[i], now_us))
      s->stats.retransmitted++;
    else
      s->stats.not_resent++;
}

static gboolean
can_repeat (SendStream *s, gint64 seq)
{
  HistorySlot *slot = history_get (&s->history, seq);
  return slot && slot->packet->stamped && rtx_payload_type (s, slot->packet->data[1] & 127);
}

/* The next of the recent packets that left and can go by RTX, backwards; NULL: none. The newest may
 * have been dropped before they left. */
static RtpPacket *
next_to_repeat (SendStream *s)
{
  gint64 newest = s->next_seq - 1;
  while (newest >= s->history.oldest && !can_repeat (s, newest))
    newest--;
  if (s->pad_seq > newest || s->pad_seq <= newest - PAD_RECENT || !can_repeat (s, s->pad_seq))
    s->pad_seq = newest;
  HistorySlot *slot = history_get (&s->history, s->pad_seq);
  s->pad_seq--;
  return slot ? slot->packet : NULL;
}

/* Nothing but padding (RFC 3550 5.1): while video rests there may be nothing to repeat, and without
 * a probe nobody would learn that the link carries video again. */
static RtpPacket *
make_blank (SendStream *s)
{
  guint8 payload_type = 0;
  for (guint i = 0; i < s->config.n_payload_types && payload_type == 0; i++)
    payload_type = s->config.payload_types[i].rtx;
  if (payload_type == 0 || !s->started)
    return NULL;
  RtpPacket *packet = new_packet (s, &s->rtx);
  memset (packet->data + packet->payload_offset, 0, BLANK_BYTES);
  packet->size = (guint16)(packet->payload_offset + BLANK_BYTES);
  packet->data[packet->size - 1] = BLANK_BYTES;
  finish_header (packet, FALSE, payload_type, s->next_rtx_seq++, s->last_timestamp);
  packet->data[0] |= 0x20;
  return packet;
}

gboolean
send_stream_can_pad (SendStream *s)
{
  return s->config.rtx_ssrc != 0 && (s->started || next_to_repeat (s) != NULL);
}

gboolean
send_stream_pad (SendStream *s, gint64 now_us)
{
  RtpPacket *original = s->config.rtx_ssrc != 0 ? next_to_repeat (s) : NULL;
  RtpPacket *packet = original
                          ? wrap_rtx (s, original, rtx_payload_type (s, original->data[1] & 127))
                      : s->config.rtx_ssrc != 0 ? make_blank (s)
                                                : NULL;
  if (!packet)
    return FALSE;
  packet->class = RTP_CLASS_PADDING;
  packet->queued_us = now_us;
  s->stats.padding++;
  s->emit (s, packet, s->arg);
  return TRUE;
}

void
send_stream_set_rtt (SendStream *s, gint64 rtt_us)
{
  s->rtt_us = rtt_us;
}

void
send_stream_set_redundancy (SendStream *s, guint depth)
{
  s->redundancy = MIN (depth, REDUNDANCY_MAX);
}

void
send_stream_set_fec (SendStream *s, guint8 payload_type)
{
  s->fec_type = payload_type;
  if (payload_type == 0) /* what is gathered would leave under none */
    drop_group (s);
}

void
send_stream_set_parity (SendStream *s, guint packets)
{
  s->parity_packets = MIN (packets, FLEXFEC_SPAN);
  if (packets == 0)
    drop_group (s);
}

guint
send_stream_red_bps (SendStream *s)
{
  return (guint)s->sound_bps;
}

void
send_stream_set_limit (SendStream *s, guint bps)
{
  s->limit_bps = bps;
}

gboolean
send_stream_sender_info (SendStream *s, gint64 now_us, RtcpSenderInfo *ret_info)
{
  if (!s->started)
    return FALSE;
  *ret_info = (RtcpSenderInfo){
    .ntp = rtcp_ntp_from_us (now_us),
    .timestamp = s->last_timestamp + ticks (s, now_us - s->last_capture_us),
    .packets = (guint32)s->stats.packets,
    .octets = (guint32)s->stats.bytes,
  };
  return TRUE;
}

void
send_stream_stats (SendStream *s, SendStreamStats *ret_stats)
{
  *ret_stats = s->stats;
}
