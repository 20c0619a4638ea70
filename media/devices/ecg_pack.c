#include "media/devices/ecg_pack.h"

#include <gio/gio.h>

static json_t *
streams_json (const EcgRecording *recording)
{
  json_t *all = json_array ();
  for (guint i = 0; i < recording->streams->len; i++) {
    const WaveStream *stream = g_ptr_array_index (recording->streams, i);
    json_t *leads = json_array ();
    for (guint j = 0; j < stream->lead_count; j++) {
      const WaveLead *lead = &stream->leads[j];
      json_array_append_new (leads, json_pack ("{s:s, s:i, s:s?, s:f, s:f}", "name", lead->name,
                                               "mdc", (int)lead->mdc, "unit", lead->unit, "scale",
                                               lead->scale, "offset", lead->offset));
    }
    json_array_append_new (all, json_pack ("{s:s, s:[i,i], s:o}", "wave", stream->id, "rate",
                                           (int)stream->rate_num, (int)stream->rate_den, "leads",
                                           leads));
  }
  return all;
}

static json_t *
blocks_json (const EcgRecording *recording)
{
  json_t *all = json_array ();
  for (guint i = 0; i < recording->blocks->len; i++) {
    const WaveBlock *block = g_ptr_array_index (recording->blocks, i);
    guint stream = 0;
    g_ptr_array_find (recording->streams, block->stream, &stream);
    json_array_append_new (all,
                           json_pack ("{s:i, s:i, s:I, s:i, s:I, s:i}", "stream", (int)stream,
                                      "epoch", (int)block->epoch, "first", (json_int_t)block->first,
                                      "count", (int)block->count, "at_us",
                                      (json_int_t)ecg_block_offset_us (recording, block), "off",
                                      (int)block->lead_off));
  }
  return all;
}

static void
put_varint (GByteArray *out, guint64 value)
{
  guint8 bytes[10];
  guint count = 0;
  do {
    bytes[count] = (guint8)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
    value >>= 7;
  } while (bytes[count++] & 0x80);
  g_byte_array_append (out, bytes, count);
}

static void
put_lead (GByteArray *out, const gint32 *samples, guint count)
{
  gint64 before = 0, before_that = 0;
  for (guint i = 0; i < count; i++) {
    if (samples[i] == WAVE_MISSING) {
      put_varint (out, 0);
      continue;
    }
    gint64 rest = samples[i] - 2 * before + before_that;
    put_varint (out, 1 + (rest >= 0 ? (guint64)rest * 2 : (guint64)-rest * 2 - 1));
    before_that = before;
    before = samples[i];
  }
}

static GByteArray *
plain_form (const EcgRecording *recording)
{
  json_t *head = ecg_recording_to_json (recording);
  json_object_set_new (head, "streams", streams_json (recording));
  json_object_set_new (head, "blocks", blocks_json (recording));
  char *text = json_dumps (head, JSON_COMPACT | JSON_REAL_PRECISION (17));
  json_decref (head);
  guint32 length = GUINT32_TO_LE ((guint32)strlen (text));
  GByteArray *out = g_byte_array_new ();
  g_byte_array_append (out, (const guint8 *)&length, 4);
  g_byte_array_append (out, (const guint8 *)text, (guint)strlen (text));
  free (text);
  for (guint i = 0; i < recording->blocks->len; i++) {
    const WaveBlock *block = g_ptr_array_index (recording->blocks, i);
    for (guint lead = 0; lead < block->stream->lead_count; lead++)
      put_lead (out, block->samples + (gsize)lead * block->count, block->count);
  }
  return out;
}

GBytes *
ecg_pack (const EcgRecording *recording, GError **error)
{
  g_autoptr (GByteArray) plain = plain_form (recording);
  g_autoptr (GZlibCompressor) zlib = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 9);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) through = g_converter_output_stream_new (memory, G_CONVERTER (zlib));
  if (!g_output_stream_write_all (through, plain->data, plain->len, NULL, NULL, error)
      || !g_output_stream_close (through, NULL, error))
    return NULL;
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}
