/* A simulated patient monitor: a patient's numbers, waves and alarms in HL7 v2 over MLLP, as
 * monitors of several makes send them.
 *
 * Usage: sim-monitor --port P [--host H] [--make NAME] [--rhythm NAME] [--interval MS] [--nibp S]
 *                    [--waves MS] [--patient ID^^^A^PI] [--serial EUI64] [--demo] [--alarms]
 * [--query]
 *
 * Numbers and waves are of one model (patient_model.h). Each message waits for its acknowledgement;
 * on a lost connection the monitor reconnects and repeats what was not acknowledged; waves of that
 * time are gone, as a monitor keeps none. Ends on SIGTERM. */
#include "monitor_messages.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

enum { VT = 0x0B, FS = 0x1C, CR = 0x0D };

/* Before its first message, so that its first number is one. */
#define LIVED_US (10 * G_TIME_SPAN_SECOND)

typedef struct {
  char *host, *patient_id, *make, *rhythm, *serial;
  int port, interval_ms, cuff_seconds, wave_ms, seed;
  gboolean demo, alarms, query;
} Options;

/* ---- Sending ------------------------------------------------------------------------------- */

static gboolean
read_ack (GInputStream *in, GCancellable *stop, GError **error)
{
  GString *reply = g_string_new (NULL);
  guint8 byte;
  while (reply->len < 65536) {
    gssize n = g_input_stream_read (in, &byte, 1, stop, error);
    if (n <= 0) {
      if (n == 0)
        g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED,
                             "the station closed the connection");
      g_string_free (reply, TRUE);
      return FALSE;
    }
    if (byte == FS)
      break;
    g_string_append_c (reply, byte);
  }
  gboolean good = strstr (reply->str, "MSA|CA") != NULL || strstr (reply->str, "MSA|AA") != NULL;
  if (!good)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "not accepted: %s", reply->str);
  g_string_free (reply, TRUE);
  return good;
}

static gboolean
send_message (GSocketConnection *connection, const char *message, GCancellable *stop,
              GError **error)
{
  g_autofree char *frame = g_strdup_printf ("%c%s%c%c", VT, message, FS, CR);
  GIOStream *stream = G_IO_STREAM (connection);
  return g_output_stream_write_all (g_io_stream_get_output_stream (stream), frame, strlen (frame),
                                    NULL, stop, error)
         && read_ack (g_io_stream_get_input_stream (stream), stop, error);
}

static GSocketConnection *
connect_station (const Options *options, GCancellable *stop)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_socket_client_set_timeout (client, 10);
  while (!g_cancellable_is_cancelled (stop)) {
    g_autoptr (GError) error = NULL;
    GSocketConnection *connection
        = g_socket_client_connect_to_host (client, options->host, options->port, stop, &error);
    if (connection != NULL)
      return connection;
    g_usleep (500 * 1000);
  }
  return NULL;
}

/* ---- A monitor's day ------------------------------------------------------------------------- */

typedef struct {
  const Options *options;
  MonitorWords words;
  GCancellable *stop;
  GSocketConnection *connection;
  Patient *patient;
  gint64 began_us, began_utc_us; /* monotonic; the patient's time 0 */
  guint id;
  gint64 numbers_due_us;
  double waves_from; /* the patient's time up to which waves were sent */
  gboolean low;      /* an alarm stands */
} Monitor;

static double
patient_now (const Monitor *monitor)
{
  return (double)(g_get_monotonic_time () - monitor->began_us) / G_USEC_PER_SEC;
}

static gint64
utc_of (const Monitor *monitor, double at)
{
  return monitor->began_utc_us + (gint64)(at * G_USEC_PER_SEC);
}

/* Until it was acknowledged. Takes message. */
static void
deliver (Monitor *monitor, char *message)
{
  while (!g_cancellable_is_cancelled (monitor->stop)) {
    g_autoptr (GError) error = NULL;
    if (monitor->connection == NULL)
      monitor->connection = connect_station (monitor->options, monitor->stop);
    if (monitor->connection == NULL
        || send_message (monitor->connection, message, monitor->stop, &error))
      break;
    g_printerr ("sim-monitor: %s\n", error->message);
    g_clear_object (&monitor->connection);
    g_usleep (500 * 1000);
  }
  g_free (message);
}

static void
send_alarm (Monitor *monitor, const PatientNumbers *numbers)
{
  gboolean low = numbers->spo2 < 90;
  if (!low && !monitor->low)
    return;
  const MonitorAlarm alarm = { .event = "196652^MDC_EVT_LO_VAL_LT_LIM",
                               .text = "SpO2 thấp",
                               .source = 150456,
                               .source_name = "MDC_PULS_OXIM_SAT_O2",
                               .value = numbers->spo2,
                               .limits = "90-100",
                               .phase = !low           ? "end"
                                        : monitor->low ? "continue"
                                                       : "start",
                               .priority = "PM",
                               .low = TRUE };
  monitor->low = low;
  deliver (monitor, monitor_alarm_message (&monitor->words, &alarm, ++monitor->id,
                                           utc_of (monitor, patient_now (monitor))));
}

static void
send_numbers (Monitor *monitor)
{
  double now = patient_now (monitor);
  patient_advance (monitor->patient, now, monitor->options->cuff_seconds);
  PatientNumbers numbers = patient_numbers (monitor->patient);
  deliver (monitor, monitor_numbers_message (&monitor->words, &numbers, ++monitor->id,
                                             utc_of (monitor, now)));
  if (monitor->options->alarms)
    send_alarm (monitor, &numbers);
}

static void
send_waves (Monitor *monitor)
{
  double seconds = monitor->options->wave_ms / 1000.0, now = patient_now (monitor);
  patient_advance (monitor->patient, now, 0);
  /* What was not sent in time is not sent at all. */
  if (now - monitor->waves_from > 4 * seconds + 1)
    monitor->waves_from = now - seconds;
  while (monitor->waves_from + seconds <= now && !g_cancellable_is_cancelled (monitor->stop)) {
    double from = monitor->waves_from;
    monitor->waves_from += seconds;
    deliver (monitor, monitor_waves_message (&monitor->words, monitor->patient, ++monitor->id, from,
                                             seconds, utc_of (monitor, from)));
  }
}

/* Until the next of both is due. */
static void
wait_for_next (const Monitor *monitor)
{
  gint64 due = monitor->numbers_due_us;
  if (monitor->options->wave_ms > 0) {
    double end = monitor->waves_from + monitor->options->wave_ms / 1000.0;
    due = MIN (due, monitor->began_us + (gint64)(end * G_USEC_PER_SEC));
  }
  gint64 wait = due - g_get_monotonic_time ();
  if (wait > 0)
    g_usleep ((gulong)MIN (wait, 200 * 1000));
}

static gpointer
run (gpointer data)
{
  Monitor *monitor = data;
  if (monitor->options->query)
    deliver (monitor, monitor_query_message (&monitor->words, ++monitor->id, g_get_real_time ()));
  monitor->numbers_due_us = g_get_monotonic_time ();
  while (!g_cancellable_is_cancelled (monitor->stop)) {
    if (g_get_monotonic_time () >= monitor->numbers_due_us) {
      monitor->numbers_due_us += monitor->options->interval_ms * 1000;
      if (monitor->numbers_due_us < g_get_monotonic_time ())
        monitor->numbers_due_us = g_get_monotonic_time ();
      send_numbers (monitor);
    }
    if (monitor->options->wave_ms > 0)
      send_waves (monitor);
    wait_for_next (monitor);
  }
  return NULL;
}

static gboolean
on_signal (gpointer data)
{
  gpointer *arguments = data;
  g_cancellable_cancel (arguments[0]);
  g_main_loop_quit (arguments[1]);
  return G_SOURCE_REMOVE;
}

static gboolean
read_options (Options *options, int *argc, char ***argv, Make *ret_make, Rhythm *ret_rhythm,
              GError **error)
{
  const GOptionEntry entries[] = {
    { "host", 0, 0, G_OPTION_ARG_STRING, &options->host, "station's address (127.0.0.1)", "HOST" },
    { "port", 0, 0, G_OPTION_ARG_INT, &options->port, "its HL7 port", "PORT" },
    { "make", 0, 0, G_OPTION_ARG_STRING, &options->make, "ihe mindray comen philips ge (ihe)",
      "NAME" },
    { "rhythm", 0, 0, G_OPTION_ARG_STRING, &options->rhythm,
      "sinus brady tachy afib pvc vt asystole (sinus)", "NAME" },
    { "interval", 0, 0, G_OPTION_ARG_INT, &options->interval_ms, "between numbers (1000)", "MS" },
    { "waves", 0, 0, G_OPTION_ARG_INT, &options->wave_ms, "between waves; 0: none (0)", "MS" },
    { "nibp", 0, 0, G_OPTION_ARG_INT, &options->cuff_seconds, "between cuff readings (20)", "S" },
    { "patient", 0, 0, G_OPTION_ARG_STRING, &options->patient_id, "PID-3; none by default", "ID" },
    { "serial", 0, 0, G_OPTION_ARG_STRING, &options->serial, "its EUI-64", "HEX" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &options->seed, "the same seed, the same patient (1)", "N" },
    { "demo", 0, 0, G_OPTION_ARG_NONE, &options->demo, "everything is marked DEMO", NULL },
    { "alarms", 0, 0, G_OPTION_ARG_NONE, &options->alarms, "sends alarms (ORU^R40)", NULL },
    { "query", 0, 0, G_OPTION_ARG_NONE, &options->query, "asks who the patient is first", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- simulated patient monitor");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (options->port > 0 && options->interval_ms > 0 && options->wave_ms >= 0
      && make_from_name (options->make, ret_make) && rhythm_from_name (options->rhythm, ret_rhythm))
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       "wants --port, and a --make and --rhythm of those that --help names");
  return FALSE;
}

static void
options_clear (Options *options)
{
  g_free (options->host);
  g_free (options->patient_id);
  g_free (options->make);
  g_free (options->rhythm);
  g_free (options->serial);
}

int
main (int argc, char **argv)
{
  Options options = { .interval_ms = 1000,
                      .cuff_seconds = 20,
                      .seed = 1,
                      .host = g_strdup ("127.0.0.1"),
                      .patient_id = g_strdup (""),
                      .make = g_strdup ("ihe"),
                      .rhythm = g_strdup ("sinus"),
                      .serial = g_strdup ("0004A3FFFE5D0001") };
  g_autoptr (GError) error = NULL;
  Make make = MAKE_IHE;
  Rhythm rhythm = RHYTHM_SINUS;
  if (!read_options (&options, &argc, &argv, &make, &rhythm, &error)) {
    g_printerr ("sim-monitor: %s\n", error->message);
    return 2;
  }
  g_autoptr (GCancellable) stop = g_cancellable_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  gpointer arguments[] = { stop, loop };
  Monitor monitor = { .options = &options,
                      .words = { make, options.patient_id, options.serial, options.demo },
                      .stop = stop,
                      .patient = patient_new ((guint32)options.seed, rhythm),
                      .began_us = g_get_monotonic_time () - LIVED_US,
                      .began_utc_us = g_get_real_time () - LIVED_US,
                      .waves_from = (double)LIVED_US / G_USEC_PER_SEC };
  patient_advance (monitor.patient, monitor.waves_from, 0);
  g_unix_signal_add (SIGTERM, on_signal, arguments);
  g_unix_signal_add (SIGINT, on_signal, arguments);
  GThread *thread = g_thread_new ("monitor", run, &monitor);
  g_print ("ready %s:%d\n", options.host, options.port);
  fflush (stdout);
  g_main_loop_run (loop);
  g_thread_join (thread);
  g_clear_object (&monitor.connection);
  patient_free (monitor.patient);
  options_clear (&options);
  return 0;
}
