#include "media/dicom/picture.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <jpeglib.h>
#include <zlib.h>

/* ---- Lossless ----------------------------------------------------------------------------- */

/* Difference to the left neighbour, in the first column to the one above; zigzag, so that small
 * ones of either sign have an empty upper byte: all lower bytes, then all upper ones. */
static std::vector<uint8_t>
grey_planes (const Frame &frame)
{
  const size_t pixels = frame.grey.size ();
  std::vector<uint8_t> planes (2 * pixels);
  for (size_t i = 0; i < pixels; i++) {
    uint16_t before = i % frame.columns > 0 ? frame.grey[i - 1]
                      : i > 0               ? frame.grey[i - frame.columns]
                                            : 0;
    int16_t step = static_cast<int16_t> (frame.grey[i] - before);
    uint16_t coded = static_cast<uint16_t> ((step << 1) ^ (step >> 15));
    planes[i] = static_cast<uint8_t> (coded);
    planes[pixels + i] = static_cast<uint8_t> (coded >> 8);
  }
  return planes;
}

/* Green, red − green, blue − green; in each the difference to the left neighbour as above. */
static std::vector<uint8_t>
colour_planes (const Frame &frame)
{
  const size_t pixels = frame.colour.size () / 3;
  std::vector<uint8_t> planes (3 * pixels);
  for (size_t i = 0; i < pixels; i++) {
    const uint8_t *rgb = &frame.colour[3 * i];
    planes[i] = rgb[1];
    planes[pixels + i] = static_cast<uint8_t> (rgb[0] - rgb[1]);
    planes[2 * pixels + i] = static_cast<uint8_t> (rgb[2] - rgb[1]);
  }
  for (size_t plane = 0; plane < 3; plane++)
    for (size_t i = pixels - 1; i > 0; i--) {
      uint8_t *at = &planes[plane * pixels + i];
      *at = static_cast<uint8_t> (*at
                                  - (i % frame.columns > 0 ? at[-1] : at[-(long)frame.columns]));
    }
  return planes;
}

bool
picture_lossless (const Frame &frame, std::vector<uint8_t> *ret)
{
  return picture_table (frame.colour.empty () ? grey_planes (frame) : colour_planes (frame), ret);
}

bool
picture_table (const std::vector<uint8_t> &planes, std::vector<uint8_t> *ret)
{
  uLongf size = compressBound (planes.size ());
  ret->resize (size);
  if (compress2 (ret->data (), &size, planes.data (), planes.size (), 6) != Z_OK)
    return false;
  ret->resize (size);
  return true;
}

/* ---- Small -------------------------------------------------------------------------------- */

struct Window {
  double low, high;
};

/* In stored samples. */
static Window
window_of (const Frame &frame, const PictureForm &form)
{
  const double moved = form.is_signed ? 1u << (form.stored - 1) : 0;
  if (form.width >= 1 && form.slope != 0) {
    double low = (form.center - form.width / 2 - form.intercept) / form.slope + moved;
    double high = (form.center + form.width / 2 - form.intercept) / form.slope + moved;
    return { std::min (low, high), std::max (low, high) };
  }
  auto ends = std::minmax_element (frame.grey.begin (), frame.grey.end ());
  return { static_cast<double> (*ends.first), static_cast<double> (*ends.second) };
}

static uint8_t
byte_of (double value)
{
  return static_cast<uint8_t> (std::lround (std::clamp (value, 0.0, 255.0)));
}

/* The mean of the pixels that one pixel of the small picture stands for. */
static double
mean (const Frame &frame, unsigned x0, unsigned x1, unsigned y0, unsigned y1, unsigned channel)
{
  double sum = 0;
  for (unsigned y = y0; y < y1; y++)
    for (unsigned x = x0; x < x1; x++) {
      size_t at = static_cast<size_t> (y) * frame.columns + x;
      sum += frame.colour.empty () ? frame.grey[at] : frame.colour[3 * at + channel];
    }
  return sum / ((x1 - x0) * (y1 - y0));
}

static std::vector<uint8_t>
shrink (const Frame &frame, const PictureForm &form, unsigned width, unsigned height)
{
  const unsigned channels = frame.colour.empty () ? 1 : 3;
  const Window window = frame.colour.empty () ? window_of (frame, form) : Window{ 0, 255 };
  const double span = std::max (window.high - window.low, 1.0);
  std::vector<uint8_t> out (static_cast<size_t> (width) * height * channels);
  for (unsigned y = 0; y < height; y++)
    for (unsigned x = 0; x < width; x++) {
      unsigned x0 = x * frame.columns / width, y0 = y * frame.rows / height;
      unsigned x1 = std::max (x0 + 1, (x + 1) * frame.columns / width);
      unsigned y1 = std::max (y0 + 1, (y + 1) * frame.rows / height);
      for (unsigned channel = 0; channel < channels; channel++) {
        uint8_t value = byte_of ((mean (frame, x0, x1, y0, y1, channel) - window.low) * 255 / span);
        out[(static_cast<size_t> (y) * width + x) * channels + channel]
            = form.grey && form.invert ? static_cast<uint8_t> (255 - value) : value;
      }
    }
  return out;
}

static void
write_jpeg (std::vector<uint8_t> &pixels, unsigned width, unsigned height, int quality,
            std::vector<uint8_t> *ret)
{
  jpeg_compress_struct jpeg = {};
  jpeg_error_mgr errors;
  unsigned char *out = nullptr;
  unsigned long size = 0;
  const bool grey = pixels.size () == static_cast<size_t> (width) * height;
  jpeg.err = jpeg_std_error (&errors); /* ends this process: it only ever sees our own pixels */
  jpeg_create_compress (&jpeg);
  jpeg_mem_dest (&jpeg, &out, &size);
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = grey ? 1 : 3;
  jpeg.in_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults (&jpeg);
  jpeg_set_quality (&jpeg, quality, TRUE);
  jpeg_start_compress (&jpeg, TRUE);
  while (jpeg.next_scanline < height) {
    JSAMPROW row = &pixels[static_cast<size_t> (jpeg.next_scanline) * width * (grey ? 1 : 3)];
    jpeg_write_scanlines (&jpeg, &row, 1);
  }
  jpeg_finish_compress (&jpeg);
  ret->assign (out, out + size);
  jpeg_destroy_compress (&jpeg);
  free (out);
}

/* What the table makes of a frame: samples of 8 bits. */
static Frame
shaded (const Frame &frame, const std::vector<uint8_t> &shades)
{
  Frame out;
  out.columns = frame.columns;
  out.rows = frame.rows;
  out.grey.resize (frame.grey.size ());
  for (size_t i = 0; i < frame.grey.size (); i++)
    out.grey[i] = shades[std::min<size_t> (frame.grey[i], shades.size () - 1)];
  return out;
}

/* Of such a frame: all of the 256 shades. */
static PictureForm
shaded_form (const PictureForm &form)
{
  PictureForm out = form;
  out.is_signed = false;
  out.slope = 1;
  out.intercept = 0;
  out.center = 127.5;
  out.width = 255;
  return out;
}

bool
picture_small (const Frame &frame, const PictureForm &form, const std::vector<uint8_t> &shades,
               unsigned size, int quality, std::vector<uint8_t> *ret)
{
  if (!shades.empty () && frame.colour.empty ())
    return picture_small (shaded (frame, shades), shaded_form (form), {}, size, quality, ret);
  const double scale
      = std::min (1.0, static_cast<double> (size) / std::max (frame.columns, frame.rows));
  const unsigned width = std::max (1u, static_cast<unsigned> (frame.columns * scale));
  const unsigned height = std::max (1u, static_cast<unsigned> (frame.rows * scale));
  std::vector<uint8_t> pixels = shrink (frame, form, width, height);
  write_jpeg (pixels, width, height, quality, ret);
  return !ret->empty ();
}
