#include "media/devices/gatt_racp.h"
#include "media/devices/gatt_private.h"

enum { OP_REPORT = 1, OP_ABORT = 3, OP_COUNT = 4, OP_COUNT_ANSWER = 5, OP_ANSWER = 6 };
enum { OPERATOR_NONE = 0, OPERATOR_ALL = 1, OPERATOR_FROM = 3 };
#define FILTER_SEQUENCE 1

gsize
racp_write (RacpRequest request, guint16 first, guint8 out[RACP_REQUEST_MAX])
{
  gboolean from = request == RACP_REPORT_FROM || request == RACP_COUNT_FROM;
  gboolean count = request == RACP_COUNT_ALL || request == RACP_COUNT_FROM;
  out[0] = request == RACP_ABORT ? OP_ABORT : count ? OP_COUNT : OP_REPORT;
  out[1] = request == RACP_ABORT ? OPERATOR_NONE : from ? OPERATOR_FROM : OPERATOR_ALL;
  if (!from)
    return 2;
  out[2] = FILTER_SEQUENCE;
  out[3] = (guint8)(first & 0xFF);
  out[4] = (guint8)(first >> 8);
  return 5;
}

gboolean
racp_read (const guint8 *data, gsize length, RacpAnswer *ret_answer)
{
  RacpAnswer answer = { 0 };
  if (length < 4 || (data[0] != OP_COUNT_ANSWER && data[0] != OP_ANSWER))
    return FALSE;
  answer.is_count = data[0] == OP_COUNT_ANSWER;
  if (answer.is_count) {
    answer.count = (guint16)(data[2] | data[3] << 8);
  } else {
    answer.request = data[2];
    answer.result = (RacpResult)data[3];
  }
  *ret_answer = answer;
  return TRUE;
}

gsize
racp_ask (RacpRecords *records, guint8 out[RACP_REQUEST_MAX])
{
  records->asked = TRUE;
  if (!records->known || records->last == G_MAXUINT16)
    return racp_write (RACP_REPORT_ALL, 0, out);
  return racp_write (RACP_REPORT_FROM, (guint16)(records->last + 1), out);
}

gboolean
racp_record (RacpRecords *records, guint16 sequence)
{
  if (records->known && sequence <= records->last && records->last - sequence < G_MAXINT16)
    return FALSE;
  records->known = TRUE;
  records->last = sequence;
  return TRUE;
}

void
racp_gone (RacpRecords *records)
{
  records->asked = FALSE;
}

/* ---- As a value that is decoded ---------------------------------------------------------------
 */

void
gatt_read_racp (GattValue *value)
{
  RacpAnswer answer;
  if (value->length < 2) {
    value->short_of = TRUE;
    return;
  }
  if (!racp_read (value->data, value->length, &answer))
    gatt_add_text (value, 0, "racp", g_strdup_printf ("request %u", value->data[0]));
  else if (answer.is_count)
    gatt_add_text (value, 0, "racp", g_strdup_printf ("%u records", answer.count));
  else
    gatt_add_text (value, 0, "racp",
                   g_strdup_printf ("request %u: result %u", answer.request, answer.result));
}
