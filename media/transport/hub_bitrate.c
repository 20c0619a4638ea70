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

static guint
on_wire (const HubSource *source, MediaCodec codec, guint rung, guint bps)
{
  guint percent = codec == MEDIA_OPUS ? 0 : HEADERS_PERCENT;
  return (guint)((guint64)bps * (100 + percent) / 100) + headers_bps (source, codec, rung);
}

/* Pictures that are made good when lost take a share of their bits for it. */
static guint
with_parity (const HubLine *line, guint bps)
{
  guint packets = line->kind == MEDIA_VIDEO ? line->peer->figures.parity_packets : 0;
  return packets > 0 ? (guint)((guint64)bps * (packets + 1) / packets) : bps;
}

static guint
without_parity (const HubLine *line, guint bps)
{
  guint packets = line->kind == MEDIA_VIDEO ? line->peer->figures.parity_packets : 0;
  return packets > 0 ? (guint)((guint64)bps * packets / (packets + 1)) : bps;
}

guint
hub_bitrate_of_viewer (const HubLine *line, guint rung, guint bps)
{
  return with_parity (line, on_wire (line->source, line->codec, rung, bps));
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
