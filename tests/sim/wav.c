#include "wav.h"

static void
append_le (GByteArray *out, guint32 value, guint bytes)
{
  for (guint i = 0; i < bytes; i++) {
    guint8 byte = value >> (8 * i) & 255;
    g_byte_array_append (out, &byte, 1);
  }
}

static void
append_header (GByteArray *out, guint32 data_size)
{
  g_byte_array_append (out, (const guint8 *)"RIFF", 4);
  append_le (out, 36 + data_size, 4);
  g_byte_array_append (out, (const guint8 *)"WAVEfmt ", 8);
  append_le (out, 16, 4); /* size of this chunk */
  append_le (out, 1, 2);  /* PCM */
  append_le (out, 1, 2);  /* channels */
  append_le (out, WAV_RATE, 4);
  append_le (out, WAV_RATE * 2, 4); /* bytes per second */
  append_le (out, 2, 2);            /* bytes per sample of all channels */
  append_le (out, 16, 2);           /* bits */
  g_byte_array_append (out, (const guint8 *)"data", 4);
  append_le (out, data_size, 4);
}

gboolean
wav_write (const char *file, const gint16 *samples, gsize n, GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  append_header (out, (guint32)(n * 2));
  for (gsize i = 0; i < n; i++)
    append_le (out, (guint16)samples[i], 2);
  return g_file_set_contents (file, (const char *)out->data, out->len, error);
}
