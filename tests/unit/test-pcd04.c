/* Alarms (ORU^R40) and questions for the patient. */
#include "media/devices/hl7_ack.h"
#include "media/devices/hl7_content.h"
#include "media/devices/patient_query.h"
#include <string.h>

static Hl7Message *
message_of (const char *text)
{
  g_autoptr (GError) error = NULL;
  Hl7Message *message = hl7_parse ((const guint8 *)text, strlen (text), NULL, &error);
  g_assert_no_error (error);
  return message;
}

/* code "text" priority kind phase state over vital value limits; one line an alarm. */
static char *
alarms_of (const char *text)
{
  g_autoptr (Wcm) wcm = wcm_new ();
  g_autoptr (Hl7Message) message = message_of (text);
  g_autoptr (Hl7Content) content = hl7_content_read (message, NULL, wcm, 1000000, 0, "10.0.0.9");
  GString *all = g_string_new (NULL);
  g_assert_cmpuint (content->observations->len, ==, 0);
  for (guint i = 0; i < content->alarms->len; i++) {
    const DeviceAlarm *a = content->alarms->pdata[i];
    const char *const words[] = { a->code,  a->text,  alarm_priority_name (a->priority),
                                  a->kind,  a->phase, a->state,
                                  a->vital, a->value, a->limits };
    for (guint w = 0; w < G_N_ELEMENTS (words); w++)
      g_string_append_printf (all, "%s|", words[w] != NULL ? words[w] : "-");
    g_string_append_printf (all, "%s%s\n", device_alarm_is_over (a) ? "over" : "stands",
                            a->origin->test ? " test" : "");
    json_t *json = device_alarm_to_json (a);
    g_assert_nonnull (json);
    json_decref (json);
  }
  return g_string_free (all, FALSE);
}

#define HEADER                                                                                     \
  "MSH|^~\\&|MINDRAY_^00A037000000^EUI-64|X|||20261120090313+0700||ORU^R40^ORU_R40|7|P|2.6\r"      \
  "PID|||55\rOBR|1|||196616^MDC_EVT_ALARM^MDC|||20261120090312+0700\r"

static void
test_alarms (void)
{
  static const struct {
    const char *rows, *expected;
  } CASES[] = {
    { "OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.3.1.150456.1|196652^MDC_EVT_LO_VAL_LT_LIM^MDC^^^^^^"
      "SpO2 "
      "th\xE1\xBA\xA5p|||L~PH~SP|||R|||20261120090312+0700\r"
      "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456.2|86|262688^MDC_DIM_PERCENT^MDC|"
      "90-100||||R\r"
      "OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.3.1.150456.3|start\r"
      "OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.3.1.150456.4|active\r",
      "MDC_EVT_LO_VAL_LT_LIM|SpO2 thấp|high|physiological|start|active|spo2|86|90-100|stands\n" },
    /* Priority in a row of its own; numbers of the facets as some write them; a technical one. */
    { "OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.7.0.196680.1|196680^MDC_EVT_LEAD_OFF^MDC|||A|||R\r"
      "OBX|3|ST|68165^MDC_ATTR_EVENT_PHASE^MDC|1.7.0.196680.3|continue\r"
      "OBX|6|ST|68168^MDC_ATTR_ALARM_PRIORITY^MDC|1.7.0.196680.6|PL\r"
      "OBX|7|ST|68485^MDC_ATTR_ALERT_TYPE^MDC|1.7.0.196680.7|ST\r"
      "OBX|8|ST|68546^MDC_ATTR_ALERT_TEXT^MDC|1.7.0.196680.8|ECG lead off\r",
      "MDC_EVT_LEAD_OFF|ECG lead off|low|technical|continue|-|-|-|-|stands\n" },
    /* Two, one of which is over; the event itself as the code. */
    { "OBX|1|ST|196670^MDC_EVT_HI_VAL_GT_LIM^MDC|1.1.1.147842.1|HR high|||H~PM~SP~DEMO|||R\r"
      "OBX|2|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.147842.3|end\r"
      "OBX|3|ST|196616^MDC_EVT_ALARM^MDC|1.1.2.1.1|5^APNEA^99X|||PH\r",
      "MDC_EVT_HI_VAL_GT_LIM|HR high|medium|physiological|end|-|-|-|-|over test\n"
      "APNEA|APNEA|high|-|-|-|-|-|-|stands\n" },
    { "OBX|1|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|start\r", "" },
    { "", "" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (CASES); i++) {
    g_autofree char *text = g_strconcat (HEADER, CASES[i].rows, NULL);
    g_autofree char *got = alarms_of (text);
    g_assert_cmpstr (got, ==, CASES[i].expected);
  }
}

static void
test_acknowledged (void)
{
  g_autoptr (Hl7Message) message = message_of (HEADER);
  g_autoptr (GPtrArray) replies = hl7_acknowledge (message, NULL, NULL, 0);
  const char *reply = g_bytes_get_data (replies->pdata[0], NULL);
  g_assert_nonnull (strstr (reply, "|ACK^R40^ACK|"));
  g_assert_nonnull (strstr (reply, "\rMSA|AA|7\r"));
}

/* ---- Questions --------------------------------------------------------------------------------
 */

static char *
answer_to (const char *text, const QueryPatient *patient)
{
  g_autoptr (Hl7Message) message = message_of (text);
  g_assert_true (patient_query_is_supported (message));
  g_autoptr (GBytes) answer = patient_query_answer (message, patient, 0);
  gsize length;
  const char *data = g_bytes_get_data (answer, &length);
  return g_strndup (data, length);
}

/* Behind MSH: its time and control id are never the same. */
static void
expect_answer (const char *question, const QueryPatient *patient, const char *type,
               const char *expected)
{
  g_autofree char *answer = answer_to (question, patient);
  g_autoptr (Hl7Message) parsed = message_of (answer);
  g_autofree char *got_type = hl7_get_plain (parsed, 0, 9, 0);
  g_assert_cmpstr (got_type, ==, type);
  g_assert_cmpstr (strchr (answer, '\r') + 1, ==, expected);
}

static void
test_questions (void)
{
  static const QueryPatient PATIENT
      = { "NC-1A2B3C4D", "V\xC3\xA0ng Th\xE1\xBB\x8B M\xE1\xBB\xB7|^", "1958", "female" };
  static const char R02[]
      = "MSH|^~\\&|MON|KC1|||20261120090313||QRY^R02|9|P|2.4||||||UNICODE UTF-8\r"
        "QRD|20261120090313|R|I|Q9|||1^RD||RES\rQRF|MON||||RES\r";
  static const char A19[] = "MSH#*~\\&#MON#KC1###20261120090313##QRY*A19#10#P#2.3\r"
                            "QRD#20261120090313#R#I#Q10###1*RD#0100123#DEM\r";
  static const char Q22[] = "MSH|^~\\&|MON|KC1|||20261120090313||QBP^Q22^QBP_Q21|11|P|2.5\r"
                            "QPD|Q22^Find Candidates^HL7|T1|@PID.3.1^0100123~@PID.5.1^X\rRCP|I\r";
  expect_answer (
      R02, &PATIENT, "ORF^R04^ORF_R04",
      "MSA|AA|9\rQRD|20261120090313|R|I|Q9|||1^RD||RES\rQRF|MON||||RES\r"
      "PID|1||NC-1A2B3C4D||V\xC3\xA0ng^Th\xE1\xBB\x8B M\xE1\xBB\xB7  ||1958|F\rPV1|1|O\r");
  expect_answer (R02, NULL, "ORF^R04^ORF_R04",
                 "MSA|AA|9\rQRD|20261120090313|R|I|Q9|||1^RD||RES\rQRF|MON||||RES\r");
  expect_answer (A19, NULL, "ADR^A19^ADR_A19",
                 "MSA#AA#10\rQRD#20261120090313#R#I#Q10###1*RD#0100123#DEM\r");
  expect_answer (Q22, NULL, "RSP^K22^RSP_K22",
                 "MSA|AA|11\rQAK|T1|NF\r"
                 "QPD|Q22^Find Candidates^HL7|T1|@PID.3.1^0100123~@PID.5.1^X\r");
  g_autoptr (Hl7Message) a19 = message_of (A19), q22 = message_of (Q22), r02 = message_of (R02);
  g_autofree char *first = patient_query_id (a19), *second = patient_query_id (q22);
  g_assert_cmpstr (first, ==, "0100123");
  g_assert_cmpstr (second, ==, "0100123");
  g_assert_null (patient_query_id (r02));
}

/* Enhanced mode: CA now, and the answer as the application's. */
static void
test_enhanced (void)
{
  g_autoptr (Hl7Message) message
      = message_of ("MSH|^~\\&|MON|KC1|||20261120090313||QRY^R02|9|P|2.4|||AL|AL\rQRD|1\r");
  g_autoptr (GBytes) answer = patient_query_answer (message, NULL, 0);
  g_autoptr (GPtrArray) replies = hl7_acknowledge_with (message, NULL, answer, 0);
  g_assert_cmpuint (replies->len, ==, 2);
  g_assert_nonnull (strstr (g_bytes_get_data (replies->pdata[0], NULL), "MSA|CA|9"));
  g_assert_true (replies->pdata[1] == answer);
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "Asia/Ho_Chi_Minh", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pcd04/alarms", test_alarms);
  g_test_add_func ("/pcd04/acknowledged", test_acknowledged);
  g_test_add_func ("/patient-query/answers", test_questions);
  g_test_add_func ("/patient-query/enhanced", test_enhanced);
  return g_test_run ();
}
