/* The picture's size in an H.264 sequence parameter set (ITU-T H.264 7.3.2.1.1). */
#include "media/rtp/h264.h"

#include <string.h>

enum { SPS_MAX = 512, SIZE_MAX_PIXELS = 16384 };

typedef struct {
  guint8 data[SPS_MAX]; /* without emulation prevention */
  gsize bits, at;
  gboolean bad; /* read beyond the end, or a code too long */
} Bits;

static void
bits_init (Bits *bits, const guint8 *p, gsize size)
{
  gsize n = 0;
  guint zeros = 0;
  for (gsize i = 0; i < size && n < SPS_MAX; i++) {
    if (zeros >= 2 && p[i] == 3) {
      zeros = 0;
      continue;
    }
    zeros = p[i] == 0 ? zeros + 1 : 0;
    bits->data[n++] = p[i];
  }
  bits->bits = n * 8;
  bits->at = 0;
  bits->bad = FALSE;
}

static guint
bit (Bits *bits)
{
  if (bits->at >= bits->bits) {
    bits->bad = TRUE;
    return 0;
  }
  guint value = bits->data[bits->at / 8] >> (7 - bits->at % 8) & 1;
  bits->at++;
  return value;
}

/* ue(v), 9.1 */
static guint
ue (Bits *bits)
{
  guint zeros = 0;
  while (!bits->bad && !bit (bits))
    if (++zeros > 31) {
      bits->bad = TRUE;
      return 0;
    }
  guint value = 0;
  for (guint i = 0; i < zeros; i++)
    value = value << 1 | bit (bits);
  return (1u << zeros) - 1 + value;
}

static gint
se (Bits *bits)
{
  guint value = ue (bits);
  gint half = (gint)(value / 2 + value % 2);
  return value % 2 ? half : -half;
}

static void
skip_scaling_list (Bits *bits, guint size)
{
  guint last = 8, next = 8;
  for (guint i = 0; i < size && !bits->bad; i++) {
    if (next != 0)
      next = (last + (guint)se (bits)) & 255;
    last = next == 0 ? last : next;
  }
}

/* Returns ChromaArrayType. */
static guint
read_high_profile (Bits *bits)
{
  guint chroma = ue (bits);
  guint separate = chroma == 3 ? bit (bits) : 0;
  ue (bits);
  ue (bits);
  bit (bits);
  if (bit (bits))
    for (guint i = 0; i < (chroma == 3 ? 12 : 8); i++)
      if (bit (bits))
        skip_scaling_list (bits, i < 6 ? 16 : 64);
  return separate ? 0 : chroma;
}

static void
skip_order_count (Bits *bits)
{
  guint type = ue (bits);
  if (type == 0)
    ue (bits);
  if (type != 1)
    return;
  bit (bits);
  se (bits);
  se (bits);
  guint n = ue (bits);
  for (guint i = 0; i < n && !bits->bad; i++)
    se (bits);
}

static gboolean
has_high_fields (guint profile)
{
  static const guint8 profiles[] = { 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135 };
  return memchr (profiles, (int)profile, sizeof profiles) != NULL;
}

gboolean
h264_sps_size (const guint8 *sps, gsize size, guint *ret_width, guint *ret_height)
{
  if (size < 5)
    return FALSE;
  Bits bits;
  bits_init (&bits, sps + 4, size - 4); /* behind NAL header, profile, constraints, level */
  ue (&bits);                           /* seq_parameter_set_id */
  guint chroma = has_high_fields (sps[1]) ? read_high_profile (&bits) : 1;
  ue (&bits); /* log2_max_frame_num_minus4 */
  skip_order_count (&bits);
  ue (&bits);  /* max_num_ref_frames */
  bit (&bits); /* gaps_in_frame_num_value_allowed_flag */
  guint64 width = 16ull * (ue (&bits) + 1ull), height = 16ull * (ue (&bits) + 1ull);
  guint frame_only = bit (&bits);
  if (!frame_only) {
    height *= 2;
    bit (&bits);
  }
  bit (&bits); /* direct_8x8_inference_flag */
  if (bit (&bits)) {
    guint unit_x = chroma == 1 || chroma == 2 ? 2 : 1;
    guint unit_y = (chroma == 1 ? 2 : 1) * (2 - frame_only);
    guint64 left = ue (&bits), right = ue (&bits), top = ue (&bits), bottom = ue (&bits);
    guint64 crop_x = unit_x * (left + right), crop_y = unit_y * (top + bottom);
    if (crop_x >= width || crop_y >= height)
      return FALSE;
    width -= crop_x;
    height -= crop_y;
  }
  if (bits.bad || width > SIZE_MAX_PIXELS || height > SIZE_MAX_PIXELS)
    return FALSE;
  *ret_width = (guint)width;
  *ret_height = (guint)height;
  return TRUE;
}
