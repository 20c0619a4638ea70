/* sim-speech FILE [SECONDS]: writes a speech-like sound as WAV (48 kHz, mono, 16 bit). */
#include "wav.h"
#include <stdio.h>
#include <stdlib.h>
#include "media/capture/babble.h"

int
main (int argc, char **argv)
{
  int seconds = argc > 2 ? atoi (argv[2]) : 20;
  if (argc < 2 || argc > 3 || seconds < 1 || seconds > 600) {
    fprintf (stderr, "usage: %s FILE [SECONDS, 1 to 600]\n", argv[0]);
    return 2;
  }
  gsize n = (gsize)seconds * WAV_RATE;
  g_autofree gint16 *samples = g_new (gint16, n);
  babble (samples, n, WAV_RATE, 7);
  g_autoptr (GError) error = NULL;
  if (!wav_write (argv[1], samples, n, &error)) {
    fprintf (stderr, "%s: %s\n", argv[0], error->message);
    return 1;
  }
  return 0;
}
