/* A simulated patient monitor: speaks HL7 v2.6 ORU^R01 (IHE PCD-01) over MLLP, as real ones do.
 *
 * Usage: sim-monitor --port P [--host H] [--interval MS] [--nibp SECONDS] [--patient ID^^^A^PI]
 *
 * The patient is a small model, not constants: heart rate drifts around a set point and swings
 * with breathing, SpO2 follows with a delay, the cuff measures now and then. Each message waits
 * for its acknowledgement; on a lost connection the monitor reconnects and repeats what was not
 * acknowledged. Ends on SIGTERM. */
#include <gio/gio.h>
#include <glib-unix.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VT = 0x0B, FS = 0x1C, CR = 0x0D };

typedef struct {
  GRand *rand;
  double seconds;
  double hr, spo2, temp, resp;
  double sys, dia;
  double next_cuff;
  gboolean cuff; /* measured in this step */
} Patient;

typedef struct {
  char *host, *patient_id;
  int port, interval_ms, cuff_seconds;
} Options;

static double
pull (double value, double towards, double strength, double noise, GRand *rand)
{
  return value + (towards - value) * strength + g_rand_double_range (rand, -noise, noise);
}

static void
patient_step (Patient *p, double dt, double cuff_seconds)
{
  p->seconds += dt;
  double effort = 6 * sin (p->seconds / 47.0); /* slow waves of unrest */
  p->resp = pull (p->resp, 20 + effort / 4, 0.05, 0.4, p->rand);
  p->hr = pull (p->hr, 88 + effort, 0.08, 1.2, p->rand);
  p->spo2 = fmin (100, pull (p->spo2, 95.5 - effort / 8, 0.03, 0.25, p->rand));
  p->temp = pull (p->temp, 37.1, 0.01, 0.01, p->rand);
  p->cuff = p->seconds >= p->next_cuff;
  if (p->cuff) {
    p->sys = 138 + effort + g_rand_double_range (p->rand, -5, 5);
    p->dia = 84 + effort / 2 + g_rand_double_range (p->rand, -3, 3);
    p->next_cuff = p->seconds + cuff_seconds;
  }
}

static double
breathing_hr (const Patient *p)
{
  return p->hr + 2.5 * sin (2 * G_PI * p->resp / 60.0 * p->seconds);
}

static void
add (GString *message, int *row, const char *code, const char *place, double value, int digits,
     const char *unit, const char *range, const char *flag, const char *time)
{
  char number[32];
  g_snprintf (number, sizeof number, "%.*f", digits, value);
  g_string_append_printf (message, "OBX|%d|NM|%s^MDC|%s|%s|%s^MDC|%s|%s|||R|||%s\r", ++*row, code,
                          place, number, unit, range, flag, time);
}

static char *
build (const Patient *p, const char *patient_id, guint id)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%d%H%M%S%z");
  GString *m = g_string_new (NULL);
  int row = 0;
  g_string_append_printf (
      m,
      "MSH|^~\\&|SIM_MONITOR^0004A3FFFE5D0001^EUI-64|TYT|||%s||ORU^R01^ORU_R01|%u|P|2.6|||AL|NE||"
      "UNICODE UTF-8|||IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO\r"
      "PID|||%s\rPV1||O\r"
      "OBR|1|||182777000^monitoring of patient^SCT|||%s\r",
      time, id, patient_id, time);
  add (m, &row, "147842^MDC_ECG_HEART_RATE", "1.6.1.147842", breathing_hr (p), 0,
       "264864^MDC_DIM_BEAT_PER_MIN", "50-120", "", time);
  add (m, &row, "150456^MDC_PULS_OXIM_SAT_O2", "1.3.1.150456", p->spo2, 0, "262688^MDC_DIM_PERCENT",
       "90-100", p->spo2 < 90 ? "L" : "", time);
  add (m, &row, "149530^MDC_PULS_OXIM_PULS_RATE", "1.3.1.149530", breathing_hr (p), 0,
       "264864^MDC_DIM_BEAT_PER_MIN", "50-120", "", time);
  add (m, &row, "151562^MDC_RESP_RATE", "1.14.1.151562", p->resp, 0, "264928^MDC_DIM_RESP_PER_MIN",
       "8-30", "", time);
  add (m, &row, "150344^MDC_TEMP", "1.2.1.150344", p->temp, 1, "268192^MDC_DIM_DEGC", "36-39", "",
       time);
  if (p->cuff) {
    const char *mmhg = "266016^MDC_DIM_MMHG";
    add (m, &row, "150021^MDC_PRESS_BLD_NONINV_SYS", "1.1.9.150021", p->sys, 0, mmhg, "90-160",
         p->sys > 160 ? "H" : "", time);
    add (m, &row, "150022^MDC_PRESS_BLD_NONINV_DIA", "1.1.9.150022", p->dia, 0, mmhg, "50-90",
         p->dia > 90 ? "H" : "", time);
    add (m, &row, "150023^MDC_PRESS_BLD_NONINV_MEAN", "1.1.9.150023",
         p->dia + (p->sys - p->dia) / 3, 0, mmhg, "60-110", "", time);
  }
  return g_string_free (m, FALSE);
}

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

static gpointer
run (gpointer data)
{
  gpointer *arguments = data;
  const Options *options = arguments[0];
  GCancellable *stop = arguments[1];
  Patient patient = { .rand = g_rand_new (), .hr = 90, .spo2 = 95, .temp = 37.1, .resp = 20 };
  g_autoptr (GSocketConnection) connection = NULL;
  guint id = 0;
  while (!g_cancellable_is_cancelled (stop)) {
    patient_step (&patient, options->interval_ms / 1000.0, options->cuff_seconds);
    g_autofree char *message = build (&patient, options->patient_id, ++id);
    g_autoptr (GError) error = NULL;
    while (!g_cancellable_is_cancelled (stop)) {
      if (connection == NULL)
        connection = connect_station (options, stop);
      if (connection == NULL || send_message (connection, message, stop, &error))
        break;
      g_printerr ("sim-monitor: %s\n", error->message);
      g_clear_error (&error);
      g_clear_object (&connection);
      g_usleep (500 * 1000);
    }
    g_usleep (options->interval_ms * 1000);
  }
  g_rand_free (patient.rand);
  return NULL;
}

static gboolean
on_signal (gpointer data)
{
  gpointer *arguments = data;
  g_cancellable_cancel (arguments[1]);
  g_main_loop_quit (arguments[2]);
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  Options options = { .interval_ms = 1000, .cuff_seconds = 20 };
  GOptionEntry entries[] = {
    { "host", 0, 0, G_OPTION_ARG_STRING, &options.host, "station's address (127.0.0.1)", "HOST" },
    { "port", 0, 0, G_OPTION_ARG_INT, &options.port, "its HL7 port", "PORT" },
    { "interval", 0, 0, G_OPTION_ARG_INT, &options.interval_ms, "time between messages (1000)",
      "MS" },
    { "nibp", 0, 0, G_OPTION_ARG_INT, &options.cuff_seconds, "time between cuff readings (20)",
      "S" },
    { "patient", 0, 0, G_OPTION_ARG_STRING, &options.patient_id, "PID-3; none by default", "ID" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- simulated patient monitor");
  g_option_context_add_main_entries (context, entries, NULL);
  g_autoptr (GError) error = NULL;
  if (!g_option_context_parse (context, &argc, &argv, &error) || options.port <= 0) {
    g_printerr ("sim-monitor: %s\n", error != NULL ? error->message : "--port is needed");
    return 2;
  }
  if (options.host == NULL)
    options.host = g_strdup ("127.0.0.1");
  if (options.patient_id == NULL)
    options.patient_id = g_strdup ("");
  g_autoptr (GCancellable) stop = g_cancellable_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  gpointer arguments[] = { &options, stop, loop };
  g_unix_signal_add (SIGTERM, on_signal, arguments);
  g_unix_signal_add (SIGINT, on_signal, arguments);
  GThread *thread = g_thread_new ("monitor", run, arguments);
  g_print ("ready %s:%d\n", options.host, options.port);
  fflush (stdout);
  g_main_loop_run (loop);
  g_thread_join (thread);
  g_free (options.host);
  g_free (options.patient_id);
  return 0;
}
