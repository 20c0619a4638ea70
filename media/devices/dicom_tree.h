/* A small reader of DICOM data sets (PS3.5, PS3.10): little endian, explicit or implicit, nothing
 * compressed. It is here for the waveforms of an ECG and bounded to what these need: at most
 * 100,000 elements, eight sequences deep. Pictures are dcmtk's affair.
 */
#pragma once
#include "media/devices/ecg_bytes.h"

#define DICOM_TAG(group, element) ((guint32)(group) << 16 | (element))

typedef struct DicomElement DicomElement;

/* A data set or an item of a sequence; elements in the order of the file. */
typedef struct {
  GArray *elements; /* DicomElement */
} DicomSet;

struct DicomElement {
  guint32 tag;
  const guint8 *data; /* NULL: a sequence. Belongs to the file. */
  guint32 length;
  GPtrArray *items; /* DicomSet; NULL: no sequence */
};

/* data must outlive the result. NULL with an error of MEDIA_ERROR that names byte and tag. */
DicomSet *dicom_parse (const guint8 *data, gsize length, GError **error);
void dicom_set_free (DicomSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DicomSet, dicom_set_free)

/* All of them take NULL as an empty set. (transfer none) unless said. */
const DicomElement *dicom_find (const DicomSet *set, guint32 tag);
guint dicom_item_count (const DicomSet *set, guint32 tag);
/* NULL when there are not so many. */
const DicomSet *dicom_item (const DicomSet *set, guint32 tag, guint index);
/* First value of the US element; FALSE when there is none. */
gboolean dicom_u16 (const DicomSet *set, guint32 tag, guint16 *ret);
/* First value of a decimal string; FALSE when it is no number. */
gboolean dicom_number (const DicomSet *set, guint32 tag, double *ret);
/* Trimmed, as the file has it: bytes in its character set. NULL: none. (transfer full) */
char *dicom_bytes (const DicomSet *set, guint32 tag);
