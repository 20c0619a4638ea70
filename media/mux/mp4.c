#include "media/mux/mux_format.h"
#include "media/mux/annexb.h"
#include <string.h>

/* Media time counts in µs: capture times go in without rounding. */
enum { TIMESCALE = 1000000, TRACK_ID = 1, FLAC_RATE = 48000 };

/* ISO/IEC 14496-12 8.8.3.1: sample_depends_on 2, or 1 with sample_is_non_sync_sample */
enum { FLAGS_KEY = 0x02000000, FLAGS_DELTA = 0x01010000 };

static void
put8 (GByteArray *out, guint value)
{
  guint8 byte = (guint8)value;
  g_byte_array_append (out, &byte, 1);
}

static void
put16 (GByteArray *out, guint value)
{
  put8 (out, value >> 8);
  put8 (out, value);
}

static void
put32 (GByteArray *out, guint32 value)
{
  guint32 big = GUINT32_TO_BE (value);
  g_byte_array_append (out, (const guint8 *)&big, 4);
}

static void
put64 (GByteArray *out, guint64 value)
{
  put32 (out, (guint32)(value >> 32));
  put32 (out, (guint32)value);
}

static void
put_zeros (GByteArray *out, guint n)
{
  guint old = out->len;
  g_byte_array_set_size (out, old + n);
  memset (out->data + old, 0, n);
}

static void
put_text (GByteArray *out, const char *text)
{
  g_byte_array_append (out, (const guint8 *)text, (guint)strlen (text));
}

static void
set32 (GByteArray *out, guint offset, guint32 value)
{
  guint32 big = GUINT32_TO_BE (value);
  memcpy (out->data + offset, &big, 4);
}

/* Returns where the box starts, for box_end(). */
static guint
box (GByteArray *out, const char *type)
{
  guint start = out->len;
  put32 (out, 0);
  put_text (out, type);
  return start;
}

static guint
full_box (GByteArray *out, const char *type, guint version, guint32 flags)
{
  guint start = box (out, type);
  put32 (out, version << 24 | flags);
  return start;
}

static void
box_end (GByteArray *out, guint start)
{
  set32 (out, start, out->len - start);
}

static void
put_ftyp (GByteArray *out)
{
  guint ftyp = box (out, "ftyp");
  put_text (out, "iso6");
  put32 (out, 1);
  put_text (out, "iso6avc1mp41");
  box_end (out, ftyp);
}

static void
put_matrix (GByteArray *out)
{
  static const guint32 unity[9] = { 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000 };
  for (guint i = 0; i < G_N_ELEMENTS (unity); i++)
    put32 (out, unity[i]);
}

static void
put_mvhd (GByteArray *out)
{
  guint mvhd = full_box (out, "mvhd", 0, 0);
  put_zeros (out, 8); /* creation and modification time: not told */
  put32 (out, TIMESCALE);
  put32 (out, 0);
  put32 (out, 0x10000); /* rate */
  put16 (out, 0x100);   /* volume */
  put_zeros (out, 10);
  put_matrix (out);
  put_zeros (out, 24);
  put32 (out, TRACK_ID + 1);
  box_end (out, mvhd);
}

static void
put_tkhd (GByteArray *out, const MuxTrack *track)
{
  guint tkhd = full_box (out, "tkhd", 0, 3); /* enabled, in movie */
  put_zeros (out, 8);
  put32 (out, TRACK_ID);
  put_zeros (out, 4 + 4 + 8 + 8); /* reserved, duration, reserved, layer to volume and reserved */
  put_matrix (out);
  put32 (out, track->width << 16);
  put32 (out, track->height << 16);
  box_end (out, tkhd);
}

static void
put_mdhd (GByteArray *out)
{
  guint mdhd = full_box (out, "mdhd", 0, 0);
  put_zeros (out, 8);
  put32 (out, TIMESCALE);
  put32 (out, 0);
  put16 (out, 0x55c4); /* "und" */
  put16 (out, 0);
  box_end (out, mdhd);
}

static gboolean
is_sound (const MuxTrack *track)
{
  return track->codec == MEDIA_FLAC;
}

static void
put_hdlr (GByteArray *out, const MuxTrack *track)
{
  guint hdlr = full_box (out, "hdlr", 0, 0);
  put32 (out, 0);
  put_text (out, is_sound (track) ? "soun" : "vide");
  put_zeros (out, 12);
  put8 (out, 0); /* no name */
  box_end (out, hdlr);
}

static void
put_parameter_sets (GByteArray *out, GPtrArray *sets)
{
  for (guint i = 0; i < sets->len; i++) {
    gsize size;
    const guint8 *data = g_bytes_get_data (sets->pdata[i], &size);
    put16 (out, (guint)size);
    g_byte_array_append (out, data, (guint)size);
  }
}

/* ISO/IEC 14496-15 5.3.3.1; 4-byte lengths. For the high profiles the fields of chroma format
 * that follow are optional in practice, and every reader takes them from the SPS. */
static void
put_avcc (GByteArray *out, const MuxTrack *track)
{
  const guint8 *sps = g_bytes_get_data (track->sps->pdata[0], NULL);
  guint avcc = box (out, "avcC");
  put8 (out, 1);
  put8 (out, sps[1]);
  put8 (out, sps[2]);
  put8 (out, sps[3]);
  put8 (out, 0xfc | 3);
  put8 (out, 0xe0 | track->sps->len);
  put_parameter_sets (out, track->sps);
  put8 (out, track->pps->len);
  put_parameter_sets (out, track->pps);
  box_end (out, avcc);
}

/* "Encapsulation of FLAC in ISO Base Media File Format" 3.3.2: the block STREAMINFO (RFC 9639
 * §8.2) with what is known of a stream that is not over. */
static void
put_dfla (GByteArray *out, const MuxTrack *track)
{
  enum { LAST_STREAMINFO = 0x80, STREAMINFO_BYTES = 34, BITS = 16 };
  guint64 format
      = (guint64)FLAC_RATE << 44 | (guint64)(track->channels - 1) << 41 | (guint64)(BITS - 1) << 36;
  guint dfla = full_box (out, "dfLa", 0, 0);
  put32 (out, (guint32)LAST_STREAMINFO << 24 | STREAMINFO_BYTES);
  put16 (out, FLAC_BLOCK);
  put16 (out, FLAC_BLOCK);
  put_zeros (out, 6); /* sizes of frames: not told */
  put64 (out, format);
  put_zeros (out, 16); /* MD5 of the samples: not told */
  box_end (out, dfla);
}

/* The same, 3.3.1. */
static void
put_flac (GByteArray *out, const MuxTrack *track)
{
  guint flac = box (out, "fLaC");
  put_zeros (out, 6);
  put16 (out, 1); /* data_reference_index */
  put_zeros (out, 8);
  put16 (out, track->channels);
  put16 (out, 16); /* bits */
  put_zeros (out, 4);
  put32 (out, (guint32)FLAC_RATE << 16);
  put_dfla (out, track);
  box_end (out, flac);
}

static void
put_avc1 (GByteArray *out, const MuxTrack *track)
{
  guint avc1 = box (out, "avc1");
  put_zeros (out, 6);
  put16 (out, 1); /* data_reference_index */
  put_zeros (out, 16);
  put16 (out, track->width);
  put16 (out, track->height);
  put32 (out, 0x480000); /* 72 dpi */
  put32 (out, 0x480000);
  put32 (out, 0);
  put16 (out, 1); /* frame_count */
  put_zeros (out, 32);
  put16 (out, 0x18);
  put16 (out, 0xffff);
  put_avcc (out, track);
  box_end (out, avc1);
}

static void
put_stsd (GByteArray *out, const MuxTrack *track)
{
  guint stsd = full_box (out, "stsd", 0, 0);
  put32 (out, 1);
  if (is_sound (track))
    put_flac (out, track);
  else
    put_avc1 (out, track);
  box_end (out, stsd);
}

static void
put_stbl (GByteArray *out, const MuxTrack *track)
{
  static const char *const empty[] = { "stts", "stsc", "stco" };
  guint stbl = box (out, "stbl");
  put_stsd (out, track);
  for (guint i = 0; i < G_N_ELEMENTS (empty); i++) {
    guint table = full_box (out, empty[i], 0, 0);
    put32 (out, 0);
    box_end (out, table);
  }
  guint stsz = full_box (out, "stsz", 0, 0);
  put_zeros (out, 8);
  box_end (out, stsz);
  box_end (out, stbl);
}

static void
put_media_header (GByteArray *out, const MuxTrack *track)
{
  gboolean sound = is_sound (track);
  guint header = full_box (out, sound ? "smhd" : "vmhd", 0, sound ? 0 : 1);
  put_zeros (out, sound ? 4 : 8);
  box_end (out, header);
}

static void
put_minf (GByteArray *out, const MuxTrack *track)
{
  guint minf = box (out, "minf");
  put_media_header (out, track);
  guint dinf = box (out, "dinf");
  guint dref = full_box (out, "dref", 0, 0);
  put32 (out, 1);
  guint url = full_box (out, "url ", 0, 1); /* in this file */
  box_end (out, url);
  box_end (out, dref);
  box_end (out, dinf);
  put_stbl (out, track);
  box_end (out, minf);
}

static void
put_mvex (GByteArray *out)
{
  guint mvex = box (out, "mvex");
  guint trex = full_box (out, "trex", 0, 0);
  put32 (out, TRACK_ID);
  put32 (out, 1);
  put_zeros (out, 12);
  box_end (out, trex);
  box_end (out, mvex);
}

GBytes *
mp4_init (const MuxTrack *track)
{
  GByteArray *out = g_byte_array_new ();
  put_ftyp (out);
  guint moov = box (out, "moov");
  put_mvhd (out);
  guint trak = box (out, "trak");
  put_tkhd (out, track);
  guint mdia = box (out, "mdia");
  put_mdhd (out);
  put_hdlr (out, track);
  put_minf (out, track);
  box_end (out, mdia);
  box_end (out, trak);
  put_mvex (out);
  box_end (out, moov);
  return g_byte_array_free_to_bytes (out);
}

/* Annex B to 4-byte lengths. Parameter sets stand in avcC (14496-15 5.3.2), delimiters and filler
 * are of no use in a file. Returns the sample's size. */
static guint32
put_picture (GByteArray *out, Frame *frame)
{
  guint start = out->len;
  gsize size, nal_size, position = 0;
  const guint8 *data = g_bytes_get_data (frame->data, &size), *nal;
  while (annexb_next (data, size, &position, &nal, &nal_size)) {
    guint type = annexb_type (nal);
    if (type == ANNEXB_SPS || type == ANNEXB_PPS || type == ANNEXB_AUD || type == ANNEXB_FILLER)
      continue;
    put32 (out, (guint32)nal_size);
    g_byte_array_append (out, nal, (guint)nal_size);
  }
  return out->len - start;
}

static guint32
put_sample (GByteArray *out, Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  if (frame->codec == MEDIA_H264)
    return put_picture (out, frame);
  g_byte_array_append (out, data, (guint)size);
  return (guint32)size;
}

/* Returns where the data offset stands. */
static guint
put_trun (GByteArray *out, const MuxSample *samples, const guint32 *sizes, guint n)
{
  guint trun = full_box (out, "trun", 0, 0x701); /* offset; duration, size, flags of each */
  put32 (out, n);
  guint offset = out->len;
  put32 (out, 0);
  for (guint i = 0; i < n; i++) {
    put32 (out, (guint32)samples[i].duration_us);
    put32 (out, sizes[i]);
    put32 (out, samples[i].frame->key ? FLAGS_KEY : FLAGS_DELTA);
  }
  box_end (out, trun);
  return offset;
}

GBytes *
mp4_fragment (const MuxSample *samples, guint n, guint32 sequence)
{
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  g_autofree guint32 *sizes = g_new (guint32, n);
  for (guint i = 0; i < n; i++)
    sizes[i] = put_sample (payload, samples[i].frame);
  GByteArray *out = g_byte_array_sized_new (payload->len + 128 + 12 * n);
  guint moof = box (out, "moof");
  guint mfhd = full_box (out, "mfhd", 0, 0);
  put32 (out, sequence);
  box_end (out, mfhd);
  guint traf = box (out, "traf");
  guint tfhd = full_box (out, "tfhd", 0, 0x20000); /* default-base-is-moof */
  put32 (out, TRACK_ID);
  box_end (out, tfhd);
  guint tfdt = full_box (out, "tfdt", 1, 0);
  put64 (out, (guint64)samples[0].time_us);
  box_end (out, tfdt);
  guint offset = put_trun (out, samples, sizes, n);
  box_end (out, traf);
  box_end (out, moof);
  set32 (out, offset, out->len - moof + 8);
  guint mdat = box (out, "mdat");
  g_byte_array_append (out, payload->data, payload->len);
  box_end (out, mdat);
  return g_byte_array_free_to_bytes (out);
}
