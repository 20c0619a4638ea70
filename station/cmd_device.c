/* nhipcau device decode; the other words of `device` have files of their own */
#include "media/devices/decode.h"
#include "media/devices/profile_set.h"
#include "station/cmd_device.h"
#include "station/monitors.h"

#include <stdio.h>
#include <string.h>

#define FILE_MAX (64u << 20)

static void
print_line (json_t *observation, void *arg)
{
  char *text = json_dumps (observation, JSON_COMPACT | JSON_REAL_PRECISION (15));
  if (text != NULL)
    puts (text);
  free (text);
}

static void
print_note (const char *text, void *arg)
{
  g_printerr ("nhipcau: %s: %s\n", (const char *)arg, text);
}

/* A file that another names stands beside it. */
static GBytes *
find_beside (const char *name, void *arg)
{
  g_autofree char *folder = g_path_get_dirname (arg);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *data = NULL;
  gsize length = 0;
  if (strchr (name, '/') != NULL || !g_file_get_contents (path, &data, &length, NULL))
    return NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_take (data, length);
  return length <= FILE_MAX ? g_steal_pointer (&bytes) : NULL;
}

/* profile: of kind hl7; NULL: none. */
static gboolean
decode_file (const char *kind, const Profile *profile, const char *file, GError **error)
{
  g_autofree char *data = NULL;
  gsize length = 0;
  if (!g_file_get_contents (file, &data, &length, error))
    return FALSE;
  if (length > FILE_MAX) {
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_FILE, "%s: is larger than 64 MiB", file);
    return FALSE;
  }
  const guint8 *bytes = (const guint8 *)data;
  gboolean good = profile != NULL
                      ? device_decode_hl7 (profile, bytes, length, print_line, print_note,
                                           (void *)file, error)
                      : device_decode_beside (kind, bytes, length, find_beside, (void *)file,
                                              print_line, print_note, (void *)file, error);
  if (!good) {
    g_prefix_error (error, "%s: ", file);
    return FALSE;
  }
  return TRUE;
}

static char *
kinds_text (void)
{
  return g_strjoinv (", ", (char **)device_decode_kinds ());
}

/* The profiles that the station would have: its own folder's, and that of station.conf. */
static ProfileSet *
load_profiles (const CliOptions *options, GError **error)
{
  g_autoptr (Config) config = config_load (options->config_file, options->state, error);
  if (config == NULL)
    return NULL;
  g_auto (GStrv) folders = monitors_profile_folders (config);
  return profile_set_load ((const char *const *)folders, error);
}

/* ret_profile stays NULL without a name. FALSE: it has said why, and set ret_exit. */
static gboolean
find_profile (const ProfileSet *set, const char *kind, const char *name,
              const Profile **ret_profile, int *ret_exit)
{
  if (!g_str_equal (kind, "hl7")) {
    *ret_exit = cli_usage (SAY ("--profile chỉ dùng với loại hl7, không dùng với %s",
                                "--profile goes with the kind hl7, not with %s"),
                           kind);
    return FALSE;
  }
  *ret_profile = profile_set_find (set, name);
  if (*ret_profile != NULL)
    return TRUE;
  g_autofree char *names = profile_set_names (set);
  *ret_exit = cli_usage (
      SAY ("không có hồ sơ thiết bị '%s'; có: %s", "there is no profile '%s'; there are: %s"), name,
      *names != '\0' ? names : "-");
  return FALSE;
}

static int
decode_files (int argc, char **argv, const Profile *profile)
{
  const char *parameter = device_decode_parameter (argv[2]);
  int first = parameter != NULL ? 4 : 3;
  int exit_code = CLI_OK;
  if (argc <= first)
    return cli_usage (SAY ("cách dùng: nhipcau device decode %s %s FILE…",
                           "usage: nhipcau device decode %s %s FILE…"),
                      argv[2], parameter);
  g_autofree char *kind
      = parameter != NULL ? g_strconcat (argv[2], ":", argv[3], NULL) : g_strdup (argv[2]);
  for (int i = first; i < argc; i++) {
    g_autoptr (GError) error = NULL;
    if (!decode_file (kind, profile, argv[i], &error)) {
      exit_code = CLI_RUNTIME;
      g_printerr ("nhipcau: %s\n", error->message);
    }
  }
  return exit_code;
}

static int
device_decode_command (int argc, char **argv)
{
  g_auto (CliOptions) options = { 0 };
  g_autofree char *name = NULL;
  const GOptionEntry entries[]
      = { { "profile", 0, 0, G_OPTION_ARG_STRING, &name,
            SAY ("loại hl7: đọc theo hồ sơ thiết bị này", "of kind hl7: by this profile"), "NAME" },
          { NULL } };
  int exit_code = CLI_OK;
  if (!cli_parse (&argc, &argv, &options, CLI_WITH_JSON, entries,
                  "decode KIND FILE… | list | watch | record … | replay …",
                  (Text){ "In ra những gì sẽ được lưu từ bản tin của thiết bị: mỗi dòng một số đo, "
                          "JSON. Không cần trạm đang chạy",
                          "Prints what would be stored of a device's messages: one reading a line, "
                          "JSON. Needs no running station" },
                  &exit_code))
    return exit_code;
  g_autofree char *kinds = kinds_text ();
  if (argc < 4 || !g_str_equal (argv[1], "decode"))
    return cli_usage (SAY ("cách dùng: nhipcau device decode KIND FILE… (KIND: %s)",
                           "usage: nhipcau device decode KIND FILE… (KIND: %s)"),
                      kinds);
  if (!g_strv_contains (device_decode_kinds (), argv[2]))
    return cli_usage (SAY ("không biết loại '%s'; có: %s", "there is no kind '%s'; known: %s"),
                      argv[2], kinds);
  if (name == NULL)
    return decode_files (argc, argv, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ProfileSet) profiles = load_profiles (&options, &error);
  const Profile *profile = NULL;
  if (profiles == NULL)
    return cli_fail (error);
  return find_profile (profiles, argv[2], name, &profile, &exit_code)
             ? decode_files (argc, argv, profile)
             : exit_code;
}

static const struct {
  const char *word;
  char *name; /* argv[0] of its own --help */
  int (*run) (int argc, char **argv);
} words[] = {
  { "list", (char[]){ "device list" }, cmd_device_list },
  { "watch", (char[]){ "device watch" }, cmd_device_watch },
  { "record", (char[]){ "device record" }, cmd_device_record },
  { "replay", (char[]){ "device replay" }, cmd_device_replay },
};

int
cmd_device (int argc, char **argv)
{
  for (guint i = 0; argc > 1 && i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (argv[1], words[i].word)) {
      argv[1] = words[i].name;
      return words[i].run (argc - 1, argv + 1);
    }
  return device_decode_command (argc, argv);
}
