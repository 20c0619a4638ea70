#include "virtual_link.h"

enum { QUEUE_BYTES = 64 * 1024 };

struct VirtualLink {
  VirtualLinkConfig config;
  GRand *rand;
  GQueue waiting;   /* of VirtualPacket, before the bottleneck */
  GQueue under_way; /* by arrival */
  double left_bits; /* of the first that waits */
  guint64 bytes;    /* that wait */
  gint64 clock_us;  /* the bottleneck has been followed until then */
  gint64 cut_us, block_us, hold_us;
  gint64 last_at_us;
  gboolean losing; /* in a run of losses */
  VirtualLinkStats stats;
};

VirtualLink *
virtual_link_new (const VirtualLinkConfig *config, guint32 seed)
{
  VirtualLink *link = g_new0 (VirtualLink, 1);
  link->config = *config;
  link->rand = g_rand_new_with_seed (seed);
  g_queue_init (&link->waiting);
  g_queue_init (&link->under_way);
  return link;
}

static void
packet_free (gpointer data)
{
  VirtualPacket *packet = data;
  g_free (packet->data);
  g_free (packet);
}

void
virtual_link_free (VirtualLink *link)
{
  g_queue_clear_full (&link->waiting, packet_free);
  g_queue_clear_full (&link->under_way, packet_free);
  g_rand_free (link->rand);
  g_free (link);
}

/* Gilbert's two states: a run of losses goes on with 1 - 1/burst, and begins so often that the
 * share is right. */
static gboolean
is_lost (VirtualLink *link)
{
  const VirtualLinkConfig *c = &link->config;
  if (c->loss <= 0)
    return FALSE;
  if (c->burst <= 1)
    return g_rand_double (link->rand) < c->loss;
  double go_on = 1 - 1 / c->burst;
  double start = c->loss >= 1 ? 1 : c->loss / (1 - c->loss) / c->burst;
  link->losing = g_rand_double (link->rand) < (link->losing ? go_on : start);
  return link->losing;
}

static void
insert (VirtualLink *link, VirtualPacket *packet)
{
  GList *after = link->under_way.tail;
  while (after && ((VirtualPacket *)after->data)->at_us > packet->at_us)
    after = after->prev;
  if (after)
    g_queue_insert_after (&link->under_way, after, packet);
  else
    g_queue_push_head (&link->under_way, packet);
}

/* Out of the bottleneck at that time. */
static void
leave (VirtualLink *link, VirtualPacket *packet, gint64 at_us)
{
  const VirtualLinkConfig *c = &link->config;
  link->bytes -= packet->wire;
  if (at_us < link->cut_us || is_lost (link)) {
    *(at_us < link->cut_us ? &link->stats.cut : &link->stats.lost) += 1;
    packet_free (packet);
    return;
  }
  packet->at_us = at_us + c->delay_us;
  if (c->jitter_us > 0)
    packet->at_us += (gint64)(g_rand_double (link->rand) * (double)c->jitter_us);
  if (!c->reorder)
    packet->at_us = MAX (packet->at_us, link->last_at_us);
  link->last_at_us = MAX (packet->at_us, link->last_at_us);
  insert (link, packet);
}

static gint64
head_done_us (const VirtualLink *link)
{
  gint64 from = MAX (link->clock_us, link->block_us);
  return link->config.bps
             ? from + (gint64)(link->left_bits * G_USEC_PER_SEC / link->config.bps + 0.999)
             : from;
}

static void
next_head (VirtualLink *link)
{
  VirtualPacket *head = g_queue_peek_head (&link->waiting);
  link->left_bits = head ? head->wire * 8.0 : 0;
}

/* Follows the bottleneck until now. */
static void
advance (VirtualLink *link, gint64 now_us)
{
  while (!g_queue_is_empty (&link->waiting) && head_done_us (link) <= now_us) {
    link->clock_us = head_done_us (link);
    leave (link, g_queue_pop_head (&link->waiting), link->clock_us);
    next_head (link);
  }
  gint64 from = MAX (link->clock_us, link->block_us);
  if (!g_queue_is_empty (&link->waiting) && now_us > from)
    link->left_bits -= (double)(now_us - from) * link->config.bps / G_USEC_PER_SEC;
  link->clock_us = MAX (link->clock_us, now_us);
}

void
virtual_link_set (VirtualLink *link, const VirtualLinkConfig *config, gint64 now_us)
{
  advance (link, now_us);
  link->config = *config;
}

const VirtualLinkConfig *
virtual_link_config (const VirtualLink *link)
{
  return &link->config;
}

void
virtual_link_cut (VirtualLink *link, gint64 until_us, gint64 now_us)
{
  advance (link, now_us);
  link->cut_us = until_us;
  link->stats.cut += link->waiting.length + link->under_way.length;
  g_queue_clear_full (&link->waiting, packet_free);
  g_queue_clear_full (&link->under_way, packet_free);
  link->bytes = 0;
}

void
virtual_link_block (VirtualLink *link, gint64 until_us, gint64 now_us)
{
  advance (link, now_us);
  link->block_us = until_us;
}

void
virtual_link_hold (VirtualLink *link, gint64 until_us)
{
  link->hold_us = until_us;
}

void
virtual_link_send (VirtualLink *link, guint flow, const guint8 *data, gsize size, int overhead,
                   gint64 now_us)
{
  guint wire = (guint)((gssize)size + overhead);
  guint room = link->config.queue_bytes ? link->config.queue_bytes : QUEUE_BYTES;
  advance (link, now_us);
  link->stats.sent++;
  if (now_us < link->cut_us || (link->config.bps && link->bytes + wire > room)) {
    *(now_us < link->cut_us ? &link->stats.cut : &link->stats.full) += 1;
    return;
  }
  VirtualPacket *packet = g_new (VirtualPacket, 1);
  *packet = (VirtualPacket){ .sent_us = now_us, .flow = flow, .wire = wire, .size = size };
  packet->data = g_memdup2 (data, size);
  g_queue_push_tail (&link->waiting, packet);
  link->bytes += wire;
  if (link->waiting.length == 1)
    next_head (link);
  advance (link, now_us);
}

gint64
virtual_link_next_us (VirtualLink *link)
{
  gint64 next = g_queue_is_empty (&link->waiting) ? G_MAXINT64 : head_done_us (link);
  const VirtualPacket *first = g_queue_peek_head (&link->under_way);
  return first ? MIN (next, MAX (first->at_us, link->hold_us)) : next;
}

gboolean
virtual_link_take (VirtualLink *link, gint64 now_us, VirtualPacket *ret_packet)
{
  advance (link, now_us);
  const VirtualPacket *first = g_queue_peek_head (&link->under_way);
  if (!first || MAX (first->at_us, link->hold_us) > now_us)
    return FALSE;
  g_autofree VirtualPacket *packet = g_queue_pop_head (&link->under_way);
  *ret_packet = *packet;
  return TRUE;
}

gint64
virtual_link_queue_us (VirtualLink *link, gint64 now_us)
{
  advance (link, now_us);
  if (g_queue_is_empty (&link->waiting) || link->config.bps == 0)
    return MAX (0, g_queue_is_empty (&link->waiting) ? 0 : link->block_us - now_us);
  const VirtualPacket *head = g_queue_peek_head (&link->waiting);
  double bits = ((double)link->bytes - head->wire) * 8 + link->left_bits;
  return MAX (0, link->block_us - now_us) + (gint64)(bits * G_USEC_PER_SEC / link->config.bps);
}

guint
virtual_link_queue_bytes (VirtualLink *link, gint64 now_us)
{
  advance (link, now_us);
  return (guint)link->bytes;
}

void
virtual_link_stats (const VirtualLink *link, VirtualLinkStats *ret_stats)
{
  *ret_stats = link->stats;
}
