/* A recording in the form in which it is kept and sent: whole, lossless, small.
 *
 *   zlib( u32 LE length | JSON | samples )
 *
 * JSON: the metadata of ecg_recording_to_json(), and
 *   "streams": [{wave, rate: [num, den], leads: [{name, mdc, unit, scale, offset}]}]
 *   "blocks":  [{stream, epoch, first, count, at_us, off}]   at_us: after the recording's begin
 * Samples: block after block, lead after lead, each sample a varint (7 bits a byte, the lowest
 * first, bit 7: more follow): 0 is "nothing was measured"; else 1 + zigzag of the sample less
 * twice the one before plus the one before that, of those that were measured in this block and
 * lead (0 at its begin).
 */
#pragma once
#include "media/devices/ecg_recording.h"

/* NULL with an error only when the compressor fails. (transfer full) */
GBytes *ecg_pack (const EcgRecording *recording, GError **error);
/* The samples of such a form again: streams and blocks, and `interpretation`; the recording's kind
 * is "packed". Bounded, whatever the bytes are; MEDIA_ERROR_MALFORMED says what is wrong. (transfer
 * full) */
EcgRecording *ecg_unpack (GBytes *packed, GError **error);
