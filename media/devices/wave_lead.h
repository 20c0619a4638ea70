/* One lead of a block as bits: what wave_codec.h calls differences and Rice codes. */
#pragma once
#include "media/devices/wave_codec.h"

typedef struct {
  GByteArray *out;
  guint64 bits; /* not written yet, in the low end */
  guint n;
} WaveBitWriter;

typedef struct {
  const guint8 *at, *end;
  guint64 bits;
  guint n;
  gboolean bad; /* read beyond the end */
} WaveBitReader;

/* samples: n ≥ 1 of them. */
void wave_lead_write (WaveBitWriter *writer, const gint32 *samples, guint n);
/* Zeros up to a byte. */
void wave_lead_flush (WaveBitWriter *writer);
/* reader->bad says that something was wrong; samples are then anything. */
void wave_lead_read (WaveBitReader *reader, gint32 *samples, guint n);
