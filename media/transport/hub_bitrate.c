#include "media/transport/hub_private.h"

/* Each encoder aims at the least that is allotted to those who view its rung. */
enum {
  RAISE_PERCENT = 10, /* hysteresis */
  LOWER_PERCENT = 5,
  RAISE_INTERVAL_US = 1000000,
  /* Headers of a full packet; each picture has those of one more, at its end. */
  HEADERS_PERCENT = 5,
};

static guint
headers_bps (const HubSource *source, MediaCodec codec, guint rung)
{
  const Rung *r = rung_get (source->prefer, codec, rung);
  if (codec == MEDIA_OPUS)
    return HUB_HEADER_BYTES * 8 * 1000 / r->frame_ms;
  return HUB_HEADER_BYTES / 2 * 8 * (r->max_rate > 0 ? r->max_rate : 30) / 2;
}

guint
hub_bitrate_on_wire (const HubSource *source, MediaCodec codec, guint rung, guint bps)
{
  guint percent = codec == MEDIA_OPUS ? 0 : HEADERS_PERCENT;
  return (guint)((guint64)bps * (100 + percent) / 100) + headers_bps (source, codec, rung);
}

/* A parity packet is as long as the longest of its group. */
static guint
parity_percent (guint packets)
{
  return packets > 0 ? 100 + 135 / packets : 100;
}

static guint
wanted_parity (const HubLine *line)
{
  return line->kind == MEDIA_VIDEO && peer_takes_parity (line->peer->peer, line->mid)
             ? line->peer->figures.parity_packets
             : 0;
}

guint
hub_bitrate_with_parity (const HubLine *line, guint wire_bps)
{
  return (guint)((guint64)wire_bps * parity_percent (wanted_parity (line)) / 100);
}

static guint
without_parity (const HubLine *line, guint wire_bps)
{
  return (guint)((guint64)wire_bps * 100 / parity_percent (line->parity));
}

/* A picture that is made good when lost is worth less than one more picture: the rung's least goes
 * before. */
void
hub_bitrate_set_parity (HubLine *line)
{
  int step = line->share != NULL ? allocation_step (line->share) : ALLOCATION_NONE;
  guint packets = step == ALLOCATION_NONE ? 0 : wanted_parity (line);
  if (packets > 0) {
    Rung rungs[RUNG_MAX];
    hub_source_steps (line->source, line->codec, rungs);
    guint least
        = hub_bitrate_on_wire (line->source, line->codec, rungs[step].rung, rungs[step].min_bps);
    guint room = allocation_bps (line->share);
    guint percent = line->parity > 0 ? 100 : 100 + RAISE_PERCENT;
    if (room < (guint64)hub_bitrate_with_parity (line, least) * percent / 100)
      packets = 0;
  }
  if (packets == line->parity)
    return;
  line->parity = packets;
  peer_set_parity (line->peer->peer, line->mid, packets);
}

static guint
of_encoder (const HubOutlet *outlet, guint wire_bps)
{
  guint headers = headers_bps (outlet->source, outlet->codec, outlet->rung);
  return wire_bps > headers ? (guint)((guint64)(wire_bps - headers) * 100 / (100 + HEADERS_PERCENT))
                            : 0;
}

/* Who leaves for another rung does not slow those who stay. 0: there is nobody. */
static guint
least_share (const HubOutlet *outlet)
{
  guint least = 0, leaving = 0;
  for (guint i = 0; i < outlet->viewers->len; i++) {
    const HubLine *line = outlet->viewers->pdata[i];
    guint bps = line->share != NULL ? without_parity (line, allocation_bps (line->share)) : 0;
    if (bps == 0)
      continue;
    guint *smallest = line->viewing == outlet && line->next != NULL ? &leaving : &least;
    if (*smallest == 0 || bps < *smallest)
      *smallest = bps;
  }
  return least != 0 ? least : leaving;
}

/* Nobody sees it, or nobody did until now: the first key frame after a silence is half as long as
 * it would be, and through in half the time. */
static gboolean
begins_again (const HubOutlet *outlet, gint64 now_us)
{
  for (guint i = 0; i < outlet->viewers->len; i++)
    if (now_us >= ((const HubLine *)outlet->viewers->pdata[i])->peer->little_us)
      return FALSE;
  return TRUE;
}

static gboolean
worth_telling (const HubOutlet *outlet, guint bps, gint64 now_us)
{
  if (bps == 0)
    return FALSE;
  if (outlet->bitrate == 0)
    return TRUE;
  if (bps > outlet->bitrate)
    return bps - outlet->bitrate > outlet->bitrate / 100 * RAISE_PERCENT
           && now_us - outlet->raised_us >= RAISE_INTERVAL_US;
  return outlet->bitrate - bps > outlet->bitrate / 100 * LOWER_PERCENT;
}

void
hub_bitrate_update (HubOutlet *outlet)
{
  if ((outlet->codec != MEDIA_H264 && outlet->codec != MEDIA_VP8) || !outlet->live)
    return;
  gint64 now_us = g_get_monotonic_time ();
  guint share = least_share (outlet) / (begins_again (outlet, now_us) ? 2 : 1);
  Rung steps[RUNG_MAX];
  hub_source_steps (outlet->source, outlet->codec, steps);
  /* Below its range only while everybody leaves. */
  guint bps = share == 0 ? 0
                         : CLAMP (of_encoder (outlet, share), steps[outlet->rung].min_bps / 2,
                                  steps[outlet->rung].max_bps);
  if (!worth_telling (outlet, bps, now_us))
    return;
  if (bps > outlet->bitrate)
    outlet->raised_us = now_us;
  outlet->bitrate = bps;
  g_debug ("event=bitrate source=%s rung=%u bps=%u", outlet->source->name, outlet->rung, bps);
  hub_emit_want_bitrate (outlet);
}
