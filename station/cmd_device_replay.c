/* nhipcau device replay: a capture again through the same parsers, or into a running station. */
#include "media/devices/decode.h"
#include "media/devices/line_device.h"
#include "records/capture.h"
#include "station/cmd_device.h"
#include "station/replay.h"

#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>

#define CAPTURE_MAX (256u << 20)
/* Bytes in which a capture that does not tell its kind shows it. */
#define GUESS_BYTES 65536

typedef struct {
  char *kind, *pty, *mllp, *key, *certificate;
  gboolean original;
} ReplayOptions;

static void
replay_options_clear (ReplayOptions *options)
{
  g_free (options->kind);
  g_free (options->pty);
  g_free (options->mllp);
  g_free (options->key);
  g_free (options->certificate);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReplayOptions, replay_options_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)

/* ---- Reading -----------------------------------------------------------------------------------
 */

static void
record_free (void *data)
{
  CaptureRecord *record = data;
  g_bytes_unref (record->data);
  g_free (record);
}

/* What the device said, in order. What is behind a broken place is left out, and told of. */
static GPtrArray *
read_all (CaptureReader *reader, GError **error)
{
  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func (record_free);
  gsize total = 0;
  for (;;) {
    CaptureRecord record = { 0 };
    CaptureRead read = capture_read (reader, &record, error);
    if (read == CAPTURE_CUT)
      g_printerr ("nhipcau: %s\n", SAY ("bản ghi bị ngắt giữa chừng: phần còn nguyên được phát lại",
                                        "the capture was cut off: what is whole is replayed"));
    if (read == CAPTURE_BROKEN)
      return NULL;
    if (read != CAPTURE_GOT)
      return g_steal_pointer (&records);
    total += g_bytes_get_size (record.data);
    if (record.kind == CAPTURE_FROM_DEVICE && total <= CAPTURE_MAX)
      g_ptr_array_add (records, g_memdup2 (&record, sizeof record));
    else
      g_bytes_unref (record.data);
  }
}

static EVP_PKEY *
read_key (const char *file)
{
  BIO *bio = BIO_new_file (file, "r");
  EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey (bio, NULL, NULL, NULL) : NULL;
  BIO_free (bio);
  ERR_clear_error ();
  return key;
}

static X509 *
read_certificate (const char *file)
{
  BIO *bio = BIO_new_file (file, "r");
  X509 *certificate = bio != NULL ? PEM_read_bio_X509 (bio, NULL, NULL, NULL) : NULL;
  BIO_free (bio);
  ERR_clear_error ();
  return certificate;
}

static CaptureReader *
open_with_recovery_key (const ReplayOptions *options, const char *file, GError **error)
{
  g_autoptr (EVP_PKEY) key = read_key (options->key);
  g_autoptr (X509) certificate
      = options->certificate != NULL ? read_certificate (options->certificate) : NULL;
  if (key == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL, "%s: no private key (PEM)",
                 options->key);
    return NULL;
  }
  return capture_open_recovery (file, key, certificate, error);
}

static CaptureReader *
open_capture (const ReplayOptions *options, CliOptions *cli, const char *file, int *ret_exit)
{
  g_autoptr (GError) error = NULL;
  CaptureReader *reader = NULL;
  if (options->key != NULL) {
    reader = open_with_recovery_key (options, file, &error);
  } else {
    g_autoptr (Config) config = cli_config (cli, ret_exit);
    if (config == NULL)
      return NULL;
    g_autoptr (Vault) vault = cli_open_vault (cli, config, TRUE, &error);
    reader = vault != NULL ? capture_open (file, vault, &error) : NULL;
  }
  if (reader == NULL)
    *ret_exit = cli_fail (error);
  return reader;
}

/* ---- Through the parsers -----------------------------------------------------------------------
 */

static void
print (json_t *object)
{
  char *text = json_dumps (object, JSON_COMPACT);
  puts (text != NULL ? text : "null");
  free (text);
  json_decref (object);
}

static void
on_observation (Observation *observation, void *arg)
{
  print (observation_to_json (observation));
  observation_free (observation);
}

static void
on_alarm (DeviceAlarm *alarm, void *arg)
{
  print (device_alarm_to_json (alarm));
  device_alarm_free (alarm);
}

static void
on_wave (WaveBlock *block, void *arg)
{
  print (wave_block_to_json (block));
  wave_block_free (block);
}

static void
run_line (const LineKind *kind, const GPtrArray *records, gsize limit, const FeedSink *sink,
          gboolean original, guint64 *ret_frames)
{
  const LineOutput output = { .sink = sink };
  gint64 begun = g_get_monotonic_time ();
  void *device = kind->make (&output);
  LineTime now = { 0 };
  for (guint i = 0; i < records->len && limit > 0; i++) {
    const CaptureRecord *record = records->pdata[i];
    gsize length;
    const guint8 *data = g_bytes_get_data (record->data, &length);
    now = (LineTime){ record->monotonic_us, record->utc_us };
    if (i == 0)
      kind->open (device, now);
    if (original)
      replay_wait (records, i, begun);
    kind->feed (device, data, length, now);
    fflush (stdout);
    limit -= MIN (limit, length);
  }
  kind->close (device, now, LINE_ENDED);
  *ret_frames = kind->frames (device);
  kind->free (device);
}

static const LineKind *
guess_kind (const GPtrArray *records)
{
  const FeedSink nobody = { 0 };
  const LineKind *best = NULL;
  guint64 most = 0;
  for (const LineKind *const *kind = line_kinds (); *kind != NULL; kind++) {
    guint64 frames = 0;
    run_line (*kind, records, GUESS_BYTES, &nobody, FALSE, &frames);
    if (frames > most) {
      most = frames;
      best = *kind;
    }
  }
  return best;
}

static void
print_decoded (json_t *object, void *arg)
{
  print (json_incref (object));
}

static gboolean
decode_messages (const GPtrArray *records, GError **error)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  for (guint i = 0; i < records->len; i++) {
    const CaptureRecord *record = records->pdata[i];
    g_byte_array_append (all, g_bytes_get_data (record->data, NULL),
                         (guint)g_bytes_get_size (record->data));
  }
  return device_decode ("hl7", all->data, all->len, print_decoded, NULL, NULL, error);
}

static gboolean
to_lines (const ReplayOptions *options, const char *kind_name, const GPtrArray *records,
          GError **error)
{
  const FeedSink sink = { .observation = on_observation, .wave = on_wave, .alarm = on_alarm };
  guint64 frames = 0;
  if (g_strcmp0 (kind_name, "hl7") == 0)
    return decode_messages (records, error);
  const LineKind *kind = kind_name != NULL ? line_kind_find (kind_name) : guess_kind (records);
  if (kind != NULL)
    run_line (kind, records, G_MAXSIZE, &sink, options->original, &frames);
  if (frames > 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s",
               SAY ("không có khung nào hiểu được trong bản ghi; thử --kind khác",
                    "no frame in the capture is understood; try another --kind"));
  return FALSE;
}

/* ---- The command -------------------------------------------------------------------------------
 */

static int
replay (const ReplayOptions *options, CaptureReader *reader)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) records = read_all (reader, &error);
  const char *kind = options->kind != NULL
                         ? options->kind
                         : json_string_value (json_object_get (capture_about (reader), "kind"));
  gboolean good = records != NULL;
  if (good && records->len == 0) {
    g_printerr ("nhipcau: %s\n",
                SAY ("thiết bị không nói gì trong bản ghi", "the device says nothing in it"));
    return CLI_OK;
  }
  if (good && options->pty != NULL)
    good = replay_to_pty (options->pty, records, &error);
  else if (good && options->mllp != NULL)
    good = replay_to_mllp (options->mllp, options->original, records, &error);
  else if (good)
    good = to_lines (options, kind, records, &error);
  return good ? CLI_OK : cli_fail (error);
}

int
cmd_device_replay (int argc, char **argv)
{
  g_auto (CliOptions) cli = { 0 };
  g_auto (ReplayOptions) options = { 0 };
  int exit_code = CLI_OK;
  const GOptionEntry entries[] = {
    { "kind", 0, 0, G_OPTION_ARG_STRING, &options.kind,
      "contec, nonin, nonin-9560, intellivue, hl7", "KIND" },
    { "original", 0, 0, G_OPTION_ARG_NONE, &options.original,
      SAY ("đúng nhịp lúc ghi (mặc định: nhanh nhất)", "at its own pace (default: at once)"),
      NULL },
    { "pty", 0, 0, G_OPTION_ARG_FILENAME, &options.pty,
      SAY ("thành một cổng nối tiếp ở đây, đúng nhịp", "as a serial port there, at its own pace"),
      "LINK" },
    { "mllp", 0, 0, G_OPTION_ARG_STRING, &options.mllp, SAY ("gửi HL7 tới đây", "sends HL7 there"),
      "HOST:PORT" },
    { "key", 0, 0, G_OPTION_ARG_FILENAME, &options.key,
      SAY ("mở bằng khóa khôi phục, ở máy nào cũng được", "opens it with a recovery key, anywhere"),
      "FILE" },
    { "certificate", 0, 0, G_OPTION_ARG_FILENAME, &options.certificate,
      SAY ("chứng thư của khóa ấy", "that key's certificate"), "FILE" },
    { NULL },
  };
  if (!cli_parse (&argc, &argv, &cli, CLI_WITH_KEYS, entries, "FILE",
                  (Text){ "Phát lại một bản ghi (device record, hoặc STATE/captures): mỗi dòng một "
                          "số đo hoặc đoạn sóng, JSON; hoặc vào trạm đang chạy",
                          "Replays a capture (device record, or STATE/captures): a reading or a "
                          "piece of a wave a line, JSON; or into a running station" },
                  &exit_code))
    return exit_code;
  if (argc != 2 || (options.pty != NULL && options.mllp != NULL))
    return cli_usage ("%s", SAY ("cách dùng: nhipcau device replay FILE [--original] [--pty LINK | "
                                 "--mllp HOST:PORT]",
                                 "usage: nhipcau device replay FILE [--original] [--pty LINK | "
                                 "--mllp HOST:PORT]"));
  if (options.kind != NULL && !g_str_equal (options.kind, "hl7")
      && line_kind_find (options.kind) == NULL)
    return cli_usage (SAY ("--kind %s: chỉ có contec, nonin, nonin-9560, intellivue, hl7",
                           "--kind %s: contec, nonin, nonin-9560, intellivue or hl7"),
                      options.kind);
  g_autoptr (CaptureReader) reader = open_capture (&options, &cli, argv[1], &exit_code);
  return reader != NULL ? replay (&options, reader) : exit_code;
}
