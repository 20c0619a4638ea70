/* HL7 v2 over MLLP: the listener that patient monitors talk to.
 *
 * Runs on the GMainContext that was the thread default at mllp_listen(); nothing blocks. A
 * message is acknowledged only after the receiver said that it is durable.
 */
#pragma once
#include "media/devices/hl7_content.h"
#include <gio/gio.h>

typedef struct MllpListener MllpListener;
/* One message that waits for its acknowledgement. */
typedef struct MllpMessage MllpMessage;

/* Called once for each message that parsed. Ownership of message goes to the receiver, who must
 * call mllp_message_done() exactly once, from any thread, when the observations are durable
 * (error NULL: AA or CA) or cannot be kept (AE or CE with the error's text). The observations
 * and raw bytes stay valid until then. `duplicate`: same control id and content as a recent
 * one from this sender, already acknowledged; it needs not be stored again. */
typedef void (*MllpReceive) (MllpListener *listener, MllpMessage *message, void *arg);

/* The profile of what sent this, as a listener's owner knows it; NULL: none. sender: as of
 * mllp_message_sender(). */
typedef const Profile *(*MllpProfile) (const Hl7Message *message, const char *sender, void *arg);

/* profile: may be NULL. */
MllpListener *mllp_listen (const char *address, guint16 port, MllpReceive receive,
                           MllpProfile profile, void *arg, GError **error);
guint16 mllp_port (MllpListener *listener); /* the one bound, also when 0 was asked */
void mllp_listener_free (MllpListener *listener);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MllpListener, mllp_listener_free)

/* Empty for a duplicate. */
const Hl7Content *mllp_message_content (MllpMessage *message);
GBytes *mllp_message_raw (MllpMessage *message); /* (transfer none) */
/* (transfer full) array of WaveBlock*, free function set; the content has none from then on. */
GPtrArray *mllp_message_steal_waves (MllpMessage *message);
const char *mllp_message_sender (MllpMessage *message); /* "192.168.1.20 MONITOR^..." */
gboolean mllp_message_duplicate (MllpMessage *message);
/* Instead of mllp_message_done(), to a question: these bytes are the answer. */
void mllp_message_answer (MllpMessage *message, GBytes *answer);
/* Its sender waits to hear that it is durable. */
gboolean mllp_message_is_acknowledged (MllpMessage *message);
const Hl7Message *mllp_message_parsed (MllpMessage *message);
void mllp_message_done (MllpMessage *message, const GError *error);
