/* A sound as WAV: 48 kHz, mono, 16 bit. */
#pragma once
#include <glib.h>

enum { WAV_RATE = 48000 };

gboolean wav_write (const char *file, const gint16 *samples, gsize n, GError **error);
