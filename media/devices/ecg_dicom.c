#include "media/devices/ecg_dicom.h"
#include "media/devices/dicom_tree.h"
#include "media/error.h"

#include <math.h>
#include <stdio.h>

#define WAVEFORM_SEQUENCE DICOM_TAG (0x5400, 0x0100)
#define BITS_ALLOCATED DICOM_TAG (0x5400, 0x1004)
#define INTERPRETATION DICOM_TAG (0x5400, 0x1006)
#define PADDING DICOM_TAG (0x5400, 0x100A)
#define WAVEFORM_DATA DICOM_TAG (0x5400, 0x1010)
#define CHANNELS DICOM_TAG (0x003A, 0x0005)
#define SAMPLES DICOM_TAG (0x003A, 0x0010)
#define FREQUENCY DICOM_TAG (0x003A, 0x001A)
#define TIME_OFFSET DICOM_TAG (0x0018, 0x1068)
#define CHANNEL_SEQUENCE DICOM_TAG (0x003A, 0x0200)
#define CHANNEL_LABEL DICOM_TAG (0x003A, 0x0203)
#define SOURCE_SEQUENCE DICOM_TAG (0x003A, 0x0208)
#define SENSITIVITY DICOM_TAG (0x003A, 0x0210)
#define SENSITIVITY_UNITS DICOM_TAG (0x003A, 0x0211)
#define CORRECTION DICOM_TAG (0x003A, 0x0212)
#define BASELINE DICOM_TAG (0x003A, 0x0213)
#define BITS_STORED DICOM_TAG (0x003A, 0x021A)
#define CODE_VALUE DICOM_TAG (0x0008, 0x0100)
#define CODE_MEANING DICOM_TAG (0x0008, 0x0104)
#define ANNOTATIONS DICOM_TAG (0x0040, 0xB020)

typedef struct {
  EcgRecording *recording;
  const DicomSet *set;
  const char *charset;
} Dicom;

static gboolean
fail (GError **error, guint group, const char *what)
{
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED, "waveform group %u (5400,0100): %s",
               group + 1, what);
  return FALSE;
}

static char *
text_of (const Dicom *dicom, const DicomSet *set, guint32 tag)
{
  const DicomElement *element = dicom_find (set, tag);
  return element != NULL && element->data != NULL
             ? ecg_text (element->data, element->length, dicom->charset)
             : NULL;
}

/* ---- Patient, device, time ---------------------------------------------------------------------
 */

/* (0008,0005). What stands first holds for names without a second, ideographic form. */
static const char *
charset_of (const DicomSet *set)
{
  static const struct {
    const char *term, *name;
  } SETS[] = { { "ISO_IR 100", "ISO-8859-1" }, { "ISO_IR 101", "ISO-8859-2" },
               { "ISO_IR 109", "ISO-8859-3" }, { "ISO_IR 110", "ISO-8859-4" },
               { "ISO_IR 144", "ISO-8859-5" }, { "ISO_IR 166", "TIS-620" },
               { "ISO_IR 192", "UTF-8" },      { "GB18030", "GB18030" } };
  g_autofree char *term = dicom_bytes (set, DICOM_TAG (0x0008, 0x0005));
  for (gsize i = 0; term != NULL && i < G_N_ELEMENTS (SETS); i++)
    if (g_str_has_prefix (term, SETS[i].term))
      return SETS[i].name;
  return NULL;
}

/* "20130125105919.123+0100", or a date and a time apart. */
static void
take_time (const Dicom *dicom)
{
  g_autofree char *whole = dicom_bytes (dicom->set, DICOM_TAG (0x0008, 0x002A));
  g_autofree char *date = dicom_bytes (dicom->set, DICOM_TAG (0x0008, 0x0023));
  g_autofree char *time = dicom_bytes (dicom->set, DICOM_TAG (0x0008, 0x0033));
  g_autofree char *zone = dicom_bytes (dicom->set, DICOM_TAG (0x0008, 0x0201));
  g_autofree char *both = g_strconcat (date != NULL ? date : "", time != NULL ? time : "", NULL);
  const char *text = whole != NULL ? whole : both;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0;
  double second = 0;
  if (sscanf (text, "%4d%2d%2d%2d%2d%lf", &year, &month, &day, &hour, &minute, &second) < 3)
    year = 0;
  const char *sign = strpbrk (text, "+-");
  if (sign == NULL && zone != NULL)
    sign = strpbrk (zone, "+-");
  int hours = 0, minutes = 0;
  gboolean zoned = sign != NULL && sscanf (sign + 1, "%2d%2d", &hours, &minutes) == 2;
  int offset = (hours * 60 + minutes) * (zoned && *sign == '-' ? -1 : 1);
  ecg_set_time (dicom->recording, year, month, day, hour, minute,
                second >= 0 && second < 60 ? second : 0, zoned ? &offset : NULL);
}

static void
take_identity (const Dicom *dicom)
{
  EcgRecording *recording = dicom->recording;
  recording->patient_id = text_of (dicom, dicom->set, DICOM_TAG (0x0010, 0x0020));
  g_autofree char *name = text_of (dicom, dicom->set, DICOM_TAG (0x0010, 0x0010));
  if (name != NULL) {
    name[strcspn (name, "=")] = '\0';
    g_strdelimit (name, "^", ' ');
    ecg_set_text (&recording->patient_name, (const guint8 *)name, strlen (name), "UTF-8");
  }
  g_autofree char *birth = dicom_bytes (dicom->set, DICOM_TAG (0x0010, 0x0030));
  int year = 0, month = 0, day = 0;
  if (birth != NULL && sscanf (birth, "%4d%2d%2d", &year, &month, &day) == 3)
    recording->patient_birth = ecg_date (year, month, day);
  g_autofree char *sex = dicom_bytes (dicom->set, DICOM_TAG (0x0010, 0x0040));
  recording->patient_sex = g_strcmp0 (sex, "M") == 0   ? "male"
                           : g_strcmp0 (sex, "F") == 0 ? "female"
                           : g_strcmp0 (sex, "O") == 0 ? "other"
                                                       : NULL;
  recording->maker = text_of (dicom, dicom->set, DICOM_TAG (0x0008, 0x0070));
  recording->model = text_of (dicom, dicom->set, DICOM_TAG (0x0008, 0x1090));
  recording->device = text_of (dicom, dicom->set, DICOM_TAG (0x0018, 0x1000));
  take_time (dicom);
}

/* ---- A multiplex group --------------------------------------------------------------------------
 */

typedef struct {
  const DicomSet *set;
  guint number;
  guint16 channels, bits;
  guint32 samples;
  gboolean is_signed, padded;
  gint32 padding;
  const guint8 *data;
} Group;

static gboolean
take_samples (Group *group, GError **error)
{
  const DicomElement *samples = dicom_find (group->set, SAMPLES);
  const DicomElement *data = dicom_find (group->set, WAVEFORM_DATA);
  g_autofree char *kind = dicom_bytes (group->set, INTERPRETATION);
  if (samples == NULL || samples->data == NULL || samples->length != 4 || data == NULL
      || data->data == NULL || !dicom_u16 (group->set, CHANNELS, &group->channels)
      || !dicom_u16 (group->set, BITS_ALLOCATED, &group->bits) || kind == NULL)
    return fail (error, group->number, "channels, samples, bits or data are missing");
  EcgBytes count = ecg_bytes (samples->data, 4);
  group->samples = ecg_bytes_u32 (&count);
  group->is_signed = *kind == 'S';
  if ((group->bits != 8 && group->bits != 16) || kind[0] == 'M' || kind[0] == 'A')
    return fail (error, group->number,
                 "only whole numbers of 8 and 16 bits (SB UB SS US) are supported");
  if (group->channels == 0 || group->channels > WAVE_LEADS_MAX
      || (guint64)group->samples * group->channels * (group->bits / 8) > data->length)
    return fail (
        error, group->number,
        "its data (5400,1010) are shorter than channels and samples demand, or it has more "
        "than 32 channels");
  group->data = data->data;
  return TRUE;
}

static gint32
value_at (const Group *group, const guint8 *p)
{
  if (group->bits == 8)
    return group->is_signed ? (gint8)*p : *p;
  guint16 value = (guint16)(p[0] | p[1] << 8);
  return group->is_signed ? (gint16)value : value;
}

static void
take_padding (Group *group)
{
  const DicomElement *padding = dicom_find (group->set, PADDING);
  group->padded = padding != NULL && padding->data != NULL && padding->length >= group->bits / 8;
  if (group->padded)
    group->padding = value_at (group, padding->data);
}

/* By code where a scheme that numbers the leads was used (PS3.16, CID 3001), else by word. */
static char *
channel_name (const Dicom *dicom, const DicomSet *channel)
{
  const DicomSet *source = dicom_item (channel, SOURCE_SEQUENCE, 0);
  g_autofree char *code = text_of (dicom, source, CODE_VALUE);
  guint number = 0;
  if (code != NULL
      && (sscanf (code, "5.6.3-9-%3u", &number) == 1 || sscanf (code, "2:%3u", &number) == 1)
      && ecg_lead_name (number) != NULL)
    return g_strdup (ecg_lead_name (number));
  char *name = text_of (dicom, source, CODE_MEANING);
  return name != NULL ? name : text_of (dicom, channel, CHANNEL_LABEL);
}

/* Value * sensitivity * correction + baseline, in the unit of the sensitivity (C.10.9.1.4.5). */
static void
set_channel (const Dicom *dicom, const Group *group, guint index, WaveLead *lead)
{
  const DicomSet *channel = dicom_item (group->set, CHANNEL_SEQUENCE, index);
  g_autofree char *name = channel_name (dicom, channel);
  g_autofree char *unit = text_of (dicom, dicom_item (channel, SENSITIVITY_UNITS, 0), CODE_VALUE);
  double sensitivity = 0, correction = 1, baseline = 0;
  dicom_number (channel, SENSITIVITY, &sensitivity);
  dicom_number (channel, CORRECTION, &correction);
  dicom_number (channel, BASELINE, &baseline);
  guint16 bits = 0;
  dicom_u16 (channel, BITS_STORED, &bits);
  gboolean scaled = sensitivity != 0 && unit != NULL;
  ecg_lead_set (lead, name, scaled ? unit : NULL, scaled ? sensitivity * correction : 0,
                scaled ? baseline : 0, bits);
  if (!scaled)
    ecg_add_note (dicom->recording, "channel %s is not calibrated: it has no sensitivity",
                  lead->name);
}

static gboolean
read_group (const Dicom *dicom, guint number, GError **error)
{
  Group group = { .set = dicom_item (dicom->set, WAVEFORM_SEQUENCE, number), .number = number };
  if (!take_samples (&group, error))
    return FALSE;
  take_padding (&group);
  g_autofree char *frequency = dicom_bytes (group.set, FREQUENCY);
  guint64 num = 0, den = 0;
  if (frequency == NULL || !ecg_rational (frequency, &num, &den))
    return fail (error, number, "its sampling frequency (003a,001a) is no number");
  WaveStream *stream = ecg_stream_new (num, den, group.channels, error);
  if (stream == NULL)
    return FALSE;
  for (guint i = 0; i < group.channels; i++)
    set_channel (dicom, &group, i, &stream->leads[i]);
  ecg_add_stream (dicom->recording, stream);
  WaveBlock *block = ecg_add_block (dicom->recording, stream, 0, 0, group.samples, error);
  if (block == NULL)
    return FALSE;
  double offset_ms = 0;
  if (block->time_us != 0 && dicom_number (group.set, TIME_OFFSET, &offset_ms)
      && fabs (offset_ms) < 1e9)
    block->time_us += (gint64)(offset_ms * 1000);
  const guint8 *p = group.data;
  for (guint32 i = 0; i < group.samples; i++)
    for (guint channel = 0; channel < group.channels; channel++, p += group.bits / 8) {
      gint32 value = value_at (&group, p);
      block->samples[(gsize)channel * block->count + i]
          = group.padded && value == group.padding ? WAVE_MISSING : value;
    }
  return TRUE;
}

/* ---- What is said about them
 * --------------------------------------------------------------------- */

static void
take_annotation (const Dicom *dicom, const DicomSet *item)
{
  g_autofree char *text = text_of (dicom, item, DICOM_TAG (0x0070, 0x0006));
  g_autofree char *name
      = text_of (dicom, dicom_item (item, DICOM_TAG (0x0040, 0xA043), 0), CODE_MEANING);
  char *value = text_of (dicom, item, DICOM_TAG (0x0040, 0xA30A));
  if (name != NULL && value != NULL) {
    g_autofree char *unit
        = text_of (dicom, dicom_item (item, DICOM_TAG (0x0040, 0x08EA), 0), CODE_VALUE);
    ecg_add_measurement (dicom->recording, name, NULL, unit, value);
    return;
  }
  g_free (value);
  if (name == NULL && text != NULL)
    ecg_add_interpretation (dicom->recording, g_steal_pointer (&text));
}

EcgRecording *
ecg_dicom_read (const guint8 *data, gsize length, GError **error)
{
  g_autoptr (DicomSet) set = dicom_parse (data, length, error);
  if (set == NULL)
    return NULL;
  guint groups = dicom_item_count (set, WAVEFORM_SEQUENCE);
  if (groups == 0) {
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                         "the file has no waveforms (5400,0100): it is no ECG");
    return NULL;
  }
  g_autoptr (EcgRecording) recording = ecg_recording_new ("dicom");
  Dicom dicom = { recording, set, charset_of (set) };
  take_identity (&dicom);
  for (guint i = 0; i < groups; i++)
    if (!read_group (&dicom, i, error))
      return NULL;
  for (guint i = 0; i < dicom_item_count (set, ANNOTATIONS); i++)
    take_annotation (&dicom, dicom_item (set, ANNOTATIONS, i));
  return g_steal_pointer (&recording);
}
