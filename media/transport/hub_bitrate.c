#include "media/transport/hub_private.h"

/* The place of the allocator. Today: each peer's estimate is divided evenly among the sources that
 * it views, after its sound and what is forwarded to it; an encoder aims at the smallest share of
 * its viewers, but never below the floor. One encoder per source and codec means that a slow
 * viewer slows all; rungs will end that. */
enum {
  FLOOR_BPS = 150000,
  CEILING_BPS = 4000000,
  CEILING_UNKNOWN_BPS = 1000000, /* size of the picture not known yet */
  LOOPBACK_BPS = 10000000,       /* no link to be measured */
  SOUND_BPS = 40000,
  FORWARDED_BPS = 400000,
  RAISE_PERCENT = 10, /* hysteresis */
  LOWER_PERCENT = 5,
  RAISE_INTERVAL_US = 1000000,
};

static guint
share_of_source (const HubPeer *peer)
{
  guint sound = 0, forwarded = 0, sources = 0;
  for (guint i = 0; i < peer->lines->len; i++) {
    const HubLine *line = peer->lines->pdata[i];
    if (line->role == LINE_SOURCE && line->viewing != NULL)
      *(line->kind == MEDIA_AUDIO ? &sound : &sources) += 1;
    else if (line->role == LINE_FORWARD && line->from != NULL)
      *(line->kind == MEDIA_AUDIO ? &sound : &forwarded) += 1;
  }
  guint64 whole = peer->loopback ? LOOPBACK_BPS : peer->estimate_bps;
  guint64 taken = sound * SOUND_BPS + MIN (forwarded * FORWARDED_BPS, whole / 2);
  return whole > taken ? (guint)((whole - taken) / MAX (sources, 1)) : 0;
}

/* 0: nobody's link is known yet. */
static guint
smallest_share (const HubOutlet *outlet)
{
  guint smallest = 0;
  for (guint i = 0; i < outlet->viewers->len; i++) {
    const HubLine *line = outlet->viewers->pdata[i];
    if (!line->peer->loopback && line->peer->estimate_bps == 0)
      continue;
    guint share = MAX (share_of_source (line->peer), FLOOR_BPS);
    if (smallest == 0 || share < smallest)
      smallest = share;
  }
  return smallest;
}

/* More bits than this a picture of that size does not repay: 0.6 Mbit/s at 640×360, 2.3 at 720p. */
static guint
ceiling (const HubOutlet *outlet)
{
  guint64 bps = (guint64)outlet->width * outlet->height * 5 / 2;
  return bps == 0 ? CEILING_UNKNOWN_BPS : (guint)CLAMP (bps, 2 * FLOOR_BPS, CEILING_BPS);
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
  if (outlet->codec == MEDIA_OPUS || !outlet->live)
    return;
  gint64 now_us = g_get_monotonic_time ();
  guint bps = MIN (smallest_share (outlet), ceiling (outlet));
  if (!worth_telling (outlet, bps, now_us))
    return;
  if (bps > outlet->bitrate)
    outlet->raised_us = now_us;
  outlet->bitrate = bps;
  hub_emit_want_bitrate (outlet);
}

void
hub_bitrate_update_peer (HubPeer *peer)
{
  for (guint i = 0; i < peer->lines->len; i++) {
    HubLine *line = peer->lines->pdata[i];
    if (line->viewing != NULL)
      hub_bitrate_update (line->viewing);
  }
}
