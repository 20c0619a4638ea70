/* A capture into a running station: as a serial line, or as a monitor that sends HL7. For `nhipcau
 * device replay`; these wait. records: CaptureRecord* of what the device said, in order, one at
 * least. */
#pragma once
#include "records/capture.h"

/* Until record i's own time, counted from the first, which was at begun_us (monotonic). */
void replay_wait (const GPtrArray *records, guint i, gint64 begun_us);
/* link becomes a symbolic link to a pty, which a [serial NAME] names as its port; bytes come at
 * their own pace; at the end the line goes. */
gboolean replay_to_pty (const char *link, const GPtrArray *records, GError **error);
/* host_port: "HOST:PORT" of a station's HL7 listener. Returns when all is answered. */
gboolean replay_to_mllp (const char *host_port, gboolean at_own_pace, const GPtrArray *records,
                         GError **error);
