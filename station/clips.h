/* Clips: a stretch of what was recorded, in the quality of the capture, for who saw it live in
 * less.
 *
 * A specialist marks a moment of the live picture, the doctor wants to see it again: some seconds
 * before it are taken out of the recording, kept as an attachment of kind `clip`, and from then on
 * go the way of pictures (pictures.h): told to who examines, sent over what the link has to spare,
 * resumed after a cut. Nobody gets what was before it came. Main thread. */
#pragma once
#include "station/station.h"

#include <jansson.h>

Clips *clips_new (Station *station);
/* When no write of the station is under way. NULL is fine. */
void clips_free (Clips *clips);
/* The media of this guest begin now: clips for it go back to here at most. */
void clips_guest_came (Clips *clips, const char *guest);
/* "clip.take", hostile, of who examines or claims to. */
void clips_receive (Clips *clips, const char *label, const json_t *message);
