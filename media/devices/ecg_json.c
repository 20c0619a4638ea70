/* A recording as JSON. */
#include "media/devices/ecg_recording.h"
#include "media/devices/utc.h"

#include <string.h>

#define PIECE 5000

static void
put (json_t *object, const char *key, const char *text)
{
  if (text != NULL)
    json_object_set_new (object, key, json_string (text));
}

static json_t *
strings_json (const GPtrArray *strings)
{
  json_t *array = json_array ();
  for (guint i = 0; i < strings->len; i++)
    json_array_append_new (array, json_string (g_ptr_array_index (strings, i)));
  return array;
}

static json_t *
patient_json (const EcgRecording *recording)
{
  json_t *patient = json_object ();
  put (patient, "id", recording->patient_id);
  put (patient, "name", recording->patient_name);
  put (patient, "birth_date", recording->patient_birth);
  put (patient, "sex", recording->patient_sex);
  return patient;
}

static json_t *
device_json (const EcgRecording *recording)
{
  json_t *device = json_object ();
  put (device, "id", recording->device);
  put (device, "maker", recording->maker);
  put (device, "model", recording->model);
  return device;
}

static json_t *
measurements_json (const EcgRecording *recording)
{
  json_t *all = json_array ();
  for (guint i = 0; i < recording->measurements->len; i++) {
    const EcgMeasurement *measurement = g_ptr_array_index (recording->measurements, i);
    json_t *object = json_object ();
    put (object, "name", measurement->name);
    put (object, "lead", measurement->lead);
    put (object, "value", measurement->value);
    put (object, "unit", measurement->unit);
    json_array_append_new (all, object);
  }
  return all;
}

static json_t *
annotations_json (const EcgRecording *recording)
{
  json_t *all = json_array ();
  for (guint i = 0; i < recording->annotations->len; i++) {
    const EcgAnnotation *annotation = g_ptr_array_index (recording->annotations, i);
    json_t *object = json_pack ("{s:f}", "at_s", (double)annotation->at_us / 1e6);
    if (annotation->duration_us >= 0)
      json_object_set_new (object, "duration_s", json_real ((double)annotation->duration_us / 1e6));
    put (object, "lead", annotation->lead);
    put (object, "text", annotation->text);
    json_array_append_new (all, object);
  }
  return all;
}

static guint64
stream_samples (const EcgRecording *recording, const WaveStream *stream)
{
  guint64 samples = 0;
  for (guint i = 0; i < recording->blocks->len; i++) {
    const WaveBlock *block = g_ptr_array_index (recording->blocks, i);
    samples += block->stream == stream ? block->count : 0;
  }
  return samples;
}

static json_t *
streams_json (const EcgRecording *recording)
{
  json_t *all = json_array ();
  for (guint i = 0; i < recording->streams->len; i++) {
    const WaveStream *stream = g_ptr_array_index (recording->streams, i);
    json_t *leads = json_array ();
    for (guint j = 0; j < stream->lead_count; j++)
      json_array_append_new (leads, json_string (stream->leads[j].name));
    json_array_append_new (all, json_pack ("{s:s,s:[i,i],s:I,s:o}", "wave", stream->id, "rate",
                                           stream->rate_num, stream->rate_den, "samples",
                                           (json_int_t)stream_samples (recording, stream), "leads",
                                           leads));
  }
  return all;
}

json_t *
ecg_recording_to_json (const EcgRecording *recording)
{
  json_t *object = json_object ();
  put (object, "ecg", recording->kind);
  json_object_set_new (object, "patient", patient_json (recording));
  json_object_set_new (object, "device", device_json (recording));
  g_autofree char *time = recording->time_us != 0 ? utc_text (recording->time_us) : NULL;
  put (object, "time", time);
  if (time != NULL)
    put (object, "time_source",
         recording->time_source == OBS_TIME_DEVICE ? "device" : "device-local");
  json_object_set_new (object, "streams", streams_json (recording));
  json_object_set_new (object, "interpretation", strings_json (recording->interpretation));
  json_object_set_new (object, "measurements", measurements_json (recording));
  json_object_set_new (object, "annotations", annotations_json (recording));
  json_object_set_new (object, "notes", strings_json (recording->notes));
  return object;
}

static void
out_piece (const WaveBlock *block, guint from, guint count, void (*out) (json_t *object, void *arg),
           void *arg)
{
  WaveBlock *piece = wave_block_new (block->stream, block->epoch, block->first + from, count);
  for (guint lead = 0; lead < block->stream->lead_count; lead++)
    memcpy (piece->samples + (gsize)lead * count,
            block->samples + (gsize)lead * block->count + from, count * sizeof (gint32));
  if (block->time_us != 0)
    piece->time_us
        = block->time_us
          + (gint64)((double)from * block->stream->rate_den / block->stream->rate_num * 1e6);
  piece->lead_off = block->lead_off;
  piece->flags = g_strdupv (block->flags);
  json_t *object = wave_block_to_json (piece);
  out (object, arg);
  json_decref (object);
  wave_block_free (piece);
}

void
ecg_recording_each (const EcgRecording *recording, void (*out) (json_t *object, void *arg),
                    void *arg)
{
  json_t *head = ecg_recording_to_json (recording);
  out (head, arg);
  json_decref (head);
  for (guint i = 0; i < recording->blocks->len; i++) {
    const WaveBlock *block = g_ptr_array_index (recording->blocks, i);
    for (guint from = 0; from < block->count; from += PIECE)
      out_piece (block, from, MIN (PIECE, block->count - from), out, arg);
  }
}
