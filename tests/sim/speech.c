/* sim-speech FILE [SECONDS]: writes a speech-like sound as WAV (48 kHz, mono, 16 bit). */
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include "media/capture/babble.h"

enum { RATE = 48000 };

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
  append_le (out, RATE, 4);
  append_le (out, RATE * 2, 4); /* bytes per second */
  append_le (out, 2, 2);        /* bytes per sample of all channels */
  append_le (out, 16, 2);       /* bits */
  g_byte_array_append (out, (const guint8 *)"data", 4);
  append_le (out, data_size, 4);
}

int
main (int argc, char **argv)
{
  int seconds = argc > 2 ? atoi (argv[2]) : 20;
  if (argc < 2 || argc > 3 || seconds < 1 || seconds > 600) {
    fprintf (stderr, "usage: %s FILE [SECONDS, 1 to 600]\n", argv[0]);
    return 2;
  }
  gsize n = (gsize)seconds * RATE;
  g_autofree gint16 *samples = g_new (gint16, n);
  babble (samples, n, RATE, 7);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  append_header (out, (guint32)(n * 2));
  for (gsize i = 0; i < n; i++)
    append_le (out, (guint16)samples[i], 2);
  g_autoptr (GError) error = NULL;
  if (!g_file_set_contents (argv[1], (const char *)out->data, out->len, &error)) {
    fprintf (stderr, "%s: %s\n", argv[0], error->message);
    return 1;
  }
  return 0;
}
