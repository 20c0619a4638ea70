/* nhipcau device decode; the other words of `device` have files of their own */
#include "media/devices/decode.h"
#include "station/cmd_device.h"

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

static gboolean
decode_file (const char *kind, const char *file, GError **error)
{
  g_autofree char *data = NULL;
  gsize length = 0;
  if (!g_file_get_contents (file, &data, &length, error))
    return FALSE;
  if (length > FILE_MAX) {
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_FILE, "%s: is larger than 64 MiB", file);
    return FALSE;
  }
  if (!device_decode_beside (kind, (const guint8 *)data, length, find_beside, (void *)file,
                             print_line, print_note, (void *)file, error)) {
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

static int
device_decode_command (int argc, char **argv)
{
  g_auto (CliOptions) options = { 0 };
  int exit_code = CLI_OK;
  if (!cli_parse (&argc, &argv, &options, CLI_WITH_JSON, NULL,
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
  const char *parameter = device_decode_parameter (argv[2]);
  int first = parameter != NULL ? 4 : 3;
  if (argc <= first)
    return cli_usage (SAY ("cách dùng: nhipcau device decode %s %s FILE…",
                           "usage: nhipcau device decode %s %s FILE…"),
                      argv[2], parameter);
  g_autofree char *kind
      = parameter != NULL ? g_strconcat (argv[2], ":", argv[3], NULL) : g_strdup (argv[2]);
  for (int i = first; i < argc; i++) {
    g_autoptr (GError) error = NULL;
    if (!decode_file (kind, argv[i], &error)) {
      exit_code = CLI_RUNTIME;
      g_printerr ("nhipcau: %s\n", error->message);
    }
  }
  return exit_code;
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
