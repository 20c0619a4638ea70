/* The room's own loudspeaker: plays the remote voices while no console's page does, and keeps their
 * echo out of the microphone that hears it. One without a loudspeaker in the configuration does
 * nothing.
 */
#pragma once
#include "media/capture/source.h"
#include "station/config.h"

typedef struct RoomSound RoomSound;

/* Errors: what playout_new() and echo_new() say. Main thread. */
RoomSound *room_sound_new (const Config *config, GError **error);
/* After the sources that have its canceller, and when no frame comes any more. */
void room_sound_free (RoomSound *sound);

/* The canceller of the microphone with this name; NULL: none. (transfer none) */
Echo *room_sound_echo (RoomSound *sound, const char *microphone);
/* A console's page plays the voices, or none does. */
void room_sound_set_page (RoomSound *sound, gboolean page);
/* A voice's next frame, by the label of its peer. Any thread. Who speaks at a console is in the
 * room: not played. */
void room_sound_frame (RoomSound *sound, const char *label, Frame *frame);
