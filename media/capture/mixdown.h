/* All voices of a consultation as one: what a conference's server gets, which takes one sound
 * (RFC 9725 §4.4.2). Opus frames in, Opus frames out: 48 kHz, mono, packets of 20 ms, with the
 * codec's own FEC.
 *
 * Works only while it is on, in a thread of its own.
 */
#pragma once
#include "media/frame.h"

typedef struct Mixdown Mixdown;

/* A frame, every 20 ms. The mixdown's thread; (transfer none). Must not block. */
typedef void (*MixdownFrame) (Frame *frame, void *arg);

Mixdown *mixdown_new (MixdownFrame frame, void *arg);
/* No frame comes any more when it returns. Not from within MixdownFrame. */
void mixdown_free (Mixdown *mixdown);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mixdown, mixdown_free)

/* Any thread but the mixdown's; off waits for its thread. */
void mixdown_set_on (Mixdown *mixdown, gboolean on);
/* An Opus frame of the voice with this name, in order (voices.h). Any thread; waits for nothing.
 * Off: dropped. */
void mixdown_frame (Mixdown *mixdown, const char *voice, Frame *frame);
