/* A DICOM object in memory: what it says of itself, and its pictures. Hostile until shown
 * otherwise; sizes are looked at before anything is allocated. */
#pragma once
#include <cstdint>
#include <jansson.h>
#include <memory>
#include <string>
#include <vector>

class DcmFileFormat;

enum {
  OBJECT_FRAMES_MAX = 5000,
  OBJECT_FRAME_PIXELS_MAX = 32 * 1024 * 1024,
};

struct PictureForm {
  bool shown = false;
  std::string reason; /* machine word, why it is not shown */
  bool grey = false, invert = false, is_signed = false;
  bool jpeg2000 = false, ybr = false; /* ybr: colour is luminance and two differences */
  unsigned rows = 0, columns = 0, frames = 0;
  unsigned allocated = 0, stored = 0, high = 0;
  double slope = 1, intercept = 0, center = 0, width = 0; /* width 0: none said */
};

/* One frame as decoded: grey samples (as stored, signed ones moved up by 1 << (stored - 1)), or
 * red, green, blue by turns. */
struct Frame {
  unsigned columns = 0, rows = 0;
  std::vector<uint16_t> grey;
  std::vector<uint8_t> colour;
};

class DicomObject
{
public:
  DicomObject ();
  ~DicomObject ();
  /* bytes: of a file of PS3.10; they must stay. FALSE: no such file. */
  bool load (const void *bytes, size_t size);
  /* What docs/protocol.md calls <study item>'s "about" (to be freed). */
  json_t *describe ();
  const PictureForm &form () const;
  bool decode (unsigned n, Frame *ret);
  /* voi_lut.h */
  bool shades (unsigned n, std::vector<uint8_t> *ret);

private:
  bool decode_grey (unsigned n, Frame *ret);
  bool decode_colour (unsigned n, Frame *ret);
  bool codestream (unsigned n, std::vector<uint8_t> *ret);
  bool decode_jpeg2000 (unsigned n, Frame *ret);
  std::unique_ptr<DcmFileFormat> file;
  PictureForm picture;
};

/* Decoders, dictionary, character sets: what would be loaded from files later. */
void object_prepare ();
