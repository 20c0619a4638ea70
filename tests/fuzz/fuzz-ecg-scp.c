/* SCP-ECG. Its checksums would hide everything behind them, so they are made right first: those of
 * the sections that section 0 names, then that of the record. */
#define ECG_KIND "scp"
#define ECG_PREPARE repair
static void repair (unsigned char *data, unsigned long size);
#include "ecg_fuzz.h"
#include "media/devices/scp_sections.h"

static void
put_crc (guint8 *at, gsize length)
{
  guint16 sum = scp_crc (at + 2, length - 2);
  at[0] = (guint8)sum;
  at[1] = (guint8)(sum >> 8);
}

static void
repair (unsigned char *data, unsigned long size)
{
  EcgBytes bytes = ecg_bytes (data, size);
  ecg_bytes_take (&bytes, 2);
  gsize record = ecg_bytes_u32 (&bytes);
  EcgBytes list = ecg_bytes_part (&bytes, 22, MIN (120, size > 22 ? size - 22 : 0));
  while (ecg_bytes_left (&list) >= 10) {
    ecg_bytes_u16 (&list);
    gsize length = ecg_bytes_u32 (&list), index = ecg_bytes_u32 (&list);
    if (length >= 2 && index >= 7 && index - 1 <= size && length <= size - (index - 1))
      put_crc (data + index - 1, length);
  }
  if (record >= 2 && record <= size)
    put_crc (data, record);
}
