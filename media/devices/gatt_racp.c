#include "media/devices/gatt_racp.h"
#include "media/devices/gatt_private.h"

enum { OP_REPORT = 1, OP_ABORT = 3, OP_COUNT = 4, OP_COUNT_ANSWER = 5, OP_ANSWER = 6 };
enum { OPERATOR_NONE = 0, OPERATOR_ALL = 1, OPERATOR_FROM = 3, OPERATOR_LAST = 6 };
#define FILTER_SEQUENCE 1

gsize
racp_write (RacpRequest request, guint16 first, guint8 out[RACP_REQUEST_MAX])
{
  static const guint8 codes[][2] = {
    [RACP_REPORT_ALL] = { OP_REPORT, OPERATOR_ALL },
    [RACP_REPORT_FROM] = { OP_REPORT, OPERATOR_FROM },
    [RACP_REPORT_LAST] = { OP_REPORT, OPERATOR_LAST },
    [RACP_COUNT_ALL] = { OP_COUNT, OPERATOR_ALL },
    [RACP_COUNT_FROM] = { OP_COUNT, OPERATOR_FROM },
    [RACP_ABORT] = { OP_ABORT, OPERATOR_NONE },
  };
  out[0] = codes[request][0];
  out[1] = codes[request][1];
  if (out[1] != OPERATOR_FROM)
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

static gsize
request (RacpRecords *records, RacpRequest what, guint16 first, guint8 out[RACP_REQUEST_MAX])
{
  records->busy = TRUE;
  records->request = what;
  return racp_write (what, first, out);
}

gsize
racp_ask (RacpRecords *records, guint8 out[RACP_REQUEST_MAX])
{
  if (!records->known || records->last == G_MAXUINT16)
    return request (records, RACP_REPORT_ALL, 0, out);
  return request (records, RACP_REPORT_FROM, (guint16)(records->last + 1), out);
}

gboolean
racp_record (RacpRecords *records, guint16 sequence)
{
  if (records->busy && records->request == RACP_REPORT_LAST) {
    records->reset = sequence < records->last;
    return FALSE;
  }
  if (records->known && sequence <= records->last)
    return FALSE;
  records->known = TRUE;
  records->last = sequence;
  return TRUE;
}

gsize
racp_answered (RacpRecords *records, const RacpAnswer *answer, guint8 out[RACP_REQUEST_MAX])
{
  gboolean was_from = records->busy && records->request == RACP_REPORT_FROM;
  records->busy = FALSE;
  if (answer->is_count || answer->request != OP_REPORT)
    return 0;
  if (records->reset) {
    records->reset = FALSE;
    records->known = FALSE;
    return request (records, RACP_REPORT_ALL, 0, out);
  }
  if (was_from && answer->result == RACP_NO_RECORDS)
    return request (records, RACP_REPORT_LAST, 0, out);
  return 0;
}

void
racp_gone (RacpRecords *records)
{
  records->busy = FALSE;
  records->reset = FALSE;
}

/* ---- As a value that is decoded ------------------------------------------------------------ */

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
