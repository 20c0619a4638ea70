#include "media/dicom/voi_lut.h"
#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dctk.h"
#include <algorithm>
#include <cmath>

enum { ENTRIES_MAX = 65536, NAME_MAX_BYTES = 64, ITEMS_MAX = 64 };

struct Table {
  long first = 0;                /* value that the first entry is for */
  unsigned bits = 0;             /* of an entry */
  std::vector<uint16_t> entries; /* never empty */
};

/* ---- Reading ------------------------------------------------------------------------------ */

/* Descriptors are US or SS, whichever the writer took. */
static bool
word_at (DcmItem *item, const DcmTagKey &tag, unsigned long at, unsigned *ret)
{
  Uint16 plain;
  Sint16 with_sign;
  if (item->findAndGetUint16 (tag, plain, at).good ())
    *ret = plain;
  else if (item->findAndGetSint16 (tag, with_sign, at).good ())
    *ret = static_cast<Uint16> (with_sign);
  else
    return false;
  return true;
}

/* Words; of 8 bit tables some writers put two entries in each. */
static bool
read_entries (DcmItem *item, size_t n, unsigned bits, std::vector<uint16_t> *ret)
{
  const Uint16 *words = nullptr;
  const Sint16 *with_sign = nullptr;
  unsigned long count = 0;
  if (item->findAndGetUint16Array (DCM_LUTData, words, &count).bad ()
      && item->findAndGetSint16Array (DCM_LUTData, with_sign, &count).good ())
    words = reinterpret_cast<const Uint16 *> (with_sign);
  if (words == nullptr)
    return false;
  if (count >= n) {
    ret->assign (words, words + n);
    return true;
  }
  if (bits > 8 || count < (n + 1) / 2)
    return false;
  for (size_t i = 0; i < n; i++)
    ret->push_back (i % 2 ? words[i / 2] >> 8 : words[i / 2] & 0xff);
  return true;
}

/* with_sign: of the values that go in. */
static bool
read_table (DcmItem *item, bool with_sign, Table *ret)
{
  unsigned n = 0, first = 0, bits = 0;
  if (!word_at (item, DCM_LUTDescriptor, 0, &n) || !word_at (item, DCM_LUTDescriptor, 1, &first)
      || !word_at (item, DCM_LUTDescriptor, 2, &bits) || bits < 1 || bits > 16)
    return false;
  ret->first = with_sign ? static_cast<Sint16> (first) : static_cast<long> (first);
  ret->bits = bits;
  return read_entries (item, n == 0 ? size_t{ ENTRIES_MAX } : n, bits, &ret->entries);
}

/* PS3.3 §C.11.2.1.1: what lies before the first has its entry, what lies behind the last its. */
static unsigned
look_up (const Table &table, double value)
{
  const double at = std::clamp (std::floor (value + 0.5) - table.first, 0.0,
                                static_cast<double> (table.entries.size () - 1));
  return table.entries[static_cast<size_t> (at)];
}

/* ---- From what is stored to what the tables are for ----------------------------------------- */

struct Modality {
  bool has_table = false;
  Table table;
  double slope = 1, intercept = 0;
};

static Modality
read_modality (DcmItem *data, const PictureForm &form)
{
  Modality modality;
  DcmItem *item = nullptr;
  modality.slope = form.slope;
  modality.intercept = form.intercept;
  modality.has_table = data->findAndGetSequenceItem (DCM_ModalityLUTSequence, item, 0).good ()
                       && read_table (item, form.is_signed, &modality.table);
  return modality;
}

static double
modality_value (const Modality &modality, long stored)
{
  return modality.has_table ? look_up (modality.table, static_cast<double> (stored))
                            : stored * modality.slope + modality.intercept;
}

static long
least_stored (const PictureForm &form)
{
  return form.is_signed ? -(1l << (form.stored - 1)) : 0;
}

/* Whether values below zero can go in: then the first value of a table has a sign, too. */
static bool
can_be_negative (const Modality &modality, const PictureForm &form)
{
  const long least = least_stored (form);
  if (modality.has_table)
    return false;
  return modality_value (modality, least) < 0
         || modality_value (modality, least + (1l << form.stored) - 1) < 0;
}

/* ---- Tables ------------------------------------------------------------------------------- */

/* Those that can be read, in order; stops at number n. FALSE: there are not so many. */
static bool
find_table (DcmItem *data, bool with_sign, unsigned n, Table *ret, DcmItem **ret_item)
{
  DcmItem *item = nullptr;
  for (long i = 0;
       i < ITEMS_MAX && data->findAndGetSequenceItem (DCM_VOILUTSequence, item, i).good (); i++) {
    Table table;
    if (!read_table (item, with_sign, &table))
      continue;
    if (n-- == 0) {
      *ret = std::move (table);
      *ret_item = item;
      return true;
    }
  }
  return false;
}

static std::string
name_of (DcmItem *item)
{
  OFString text;
  std::string name;
  if (item->findAndGetOFString (DCM_LUTExplanation, text).good ())
    for (char c : text)
      if (static_cast<unsigned char> (c) >= 0x20 && c != 0x7f && name.size () < NAME_MAX_BYTES)
        name.push_back (static_cast<unsigned char> (c) < 0x80 ? c : '?');
  return name;
}

json_t *
voi_luts_describe (DcmItem *data, const PictureForm &form)
{
  json_t *list = json_array ();
  DcmItem *item = nullptr;
  Table table;
  if (!form.shown || !form.grey)
    return list;
  const bool with_sign = can_be_negative (read_modality (data, form), form);
  for (unsigned n = 0; n < VOI_LUTS_MAX && find_table (data, with_sign, n, &table, &item); n++)
    json_array_append_new (list, json_pack ("{s:s}", "name", name_of (item).c_str ()));
  return list;
}

bool
voi_lut_shades (DcmItem *data, const PictureForm &form, unsigned n, std::vector<uint8_t> *ret)
{
  Table table;
  DcmItem *item = nullptr;
  if (!form.shown || !form.grey || n >= VOI_LUTS_MAX)
    return false;
  const Modality modality = read_modality (data, form);
  if (!find_table (data, can_be_negative (modality, form), n, &table, &item))
    return false;
  const double most = (1u << table.bits) - 1;
  const long least = least_stored (form);
  ret->resize (size_t{ 1 } << form.stored);
  for (size_t i = 0; i < ret->size (); i++) {
    const double value = look_up (table, modality_value (modality, least + static_cast<long> (i)));
    (*ret)[i] = static_cast<uint8_t> (std::lround (std::min (value, most) * 255 / most));
  }
  return true;
}
