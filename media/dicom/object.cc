#include "media/dicom/object.h"
#include "media/dicom/voi_lut.h"
#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dctk.h"
#include "dcmtk/dcmdata/dcistrmb.h"
#include "dcmtk/dcmdata/dcrledrg.h"
#include "dcmtk/dcmjpeg/djdecode.h"
#include "dcmtk/dcmjpls/djdecode.h"
#include "dcmtk/ofstd/ofchrenc.h"
#include <cmath>

enum { TEXT_MAX = 200 };

void
object_prepare ()
{
  /* Each stays open, so that none has to be loaded from a file any more. */
  static OFCharacterEncoding encodings[9];
  static const char *const names[]
      = { "ISO-8859-1", "ISO-8859-2", "ISO-8859-5", "ISO-8859-7", "TIS-620",
          "GB18030",    "SHIFT_JIS",  "EUC-KR",     "ASCII" };
  for (unsigned i = 0; i < 9; i++)
    encodings[i].selectEncoding (names[i], "UTF-8");
  dcmDataDict.rdlock ();
  dcmDataDict.rdunlock ();
  DJDecoderRegistration::registerCodecs ();
  DJLSDecoderRegistration::registerCodecs ();
  DcmRLEDecoderRegistration::registerCodecs ();
  OFLog::configure (OFLogger::OFF_LOG_LEVEL);
}

DicomObject::DicomObject () = default;
DicomObject::~DicomObject () = default;

/* ---- Texts -------------------------------------------------------------------------------- */

/* At most TEXT_MAX bytes of UTF-8 without control characters; "" when it is none. */
static std::string
clean (const OFString &text)
{
  std::string out;
  for (char c : text)
    if (static_cast<unsigned char> (c) >= 0x20 && c != 0x7f)
      out.push_back (c);
  while (!out.empty () && out.back () == ' ')
    out.pop_back ();
  if (out.size () > TEXT_MAX) {
    size_t end = TEXT_MAX;
    while (end > 0 && (out[end] & 0xc0) == 0x80)
      end--;
    out.resize (end);
  }
  json_t *valid = json_stringn (out.data (), out.size ());
  if (valid == nullptr)
    for (char &c : out)
      if (static_cast<unsigned char> (c) >= 0x80)
        c = '?';
  json_decref (valid);
  return out;
}

static std::string
text_of (DcmItem *item, const DcmTagKey &tag)
{
  OFString value;
  return item->findAndGetOFString (tag, value).good () ? clean (value) : std::string ();
}

/* PS3.5 §6.2.1.1: family^given^middle^prefix^suffix; the alphabetic group. */
static std::string
person (DcmItem *item, const DcmTagKey &tag)
{
  std::string name = text_of (item, tag);
  name.resize (std::min (name.find ('='), name.size ()));
  for (char &c : name)
    if (c == '^')
      c = ' ';
  while (!name.empty () && name.back () == ' ')
    name.pop_back ();
  return name;
}

static void
add_text (json_t *json, const char *key, const std::string &value)
{
  if (!value.empty ())
    json_object_set_new (json, key, json_string (value.c_str ()));
}

static bool
number (DcmItem *item, const DcmTagKey &tag, unsigned long at, double *ret)
{
  Float64 value;
  OFString text;
  if (item->findAndGetFloat64 (tag, value, at).bad ()) {
    OFBool ok = OFFalse;
    if (item->findAndGetOFString (tag, text, at).bad ())
      return false;
    value = OFStandard::atof (text.c_str (), &ok);
    if (!ok)
      return false;
  }
  if (!std::isfinite (value))
    return false;
  *ret = value;
  return true;
}

static unsigned
whole (DcmItem *item, const DcmTagKey &tag, unsigned otherwise)
{
  Uint16 small;
  Uint32 large;
  Sint32 text;
  if (item->findAndGetUint16 (tag, small).good ())
    return small;
  if (item->findAndGetUint32 (tag, large).good ())
    return large;
  if (item->findAndGetSint32 (tag, text).good () && text >= 0)
    return static_cast<unsigned> (text);
  return otherwise;
}

/* ---- Loading ------------------------------------------------------------------------------ */

static bool
is_jpeg2000 (DcmDataset *data)
{
  const E_TransferSyntax syntax = data->getOriginalXfer ();
  return syntax == EXS_JPEG2000LosslessOnly || syntax == EXS_JPEG2000;
}

static void
read_form (DcmDataset *data, PictureForm *form)
{
  unsigned samples = whole (data, DCM_SamplesPerPixel, 1);
  std::string photometric = text_of (data, DCM_PhotometricInterpretation);
  form->rows = whole (data, DCM_Rows, 0);
  form->columns = whole (data, DCM_Columns, 0);
  form->frames = whole (data, DCM_NumberOfFrames, 1);
  form->allocated = whole (data, DCM_BitsAllocated, 0);
  form->stored = whole (data, DCM_BitsStored, form->allocated);
  form->high = whole (data, DCM_HighBit, form->stored > 0 ? form->stored - 1 : 0);
  form->is_signed = whole (data, DCM_PixelRepresentation, 0) == 1;
  form->grey = samples == 1 && photometric.compare (0, 10, "MONOCHROME") == 0;
  form->invert = photometric == "MONOCHROME1";
  form->jpeg2000 = is_jpeg2000 (data);
  /* YBR_RCT and YBR_ICT are of the codestream's own making, undone by its decoder. */
  form->ybr = photometric.compare (0, 8, "YBR_FULL") == 0;
  number (data, DCM_RescaleSlope, 0, &form->slope);
  number (data, DCM_RescaleIntercept, 0, &form->intercept);
  if (number (data, DCM_WindowWidth, 0, &form->width) && form->width > 0)
    number (data, DCM_WindowCenter, 0, &form->center);
  else
    form->width = 0;
  const uint64_t pixels = static_cast<uint64_t> (form->rows) * form->columns;
  if (!data->tagExistsWithValue (DCM_PixelData))
    form->reason = "no-picture";
  else if (pixels == 0 || pixels > OBJECT_FRAME_PIXELS_MAX || form->frames == 0
           || form->frames > OBJECT_FRAMES_MAX)
    form->reason = "too-large";
  else if ((form->allocated != 8 && form->allocated != 16) || form->stored == 0
           || form->stored > form->allocated || form->high >= form->allocated
           || form->high + 1 < form->stored || (samples != 1 && samples != 3)
           || (!form->grey && form->allocated != 8 && samples == 3)
           || (form->jpeg2000 && !form->grey && samples != 3))
    form->reason = "unknown-pixels";
  else
    form->shown = true;
}

bool
DicomObject::load (const void *bytes, size_t size)
{
  DcmInputBufferStream stream;
  file = std::make_unique<DcmFileFormat> ();
  stream.setBuffer (bytes, static_cast<offile_off_t> (size));
  stream.setEos ();
  file->transferInit ();
  OFCondition got = file->read (stream, EXS_Unknown, EGL_noChange, DCM_MaxReadLength);
  file->transferEnd ();
  DcmDataset *data = file->getDataset ();
  if (got.bad () || data == nullptr || !data->tagExistsWithValue (DCM_SOPInstanceUID))
    return false;
  data->convertToUTF8 (); /* what cannot be converted is cleaned byte by byte */
  read_form (data, &picture);
  return true;
}

const PictureForm &
DicomObject::form () const
{
  return picture;
}

/* ---- Describing --------------------------------------------------------------------------- */

/* PS3.3 C.8.5.5.1.1: where a pixel of an ultrasound picture is how many centimetres. */
static json_t *
regions_of (DcmDataset *data)
{
  json_t *list = json_array ();
  DcmItem *region;
  for (long i = 0;
       i < 16 && data->findAndGetSequenceItem (DCM_SequenceOfUltrasoundRegions, region, i).good ();
       i++) {
    double dx = 0, dy = 0;
    bool centimetres = whole (region, DCM_PhysicalUnitsXDirection, 0) == 3
                       && whole (region, DCM_PhysicalUnitsYDirection, 0) == 3
                       && number (region, DCM_PhysicalDeltaX, 0, &dx)
                       && number (region, DCM_PhysicalDeltaY, 0, &dy) && dx != 0 && dy != 0;
    if (!centimetres)
      continue;
    json_array_append_new (
        list, json_pack ("{s:i, s:i, s:i, s:i, s:f, s:f}", "x0",
                         static_cast<int> (whole (region, DCM_RegionLocationMinX0, 0)), "y0",
                         static_cast<int> (whole (region, DCM_RegionLocationMinY0, 0)), "x1",
                         static_cast<int> (whole (region, DCM_RegionLocationMaxX1, 0)), "y1",
                         static_cast<int> (whole (region, DCM_RegionLocationMaxY1, 0)), "dx_mm",
                         std::fabs (dx) * 10, "dy_mm", std::fabs (dy) * 10));
  }
  return list;
}

/* [row distance, column distance] in mm, and where they hold. */
static void
add_spacing (json_t *json, DcmDataset *data)
{
  static const struct {
    DcmTagKey tag;
    const char *where;
  } known[] = { { DCM_PixelSpacing, "patient" }, { DCM_ImagerPixelSpacing, "detector" } };
  for (const auto &one : known) {
    double row = 0, column = 0;
    if (!number (data, one.tag, 0, &row) || !number (data, one.tag, 1, &column) || row <= 0
        || column <= 0)
      continue;
    json_object_set_new (
        json, "spacing",
        json_pack ("{s:f, s:f, s:s}", "row_mm", row, "column_mm", column, "where", one.where));
    return;
  }
}

/* Milliseconds from frame to frame; 0: nothing is said. */
static double
frame_ms_of (DcmDataset *data)
{
  double value = 0;
  if (number (data, DCM_FrameTime, 0, &value) && value > 0)
    return value;
  if (number (data, DCM_FrameTimeVector, 1, &value) && value > 0)
    return value;
  for (const DcmTagKey &tag : { DCM_RecommendedDisplayFrameRate, DCM_CineRate })
    if (number (data, tag, 0, &value) && value > 0)
      return 1000 / value;
  return 0;
}

static json_t *
windows_of (DcmDataset *data)
{
  json_t *list = json_array ();
  double center, width;
  for (unsigned long i = 0; i < 8 && number (data, DCM_WindowCenter, i, &center)
                            && number (data, DCM_WindowWidth, i, &width);
       i++)
    if (width >= 1)
      json_array_append_new (list, json_pack ("{s:f, s:f}", "center", center, "width", width));
  return list;
}

static json_t *
picture_of (DcmDataset *data, const PictureForm &form)
{
  json_t *json = json_pack (
      "{s:b, s:i, s:i, s:i, s:b, s:b, s:b, s:i, s:f, s:f, s:o, s:o, s:o, s:b}", "shown", form.shown,
      "rows", static_cast<int> (form.rows), "columns", static_cast<int> (form.columns), "frames",
      static_cast<int> (form.frames), "grey", form.grey, "invert", form.invert, "signed",
      form.is_signed, "bits", static_cast<int> (form.stored), "slope", form.slope, "intercept",
      form.intercept, "windows", windows_of (data), "luts", voi_luts_describe (data, form),
      "regions", regions_of (data), "lossy", text_of (data, DCM_LossyImageCompression) == "01");
  double ms = frame_ms_of (data);
  if (ms >= 1 && ms <= 60000)
    json_object_set_new (json, "frame_ms", json_real (ms));
  add_text (json, "reason", form.reason);
  add_text (json, "unit", text_of (data, DCM_RescaleType));
  add_spacing (json, data);
  return json;
}

json_t *
DicomObject::describe ()
{
  static const struct {
    const char *key;
    DcmTagKey tag;
  } texts[] = { { "sop_class", DCM_SOPClassUID },
                { "sop_instance", DCM_SOPInstanceUID },
                { "study", DCM_StudyInstanceUID },
                { "series", DCM_SeriesInstanceUID },
                { "modality", DCM_Modality },
                { "study_description", DCM_StudyDescription },
                { "series_description", DCM_SeriesDescription },
                { "series_number", DCM_SeriesNumber },
                { "instance_number", DCM_InstanceNumber },
                { "body_part", DCM_BodyPartExamined },
                { "manufacturer", DCM_Manufacturer },
                { "model", DCM_ManufacturerModelName },
                { "study_date", DCM_StudyDate },
                { "study_time", DCM_StudyTime },
                { "date", DCM_ContentDate },
                { "time", DCM_ContentTime },
                { "accession", DCM_AccessionNumber } };
  DcmDataset *data = file->getDataset ();
  json_t *json = json_object (), *patient = json_object ();
  for (const auto &one : texts)
    add_text (json, one.key, text_of (data, one.tag));
  add_text (patient, "id", text_of (data, DCM_PatientID));
  add_text (patient, "name", person (data, DCM_PatientName));
  add_text (patient, "birth_date", text_of (data, DCM_PatientBirthDate));
  add_text (patient, "sex", text_of (data, DCM_PatientSex));
  json_object_set_new (json, "patient", patient);
  json_object_set_new (json, "picture", picture_of (data, picture));
  return json;
}
