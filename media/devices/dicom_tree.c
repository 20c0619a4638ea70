#include "media/devices/dicom_tree.h"
#include "media/error.h"

#include <math.h>

#define DEPTH_MAX 8
#define ELEMENTS_MAX 100000
#define UNDEFINED 0xFFFFFFFFu

#define ITEM DICOM_TAG (0xFFFE, 0xE000)
#define ITEM_END DICOM_TAG (0xFFFE, 0xE00D)
#define SEQUENCE_END DICOM_TAG (0xFFFE, 0xE0DD)

typedef struct {
  EcgBytes bytes;
  gboolean explicit;
  guint elements, depth;
} Reader;

static gboolean
fail (const Reader *reader, guint32 tag, const char *what, GError **error)
{
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
               "byte %" G_GSIZE_FORMAT ", element (%04x,%04x): %s", reader->bytes.at, tag >> 16,
               tag & 0xFFFF, what);
  return FALSE;
}

static void
element_clear (void *data)
{
  DicomElement *element = data;
  g_clear_pointer (&element->items, g_ptr_array_unref);
}

static DicomSet *
set_new (void)
{
  DicomSet *set = g_new0 (DicomSet, 1);
  set->elements = g_array_new (FALSE, TRUE, sizeof (DicomElement));
  g_array_set_clear_func (set->elements, element_clear);
  return set;
}

void
dicom_set_free (DicomSet *set)
{
  if (set == NULL)
    return;
  g_array_unref (set->elements);
  g_free (set);
}

/* Without a VR in the file these are known to be sequences; others are, when their length is not
 * stated. */
static gboolean
is_sequence (guint32 tag)
{
  static const guint32 TAGS[]
      = { DICOM_TAG (0x5400, 0x0100), DICOM_TAG (0x003A, 0x0200), DICOM_TAG (0x003A, 0x0208),
          DICOM_TAG (0x003A, 0x0211), DICOM_TAG (0x0040, 0xB020), DICOM_TAG (0x0040, 0xA043),
          DICOM_TAG (0x0040, 0x08EA), DICOM_TAG (0x0040, 0xA168) };
  for (gsize i = 0; i < G_N_ELEMENTS (TAGS); i++)
    if (TAGS[i] == tag)
      return TRUE;
  return FALSE;
}

static guint32
read_tag (EcgBytes *bytes)
{
  guint32 group = ecg_bytes_u16 (bytes);
  return group << 16 | ecg_bytes_u16 (bytes);
}

/* VR and length (PS3.5, 7.1.2): some VRs have 32 bits of length behind two that are reserved. */
static guint32
read_length (Reader *reader, guint32 tag, gboolean *ret_sequence)
{
  if (!reader->explicit || tag >> 16 == 0xFFFE) {
    guint32 length = ecg_bytes_u32 (&reader->bytes);
    *ret_sequence = is_sequence (tag) || length == UNDEFINED;
    return length;
  }
  const guint8 *vr = ecg_bytes_take (&reader->bytes, 2);
  *ret_sequence = vr != NULL && memcmp (vr, "SQ", 2) == 0;
  static const char LONG[] = "OBODOFOLOVOWSQSVUCUNURUTUV";
  for (gsize i = 0; vr != NULL && i + 1 < sizeof LONG; i += 2)
    if (memcmp (vr, LONG + i, 2) == 0) {
      ecg_bytes_take (&reader->bytes, 2);
      guint32 length = ecg_bytes_u32 (&reader->bytes);
      *ret_sequence |= memcmp (vr, "UN", 2) == 0 && length == UNDEFINED;
      return length;
    }
  return ecg_bytes_u16 (&reader->bytes);
}

static gboolean read_set (Reader *reader, DicomSet *set, gsize end, gboolean item, GError **error);

static gboolean
read_item (Reader *reader, GPtrArray *items, gsize end, gboolean *ret_done, GError **error)
{
  guint32 tag = read_tag (&reader->bytes);
  guint32 length = ecg_bytes_u32 (&reader->bytes);
  *ret_done = tag == SEQUENCE_END;
  if (*ret_done)
    return TRUE;
  if (tag != ITEM)
    return fail (reader, tag, "an item of a sequence was expected", error);
  if (++reader->elements > ELEMENTS_MAX)
    return fail (reader, tag, "more than 100,000 elements", error);
  gsize stop = length == UNDEFINED ? end : reader->bytes.at + length;
  if (reader->bytes.failed || stop > end)
    return fail (reader, tag, "the item is longer than what holds it", error);
  DicomSet *set = set_new ();
  g_ptr_array_add (items, set);
  return read_set (reader, set, stop, length == UNDEFINED, error);
}

static gboolean
read_sequence (Reader *reader, DicomElement *element, gsize end, gboolean stated, GError **error)
{
  if (++reader->depth > DEPTH_MAX)
    return fail (reader, element->tag, "sequences lie more than eight deep", error);
  element->items = g_ptr_array_new_with_free_func ((GDestroyNotify)dicom_set_free);
  gboolean done = FALSE;
  while (!done && (!stated || reader->bytes.at < end))
    if (!read_item (reader, element->items, end, &done, error))
      return FALSE;
  reader->depth--;
  return TRUE;
}

/* ret_end: an item's end was there instead. */
static gboolean
read_element (Reader *reader, DicomSet *set, gsize end, gboolean *ret_end, GError **error)
{
  guint32 tag = read_tag (&reader->bytes);
  gboolean sequence = FALSE;
  guint32 length = read_length (reader, tag, &sequence);
  *ret_end = tag == ITEM_END;
  if (*ret_end)
    return TRUE;
  if (reader->bytes.failed || (length != UNDEFINED && length > end - reader->bytes.at))
    return fail (reader, tag, "it is longer than the file: the file is cut or damaged", error);
  if (++reader->elements > ELEMENTS_MAX)
    return fail (reader, tag, "more than 100,000 elements", error);
  if (!sequence && length == UNDEFINED)
    return fail (reader, tag, "its length is not stated: compressed data are not supported", error);
  DicomElement element = { .tag = tag, .length = length };
  gboolean ok = TRUE;
  if (sequence)
    ok = read_sequence (reader, &element, length == UNDEFINED ? end : reader->bytes.at + length,
                        length != UNDEFINED, error);
  else
    element.data = ecg_bytes_take (&reader->bytes, length);
  g_array_append_val (set->elements, element);
  return ok;
}

static gboolean
read_set (Reader *reader, DicomSet *set, gsize end, gboolean item, GError **error)
{
  gboolean ended = FALSE;
  while (!ended && reader->bytes.at < end)
    if (!read_element (reader, set, end, &ended, error))
      return FALSE;
  if (item && !ended)
    return fail (reader, ITEM, "the file ends inside an item", error);
  return TRUE;
}

/* ---- The file's frame (PS3.10, 7.1)
 * --------------------------------------------------------------- */

/* Group 2 is explicit, whatever follows; it names the transfer syntax. */
static gboolean
read_meta (Reader *reader, GError **error)
{
  g_autoptr (DicomSet) meta = set_new ();
  gboolean ended = FALSE;
  while (reader->bytes.at + 2 <= reader->bytes.length && reader->bytes.data[reader->bytes.at] == 2
         && reader->bytes.data[reader->bytes.at + 1] == 0)
    if (!read_element (reader, meta, reader->bytes.length, &ended, error))
      return FALSE;
  g_autofree char *syntax = dicom_bytes (meta, DICOM_TAG (0x0002, 0x0010));
  if (g_strcmp0 (syntax, "1.2.840.10008.1.2") == 0)
    reader->explicit = FALSE;
  else if (g_strcmp0 (syntax, "1.2.840.10008.1.2.1") != 0) {
    g_set_error (
        error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
        "transfer syntax %s: only explicit and implicit little endian are read; convert it "
        "with dcmconv +te",
        syntax != NULL ? syntax : "(none)");
    return FALSE;
  }
  return TRUE;
}

DicomSet *
dicom_parse (const guint8 *data, gsize length, GError **error)
{
  if (length < 132 || memcmp (data + 128, "DICM", 4) != 0) {
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                         "it is no DICOM file: DICM does not stand at byte 128");
    return NULL;
  }
  Reader reader = { .bytes = ecg_bytes (data, length), .explicit = TRUE };
  ecg_bytes_take (&reader.bytes, 132);
  g_autoptr (DicomSet) set = set_new ();
  if (!read_meta (&reader, error) || !read_set (&reader, set, length, FALSE, error))
    return NULL;
  return g_steal_pointer (&set);
}

/* ---- Looking things up
 * ----------------------------------------------------------------------------- */

const DicomElement *
dicom_find (const DicomSet *set, guint32 tag)
{
  for (guint i = 0; set != NULL && i < set->elements->len; i++) {
    const DicomElement *element = &g_array_index (set->elements, DicomElement, i);
    if (element->tag == tag)
      return element;
  }
  return NULL;
}

guint
dicom_item_count (const DicomSet *set, guint32 tag)
{
  const DicomElement *element = dicom_find (set, tag);
  return element != NULL && element->items != NULL ? element->items->len : 0;
}

const DicomSet *
dicom_item (const DicomSet *set, guint32 tag, guint index)
{
  return index < dicom_item_count (set, tag)
             ? g_ptr_array_index (dicom_find (set, tag)->items, index)
             : NULL;
}

gboolean
dicom_u16 (const DicomSet *set, guint32 tag, guint16 *ret)
{
  const DicomElement *element = dicom_find (set, tag);
  if (element == NULL || element->data == NULL || element->length < 2)
    return FALSE;
  *ret = (guint16)(element->data[0] | element->data[1] << 8);
  return TRUE;
}

char *
dicom_bytes (const DicomSet *set, guint32 tag)
{
  const DicomElement *element = dicom_find (set, tag);
  if (element == NULL || element->data == NULL || element->length == 0)
    return NULL;
  char *text = g_strstrip (g_strndup ((const char *)element->data, MIN (element->length, 4096)));
  if (*text == '\0')
    g_clear_pointer (&text, g_free);
  return text;
}

gboolean
dicom_number (const DicomSet *set, guint32 tag, double *ret)
{
  g_autofree char *text = dicom_bytes (set, tag);
  if (text == NULL)
    return FALSE;
  char *end = NULL;
  double value = g_ascii_strtod (text, &end);
  if (end == text || (*end != '\0' && *end != '\\') || !isfinite (value))
    return FALSE;
  *ret = value;
  return TRUE;
}
