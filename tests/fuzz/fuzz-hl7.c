/* HL7 over MLLP, from raw bytes of a socket to the observations and the acknowledgement. */
#include "media/devices/hl7_ack.h"
#include "media/devices/hl7_content.h"
#include "media/devices/mllp.h"
#include "media/devices/patient_query.h"

/* A profile that touches every key: what it says is then part of what is tried. */
static const char PROFILE[]
    = "[match]\napplication = GE*;Mind?ay\nfacility = *\n"
      "[hl7]\nacknowledge = original\ncharset = TCVN3\nclock-set-from = 2014-01-01\n"
      "time-zone = +07:00\ntest-marks = SIM\n"
      "[codes]\n101^HR = MDC_ECG_HEART_RATE\n^Pleth = MDC_PULS_OXIM_PLETH\n"
      "[units]\nMDC_ECG_HEART_RATE = /min\n[not-measured]\n* = -100\nMDC_TEMP = 0\n"
      "[waves]\nrate = 240\nresolution = 2.44 uV\nnot-measured = -32768;32767\n";

static Profile *profile;
static Wcm *wcm;

/* Whatever was sent, what is kept is valid UTF-8, hence valid JSON. */
static void
write_out (json_t *object)
{
  g_autofree char *text = json_dumps (object, JSON_COMPACT);
  if (text == NULL)
    g_error ("something that cannot be written");
  json_decref (object);
}

/* What we say must be a message to ourselves. */
static void
answer (const Hl7Message *message)
{
  const QueryPatient patient = { "0100123", "Vàng Thị Mỷ", "1958", "female" };
  g_autofree char *id = patient_query_id (message);
  g_autoptr (GBytes) known = patient_query_answer (message, &patient, 0);
  g_autoptr (GBytes) nobody = patient_query_answer (message, NULL, 0);
}

static void
on_message (const guint8 *data, gsize length, void *arg)
{
  const Profile *used = *(const gboolean *)arg ? profile : NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (Hl7Message) message
      = hl7_parse (data, length, used != NULL ? profile_charset (used) : NULL, &error);
  if (message == NULL) {
    g_autoptr (GPtrArray) replies = hl7_reject (data, length, error, 0);
    return;
  }
  g_autoptr (Hl7Content) content = hl7_content_read (message, used, wcm, 0, 1, "127.0.0.1");
  for (guint i = 0; i < content->observations->len; i++)
    write_out (observation_to_json (content->observations->pdata[i]));
  for (guint i = 0; i < content->waves->len; i++)
    write_out (wave_block_to_json (content->waves->pdata[i]));
  for (guint i = 0; i < content->alarms->len; i++)
    write_out (device_alarm_to_json (content->alarms->pdata[i]));
  if (content->query)
    answer (message);
  g_autoptr (GPtrArray) replies = hl7_acknowledge (message, used, error, 0);
}

static void
on_frame (const guint8 *data, gsize length, void *arg)
{
  hl7_split (data, length, on_message, arg);
}

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  /* The first byte chooses: a stream of frames cut into pieces, or one bare message; by a profile
   * or by none. */
  if (size < 1)
    return 0;
  if (profile == NULL) {
    profile = profile_parse (PROFILE, "fuzz.conf", NULL);
    wcm = wcm_new ();
  }
  gboolean by_profile = (data[0] & 2) != 0;
  if (data[0] & 1) {
    on_message (data + 1, size - 1, &by_profile);
    return 0;
  }
  g_autoptr (Mllp) mllp = mllp_new ();
  gsize step = 1 + (data[0] >> 2);
  for (gsize at = 1; at < size; at += step)
    mllp_feed (mllp, data + at, MIN (step, size - at), on_frame, &by_profile);
  return 0;
}
