/* H.264 payloads (RFC 6184), used by payload.c and depacketizer.c; mux uses h264_sps_size(). */
#pragma once
#include "media/rtp/payload.h"

enum {
  H264_NAL_SLICE = 1,
  H264_NAL_IDR = 5,
  H264_NAL_SPS = 7,
  H264_NAL_PPS = 8,
  H264_NAL_AUD = 9,
  H264_NAL_FILLER = 12,
  H264_NAL_STAP_A = 24,
  H264_NAL_FU_A = 28,
};

void h264_packetizer_start (Packetizer *packetizer);
gsize h264_packetizer_next (Packetizer *packetizer, guint8 *out, gboolean *ret_last);
gboolean h264_inspect (const guint8 *payload, gsize size, PayloadInfo *ret_info);

/* Calls unit() for every NAL unit of a STAP-A. FALSE: malformed, or unit() returned FALSE. */
typedef gboolean (*H264Unit) (const guint8 *unit, gsize size, void *arg);
gboolean h264_each_aggregated (const guint8 *payload, gsize size, H264Unit unit, void *arg);

/* Size of the picture by an SPS NAL unit (ITU-T H.264 7.3.2.1.1), after cropping. FALSE: malformed
 * or absurd (beyond 16384). */
gboolean h264_sps_size (const guint8 *sps, gsize size, guint *ret_width, guint *ret_height);
