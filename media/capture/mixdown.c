#include "media/capture/mixdown.h"
#include "media/capture/voices.h"

#include <opus/opus.h>

enum {
  PACKET_MS = 20,
  SAMPLES = VOICE_RATE * PACKET_MS / 1000,
  BLOCK = VOICE_RATE / 100,
  PACKET_US = PACKET_MS * 1000,
  BPS = 48000,
  LOSS = 5, /* per cent; what FEC is made for */
  PACKET_BYTES = 1275,
  BEHIND_US = 200000, /* the machine slept: what was missed is not caught up */
};

struct Mixdown {
  MixdownFrame frame;
  void *arg;
  Voices *voices;
  gint on; /* atomic */
  GThread *thread;
  GMutex lock;
  GCond changed;
};

Mixdown *
mixdown_new (MixdownFrame frame, void *arg)
{
  Mixdown *m = g_new0 (Mixdown, 1);
  m->frame = frame;
  m->arg = arg;
  m->voices = voices_new ();
  g_mutex_init (&m->lock);
  g_cond_init (&m->changed);
  return m;
}

static void
make_packet (Mixdown *m, OpusEncoder *encoder, gint64 begin_us)
{
  gint16 samples[SAMPLES];
  guint8 packet[PACKET_BYTES];
  for (guint at = 0; at < SAMPLES; at += BLOCK)
    voices_take (m->voices, samples + at, BLOCK);
  opus_int32 size = opus_encode (encoder, samples, SAMPLES, packet, sizeof packet);
  if (size <= 0)
    return;
  g_autoptr (GBytes) data = g_bytes_new (packet, (gsize)size);
  g_autoptr (Frame) frame = frame_new (MEDIA_OPUS, TRUE, begin_us, PACKET_US, data);
  m->frame (frame, m->arg);
}

/* FALSE: it is to end. */
static gboolean
wait_until (Mixdown *m, gint64 at_us)
{
  g_mutex_lock (&m->lock);
  while (g_atomic_int_get (&m->on) && g_cond_wait_until (&m->changed, &m->lock, at_us))
    continue;
  g_mutex_unlock (&m->lock);
  return g_atomic_int_get (&m->on);
}

static gpointer
run (gpointer data)
{
  Mixdown *m = data;
  int error;
  OpusEncoder *encoder = opus_encoder_create (VOICE_RATE, 1, OPUS_APPLICATION_VOIP, &error);
  if (encoder == NULL)
    g_error ("no memory for an encoder"); /* the only error there is */
  opus_encoder_ctl (encoder, OPUS_SET_BITRATE (BPS));
  opus_encoder_ctl (encoder, OPUS_SET_INBAND_FEC (1));
  opus_encoder_ctl (encoder, OPUS_SET_PACKET_LOSS_PERC (LOSS));
  voices_forget (m->voices);
  gint64 next_us = g_get_monotonic_time ();
  while (wait_until (m, next_us)) {
    make_packet (m, encoder, next_us);
    next_us += PACKET_US;
    if (g_get_monotonic_time () - next_us > BEHIND_US)
      next_us = g_get_monotonic_time ();
  }
  opus_encoder_destroy (encoder);
  return NULL;
}

void
mixdown_set_on (Mixdown *m, gboolean on)
{
  g_mutex_lock (&m->lock);
  g_atomic_int_set (&m->on, !!on);
  g_cond_signal (&m->changed);
  g_mutex_unlock (&m->lock);
  if (on && m->thread == NULL)
    m->thread = g_thread_new ("mixdown", run, m);
  else if (!on)
    g_clear_pointer (&m->thread, g_thread_join);
}

void
mixdown_free (Mixdown *m)
{
  mixdown_set_on (m, FALSE);
  voices_free (m->voices);
  g_mutex_clear (&m->lock);
  g_cond_clear (&m->changed);
  g_free (m);
}

void
mixdown_frame (Mixdown *m, const char *voice, Frame *frame)
{
  if (g_atomic_int_get (&m->on))
    voices_put (m->voices, voice, frame);
}
