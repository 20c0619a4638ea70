#include "media/devices/wave.h"
#include "media/devices/utc.h"

#include <math.h>

WaveStream *
wave_stream_new (const char *id, guint rate_num, guint rate_den, guint lead_count)
{
  g_return_val_if_fail (lead_count >= 1 && lead_count <= WAVE_LEADS_MAX, NULL);
  g_return_val_if_fail (rate_num > 0 && rate_den > 0, NULL);
  WaveStream *stream = g_new0 (WaveStream, 1);
  stream->ref_count = 1;
  stream->id = g_strdup (id);
  stream->rate_num = rate_num;
  stream->rate_den = rate_den;
  stream->lead_count = lead_count;
  stream->leads = g_new0 (WaveLead, lead_count);
  return stream;
}

WaveStream *
wave_stream_ref (WaveStream *stream)
{
  g_atomic_int_inc (&stream->ref_count);
  return stream;
}

void
wave_stream_unref (WaveStream *stream)
{
  if (stream == NULL || !g_atomic_int_dec_and_test (&stream->ref_count))
    return;
  for (guint i = 0; i < stream->lead_count; i++) {
    g_free (stream->leads[i].name);
    g_free (stream->leads[i].unit);
  }
  g_free (stream->leads);
  g_free (stream->id);
  g_free (stream->device);
  g_free (stream->patient_id);
  g_free (stream);
}

WaveBlock *
wave_block_new (WaveStream *stream, guint32 epoch, guint64 first, guint count)
{
  WaveBlock *block = g_new0 (WaveBlock, 1);
  block->stream = wave_stream_ref (stream);
  block->epoch = epoch;
  block->first = first;
  block->count = count;
  block->samples = g_new0 (gint32, (gsize)stream->lead_count * count);
  return block;
}

void
wave_block_free (WaveBlock *block)
{
  if (block == NULL)
    return;
  wave_stream_unref (block->stream);
  g_free (block->samples);
  g_strfreev (block->flags);
  g_free (block->raw);
  g_free (block);
}

double
wave_block_value (const WaveBlock *block, guint lead, guint index)
{
  const WaveLead *l = &block->stream->leads[lead];
  gint32 sample = block->samples[(gsize)lead * block->count + index];
  return sample == WAVE_MISSING || l->scale == 0 ? NAN : sample * l->scale + l->offset;
}

static json_t *
samples_json (const WaveBlock *block, guint lead)
{
  json_t *samples = json_array ();
  const gint32 *s = block->samples + (gsize)lead * block->count;
  for (guint i = 0; i < block->count; i++)
    json_array_append_new (samples, s[i] == WAVE_MISSING ? json_null () : json_integer (s[i]));
  return samples;
}

static json_t *
lead_json (const WaveBlock *block, guint lead)
{
  const WaveLead *l = &block->stream->leads[lead];
  json_t *object = json_object ();
  if (l->name != NULL)
    json_object_set_new (object, "name", json_string (l->name));
  if (l->mdc != 0)
    json_object_set_new (object, "mdc", json_integer (l->mdc));
  if (l->unit != NULL)
    json_object_set_new (object, "unit", json_string (l->unit));
  if (l->scale != 0) {
    json_object_set_new (object, "scale", json_real (l->scale));
    json_object_set_new (object, "offset", json_real (l->offset));
  }
  if (l->bits != 0)
    json_object_set_new (object, "bits", json_integer (l->bits));
  if (block->lead_off >> lead & 1)
    json_object_set_new (object, "off", json_true ());
  json_object_set_new (object, "samples", samples_json (block, lead));
  return object;
}

static void
put_times (const WaveBlock *block, json_t *object)
{
  g_autofree char *time = block->time_us != 0 ? utc_text (block->time_us) : NULL;
  if (time != NULL)
    json_object_set_new (object, "time", json_string (time));
}

json_t *
wave_block_to_json (const WaveBlock *block)
{
  const WaveStream *stream = block->stream;
  json_t *object = json_object ();
  json_object_set_new (object, "wave", json_string (stream->id));
  if (stream->device != NULL)
    json_object_set_new (object, "device", json_string (stream->device));
  if (stream->patient_id != NULL)
    json_object_set_new (object, "patient", json_pack ("{s:s}", "id", stream->patient_id));
  json_object_set_new (object, "rate", json_pack ("[i,i]", stream->rate_num, stream->rate_den));
  json_object_set_new (object, "epoch", json_integer (block->epoch));
  json_object_set_new (object, "first", json_integer ((json_int_t)block->first));
  put_times (block, object);
  json_t *leads = json_array ();
  for (guint i = 0; i < stream->lead_count; i++)
    json_array_append_new (leads, lead_json (block, i));
  json_object_set_new (object, "leads", leads);
  json_t *flags = json_array ();
  for (guint i = 0; block->flags != NULL && block->flags[i] != NULL; i++)
    json_array_append_new (flags, json_string (block->flags[i]));
  json_object_set_new (object, "flags", flags);
  json_object_set_new (object, "test", json_boolean (stream->test));
  return object;
}
