/* An object's frames. */
#include "media/dicom/jpeg2000.h"
#include "media/dicom/object.h"
#include "media/dicom/voi_lut.h"
#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dccodec.h"
#include "dcmtk/dcmdata/dcpixel.h"
#include "dcmtk/dcmdata/dcpixseq.h"
#include "dcmtk/dcmdata/dcpxitem.h"
#include "dcmtk/dcmimage/diregist.h"
#include "dcmtk/dcmimgle/dcmimage.h"
#include <algorithm>
#include <cmath>

bool
DicomObject::decode (unsigned n, Frame *ret)
{
  if (!picture.shown || n >= picture.frames)
    return false;
  ret->columns = picture.columns;
  ret->rows = picture.rows;
  return picture.jpeg2000 ? decode_jpeg2000 (n, ret)
         : picture.grey   ? decode_grey (n, ret)
                          : decode_colour (n, ret);
}

bool
DicomObject::shades (unsigned n, std::vector<uint8_t> *ret)
{
  return voi_lut_shades (file->getDataset (), picture, n, ret);
}

/* PS3.5 §8.1.1: a sample lies in its cell up to the high bit; other bits may be an overlay. */
static uint16_t
sample_of (const PictureForm &form, unsigned raw)
{
  unsigned value = (raw >> (form.high + 1 - form.stored)) & ((1u << form.stored) - 1);
  return static_cast<uint16_t> (form.is_signed ? value ^ (1u << (form.stored - 1)) : value);
}

bool
DicomObject::decode_grey (unsigned n, Frame *ret)
{
  DcmDataset *data = file->getDataset ();
  DcmElement *element = nullptr;
  const size_t pixels = static_cast<size_t> (picture.rows) * picture.columns;
  const size_t bytes = picture.allocated / 8;
  std::vector<uint16_t> cells ((pixels * bytes + 3) / 2);
  Uint32 size = 0, fragment = 0;
  OFString model;
  if (data->findAndGetElement (DCM_PixelData, element).bad ()
      || element->getUncompressedFrameSize (data, size).bad () || size < pixels * bytes
      || size > cells.size () * 2
      || element
             ->getUncompressedFrame (data, n, fragment, cells.data (),
                                     static_cast<Uint32> (cells.size () * 2 / 2 * 2), model)
             .bad ())
    return false;
  const uint8_t *narrow = reinterpret_cast<const uint8_t *> (cells.data ());
  ret->grey.resize (pixels);
  for (size_t i = 0; i < pixels; i++)
    ret->grey[i] = sample_of (picture, bytes == 2 ? cells[i] : narrow[i]);
  return true;
}

bool
DicomObject::decode_colour (unsigned n, Frame *ret)
{
  DcmDataset *data = file->getDataset ();
  const size_t bytes = static_cast<size_t> (picture.rows) * picture.columns * 3;
  DicomImage image (data, data->getOriginalXfer (), CIF_UsePartialAccessToPixelData, n, 1);
  if (image.getStatus () != EIS_Normal || image.getWidth () != picture.columns
      || image.getHeight () != picture.rows || image.isMonochrome ())
    return false;
  ret->colour.resize (bytes);
  return image.getOutputData (ret->colour.data (), bytes, 8) != 0;
}

/* ---- JPEG 2000 ---------------------------------------------------------------------------- */

/* PS3.5 annex A.4: the bytes of one frame, which may lie in several fragments. */
bool
DicomObject::codestream (unsigned n, std::vector<uint8_t> *ret)
{
  DcmDataset *data = file->getDataset ();
  DcmElement *element = nullptr;
  DcmPixelSequence *sequence = nullptr;
  if (data->findAndGetElement (DCM_PixelData, element).bad ())
    return false;
  DcmPixelData *pixels = OFdynamic_cast (DcmPixelData *, element);
  const Sint32 frames = static_cast<Sint32> (picture.frames);
  Uint32 from = 0, to = 0;
  if (pixels == nullptr
      || pixels->getEncapsulatedRepresentation (data->getOriginalXfer (), nullptr, sequence).bad ()
      || sequence == nullptr || DcmCodec::determineStartFragment (n, frames, sequence, from).bad ())
    return false;
  to = static_cast<Uint32> (sequence->card ());
  if (n + 1 < picture.frames
      && DcmCodec::determineStartFragment (n + 1, frames, sequence, to).bad ())
    return false;
  for (Uint32 i = from; i < to; i++) {
    DcmPixelItem *item = nullptr;
    Uint8 *bytes = nullptr;
    if (sequence->getItem (item, i).bad () || item->getUint8Array (bytes).bad ())
      return false;
    if (bytes != nullptr)
      ret->insert (ret->end (), bytes, bytes + item->getLength ());
  }
  return !ret->empty ();
}

static uint8_t
clamped (double value)
{
  return static_cast<uint8_t> (std::lround (std::min (std::max (value, 0.0), 255.0)));
}

/* PS3.3 §C.7.6.3.1.2, YBR_FULL. */
static void
put_ybr (uint8_t *to, double y, double b, double r)
{
  to[0] = clamped (y + 1.402 * (r - 128));
  to[1] = clamped (y - 0.344136 * (b - 128) - 0.714136 * (r - 128));
  to[2] = clamped (y + 1.772 * (b - 128));
}

bool
DicomObject::decode_jpeg2000 (unsigned n, Frame *ret)
{
  const size_t pixels = static_cast<size_t> (picture.rows) * picture.columns;
  const Jpeg2000Form form = { picture.columns, picture.rows, picture.grey ? 1u : 3u,
                              picture.grey ? picture.allocated : 8u };
  std::vector<uint8_t> bytes;
  std::vector<int32_t> samples;
  if (!codestream (n, &bytes) || !jpeg2000_decode (bytes.data (), bytes.size (), form, &samples))
    return false;
  if (picture.grey) {
    const uint32_t mask = (1u << picture.stored) - 1;
    const uint32_t flip = picture.is_signed ? 1u << (picture.stored - 1) : 0;
    ret->grey.resize (pixels);
    for (size_t i = 0; i < pixels; i++)
      ret->grey[i] = static_cast<uint16_t> ((static_cast<uint32_t> (samples[i]) & mask) ^ flip);
    return true;
  }
  ret->colour.resize (3 * pixels);
  for (size_t i = 0; i < pixels; i++) {
    const int32_t a = samples[i], b = samples[pixels + i], c = samples[2 * pixels + i];
    uint8_t *to = &ret->colour[3 * i];
    if (picture.ybr)
      put_ybr (to, a, b, c);
    else
      for (unsigned channel = 0; channel < 3; channel++)
        to[channel] = clamped (samples[channel * pixels + i]);
  }
  return true;
}
