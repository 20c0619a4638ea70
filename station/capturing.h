/* The raw capture of a device of the running station, where station.conf asks for it:
 * STATE/captures/DEVICE-YYYYMMDDTHHMMSSZ.cap (records/capture.h). A file ends at 64 MiB and the
 * next begins; of all devices together the 16 newest stay. Where the disk runs short it stops, and
 * the log says so. Main thread. */
#pragma once
#include "media/devices/feed.h"
#include "station/station.h"

typedef struct Capturing Capturing;

/* kind: what it speaks, a kind of line_kind_find(); NULL: not known. */
Capturing *capturing_new (Station *station, const char *device, const char *kind);
void capturing_free (Capturing *capturing);
void capturing_take (Capturing *capturing, FeedDirection direction, const guint8 *data,
                     gsize length);
