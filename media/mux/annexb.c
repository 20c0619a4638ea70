#include "media/mux/annexb.h"
#include <string.h>

/* Offset of the next 00 00 01 at or after `from`; size when there is none. */
static gsize
find_start_code (const guint8 *data, gsize size, gsize from)
{
  while (from + 3 <= size) {
    const guint8 *one = memchr (data + from + 2, 1, size - from - 2);
    if (one == NULL)
      return size;
    if (one[-1] == 0 && one[-2] == 0)
      return one - 2 - data;
    from = one - data - 1;
  }
  return size;
}

gboolean
annexb_next (const guint8 *data, gsize size, gsize *position, const guint8 **ret_nal,
             gsize *ret_size)
{
  for (;;) {
    gsize start = find_start_code (data, size, *position);
    if (start == size)
      return FALSE;
    start += 3;
    gsize end = find_start_code (data, size, start);
    *position = end;
    while (end > start && data[end - 1] == 0)
      end--;
    if (end == start)
      continue;
    *ret_nal = data + start;
    *ret_size = end - start;
    return TRUE;
  }
}

/* Bits of an RBSP: emulation prevention bytes (7.4.1) are stepped over. Beyond the end come zeros
 * and `overrun`. */
typedef struct {
  const guint8 *data;
  gsize size, byte;
  guint bit, zeros;
  gboolean overrun;
} Bits;

static guint
read_bit (Bits *bits)
{
  if (bits->bit == 0 && bits->zeros >= 2 && bits->byte < bits->size
      && bits->data[bits->byte] == 3) {
    bits->byte++;
    bits->zeros = 0;
  }
  if (bits->byte >= bits->size) {
    bits->overrun = TRUE;
    return 0;
  }
  guint8 current = bits->data[bits->byte];
  guint value = current >> (7 - bits->bit) & 1;
  if (++bits->bit == 8) {
    bits->bit = 0;
    bits->byte++;
    bits->zeros = current == 0 ? bits->zeros + 1 : 0;
  }
  return value;
}

static guint32
read_bits (Bits *bits, guint n)
{
  guint32 value = 0;
  while (n-- > 0)
    value = value << 1 | read_bit (bits);
  return value;
}

/* 9.1: Exp-Golomb */
static guint32
read_ue (Bits *bits)
{
  guint zeros = 0;
  while (!bits->overrun && read_bit (bits) == 0)
    if (++zeros > 31)
      bits->overrun = TRUE;
  return bits->overrun ? 0 : (guint32)((1ull << zeros) - 1 + read_bits (bits, zeros));
}

static gint32
read_se (Bits *bits)
{
  guint32 k = read_ue (bits);
  return k & 1 ? (gint32)(k / 2 + 1) : -(gint32)(k / 2);
}

/* 7.3.2.1.1.1 */
static void
skip_scaling_list (Bits *bits, guint n)
{
  gint last = 8, next = 8;
  for (guint i = 0; i < n && !bits->overrun; i++) {
    if (next != 0)
      next = (gint)(((gint64)last + read_se (bits) + 256) & 0xff);
    last = next == 0 ? last : next;
  }
}

static gboolean
has_chroma_fields (guint profile)
{
  static const guint8 high[] = { 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135 };
  return memchr (high, (int)profile, sizeof high) != NULL;
}

/* Returns chroma_format_idc, 0 when the planes are coded apart: both crop in luma samples. */
static guint
read_chroma_fields (Bits *bits)
{
  guint chroma = read_ue (bits);
  if (chroma == 3 && read_bit (bits))
    chroma = 0;
  read_ue (bits);  /* bit_depth_luma_minus8 */
  read_ue (bits);  /* bit_depth_chroma_minus8 */
  read_bit (bits); /* qpprime_y_zero_transform_bypass_flag */
  if (!read_bit (bits))
    return chroma;
  for (guint i = 0; i < (chroma == 3 ? 12 : 8) && !bits->overrun; i++)
    if (read_bit (bits))
      skip_scaling_list (bits, i < 6 ? 16 : 64);
  return chroma;
}

static void
skip_order_count (Bits *bits)
{
  guint type = read_ue (bits);
  if (type == 0)
    read_ue (bits);
  if (type != 1)
    return;
  read_bit (bits);
  read_se (bits);
  read_se (bits);
  guint n = read_ue (bits);
  for (guint i = 0; i < n && i < 256 && !bits->overrun; i++)
    read_se (bits);
}

gboolean
annexb_sps_size (const guint8 *nal, gsize size, guint *ret_width, guint *ret_height)
{
  if (size < 4)
    return FALSE;
  Bits bits = { nal + 4, size - 4, 0, 0, 0, FALSE };
  read_ue (&bits); /* seq_parameter_set_id */
  guint chroma = has_chroma_fields (nal[1]) ? read_chroma_fields (&bits) : 1;
  read_ue (&bits); /* log2_max_frame_num_minus4 */
  skip_order_count (&bits);
  read_ue (&bits);  /* max_num_ref_frames */
  read_bit (&bits); /* gaps_in_frame_num_value_allowed_flag */
  guint64 width = ((guint64)read_ue (&bits) + 1) * 16;
  guint64 height = ((guint64)read_ue (&bits) + 1) * 16;
  gboolean frames_only = read_bit (&bits);
  if (!frames_only)
    read_bit (&bits); /* mb_adaptive_frame_field_flag */
  read_bit (&bits);   /* direct_8x8_inference_flag */
  height *= frames_only ? 1 : 2;
  guint64 crop_x = 0, crop_y = 0;
  if (read_bit (&bits)) {
    guint unit_x = chroma == 1 || chroma == 2 ? 2 : 1;
    guint unit_y = (chroma == 1 ? 2 : 1) * (frames_only ? 1 : 2);
    crop_x = read_ue (&bits);
    crop_x = (crop_x + read_ue (&bits)) * unit_x;
    crop_y = read_ue (&bits);
    crop_y = (crop_y + read_ue (&bits)) * unit_y;
  }
  if (bits.overrun || width > 16384 || height > 16384 || crop_x >= width || crop_y >= height)
    return FALSE;
  *ret_width = (guint)(width - crop_x);
  *ret_height = (guint)(height - crop_y);
  return TRUE;
}
