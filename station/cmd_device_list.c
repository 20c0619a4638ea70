/* nhipcau device list | watch: what a running station's devices are doing, for who helps on the
 * telephone. By STATE/local.sock (local.h), which only the station's own user can open. */
#include "station/cmd_device.h"
#include "station/local.h"

#include <gio/gunixsocketaddress.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX (4u << 20)

/* ---- Words -------------------------------------------------------------------------------------
 */

static const char *
text_of (const json_t *object, const char *key)
{
  const char *text = json_string_value (json_object_get (object, key));
  return text != NULL ? text : "";
}

static const char *
state_words (const char *state)
{
  if (g_str_equal (state, "live"))
    return SAY ("đang hoạt động", "working");
  if (g_str_equal (state, "lost"))
    return SAY ("mất kết nối, đang tìm lại", "lost, being looked for");
  if (g_str_equal (state, "failed"))
    return SAY ("cần người xử lý", "needs somebody");
  return SAY ("đang tìm", "being looked for");
}

static const char *
vital_words (const char *vital)
{
  static const struct {
    const char *vital;
    Text words;
  } names[] = {
    { "spo2", { "SpO₂", "SpO₂" } },
    { "pulse", { "mạch", "pulse" } },
    { "hr", { "nhịp tim", "heart rate" } },
    { "nibp-sys", { "HA tâm thu", "systolic" } },
    { "nibp-dia", { "HA tâm trương", "diastolic" } },
    { "nibp-mean", { "HA trung bình", "mean pressure" } },
    { "temp", { "nhiệt độ", "temperature" } },
    { "resp", { "nhịp thở", "respiration" } },
    { "glucose", { "đường huyết", "glucose" } },
    { "weight", { "cân nặng", "weight" } },
    { "height", { "chiều cao", "height" } },
  };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (vital, names[i].vital))
      return SAY (names[i].words.vi, names[i].words.en);
  return vital;
}

static const char *
unit_words (const char *unit)
{
  if (g_str_equal (unit, "/min"))
    return SAY ("lần/phút", "/min");
  if (g_str_equal (unit, "mm[Hg]"))
    return "mmHg";
  return g_str_equal (unit, "Cel") ? "°C" : unit;
}

static const char *
absent_words (const json_t *observation)
{
  const json_t *flags = json_object_get (observation, "flags");
  for (gsize i = 0; i < json_array_size (flags); i++) {
    const char *flag = json_string_value (json_array_get (flags, i));
    if (g_strcmp0 (flag, "no-finger") == 0)
      return SAY ("chưa có ngón tay", "no finger");
    if (g_strcmp0 (flag, "sensor-off") == 0)
      return SAY ("đầu dò chưa cắm", "sensor off");
    if (g_strcmp0 (flag, "searching") == 0)
      return SAY ("đang dò mạch", "searching");
  }
  return SAY ("không đo được", "not measured");
}

static gint64
age_of (const json_t *observation)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text_of (observation, "time"), NULL);
  return time != NULL ? g_get_real_time () / G_USEC_PER_SEC - g_date_time_to_unix (time) : 0;
}

/* "SpO₂ 97 %" */
static char *
value_words (const json_t *observation)
{
  const char *vital = text_of (observation, "vital");
  const char *name = *vital != '\0' ? vital_words (vital) : text_of (observation, "code");
  const char *test = json_is_true (json_object_get (observation, "test"))
                         ? SAY (" (thử máy, không phải bệnh nhân)", " (a test, no patient)")
                         : "";
  if (json_object_get (observation, "absent") != NULL)
    return g_strdup_printf ("%s: %s%s", name, absent_words (observation), test);
  return g_strdup_printf ("%s %s %s%s", name, text_of (observation, "value_text"),
                          unit_words (text_of (observation, "unit")), test);
}

/* ---- list --------------------------------------------------------------------------------------
 */

static const json_t *
values_of (const json_t *all, const char *device)
{
  gsize i;
  json_t *entry;
  json_array_foreach (json_object_get (all, "devices"), i, entry)
  {
    if (g_str_equal (text_of (entry, "device"), device))
      return json_object_get (entry, "values");
  }
  return NULL;
}

static void
print_values (const json_t *values)
{
  gsize i;
  json_t *observation;
  json_array_foreach (values, i, observation)
  {
    g_autofree char *words = value_words (observation);
    printf (SAY ("    %s   (%" G_GINT64_FORMAT " giây trước)\n",
                 "    %s   (%" G_GINT64_FORMAT " s ago)\n"),
            words, MAX (age_of (observation), 0));
  }
}

static void
print_feed (const json_t *all, const json_t *feed)
{
  const json_t *why = json_object_get (feed, "why");
  printf ("%s (%s): %s\n", text_of (feed, "name"), text_of (feed, "device"),
          state_words (text_of (feed, "state")));
  if (why != NULL)
    printf ("    %s\n", text_of (why, text_vietnamese () ? "vi" : "en"));
  if (json_object_get (feed, "battery") != NULL)
    printf (SAY ("    pin %d %%\n", "    battery %d %%\n"),
            (int)json_integer_value (json_object_get (feed, "battery")));
  print_values (values_of (all, text_of (feed, "device")));
}

static gboolean
is_feed (const json_t *all, const char *device)
{
  gsize i;
  json_t *feed;
  json_array_foreach (json_object_get (all, "feeds"), i, feed)
  {
    if (g_str_equal (text_of (feed, "device"), device))
      return TRUE;
  }
  return FALSE;
}

/* Feeds first, then what sends by itself: monitors over the network. */
static void
print_all (const json_t *all)
{
  gsize i;
  json_t *item;
  json_array_foreach (json_object_get (all, "feeds"), i, item)
  {
    print_feed (all, item);
  }
  json_array_foreach (json_object_get (all, "devices"), i, item)
  {
    if (is_feed (all, text_of (item, "device")))
      continue;
    printf ("%s (%s)\n", text_of (item, "device"), text_of (item, "sender"));
    print_values (json_object_get (item, "values"));
  }
  if (json_array_size (json_object_get (all, "feeds")) == 0
      && json_array_size (json_object_get (all, "devices")) == 0)
    puts (
        SAY ("Trạm chưa thấy thiết bị nào. Thiết bị nối tiếp: nhóm [serial TÊN] của station.conf.",
             "The station has seen no device. Serial ones: [serial NAME] of station.conf."));
}

/* ---- watch -------------------------------------------------------------------------------------
 */

/* Prints `words` of `key` when they are others than before. */
static void
print_change (GHashTable *said, char *key, const char *name, char *words)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *clock = g_date_time_format (now, "%H:%M:%S");
  if (g_strcmp0 (g_hash_table_lookup (said, key), words) == 0) {
    g_free (key);
    g_free (words);
    return;
  }
  printf ("%s  %s: %s\n", clock, name, words);
  g_hash_table_insert (said, key, words);
}

static void
print_changes (GHashTable *said, const json_t *all)
{
  gsize i, j;
  json_t *item, *observation;
  json_array_foreach (json_object_get (all, "feeds"), i, item)
  {
    const char *why = text_of (json_object_get (item, "why"), text_vietnamese () ? "vi" : "en");
    print_change (said, g_strconcat ("state\n", text_of (item, "device"), NULL),
                  text_of (item, "name"),
                  g_strconcat (state_words (text_of (item, "state")), *why ? ". " : "", why, NULL));
  }
  json_array_foreach (json_object_get (all, "devices"), i, item)
  {
    json_array_foreach (json_object_get (item, "values"), j, observation)
    {
      print_change (
          said, g_strconcat (text_of (item, "device"), "\n", text_of (observation, "code"), NULL),
          text_of (item, "sender"), value_words (observation));
    }
  }
}

/* ---- The socket --------------------------------------------------------------------------------
 */

static GSocketConnection *
connect_station (const Config *config, GError **error)
{
  g_autofree char *path = local_path (config->state);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  GSocketConnection *connection
      = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, error);
  if (connection == NULL)
    g_prefix_error (error,
                    SAY ("trạm có đang chạy, với chính người dùng này không? %s: ",
                         "is the station running, as this very user? %s: "),
                    path);
  return connection;
}

static json_t *
read_line (GDataInputStream *lines, char **ret_text, GError **error)
{
  gsize length = 0;
  char *line = g_data_input_stream_read_line (lines, &length, NULL, error);
  json_t *all = line != NULL && length <= TEXT_MAX ? json_loads (line, 0, NULL) : NULL;
  if (all == NULL && *error == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "%s",
                 SAY ("trạm đã dừng", "the station has stopped"));
  *ret_text = line;
  return all;
}

static int
run (int argc, char **argv, gboolean watch, Text about)
{
  g_auto (CliOptions) options = { 0 };
  g_autoptr (GError) error = NULL;
  int exit_code = CLI_OK;
  if (!cli_parse (&argc, &argv, &options, CLI_WITH_JSON, NULL, NULL, about, &exit_code))
    return exit_code;
  g_autoptr (Config) config = cli_config (&options, &exit_code);
  if (config == NULL)
    return exit_code;
  g_autoptr (GSocketConnection) connection = connect_station (config, &error);
  if (connection == NULL)
    return cli_fail (error);
  g_autoptr (GDataInputStream) lines
      = g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  g_autoptr (GHashTable) said = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  do {
    g_autofree char *text = NULL;
    json_auto_t *all = read_line (lines, &text, &error);
    if (all == NULL)
      return cli_fail (error);
    if (options.json)
      puts (text);
    else if (watch)
      print_changes (said, all);
    else
      print_all (all);
    fflush (stdout);
  } while (watch);
  return CLI_OK;
}

int
cmd_device_list (int argc, char **argv)
{
  return run (argc, argv, FALSE,
              (Text){ "Trạm đang chạy thấy thiết bị nào, và chúng nói gì lúc này",
                      "Which devices the running station sees, and what they say now" });
}

int
cmd_device_watch (int argc, char **argv)
{
  return run (argc, argv, TRUE,
              (Text){ "Như list, rồi in mỗi thay đổi cho đến Ctrl-C",
                      "As list, and then each change until Ctrl-C" });
}
