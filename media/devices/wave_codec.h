/* Blocks of waves as bytes, lossless: for the data channel `wave`, and for the record.
 *
 * A message is the byte 1 and blocks, each with its length before it; each block can be read by
 * itself. docs/protocol.md has the format bit by bit. Per lead the encoder takes the differences of
 * the order (0 to 3) that cost least, as Rice codes; arithmetic wraps at 32 bits, so that every
 * sample comes back, whatever it is. Missing samples cost a run length.
 *
 * Sans-IO. Reading is for hostile bytes: work and memory are bounded by
 * WAVE_CODEC_SAMPLES_MAX.
 */
#pragma once
#include "media/devices/wave.h"

enum {
  WAVE_CODEC_VERSION = 1,
  WAVE_CODEC_COUNT_MAX = 4096,     /* samples of a lead in one block */
  WAVE_CODEC_SAMPLES_MAX = 262144, /* of all leads in one message */
};
/* What a page's numbers carry. */
#define WAVE_CODEC_FIRST_MAX ((G_GUINT64_CONSTANT (1) << 53) - 1)

typedef struct {
  guint32 stream; /* its number on this link */
  guint32 epoch;
  guint64 first;
  guint count;
  guint32 leads;    /* bit i: lead i of the stream is here */
  guint32 lead_off; /* as WaveBlock.lead_off, of all leads of the stream */
  gint32 *samples;  /* of the leads that are here, lead after lead */
} WavePacket;

/* (transfer full) A message without blocks. */
GByteArray *wave_codec_message (void);
/* Appends one block. packet->count ≥ 1, leads ≠ 0. */
void wave_codec_write (GByteArray *message, const WavePacket *packet);
/* Appends the leads in the mask of samples [from, from + count) of a block, under this number and
 * epoch. */
void wave_codec_write_block (GByteArray *message, guint32 stream, guint32 epoch,
                             const WaveBlock *block, guint from, guint count, guint32 leads);

/* Array of WavePacket* (transfer full); NULL: something in it is wrong. */
GPtrArray *wave_codec_read (const guint8 *message, gsize size);
void wave_packet_free (WavePacket *packet);
