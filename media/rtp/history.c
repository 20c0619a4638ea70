#include "media/rtp/history.h"

enum { CAPACITY_MAX = 8192 };

void
history_init (History *history, guint capacity, gint64 max_age_us)
{
  gint64 n = 1;
  while (n < capacity && n < CAPACITY_MAX)
    n *= 2;
  *history = (History){
    .slots = g_new0 (HistorySlot, (gsize)n),
    .mask = n - 1,
    .max_age_us = max_age_us,
  };
}

void
history_clear (History *history)
{
  for (gint64 i = 0; i <= history->mask; i++)
    g_clear_pointer (&history->slots[i].packet, rtp_packet_unref);
  g_clear_pointer (&history->slots, g_free);
}

static void
drop_oldest (History *history)
{
  HistorySlot *slot = &history->slots[history->oldest & history->mask];
  g_clear_pointer (&slot->packet, rtp_packet_unref);
  history->oldest++;
}

void
history_forget (History *history)
{
  while (history->oldest < history->next)
    drop_oldest (history);
}

static gboolean
oldest_is_over (History *history, gint64 now_us)
{
  const RtpPacket *packet = history->slots[history->oldest & history->mask].packet;
  return !packet || now_us - packet->queued_us > history->max_age_us;
}

gboolean
history_put (History *history, RtpPacket *packet, gint64 now_us)
{
  gint64 seq = packet->seq, n = history->mask + 1;
  if (history->next == 0 || seq >= history->next + n) {
    while (history->oldest < history->next)
      drop_oldest (history);
    history->oldest = seq;
    history->next = seq;
  }
  if (seq >= history->next)
    history->next = seq + 1;
  while (history->oldest < history->next - n)
    drop_oldest (history);
  while (history->oldest < seq && oldest_is_over (history, now_us))
    drop_oldest (history);
  HistorySlot *slot = &history->slots[seq & history->mask];
  if (seq < history->oldest || slot->packet)
    return FALSE;
  slot->packet = rtp_packet_ref (packet);
  slot->resent_us = 0;
  return TRUE;
}

HistorySlot *
history_get (History *history, gint64 seq)
{
  if (seq < history->oldest || seq >= history->next)
    return NULL;
  HistorySlot *slot = &history->slots[seq & history->mask];
  return slot->packet ? slot : NULL;
}
