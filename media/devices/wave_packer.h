/* Gathers samples of several streams into messages of bounded size (wave_codec.h). What follows on
 * what was gathered becomes one block; a gap, another epoch, another set of leads begin a new one.
 *
 * Sans-IO; the caller decides when a message is due.
 */
#pragma once
#include "media/devices/wave_codec.h"

typedef struct WavePacker WavePacker;

/* size_max: bytes of a message, which only a block of one sample may pass. */
WavePacker *wave_packer_new (gsize size_max);
void wave_packer_free (WavePacker *packer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WavePacker, wave_packer_free)

/* The leads in the mask, under this number and epoch. */
void wave_packer_push (WavePacker *packer, guint32 stream, guint32 epoch, const WaveBlock *block,
                       guint32 leads);
/* What has been gathered: array of GBytes* (transfer full), empty when there is nothing. */
GPtrArray *wave_packer_take (WavePacker *packer);
gboolean wave_packer_is_empty (const WavePacker *packer);
