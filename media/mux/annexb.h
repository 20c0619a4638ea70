/* The byte stream of ITU-T H.264 Annex B. Any bytes are accepted; work is linear in them. */
#pragma once
#include <glib.h>

enum { ANNEXB_IDR = 5, ANNEXB_SPS = 7, ANNEXB_PPS = 8, ANNEXB_AUD = 9, ANNEXB_FILLER = 12 };

/* Walks the NAL units of an access unit in Annex B. Start with *position = 0; FALSE at the end.
 * The unit (points into data) has no start code and no trailing zeros, size ≥ 1. */
gboolean annexb_next (const guint8 *data, gsize size, gsize *position, const guint8 **ret_nal,
                      gsize *ret_size);
static inline guint
annexb_type (const guint8 *nal)
{
  return nal[0] & 0x1f;
}
