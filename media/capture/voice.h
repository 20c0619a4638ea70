/* One remote voice on its way to the loudspeaker: Opus frames in, sound out at the loudspeaker's
 * own pace.
 *
 * Frames come in order and with the network's jitter already taken away (audio_buffer.h). What is
 * lost is concealed: by the codec's own FEC in the frame that follows, else by the decoder's
 * guess, which fades away in 100 ms. The clocks of speaker and loudspeaker differ: a buffer that
 * only grows is shortened by a piece of sound that is like its neighbour, one that runs dry is
 * stretched by a guess. Sans-IO; one thread at a time.
 */
#pragma once
#include "media/frame.h"

enum { VOICE_RATE = 48000 };

typedef struct {
  guint64 frames;    /* decoded */
  guint64 recovered; /* lost, and brought back by the codec's FEC */
  guint64 concealed; /* samples that the decoder guessed */
  guint64 shortened; /* samples left out */
  guint64 dropped;   /* frames: too many waited, or they were no Opus */
  guint depth;       /* samples waiting now */
} VoiceStats;

typedef struct Voice Voice;

Voice *voice_new (void);
void voice_free (Voice *voice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Voice, voice_free)

/* Takes a reference. At most half a second waits: then the oldest goes. */
void voice_put (Voice *voice, Frame *frame);
/* The next n samples, 480 at most, mono, added to out. FALSE: it is silent, nothing was added. */
gboolean voice_mix (Voice *voice, float *out, guint n);
void voice_stats (const Voice *voice, VoiceStats *ret_stats);
