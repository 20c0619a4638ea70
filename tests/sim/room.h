/* A simulated room: what a loudspeaker plays is heard by a microphone after the direct way, six
 * walls and a decaying tail, through two cards whose clocks differ. Deterministic, faster than real
 * time.
 */
#pragma once
#include <glib.h>

typedef struct {
  double drift_ppm;  /* the loudspeaker's clock against the microphone's */
  double reverb_s;   /* time in which the tail falls by 60 dB */
  double distance_m; /* loudspeaker to microphone */
  double gain;       /* of the direct way */
} RoomShape;

typedef struct RoomSim RoomSim;

RoomSim *room_sim_new (const RoomShape *shape, guint rate, guint32 seed);
void room_sim_free (RoomSim *room);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RoomSim, room_sim_free)
/* The microphone's sound, n samples at `rate` from the time 0, while the loudspeaker plays `played`
 * (n_played samples, the first of them heard at 0): written to out. */
void room_sim_hear (const RoomSim *room, const gint16 *played, gsize n_played, float *out, gsize n);
