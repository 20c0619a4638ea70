/* nhipcau outbox list | send */
#include "station/cli.h"
#include "station/deliveries.h"
#include "station/opening.h"

#include <stdio.h>
#include <string.h>

static void
print_items (const json_t *outbox)
{
  gsize i;
  json_t *item;
  json_array_foreach (json_object_get (outbox, "items"), i, item)
  {
    const json_t *problem = json_object_get (item, "problem");
    const char *words = json_string_value (json_object_get (problem, SAY ("vi", "en")));
    printf ("%s  %-12s %-9s %s%s%s\n", json_string_value (json_object_get (item, "consultation")),
            json_string_value (json_object_get (item, "target")),
            json_string_value (json_object_get (item, "state")),
            g_str_equal (json_string_value (json_object_get (item, "item")), "record") ? ""
                                                                                       : "DICOM ",
            words != NULL ? ": " : "", words != NULL ? words : "");
  }
  printf (SAY ("%d mục chưa gửi xong\n", "%d items are not delivered yet\n"),
          (int)json_integer_value (json_object_get (outbox, "waiting")));
}

static void
say (const CliOptions *options, const json_t *outbox)
{
  if (options->json)
    cli_print_json (outbox);
  else
    print_items (outbox);
}

static int
outbox_show (const CliOptions *options, const Config *config)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Vault) vault = vault_open_read_only (config->state, &error);
  if (vault == NULL)
    return cli_fail (error);
  g_autoptr (Store) store = store_open (config->state, vault, NULL, STORE_READ_ONLY, &error);
  json_auto_t *outbox = store != NULL ? deliveries_json (NULL, store, config, FALSE, &error) : NULL;
  if (outbox == NULL)
    return cli_fail (error);
  say (options, outbox);
  return CLI_OK;
}

/* The station that runs does it itself, and is only woken. */
static int
wake_station (const Config *config)
{
  g_autoptr (GError) error = NULL;
  if (!opening_wake (config, &error))
    return cli_fail (error);
  puts (SAY ("Trạm đang chạy gửi ngay bây giờ; xem: nhipcau outbox list",
             "The running station sends now; see: nhipcau outbox list"));
  return CLI_OK;
}

static int
outbox_send (const CliOptions *options, const Config *config)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  guint left;

  if (opening_is_running (config))
    return wake_station (config);
  if (!opening_read_write (&opening, options, config, &error)
      || !deliveries_run (opening.store, opening.identity, config, &left, &error))
    return cli_fail (error);
  json_auto_t *outbox = deliveries_json (NULL, opening.store, config, FALSE, &error);
  if (outbox == NULL)
    return cli_fail (error);
  say (options, outbox);
  return left > 0 ? CLI_FAILED : CLI_OK;
}

int
cmd_outbox (int argc, char **argv)
{
  g_auto (CliOptions) options = { 0 };
  int exit_code = CLI_OK;
  if (!cli_parse (&argc, &argv, &options, CLI_WITH_KEYS | CLI_WITH_JSON, NULL, "list | send",
                  (Text){ "Hồ sơ đã ký chờ gửi đi: liệt kê, gửi ngay. Mã thoát 1 khi còn mục chưa "
                          "gửi được.",
                          "Signed consultations on their way: lists them, sends them now. Exit "
                          "status 1 when some could not be delivered." },
                  &exit_code))
    return exit_code;
  g_autoptr (Config) config = cli_config (&options, &exit_code);
  if (config == NULL)
    return exit_code;
  if (argc == 2 && g_str_equal (argv[1], "list"))
    return outbox_show (&options, config);
  if (argc == 2 && g_str_equal (argv[1], "send"))
    return outbox_send (&options, config);
  return cli_usage (
      "%s", SAY ("cách dùng: nhipcau outbox list | send", "usage: nhipcau outbox list | send"));
}
