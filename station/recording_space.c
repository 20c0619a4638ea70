#include "station/recording_space.h"
#include "media/capture/source.h"
#include "records/segment.h"

/* A browser's picture as it is sent by default, and voices. */
#define GUEST_VIDEO_BITS 1500000u
#define VOICE_BITS 64000u
/* Heart sounds without loss, the room's noise in them. */
#define STETHOSCOPE_BITS 500000u

guint64
recording_configured_rate (const Config *config)
{
  guint64 bits = GUEST_VIDEO_BITS + VOICE_BITS;
  for (guint i = 0; i < config->cameras->len; i++) {
    const ConfigSource *camera = config->cameras->pdata[i];
    bits += source_record_bitrate (camera->address, camera->width, camera->height);
  }
  bits += (guint64)VOICE_BITS * config->microphones->len;
  bits += (guint64)STETHOSCOPE_BITS * config->stethoscopes->len;
  return bits / 8;
}

RecordingSpace
recording_space (const Config *config, const RecordingSpace *known)
{
  RecordingSpace space = { 0 };
  if (known != NULL) {
    space = *known;
  } else {
    space.rate = recording_measured_rate (config->state);
    space.measured = space.rate > 0;
    if (!space.measured)
      space.rate = recording_configured_rate (config);
  }
  space.bytes = space_for_recording (config->state, config->keep_free);
  space.hours = (double)(space.bytes / space.rate / 360) / 10.0;
  return space;
}
