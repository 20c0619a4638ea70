#include "media/devices/scp_sections.h"
#include "media/error.h"

#define SECTION_HEADER 16

guint16
scp_crc (const guint8 *data, gsize length)
{
  /* Of the sixteen values of four bits: x^16 + x^12 + x^5 + 1. */
  static const guint16 steps[16]
      = { 0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
          0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF };
  guint16 value = 0xFFFF;
  for (gsize i = 0; i < length; i++) {
    value = (guint16)(value << 4 ^ steps[(value >> 12) ^ (data[i] >> 4)]);
    value = (guint16)(value << 4 ^ steps[(value >> 12) ^ (data[i] & 0xF)]);
  }
  return value;
}

gboolean
scp_has (const ScpRecord *record, guint section)
{
  return record->section[section].data != NULL;
}

static gboolean
take_section (const EcgBytes *whole, guint id, guint32 length, guint32 index, ScpRecord *record,
              GError **error)
{
  EcgBytes section = ecg_bytes_part (whole, index > 0 ? index - 1 : whole->length + 1, length);
  guint16 sum = ecg_bytes_u16 (&section);
  guint16 own_id = ecg_bytes_u16 (&section);
  guint32 own_length = ecg_bytes_u32 (&section);
  if (section.failed || length < SECTION_HEADER || own_id != id || own_length != length) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                 "section %u is not where section 0 says (byte %u, %u bytes): the file is cut or "
                 "damaged, export it again",
                 id, index, length);
    return FALSE;
  }
  if (sum != scp_crc (section.data + 2, length - 2)) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                 "section %u has a wrong checksum: the file is damaged, export it again", id);
    return FALSE;
  }
  record->section[id] = ecg_bytes (section.data + SECTION_HEADER, length - SECTION_HEADER);
  return TRUE;
}

static gboolean
check_frame (EcgBytes *bytes, gsize length, GError **error)
{
  guint16 sum = ecg_bytes_u16 (bytes);
  guint32 size = ecg_bytes_u32 (bytes);
  if (bytes->failed || size > length || size < 6 + SECTION_HEADER) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                 "the record says that it has %u bytes, the file has %" G_GSIZE_FORMAT
                 ": it is no SCP-ECG file, or incomplete",
                 size, length);
    return FALSE;
  }
  if (sum != scp_crc (bytes->data + 2, size - 2)) {
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                         "the record's checksum is wrong: the file is damaged, or no SCP-ECG file; "
                         "export it again");
    return FALSE;
  }
  bytes->length = size;
  return TRUE;
}

gboolean
scp_record_parse (const guint8 *data, gsize length, ScpRecord *ret, GError **error)
{
  EcgBytes bytes = ecg_bytes (data, length);
  if (!check_frame (&bytes, length, error))
    return FALSE;
  ScpRecord record = { 0 };
  EcgBytes head = bytes;
  ecg_bytes_take (&head, 4);
  guint32 pointers = ecg_bytes_u32 (&head);
  if (!take_section (&bytes, 0, pointers, 7, &record, error))
    return FALSE;
  EcgBytes *list = &record.section[0];
  while (ecg_bytes_left (list) >= 10) {
    guint id = ecg_bytes_u16 (list);
    guint32 section_length = ecg_bytes_u32 (list);
    guint32 index = ecg_bytes_u32 (list);
    /* Absent sections have length 0; those above 11 are the maker's own. */
    if (id == 0 || id >= SCP_SECTIONS || section_length <= SECTION_HEADER)
      continue;
    if (!take_section (&bytes, id, section_length, index, &record, error))
      return FALSE;
  }
  *ret = record;
  return TRUE;
}

/* ---- Section 1 --------------------------------------------------------------------------------
 */

/* The language code of the acquiring device (tag 14, byte 17), for what it names by ISO 8859. */
static const char *
charset_of (guint8 language)
{
  static const struct {
    guint8 code;
    const char *name;
  } SETS[] = { { 0x01, "ISO-8859-1" }, { 0x03, "ISO-8859-2" },  { 0x0B, "ISO-8859-4" },
               { 0x13, "ISO-8859-5" }, { 0x1B, "ISO-8859-6" },  { 0x23, "ISO-8859-7" },
               { 0x2B, "ISO-8859-8" }, { 0x33, "ISO-8859-11" }, { 0x3B, "ISO-8859-15" },
               { 0x07, "UTF-8" } };
  for (gsize i = 0; i < G_N_ELEMENTS (SETS); i++)
    if (SETS[i].code == language)
      return SETS[i].name;
  return NULL;
}

typedef struct {
  char *family, *given, *second, *number, *software;
  const char *charset;
  int date[3], time[3], offset;
  gboolean has_date, has_time, has_offset;
} Tags;

static void
take_strings (EcgRecording *recording, EcgBytes rest, const char *charset)
{
  /* Program revision, serial number, system software, SCP software, maker: each ends with a zero.
   */
  char **members[] = { NULL, &recording->device, NULL, NULL, &recording->maker };
  for (guint i = 0; i < G_N_ELEMENTS (members) && ecg_bytes_left (&rest) > 0; i++) {
    const guint8 *start = rest.data + rest.at;
    const guint8 *end = memchr (start, 0, ecg_bytes_left (&rest));
    gsize length = end != NULL ? (gsize)(end - start) : ecg_bytes_left (&rest);
    if (members[i] != NULL)
      ecg_set_text (members[i], start, length, charset);
    ecg_bytes_take (&rest, MIN (length + 1, ecg_bytes_left (&rest)));
  }
}

static void
take_device (EcgRecording *recording, EcgBytes value, Tags *tags)
{
  EcgBytes rest = value;
  ecg_bytes_take (&rest, 8);
  const guint8 *model = ecg_bytes_take (&rest, 6);
  ecg_bytes_take (&rest, 2);
  tags->charset = charset_of (ecg_bytes_u8 (&rest));
  ecg_bytes_take (&rest, 19);
  if (model != NULL)
    ecg_set_text (&recording->model, model, 6, tags->charset);
  if (!rest.failed)
    take_strings (recording, rest, tags->charset);
}

static void
take_numbers (EcgRecording *recording, guint tag, EcgBytes value, Tags *tags)
{
  if (tag == 5 || tag == 25) {
    int year = ecg_bytes_u16 (&value), month = ecg_bytes_u8 (&value), day = ecg_bytes_u8 (&value);
    if (tag == 5) {
      g_free (recording->patient_birth);
      recording->patient_birth = value.failed ? NULL : ecg_date (year, month, day);
    } else if (!value.failed) {
      memcpy (tags->date, (int[]){ year, month, day }, sizeof tags->date);
      tags->has_date = TRUE;
    }
  } else if (tag == 26) {
    for (guint i = 0; i < 3; i++)
      tags->time[i] = ecg_bytes_u8 (&value);
    tags->has_time = !value.failed;
  } else if (tag == 34) {
    tags->offset = ecg_bytes_i16 (&value);
    tags->has_offset = !value.failed && tags->offset != 0x7FFF;
  } else if (tag == 8) {
    guint8 sex = ecg_bytes_u8 (&value);
    recording->patient_sex = sex == 1 ? "male" : sex == 2 ? "female" : NULL;
  }
}

static void
take_tag (EcgRecording *recording, guint tag, EcgBytes value, Tags *tags)
{
  char **text = tag == 0   ? &tags->family
                : tag == 1 ? &tags->given
                : tag == 3 ? &tags->second
                : tag == 2 ? &recording->patient_id
                           : NULL;
  if (text != NULL)
    ecg_set_text (text, value.data, value.length, tags->charset);
  else if (tag == 10 || tag == 13 || tag == 30 || tag == 35) {
    static const char *names[]
        = { [10] = "Drug", [13] = "Indication", [30] = "Remark", [35] = "History" };
    gsize skip = tag == 10 ? MIN (3, value.length) : 0;
    ecg_add_measurement (recording, names[tag], NULL, NULL,
                         ecg_text (value.data + skip, value.length - skip, tags->charset));
  } else
    take_numbers (recording, tag, value, tags);
}

static void
each_tag (const ScpRecord *record, EcgRecording *recording, Tags *tags, gboolean device)
{
  EcgBytes section = record->section[1];
  while (ecg_bytes_left (&section) >= 3) {
    guint tag = ecg_bytes_u8 (&section);
    guint length = ecg_bytes_u16 (&section);
    const guint8 *value = tag != 255 ? ecg_bytes_take (&section, length) : NULL;
    if (value == NULL)
      break;
    if (device && tag == 14)
      take_device (recording, ecg_bytes (value, length), tags);
    else if (!device)
      take_tag (recording, tag, ecg_bytes (value, length), tags);
  }
}

void
scp_read_patient (const ScpRecord *record, EcgRecording *recording)
{
  Tags tags = { 0 };
  /* The device first: its language says how the names are written. */
  each_tag (record, recording, &tags, TRUE);
  each_tag (record, recording, &tags, FALSE);
  g_autofree char *name = g_strjoin (" ", tags.family != NULL ? tags.family : "",
                                     tags.second != NULL ? tags.second : "",
                                     tags.given != NULL ? tags.given : "", NULL);
  g_auto (GStrv) words = g_strsplit (name, " ", -1);
  GString *joined = g_string_new (NULL);
  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      g_string_append_printf (joined, "%s%s", joined->len > 0 ? " " : "", words[i]);
  recording->patient_name = g_string_free (joined, joined->len == 0);
  if (tags.has_date)
    ecg_set_time (recording, tags.date[0], tags.date[1], tags.date[2],
                  tags.has_time ? tags.time[0] : 0, tags.has_time ? tags.time[1] : 0,
                  tags.has_time ? MIN (tags.time[2], 59) : 0,
                  tags.has_offset ? &tags.offset : NULL);
  g_free (tags.family);
  g_free (tags.given);
  g_free (tags.second);
}
