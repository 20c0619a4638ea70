/* The room's echo canceller: takes out of a microphone what the loudspeaker of the same room plays.
 *
 * GStreamer's webrtcdsp with its probe, driven by hand in blocks of 10 ms, in the thread that
 * captures: the sound that was played is laid beside the sound that was captured by the times of
 * both, as exactly as their clocks' drift can be learned (timeline.h), so that the canceller's
 * filter need not chase it. Where the card says nothing of its own delay the canceller finds it,
 * up to half a second.
 *
 * Only for voices in a room. Never on a stethoscope: it would take heart sounds for noise.
 *
 * Sound is 48 kHz, mono, S16. Times: CLOCK_MONOTONIC, µs. echo_played() and echo_take() may be
 * called from two threads at once.
 */
#pragma once
#include <gst/gst.h>

enum { ECHO_RATE = 48000, ECHO_BLOCK = ECHO_RATE / 100 };

typedef struct Echo Echo;

/* Errors: MEDIA_ERROR_UNSUPPORTED when the plugin is missing. */
Echo *echo_new (GError **error);
void echo_free (Echo *echo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Echo, echo_free)

/* The loudspeaker plays n samples, the first is heard at heard_us (the card's delay included, as
 * far as it is known): told before that. */
void echo_played (Echo *echo, const gint16 *samples, guint n, gint64 heard_us);
/* ECHO_BLOCK samples of the microphone, the first captured at captured_us: cleaned in place. While
 * nothing was played for a while they are left as they are. */
void echo_clean (Echo *echo, gint16 *samples, gint64 captured_us);
/* The same for buffers of any length, timestamps in running time: whole blocks leave, the rest
 * waits for the next. NULL: nothing yet. (transfer none) buffer, (transfer full) result. One
 * thread, and not together with echo_clean(). */
GstBuffer *echo_filter (Echo *echo, GstBuffer *buffer);
