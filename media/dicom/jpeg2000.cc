#include "media/dicom/jpeg2000.h"
#include <algorithm>
#include <cstring>
#include <openjpeg.h>

/* ---- Bytes in memory as OpenJPEG reads them ----------------------------------------------- */

struct Bytes {
  const uint8_t *data;
  size_t size, at;
};

static OPJ_SIZE_T
read_bytes (void *to, OPJ_SIZE_T want, void *arg)
{
  Bytes *bytes = static_cast<Bytes *> (arg);
  const size_t n = std::min<size_t> (want, bytes->size - bytes->at);
  if (n == 0)
    return static_cast<OPJ_SIZE_T> (-1);
  memcpy (to, bytes->data + bytes->at, n);
  bytes->at += n;
  return n;
}

static OPJ_OFF_T
skip_bytes (OPJ_OFF_T want, void *arg)
{
  Bytes *bytes = static_cast<Bytes *> (arg);
  if (want < 0)
    return -1;
  const size_t n = std::min<size_t> (static_cast<size_t> (want), bytes->size - bytes->at);
  bytes->at += n;
  return n > 0 || want == 0 ? static_cast<OPJ_OFF_T> (n) : -1;
}

static OPJ_BOOL
seek_bytes (OPJ_OFF_T to, void *arg)
{
  Bytes *bytes = static_cast<Bytes *> (arg);
  if (to < 0 || static_cast<size_t> (to) > bytes->size)
    return OPJ_FALSE;
  bytes->at = static_cast<size_t> (to);
  return OPJ_TRUE;
}

static void
say_nothing (const char *, void *)
{
}

/* ---- Decoding ----------------------------------------------------------------------------- */

struct Stream {
  opj_stream_t *own;
  ~Stream ()
  {
    if (own != nullptr)
      opj_stream_destroy (own);
  }
};
struct Codec {
  opj_codec_t *own;
  ~Codec ()
  {
    if (own != nullptr)
      opj_destroy_codec (own);
  }
};
struct Image {
  opj_image_t *own;
  ~Image ()
  {
    if (own != nullptr)
      opj_image_destroy (own);
  }
};

static bool
fits (const opj_image_t *image, const Jpeg2000Form &form)
{
  if (image->numcomps != form.components || image->x1 - image->x0 != form.columns
      || image->y1 - image->y0 != form.rows)
    return false;
  for (unsigned i = 0; i < image->numcomps; i++) {
    const opj_image_comp_t *comp = &image->comps[i];
    if (comp->dx != 1 || comp->dy != 1 || comp->prec == 0 || comp->prec > form.bits)
      return false;
  }
  return true;
}

static bool
is_codestream (const uint8_t *bytes, size_t size)
{
  static const uint8_t begin[] = { 0xff, 0x4f, 0xff, 0x51 }; /* SOC, SIZ */
  return size > sizeof begin && memcmp (bytes, begin, sizeof begin) == 0;
}

static bool
copy_samples (const opj_image_t *image, const Jpeg2000Form &form, std::vector<int32_t> *ret)
{
  const size_t pixels = static_cast<size_t> (form.columns) * form.rows;
  ret->clear ();
  ret->reserve (pixels * form.components);
  for (unsigned i = 0; i < form.components; i++) {
    const opj_image_comp_t *comp = &image->comps[i];
    if (comp->data == nullptr || comp->w != form.columns || comp->h != form.rows)
      return false;
    ret->insert (ret->end (), comp->data, comp->data + pixels);
  }
  return true;
}

bool
jpeg2000_decode (const uint8_t *data, size_t size, const Jpeg2000Form &form,
                 std::vector<int32_t> *ret)
{
  Bytes bytes = { data, size, 0 };
  opj_dparameters_t parameters;
  if (!is_codestream (data, size))
    return false;
  Stream stream = { opj_stream_default_create (OPJ_TRUE) };
  Codec codec = { opj_create_decompress (OPJ_CODEC_J2K) };
  Image image = { nullptr };
  if (stream.own == nullptr || codec.own == nullptr)
    return false;
  opj_set_default_decoder_parameters (&parameters);
  opj_set_info_handler (codec.own, say_nothing, nullptr);
  opj_set_warning_handler (codec.own, say_nothing, nullptr);
  opj_set_error_handler (codec.own, say_nothing, nullptr);
  opj_stream_set_user_data (stream.own, &bytes, nullptr);
  opj_stream_set_user_data_length (stream.own, size);
  opj_stream_set_read_function (stream.own, read_bytes);
  opj_stream_set_skip_function (stream.own, skip_bytes);
  opj_stream_set_seek_function (stream.own, seek_bytes);
  /* Strict: half a picture is none. */
  if (!opj_setup_decoder (codec.own, &parameters)
      || !opj_decoder_set_strict_mode (codec.own, OPJ_TRUE)
      || !opj_read_header (stream.own, codec.own, &image.own) || !fits (image.own, form)
      || !opj_decode (codec.own, stream.own, image.own)
      || !opj_end_decompress (codec.own, stream.own))
    return false;
  return copy_samples (image.own, form, ret);
}
