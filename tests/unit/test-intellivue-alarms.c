/* What an IntelliVue monitor's alert monitor says stands, against a model of the monitor. */
#include "intellivue_bench.h"
#include "media/devices/intellivue_alarm.h"

static const DeviceAlarm *
alarm_at (const Bench *bench, guint index)
{
  g_assert_cmpuint (bench->probe->alarms->len, >, index);
  return bench->probe->alarms->pdata[index];
}

static void
test_alarms (void)
{
  Bench bench;
  bench_begin (&bench);
  run (&bench, 10);
  g_assert_cmpuint (bench.probe->alarms->len, ==, 0);
  bench.model->spo2 = 86;
  run (&bench, 30);
  g_assert_cmpuint (bench.probe->alarms->len, ==, 1); /* once, however often it is listed */
  const DeviceAlarm *alarm = alarm_at (&bench, 0);
  g_assert_cmpstr (alarm->phase, ==, "start");
  g_assert_cmpstr (alarm->text, ==, "** SpO₂ LOW");
  g_assert_cmpint (alarm->priority, ==, ALARM_MEDIUM);
  g_assert_cmpstr (alarm->kind, ==, "physiological");
  g_assert_cmpstr (alarm->vital, ==, "spo2");
  g_assert_cmpstr (alarm->inactivation, ==, "enabled");
  g_assert_cmpuint (alarm->mdc, ==, 3 << 16 | 62);
  g_assert_cmpstr (alarm->origin->patient_id, ==, "0100123");
  g_assert_false (alarm->origin->test);
  bench.model->silenced = TRUE;
  run (&bench, 3);
  g_assert_cmpstr (alarm_at (&bench, 1)->phase, ==, "update");
  g_assert_cmpstr (alarm_at (&bench, 1)->inactivation, ==, "audio-paused");
  run (&bench, 250);
  g_assert_cmpuint (bench.probe->alarms->len, ==, 3); /* told again before it counts as silent */
  g_assert_cmpstr (alarm_at (&bench, 2)->phase, ==, "continue");
  bench.model->spo2 = 97;
  run (&bench, 3);
  g_assert_cmpuint (bench.probe->alarms->len, ==, 4);
  g_assert_true (device_alarm_is_over (alarm_at (&bench, 3)));
  g_assert_cmpstr (alarm_at (&bench, 3)->code, ==, alarm_at (&bench, 0)->code);
  g_assert_cmpstr (alarm_at (&bench, 3)->source, ==, alarm_at (&bench, 0)->source);
  g_assert_cmpstr (alarm_at (&bench, 3)->origin->containment, ==,
                   alarm_at (&bench, 0)->origin->containment);
  bench_end (&bench);
}

static void
test_technical_alarm (void)
{
  Bench bench;
  bench_begin (&bench);
  bench.model->demo = TRUE;
  bench.model->spo2_on = FALSE;
  run (&bench, 10);
  g_assert_cmpuint (bench.probe->alarms->len, ==, 1);
  g_assert_cmpstr (alarm_at (&bench, 0)->kind, ==, "technical");
  g_assert_cmpint (alarm_at (&bench, 0)->priority, ==, ALARM_LOW);
  g_assert_true (alarm_at (&bench, 0)->origin->test); /* demonstration mode */
  bench_end (&bench);
}

/* What stood of one patient is over when the monitor has another; it stands of that one anew. */
static void
test_alarm_of_another (void)
{
  Bench bench;
  bench_begin (&bench);
  bench.model->spo2 = 86;
  run (&bench, 10);
  bench.model->patient_id = "0999999";
  run (&bench, 6);
  g_assert_cmpuint (bench.probe->alarms->len, ==, 3);
  g_assert_cmpstr (alarm_at (&bench, 1)->phase, ==, "end");
  g_assert_cmpstr (alarm_at (&bench, 1)->origin->patient_id, ==, "0100123");
  g_assert_cmpstr (alarm_at (&bench, 2)->phase, ==, "start");
  g_assert_cmpstr (alarm_at (&bench, 2)->origin->patient_id, ==, "0999999");
  bench_end (&bench);
}

/* What ended while nobody listened is over by the first list after; what goes on is not told to
 * have begun again. */
static void
test_alarm_over_a_break (void)
{
  Bench bench;
  bench_begin (&bench);
  bench.model->spo2 = 86;
  run (&bench, 10);
  bench.station_mute = TRUE;
  run (&bench, 15);
  bench.station_mute = FALSE;
  run (&bench, 12);
  g_assert_cmpuint (bench.model->associations, ==, 2);
  g_assert_cmpuint (bench.probe->alarms->len, ==, 1);
  bench.station_mute = TRUE;
  run (&bench, 15);
  bench.model->spo2 = 97;
  bench.station_mute = FALSE;
  run (&bench, 12);
  g_assert_cmpuint (bench.probe->alarms->len, ==, 2);
  g_assert_cmpstr (alarm_at (&bench, 1)->phase, ==, "end");
  bench_end (&bench);
}

/* A release that has none of it is not asked again and again, and gives its numbers. */
static void
test_no_alarms (void)
{
  Bench bench;
  bench_begin (&bench);
  bench.model->no_alerts = TRUE;
  bench.model->spo2 = 86;
  run (&bench, 10);
  guint refused = bench.model->refused;
  run (&bench, 20);
  g_assert_cmpuint (refused, >=, 1);
  g_assert_cmpuint (bench.model->refused, ==, refused);
  g_assert_cmpuint (bench.probe->alarms->len, ==, 0);
  g_assert_cmpfloat (last_of (bench.probe, "spo2")->number, ==, 86);
  bench_end (&bench);
}

static void
collect_alarm (DeviceAlarm *alarm, void *arg)
{
  g_ptr_array_add (arg, alarm);
}

/* A list cut at any byte ends nothing and begins nothing. */
static void
test_cut_list (void)
{
  static const guint8 list[] = { 0, 1,  0, 28, 0x4B, 0xB8, 0, 62, 2, 0, 0, 8, 0, 6, 0, 0,
                                 0, 11, 2, 1,  0,    10,   0, 1,  0, 0, 0, 0, 0, 0, 0, 0 };
  g_autoptr (GPtrArray) told = g_ptr_array_new_with_free_func ((GDestroyNotify)device_alarm_free);
  const FeedSink sink = { .alarm = collect_alarm, .arg = told };
  IvAlarms *alarms = iv_alarms_new (&sink);
  const LineTime now = { 1, 1 };
  IvAlarmLists lists = { .physiological = { .at = list, .left = sizeof list } };
  iv_alarms_take (alarms, &lists, NULL, NULL, now);
  g_assert_cmpuint (told->len, ==, 1);
  g_assert_null (((DeviceAlarm *)told->pdata[0])->text);
  for (gsize length = 0; length < sizeof list; length++) {
    g_autofree guint8 *part = g_memdup2 (list, length + 1);
    lists.physiological = (IvReader){ .at = part, .left = length };
    iv_alarms_take (alarms, &lists, NULL, NULL, now);
    g_assert_cmpuint (told->len, ==, 1);
  }
  iv_alarms_free (alarms);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/intellivue-alarms/alarms", test_alarms);
  g_test_add_func ("/intellivue-alarms/technical-alarm", test_technical_alarm);
  g_test_add_func ("/intellivue-alarms/alarm-of-another", test_alarm_of_another);
  g_test_add_func ("/intellivue-alarms/alarm-over-a-break", test_alarm_over_a_break);
  g_test_add_func ("/intellivue-alarms/no-alarms", test_no_alarms);
  g_test_add_func ("/intellivue-alarms/cut-list", test_cut_list);
  return g_test_run ();
}
