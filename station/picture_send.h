/* Bytes of pictures to peers that ask for them, over the channel "file" (docs/protocol.md,
 * Pictures). A picture is read and opened in a thread: 64 MiB of it would hold up everything else.
 * Main thread.
 */
#pragma once
#include "media/transport/file_parts.h"
#include "station/station.h"

typedef struct PictureSend PictureSend;

PictureSend *picture_send_new (Station *station);
/* After the station's pending work is done. */
void picture_send_free (PictureSend *send);

/* These parts of an attachment of the consultation on screen to this peer, in the place of what it
 * asked for before. One is read at a time for each peer: of those that are asked for meanwhile, the
 * last. */
void picture_send (PictureSend *send, const char *label, const char *picture, const FilePart *parts,
                   guint n);
