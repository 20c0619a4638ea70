/* MLLP framing (HL7 Transport Specification: MLLP release 1), sans-IO.
 *
 *   0B  message  1C 0D
 *
 * Real senders leave the 0D out, put NULs or line ends between messages, or start a new message
 * before the old one ended: bytes outside a frame are skipped, a second 0B drops what was begun,
 * a frame above MLLP_MAX is handed out cut to MLLP_MAX + 1 bytes, which no parser takes, so that
 * its sender can be told. Work is linear in the bytes fed.
 */
#pragma once
#include <glib.h>

#define MLLP_MAX (1024 * 1024)

typedef struct Mllp Mllp;

/* One whole message without its frame; valid during the call. */
typedef void (*MllpOut) (const guint8 *message, gsize length, void *arg);

Mllp *mllp_new (void);
void mllp_free (Mllp *mllp);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mllp, mllp_free)

void mllp_feed (Mllp *mllp, const guint8 *data, gsize length, MllpOut out, void *arg);
/* Frames dropped so far: never ended. */
guint64 mllp_dropped (Mllp *mllp);
/* TRUE when a message has begun and not ended. */
gboolean mllp_inside (Mllp *mllp);
/* (transfer full) message in a frame. */
GBytes *mllp_frame (const char *message, gsize length);
