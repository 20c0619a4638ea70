#include "room.h"

#include <math.h>

enum { SOUND_SPEED = 343, WALLS = 6 };

struct RoomSim {
  RoomShape shape;
  guint rate;
  guint length;
  float *response;
};

static void
add_tap (RoomSim *room, double metres, double gain)
{
  guint at = (guint)lrint (metres / SOUND_SPEED * room->rate);
  if (at < room->length)
    room->response[at] += (float)gain;
}

RoomSim *
room_sim_new (const RoomShape *shape, guint rate, guint32 seed)
{
  RoomSim *room = g_new0 (RoomSim, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  room->shape = *shape;
  room->rate = rate;
  room->length = (guint)((shape->reverb_s * 0.8 + 0.02) * rate);
  room->response = g_new0 (float, room->length);
  add_tap (room, shape->distance_m, shape->gain);
  for (guint i = 0; i < WALLS; i++) {
    double way = shape->distance_m + g_rand_double_range (rand, 0.6, 5);
    double sign = g_rand_boolean (rand) ? 1 : -1;
    add_tap (room, way, sign * 0.6 * shape->gain * shape->distance_m / way);
  }
  guint begin = (guint)((shape->distance_m + 1.5) / SOUND_SPEED * rate);
  for (guint i = begin; i < room->length; i++)
    room->response[i] += (float)(0.02 * shape->gain * g_rand_double_range (rand, -1, 1)
                                 * pow (10, -3.0 * (i - begin) / (shape->reverb_s * rate)));
  return room;
}

void
room_sim_free (RoomSim *room)
{
  g_free (room->response);
  g_free (room);
}

/* What is in the air at the loudspeaker, on the microphone's clock. */
static float
sample_of (const gint16 *played, gsize n, double at)
{
  gint64 i = (gint64)floor (at);
  if (i < 1 || i + 2 >= (gint64)n)
    return 0;
  double a = played[i - 1], b = played[i], c = played[i + 1], d = played[i + 2], f = at - (double)i;
  return (float)(b + f / 2 * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a))));
}

void
room_sim_hear (const RoomSim *room, const gint16 *played, gsize n_played, float *out, gsize n)
{
  double ratio = 1 + room->shape.drift_ppm / 1e6;
  for (gsize i = 0; i < n; i++)
    out[i] = 0;
  for (gsize i = 0; i < n; i++) {
    float x = sample_of (played, n_played, (double)i * ratio);
    gsize reach = MIN (room->length, n - i);
    if (x == 0)
      continue;
    for (gsize k = 0; k < reach; k++)
      out[i + k] += x * room->response[k];
  }
}
