/* Playout in the room: the remote voices, mixed, on the room's loudspeaker, while no console's page
 * plays them itself.
 *
 * The loudspeaker is a GStreamer pipeline of its own, opened only while it is wanted, and opened
 * anew after 2 s when it fails. Sound is 48 kHz, mono.
 *
 * Threads: all functions may be called from any thread; events come on the loudspeaker's streaming
 * thread (played) and in the main context that was the thread default at playout_new() (state).
 */
#pragma once
#include "media/capture/source.h"

typedef struct Playout Playout;

typedef struct {
  /* n samples go to the loudspeaker, the first is heard not before heard_us (CLOCK_MONOTONIC):
   * for echo_played(). Must not block. */
  void (*played) (Playout *playout, const gint16 *samples, guint n, gint64 heard_us, void *arg);
  /* As of a source: STARTING, RUNNING, MISSING with a reason ("not-found: …"), STOPPED. */
  void (*state) (Playout *playout, SourceState state, const char *reason, void *arg);
} PlayoutEvents;

/* Checks the address: alsa:DEVICE, pipewire:[TARGET], or test: (played in real time, heard by
 * nobody). Errors: MEDIA_ERROR_ADDRESS. */
gboolean playout_check_address (const char *address, GError **error);

/* Opens nothing yet. Errors: MEDIA_ERROR_ADDRESS, MEDIA_ERROR_FAILED. NULL events are allowed. */
Playout *playout_new (const char *address, const PlayoutEvents *events, void *arg, GError **error);
/* No event is running or will come when it returns. Not from within events. */
void playout_free (Playout *playout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Playout, playout_free)

/* Opens or closes the loudspeaker. Closed: frames are dropped. */
void playout_set_on (Playout *playout, gboolean on);
gboolean playout_is_on (Playout *playout);

/* An Opus frame of the voice with this name, in order; a name not heard before is a new voice, 16
 * at most. A voice that was silent for 30 s is forgotten. Waits for nothing. */
void playout_frame (Playout *playout, const char *voice, Frame *frame);
