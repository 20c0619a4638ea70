#include "media/transport/hub_private.h"
#include <string.h>

/* Files go over the channel "file" with a share of their own, after sound and vital signs and
 * beside the picture that the peer looks at. SCTP sends messages in the order in which it got them,
 * so that only as much is given to it as is acknowledged within a moment. */
enum {
  TICK_MS = 20,
  BUSY_MS = 60, /* not connected, no channel */
  LEAST_BPS = 6000,
  SHARE_MIN_BPS = 30000,
  SHARE_MAX_BPS = 2000000,
  LOCAL_BPS = 16000000,
  USE_PERCENT = 85, /* of the share, headers and acknowledgements apart */
  MOMENT_MS = 60,
  OUTSTANDING_MIN = 3,
  OUTSTANDING_MAX = 96,
};

static void
end_file (HubPeer *peer)
{
  HubFile *file = &peer->file;
  hub_timer_clear (&file->timer);
  g_clear_pointer (&file->data, g_bytes_unref);
  g_clear_pointer (&file->parts, file_parts_free);
  if (file->share != NULL)
    allocation_remove_stream (peer->share, file->share);
  file->share = NULL;
}

static guint
rate (const HubPeer *peer)
{
  if (peer->local)
    return LOCAL_BPS;
  guint given = peer->file.share != NULL ? allocation_bps (peer->file.share) : 0;
  guint left = peer->share != NULL ? allocation_left_bps (peer->share) : 0;
  return MAX ((guint)((guint64)(given + left) * USE_PERCENT / 100), LEAST_BPS);
}

static guint
most_outstanding (const HubPeer *peer, guint bps)
{
  double ms = MOMENT_MS + MAX (peer->figures.rtt_ms, 0);
  double chunks = bps / 8.0 * ms / 1000 / FILE_CHUNK_BYTES;
  return (guint)CLAMP (chunks, OUTSTANDING_MIN, OUTSTANDING_MAX);
}

static gboolean
is_open (HubPeer *peer)
{
  return peer->state == HUB_PEER_CONNECTED && g_hash_table_contains (peer->open, "file");
}

/* What was not used is not saved up: it would be a burst. */
static void
earn (HubFile *file, guint bps)
{
  gint64 now_us = g_get_monotonic_time ();
  gint64 passed_us = MIN (now_us - file->earned_us, 2 * TICK_MS * 1000);
  double most = MAX (bps / 8.0 * 2 * TICK_MS / 1000, FILE_CHUNK_BYTES);
  file->credit = MIN (file->credit + bps / 8.0 * passed_us / G_USEC_PER_SEC, most);
  file->earned_us = now_us;
}

static gboolean
send_chunks (gpointer data)
{
  HubPeer *peer = data;
  HubFile *file = &peer->file;
  hub_timer_clear (&file->timer);
  gboolean open = is_open (peer);
  guint bps = rate (peer);
  earn (file, bps);
  FilePart part;
  while (open && file->credit >= FILE_CHUNK_BYTES
         && peer_outstanding (peer->peer) < most_outstanding (peer, bps)) {
    if (!file_parts_next (file->parts, &part)) {
      end_file (peer);
      return G_SOURCE_REMOVE;
    }
    g_autoptr (GBytes) chunk = file_chunk_write (file->id, file->data, &part);
    hub_peer_send (peer, "file", FALSE, chunk);
    file->credit -= part.to - part.from;
  }
  file->timer = hub_timer (peer->hub, open ? TICK_MS : BUSY_MS, send_chunks, peer);
  return G_SOURCE_REMOVE;
}

void
hub_file_ask (HubPeer *peer)
{
  static const AllocationStep step = { SHARE_MIN_BPS, SHARE_MAX_BPS };
  HubFile *file = &peer->file;
  if (file->data == NULL || peer->local)
    return;
  if (file->share == NULL)
    file->share = allocation_add_stream (peer->share, ALLOCATION_LOOKED_AT);
  allocation_set_steps (file->share, &step, 1);
}

void
hub_file_send (HubPeer *peer, const guint8 id[FILE_ID_BYTES], GBytes *data, FileParts *parts)
{
  end_file (peer);
  if (data == NULL || !hub_peer_is_alive (peer)) {
    g_clear_pointer (&parts, file_parts_free);
    return;
  }
  HubFile *file = &peer->file;
  memcpy (file->id, id, FILE_ID_BYTES);
  file->data = g_bytes_ref (data);
  file->parts = parts;
  file->earned_us = g_get_monotonic_time ();
  file->credit = FILE_CHUNK_BYTES;
  hub_allocate_soon (peer->hub);
  file->timer = hub_timer (peer->hub, 0, send_chunks, peer);
}

void
hub_file_end (HubPeer *peer)
{
  end_file (peer);
}
