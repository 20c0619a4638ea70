/* Several remote voices at once, by name, mixed. Frames are put by any thread and wait for nothing;
 * one other thread takes the sound. VOICE_RATE, mono.
 *
 * A name not heard before is a new voice, 16 at most; one that was silent for 30 s is forgotten.
 */
#pragma once
#include "media/capture/voice.h"

typedef struct Voices Voices;

Voices *voices_new (void);
void voices_free (Voices *voices);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Voices, voices_free)

/* Any thread. An Opus frame, in order; takes a reference. */
void voices_put (Voices *voices, const char *name, Frame *frame);
/* The next n samples of all, 480 at most, into out. The taking thread. */
void voices_take (Voices *voices, gint16 *out, guint n);
/* What waits is dropped, all names are forgotten. The taking thread. */
void voices_forget (Voices *voices);
