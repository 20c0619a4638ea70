/* Packed ECGs of the record. The first byte chooses: a whole form as it is kept, or what stands
 * inside of one, which is packed here so that the fuzzer gets past zlib. */
#include "media/devices/ecg_pack.h"

#include <gio/gio.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static GBytes *
deflated (const guint8 *data, size_t size)
{
  g_autoptr (GZlibCompressor) zlib = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 1);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) through = g_converter_output_stream_new (memory, G_CONVERTER (zlib));
  g_output_stream_write_all (through, data, size, NULL, NULL, NULL);
  g_output_stream_close (through, NULL, NULL);
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  if (size == 0)
    return 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) packed
      = data[0] & 1 ? deflated (data + 1, size - 1) : g_bytes_new (data + 1, size - 1);
  g_autoptr (EcgRecording) recording = ecg_unpack (packed, &error);
  g_assert_true ((recording == NULL) == (error != NULL));
  /* What was read can be kept again. */
  g_autoptr (GBytes) again = recording != NULL ? ecg_pack (recording, NULL) : NULL;
  return 0;
}
