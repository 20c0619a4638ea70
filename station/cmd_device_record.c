/* nhipcau device record: every byte of a device's line, sealed in a file (records/capture.h). */
#include "media/devices/serial_feed.h"
#include "media/devices/serial_port.h"
#include "records/capture.h"
#include "station/cmd_device.h"
#include "station/serial.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <string.h>

typedef struct {
  char *serial, *kind, *to;
  int speed, mllp, seconds;
} RecordOptions;

static void
record_options_clear (RecordOptions *options)
{
  g_free (options->serial);
  g_free (options->kind);
  g_free (options->to);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RecordOptions, record_options_clear)

typedef struct {
  GMainLoop *loop;
  CaptureWriter *writer;
  GError *error;
  guint64 from, to, readings;
  const char *forward; /* HOST:PORT */
} Recording;

static void
keep (Recording *recording, FeedDirection direction, const guint8 *data, gsize length)
{
  CaptureKind kind = direction == FEED_TO_DEVICE ? CAPTURE_TO_DEVICE : CAPTURE_FROM_DEVICE;
  *(direction == FEED_TO_DEVICE ? &recording->to : &recording->from) += length;
  if (recording->error == NULL
      && !capture_write (recording->writer, kind, g_get_monotonic_time (), g_get_real_time (), data,
                         length, &recording->error))
    g_main_loop_quit (recording->loop);
}

/* ---- A serial port -----------------------------------------------------------------------------
 */

static void
on_raw (FeedDirection direction, const guint8 *data, gsize length, void *arg)
{
  keep (arg, direction, data, length);
}

static void
on_observation (Observation *observation, void *arg)
{
  ((Recording *)arg)->readings++;
  observation_free (observation);
}

static void
on_state (FeedState state, const char *why_vi, const char *why_en, int battery, void *arg)
{
  const char *why = text_vietnamese () ? why_vi : why_en;
  if (state == FEED_LIVE)
    g_printerr ("nhipcau: %s\n", SAY ("thiết bị đang nói", "the device speaks"));
  else if (why != NULL)
    g_printerr ("nhipcau: %s\n", why);
}

/* ---- HL7: between the monitor and the station --------------------------------------------------
 */

typedef struct {
  Recording *recording;
  FeedDirection direction;
  GInputStream *in;
  GOutputStream *out;
  GIOStream *both[2]; /* references: kept while either way runs */
} Pipe;

static void
pipe_free (Pipe *pipe)
{
  for (guint i = 0; i < 2; i++) {
    g_io_stream_close (pipe->both[i], NULL, NULL);
    g_object_unref (pipe->both[i]);
  }
  g_free (pipe);
}

static void pipe_read (Pipe *pipe);

static void
on_written (GObject *source, GAsyncResult *result, void *data)
{
  Pipe *pipe = data;
  if (g_output_stream_write_all_finish (pipe->out, result, NULL, NULL))
    pipe_read (pipe);
  else
    pipe_free (pipe);
}

static void
on_read (GObject *source, GAsyncResult *result, void *data)
{
  Pipe *pipe = data;
  g_autoptr (GBytes) bytes = g_input_stream_read_bytes_finish (pipe->in, result, NULL);
  gsize length = 0;
  const guint8 *at = bytes != NULL ? g_bytes_get_data (bytes, &length) : NULL;
  if (length == 0) {
    pipe_free (pipe);
    return;
  }
  keep (pipe->recording, pipe->direction, at, length);
  g_object_set_data_full (G_OBJECT (pipe->out), "bytes", g_steal_pointer (&bytes),
                          (GDestroyNotify)g_bytes_unref);
  g_output_stream_write_all_async (pipe->out, at, length, G_PRIORITY_DEFAULT, NULL, on_written,
                                   pipe);
}

static void
pipe_read (Pipe *pipe)
{
  g_input_stream_read_bytes_async (pipe->in, 65536, G_PRIORITY_DEFAULT, NULL, on_read, pipe);
}

static void
pipe_begin (Recording *recording, FeedDirection direction, GSocketConnection *from,
            GSocketConnection *to)
{
  Pipe *pipe = g_new0 (Pipe, 1);
  *pipe = (Pipe){ .recording = recording,
                  .direction = direction,
                  .in = g_io_stream_get_input_stream (G_IO_STREAM (from)),
                  .out = g_io_stream_get_output_stream (G_IO_STREAM (to)),
                  .both = { g_object_ref (G_IO_STREAM (from)), g_object_ref (G_IO_STREAM (to)) } };
  pipe_read (pipe);
}

typedef struct {
  Recording *recording;
  GSocketConnection *monitor;
} Incoming;

static void
on_connected (GObject *source, GAsyncResult *result, void *data)
{
  Incoming *incoming = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) station
      = g_socket_client_connect_to_host_finish (G_SOCKET_CLIENT (source), result, &error);
  if (station != NULL) {
    pipe_begin (incoming->recording, FEED_FROM_DEVICE, incoming->monitor, station);
    pipe_begin (incoming->recording, FEED_TO_DEVICE, station, incoming->monitor);
  } else {
    g_printerr ("nhipcau: %s: %s\n", incoming->recording->forward, error->message);
  }
  g_object_unref (incoming->monitor);
  g_free (incoming);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *monitor, GObject *source, void *data)
{
  Recording *recording = data;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  Incoming *incoming = g_new0 (Incoming, 1);
  incoming->recording = recording;
  incoming->monitor = g_object_ref (monitor);
  g_socket_client_connect_to_host_async (client, recording->forward, 2575, NULL, on_connected,
                                         incoming);
  return TRUE;
}

/* ---- The command -------------------------------------------------------------------------------
 */

static gboolean
stop (void *loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

static void
wait_for_the_end (Recording *recording, int seconds)
{
  guint term = g_unix_signal_add (SIGTERM, stop, recording->loop);
  guint interrupt = g_unix_signal_add (SIGINT, stop, recording->loop);
  guint timer = seconds > 0 ? g_timeout_add_seconds ((guint)seconds, stop, recording->loop) : 0;
  g_printerr ("nhipcau: %s\n", SAY ("đang ghi; Ctrl-C để dừng", "recording; Ctrl-C ends it"));
  g_main_loop_run (recording->loop);
  g_source_remove (term);
  g_source_remove (interrupt);
  if (timer > 0)
    g_source_remove (timer);
}

static gboolean
record_mllp (Recording *recording, const RecordOptions *options, GError **error)
{
  g_autoptr (GSocketService) service = g_socket_service_new ();
  recording->forward = options->to;
  g_signal_connect (service, "incoming", G_CALLBACK (on_incoming), recording);
  if (!g_socket_listener_add_inet_port (G_SOCKET_LISTENER (service), (guint16)options->mllp, NULL,
                                        error))
    return FALSE;
  wait_for_the_end (recording, options->seconds);
  g_socket_service_stop (service);
  g_socket_listener_close (G_SOCKET_LISTENER (service));
  return TRUE;
}

static void
record_serial (Recording *recording, const RecordOptions *options)
{
  const FeedSink sink
      = { .raw = on_raw, .observation = on_observation, .state = on_state, .arg = recording };
  const LineKind *kind = options->kind != NULL ? line_kind_find (options->kind) : NULL;
  SerialFeed *feed = serial_feed_new (options->serial, kind, (guint)options->speed, NULL, &sink);
  wait_for_the_end (recording, options->seconds);
  serial_feed_free (feed);
}

/* DEVICE of station.conf: its port, kind and speed. */
static gboolean
find_device (RecordOptions *options, const Config *config, const char *name)
{
  for (guint i = 0; i < config->serials->len; i++) {
    const ConfigSerial *serial = config->serials->pdata[i];
    g_autofree char *id = serial_device_id (serial);
    if (!g_str_equal (name, serial->name) && !g_str_equal (name, id))
      continue;
    options->serial = g_strdup (serial->port);
    if (options->kind == NULL)
      options->kind = g_strdup (serial->kind);
    if (options->speed == 0)
      options->speed = (int)serial->speed;
    return TRUE;
  }
  return FALSE;
}

static int
check_options (const RecordOptions *options)
{
  if (options->kind != NULL && line_kind_find (options->kind) == NULL)
    return cli_usage (SAY ("--kind %s: chỉ có contec, nonin, nonin-9560, intellivue",
                           "--kind %s: contec, nonin, nonin-9560 or intellivue"),
                      options->kind);
  if (options->serial != NULL && !serial_port_is_valid (options->serial))
    return cli_usage (SAY ("--serial %s: cần đường dẫn hoặc usb:VVVV:PPPP",
                           "--serial %s: wants a path or usb:VVVV:PPPP"),
                      options->serial);
  if ((options->mllp != 0) != (options->to != NULL) || options->mllp < 0 || options->mllp > 65535)
    return cli_usage ("%s", SAY ("--mllp CỔNG cần --to MÁY:CỔNG của trạm: máy theo dõi gửi vào "
                                 "cổng ấy, trạm trả lời",
                                 "--mllp PORT wants --to HOST:PORT of the station: the monitor "
                                 "sends to that port, the station answers"));
  return CLI_OK;
}

static int
record (const RecordOptions *options, const CliOptions *cli, const Config *config, const char *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Vault) vault = cli_open_vault (cli, config, TRUE, &error);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Recording recording = { .loop = loop };
  if (vault == NULL)
    return cli_fail (error);
  json_auto_t *about = json_pack (
      "{s:s, s:s?, s:s}", "device", options->mllp != 0 ? "mllp" : options->serial, "kind",
      options->mllp != 0 ? "hl7" : options->kind, "station", config->station_id);
  recording.writer = capture_create (file, vault, about, &error);
  if (recording.writer == NULL)
    return cli_fail (error);
  if (options->mllp == 0)
    record_serial (&recording, options);
  else
    record_mllp (&recording, options, &error);
  capture_close (recording.writer);
  g_printerr (SAY ("nhipcau: %s: %" G_GUINT64_FORMAT " byte từ thiết bị, %" G_GUINT64_FORMAT
                   " byte tới thiết bị\n",
                   "nhipcau: %s: %" G_GUINT64_FORMAT " bytes from the device, %" G_GUINT64_FORMAT
                   " bytes to it\n"),
              file, recording.from, recording.to);
  if (error == NULL)
    error = g_steal_pointer (&recording.error);
  return error != NULL ? cli_fail (error) : CLI_OK;
}

int
cmd_device_record (int argc, char **argv)
{
  g_auto (CliOptions) cli = { 0 };
  g_auto (RecordOptions) options = { 0 };
  int exit_code = CLI_OK;
  const GOptionEntry entries[] = {
    { "serial", 0, 0, G_OPTION_ARG_STRING, &options.serial, SAY ("cổng nối tiếp", "a serial port"),
      "PORT" },
    { "kind", 0, 0, G_OPTION_ARG_STRING, &options.kind, "contec, nonin, nonin-9560, intellivue",
      "KIND" },
    { "speed", 0, 0, G_OPTION_ARG_INT, &options.speed, SAY ("tốc độ cổng", "speed of the line"),
      "BAUD" },
    { "mllp", 0, 0, G_OPTION_ARG_INT, &options.mllp,
      SAY ("nhận HL7 ở cổng này", "takes HL7 at this port"), "PORT" },
    { "to", 0, 0, G_OPTION_ARG_STRING, &options.to,
      SAY ("và chuyển tới trạm ở đây", "and hands it to the station there"), "HOST:PORT" },
    { "seconds", 0, 0, G_OPTION_ARG_INT, &options.seconds,
      SAY ("tự dừng sau N giây", "ends by itself after N seconds"), "N" },
    { NULL },
  };
  if (!cli_parse (&argc, &argv, &cli, CLI_WITH_KEYS, entries, "[DEVICE] FILE",
                  (Text){ "Ghi mọi byte của một thiết bị vào FILE, niêm phong bằng khóa của trạm. "
                          "DEVICE là TÊN của [serial TÊN]; trạm không được đang dùng cổng ấy",
                          "Records every byte of a device to FILE, sealed with the station's key. "
                          "DEVICE is the NAME of a [serial NAME], whose port no running station "
                          "uses" },
                  &exit_code))
    return exit_code;
  g_autoptr (Config) config = cli_config (&cli, &exit_code);
  if (config == NULL)
    return exit_code;
  gboolean named = options.serial == NULL && options.mllp == 0;
  if (argc != (named ? 3 : 2))
    return cli_usage ("%s", SAY ("cách dùng: nhipcau device record DEVICE FILE, hoặc --serial "
                                 "PORT FILE, hoặc --mllp PORT --to HOST:PORT FILE",
                                 "usage: nhipcau device record DEVICE FILE, or --serial PORT FILE, "
                                 "or --mllp PORT --to HOST:PORT FILE"));
  if (named && !find_device (&options, config, argv[1]))
    return cli_usage (SAY ("station.conf không có [serial %s]", "station.conf has no [serial %s]"),
                      argv[1]);
  exit_code = check_options (&options);
  return exit_code != CLI_OK ? exit_code : record (&options, &cli, config, argv[argc - 1]);
}
