#include "media/rtp/rtp.h"
#include "media/transport/hub_private.h"
#include <string.h>

/* Stills go over the channel "still" in chunks that are given to it one by one, at the rate that
 * nobody else has: SCTP sends messages in the order in which it got them, and a vital sign must
 * never wait behind a picture; and only while next to nothing of the association is unanswered,
 * since on a link that loses packets its window is a packet or two. Chunk: number of the still,
 * index, count (32, 16, 16 bits, network order), then of the first chunk the age of the picture in
 * ms (32), the length of the stream's name (8) and the name; then bytes of the JPEG. */
enum {
  CHUNK_BYTES = 1000,
  CHUNK_HEADER = 8,
  PACE_MS = 20,
  BUSY_MS = 50,        /* till the association is looked at again */
  MAX_OUTSTANDING = 2, /* messages of the association that are not acknowledged */
  LEAST_BPS = 6000,
  LARGE_BPS = 90000, /* of what is left, for the larger picture */
  SHARE_PERCENT = 80,
  MAX_BYTES = 128 * 1024,
};
#define INTERVAL_US (3 * G_USEC_PER_SEC)

static void
end_still (HubStill *still)
{
  hub_timer_clear (&still->timer);
  g_clear_pointer (&still->data, g_bytes_unref);
}

static GBytes *
next_chunk (HubPeer *peer)
{
  HubStill *still = &peer->still;
  gsize size;
  const guint8 *data = g_bytes_get_data (still->data, &size);
  gsize from = (gsize)still->index * CHUNK_BYTES, n = MIN (size - from, CHUNK_BYTES);
  GByteArray *chunk = g_byte_array_new ();
  guint8 header[CHUNK_HEADER + 5];
  rtp_put32 (header, still->number);
  rtp_put16 (header + 4, still->index);
  rtp_put16 (header + 6, still->count);
  if (still->index == 0) {
    g_autofree char *name = hub_line_name (still->line);
    guint8 length = (guint8)MIN (strlen (name), 255);
    gint64 age_ms = (g_get_monotonic_time () - still->capture_us) / 1000;
    rtp_put32 (header + CHUNK_HEADER, (guint32)MAX (age_ms, 0));
    header[CHUNK_HEADER + 4] = length;
    g_byte_array_append (chunk, header, sizeof header);
    g_byte_array_append (chunk, (const guint8 *)name, length);
  } else {
    g_byte_array_append (chunk, header, CHUNK_HEADER);
  }
  g_byte_array_append (chunk, data + from, (guint)n);
  return g_byte_array_free_to_bytes (chunk);
}

static guint
pause_ms (const HubPeer *peer)
{
  guint left = peer->share != NULL ? allocation_left_bps (peer->share) : 0;
  guint64 bps = MAX ((guint64)left * SHARE_PERCENT / 100, LEAST_BPS);
  return (guint)MAX ((CHUNK_BYTES + 100) * 8 * 1000 / bps, PACE_MS);
}

static gboolean
send_chunk (gpointer data)
{
  HubPeer *peer = data;
  HubStill *still = &peer->still;
  hub_timer_clear (&still->timer);
  guint wait_ms = BUSY_MS;
  if (peer->state == HUB_PEER_CONNECTED && peer_outstanding (peer->peer) <= MAX_OUTSTANDING) {
    wait_ms = pause_ms (peer);
    g_autoptr (GBytes) chunk = next_chunk (peer);
    hub_peer_send (peer, "still", FALSE, chunk);
    if (++still->index == still->count) {
      end_still (still);
      return G_SOURCE_REMOVE;
    }
  }
  still->timer = hub_timer (peer->hub, wait_ms, send_chunk, peer);
  return G_SOURCE_REMOVE;
}

static void
begin_still (HubPeer *peer, Frame *frame)
{
  HubStill *still = &peer->still;
  gint64 now_us = g_get_monotonic_time ();
  gsize size = g_bytes_get_size (frame->data);
  gboolean late = still->begun_us != 0 && now_us - still->begun_us < INTERVAL_US;
  /* The former one is still on its way: this one is left out, not queued. */
  if (still->data != NULL || late || size == 0 || size > MAX_BYTES
      || !g_hash_table_contains (peer->open, "still"))
    return;
  still->data = g_bytes_ref (frame->data);
  still->capture_us = frame->capture_us;
  still->number++;
  still->index = 0;
  still->count = (guint)((size + CHUNK_BYTES - 1) / CHUNK_BYTES);
  still->begun_us = now_us;
  send_chunk (peer);
}

void
hub_still_frame (HubOutlet *outlet, Frame *frame)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, outlet->source->hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    HubPeer *peer = value;
    if (peer->still.outlet == outlet)
      begin_still (peer, frame);
  }
}

static guint
rung_for (const HubPeer *peer)
{
  guint left = peer->share != NULL ? allocation_left_bps (peer->share) : 0;
  return left >= LARGE_BPS ? 0 : 1;
}

void
hub_still_show (HubPeer *peer, HubLine *line)
{
  HubStill *still = &peer->still;
  if (still->line == line && (line == NULL || still->data != NULL))
    return;
  HubOutlet *outlet
      = line != NULL ? hub_source_outlet (line->source, MEDIA_JPEG, rung_for (peer)) : NULL;
  if (still->line != line) {
    end_still (still);
    still->begun_us = 0;
  }
  still->line = line;
  if (still->outlet == outlet)
    return;
  if (outlet != NULL)
    hub_outlet_hold (outlet);
  if (still->outlet != NULL)
    hub_outlet_release (still->outlet);
  still->outlet = outlet;
}
