#include "station/waves.h"
#include "station/readings.h"

struct Waves {
  Station *station;
};

Waves *
waves_new (Station *station)
{
  Waves *waves = g_new0 (Waves, 1);
  waves->station = station;
  return waves;
}

void
waves_free (Waves *waves)
{
  g_free (waves);
}

void
waves_take (Waves *waves, WaveBlock *block)
{
  const WaveStream *stream = block->stream;
  const char *device = stream->device != NULL ? stream->device : "wave";
  Consult *owner = NULL;
  if (!waves->station->stopping)
    owner = readings_owner (waves->station->readings, device, NULL, stream->patient_id);
  if (owner == NULL)
    g_debug ("waves: %s of %s belongs to nobody", stream->id, device);
  wave_block_free (block);
}
