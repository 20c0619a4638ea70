/* nhipcau run */
#include "station/cli.h"
#include "station/deliveries.h"
#include "station/dicom.h"
#include "station/enrolment.h"
#include "station/opening.h"
#include "station/rendezvous.h"
#include "station/server.h"
#include "station/station.h"
#include "station/witnesses.h"

#include <glib-unix.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static gboolean
quit (void *loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

/* nhipcau outbox send, and what backup, record witness and cert have left */
static gboolean
woken (void *station)
{
  witnesses_take (station);
  enrolment_wake (((Station *)station)->enrolment);
  deliveries_send_now (((Station *)station)->deliveries, NULL);
  return G_SOURCE_CONTINUE;
}

/* Keys live in this memory: no core dumps, no ptrace by others. */
static void
keep_memory_private (void)
{
  const struct rlimit none = { 0, 0 };
  setrlimit (RLIMIT_CORE, &none);
  prctl (PR_SET_DUMPABLE, 0);
}

static int
run_station (Opening *opening, const Config *config)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (Station) station
      = station_new (config, opening->vault, opening->store, opening->identity, &error);
  if (station == NULL || !station_start_media (station, &error) || !station_listen (station, &error)
      || !dicom_listen (station->dicom, &error))
    return cli_fail (error);
  g_autoptr (Server) server = server_new (station, opening->identity, loop, &error);
  if (server == NULL || !rendezvous_start (station, &error))
    return cli_fail (error);
  guint term = g_unix_signal_add (SIGTERM, quit, loop);
  guint interrupt = g_unix_signal_add (SIGINT, quit, loop);
  guint asked = g_unix_signal_add (SIGUSR1, woken, station);
  g_autofree char *url = g_strdup_printf ("https://localhost:%u", config->http_port);
  printf ("ready %s/\n", url);
  fflush (stdout);
  g_main_loop_run (loop);
  g_message ("run: stopping");
  g_source_remove (term);
  g_source_remove (interrupt);
  g_source_remove (asked);
  return CLI_OK;
}

int
cmd_run (int argc, char **argv)
{
  g_auto (CliOptions) options = { 0 };
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  int exit_code = CLI_OK;
  if (!cli_parse (&argc, &argv, &options, CLI_WITH_KEYS, NULL, NULL,
                  (Text){ "Chạy trạm cho đến SIGTERM hay Ctrl-C. In một dòng \"ready ĐỊA_CHỈ\" khi "
                          "đã sẵn sàng.",
                          "Runs the station until SIGTERM or Ctrl-C. Prints one line \"ready "
                          "ADDRESS\" when it serves." },
                  &exit_code))
    return exit_code;
  g_autoptr (Config) config = cli_config (&options, &exit_code);
  if (config == NULL)
    return exit_code;
  keep_memory_private ();
  if (!opening_read_write (&opening, &options, config, &error)) {
    if (!g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED))
      return cli_fail (error);
    g_printerr ("nhipcau: %s\n",
                SAY ("trạm cần khóa khởi động (--boot-credential) hoặc mật khẩu (--unlock TỆP)",
                     "the station wants its boot credential (--boot-credential) or a passphrase "
                     "(--unlock FILE)"));
    return CLI_STATE;
  }
  return run_station (&opening, config);
}
