/* When the room is recorded: only after consent, only the consultation on screen, and never
 * into the space that notes and signing need. Main thread.
 */
#pragma once
#include "station/request.h"
#include "station/station.h"

/* Starts or stops the recorder so that it does what the rows of the consultation on screen say. */
void recording_follow (Station *station);
/* Level of the disk; on shortage video stops first, announced. */
void recording_check_disk (Station *station);
/* RecorderFailed of the station's recorder; arg is the Station. */
void recording_failed (const char *stream, const char *why, void *arg);

/* "recording.start" and "recording.pause" of the console. */
void recording_start (Request *request);
void recording_pause (Request *request);
