/* Many monitors at once: HL7 messages over several sockets, each waiting for its acknowledgement.
 *
 * Usage: bench-hl7-load --port P [--sockets N] [--messages N] [--rows N] [--device EUI64] [--from
 * N]
 *
 * Message n has control id n and says n as its first value, so that what was kept can be counted.
 * Prints one line of JSON: {"messages","seconds","accepted","refused","p99_ms"}. */
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { VT = 0x0B, FS = 0x1C, CR = 0x0D, SOCKETS_MAX = 64 };

typedef struct {
  int port, sockets, messages, rows, from;
  char *device;
} Options;

typedef struct {
  int fd;
  int number; /* of the message under way; -1: none */
  gint64 sent_us;
  GString *answer;
} Line;

typedef struct {
  Options options;
  Line lines[SOCKETS_MAX];
  int next, accepted, refused;
  GArray *waits; /* µs */
} Load;

static void
die (const char *what)
{
  fprintf (stderr, "bench-hl7-load: %s: %s\n", what, strerror (errno));
  exit (1);
}

static int
connect_station (int port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((guint16)port) };
  int fd = socket (AF_INET, SOCK_STREAM, 0), on = 1;
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (fd < 0 || connect (fd, (struct sockaddr *)&address, sizeof address) != 0)
    die ("connect");
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/* A spot check: SpO2 and as many further rows as were asked for. */
static char *
message_of (const Options *options, int number)
{
  static const char *const ROWS[]
      = { "149530^MDC_PULS_OXIM_PULS_RATE^MDC|1.3.1.149530|78|264864^MDC_DIM_BEAT_PER_MIN^MDC",
          "150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.1.9.150021|142|266016^MDC_DIM_MMHG^MDC",
          "150022^MDC_PRESS_BLD_NONINV_DIA^MDC|1.1.9.150022|88|266016^MDC_DIM_MMHG^MDC",
          "150023^MDC_PRESS_BLD_NONINV_MEAN^MDC|1.1.9.150023|106|266016^MDC_DIM_MMHG^MDC",
          "150344^MDC_TEMP^MDC|1.2.1.150344|36.8|268192^MDC_DIM_DEGC^MDC",
          "151562^MDC_RESP_RATE^MDC|1.14.1.151562|18|264928^MDC_DIM_RESP_PER_MIN^MDC" };
  GString *m = g_string_new (NULL);
  g_string_append_printf (
      m,
      "%cMSH|^~\\&|MINDRAY_VS_SERIES^%s^EUI-64|TYT|||20261120090313+0700||ORU^R01^ORU_R01|%d|P|2.6|"
      "||NE|AL||UNICODE UTF-8\r"
      "PID|||\rPV1||I|^^TYT&1\r"
      "OBR|1|||182777000^monitoring of patient^SCT|||20261120090312+0700\r"
      "OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|%d|262688^MDC_DIM_PERCENT^MDC|90-100|"
      "|||R|||20261120090312+0700\r",
      VT, options->device, number, number);
  for (int i = 0; i < options->rows - 1; i++)
    g_string_append_printf (m, "OBX|%d|NM|%s|||||R|||20261120090312+0700\r", i + 2,
                            ROWS[(guint)i % G_N_ELEMENTS (ROWS)]);
  g_string_append_printf (m, "%c%c", FS, CR);
  return g_string_free (m, FALSE);
}

static void
send_next (Load *load, Line *line)
{
  line->number = load->next < load->options.messages ? load->options.from + load->next++ : -1;
  if (line->number < 0)
    return;
  g_autofree char *message = message_of (&load->options, line->number);
  gsize length = strlen (message), at = 0;
  line->sent_us = g_get_monotonic_time ();
  while (at < length) {
    gssize n = write (line->fd, message + at, length - at);
    if (n <= 0)
      die ("write");
    at += (gsize)n;
  }
}

/* The answer must be to the message that this line waits for. */
static void
take_answer (Load *load, Line *line)
{
  g_autofree char *good = g_strdup_printf ("\rMSA|AA|%d\r", line->number);
  gint64 wait = g_get_monotonic_time () - line->sent_us;
  g_array_append_val (load->waits, wait);
  if (strstr (line->answer->str, good) != NULL)
    load->accepted++;
  else
    load->refused++;
  g_string_truncate (line->answer, 0);
  send_next (load, line);
}

static void
read_line (Load *load, Line *line)
{
  char buffer[4096];
  gssize n = read (line->fd, buffer, sizeof buffer);
  if (n <= 0)
    die ("read");
  for (gssize i = 0; i < n; i++)
    if (buffer[i] == FS)
      take_answer (load, line);
    else
      g_string_append_c (line->answer, buffer[i]);
}

static gboolean
is_waiting (const Load *load)
{
  for (int i = 0; i < load->options.sockets; i++)
    if (load->lines[i].number >= 0)
      return TRUE;
  return FALSE;
}

static void
run (Load *load)
{
  struct pollfd polls[SOCKETS_MAX];
  for (int i = 0; i < load->options.sockets; i++) {
    load->lines[i] = (Line){ connect_station (load->options.port), -1, 0, g_string_new (NULL) };
    polls[i] = (struct pollfd){ load->lines[i].fd, POLLIN, 0 };
    send_next (load, &load->lines[i]);
  }
  while (is_waiting (load)) {
    if (poll (polls, (nfds_t)load->options.sockets, 60 * 1000) <= 0)
      die ("no answer for a minute");
    for (int i = 0; i < load->options.sockets; i++)
      if (polls[i].revents != 0)
        read_line (load, &load->lines[i]);
  }
}

static int
by_size (const void *a, const void *b)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
  return (x > y) - (x < y);
}

int
main (int argc, char **argv)
{
  Load load = { .options = { .sockets = 10, .messages = 20000, .rows = 7 } };
  Options *o = &load.options;
  const GOptionEntry entries[]
      = { { "port", 0, 0, G_OPTION_ARG_INT, &o->port, NULL, "PORT" },
          { "sockets", 0, 0, G_OPTION_ARG_INT, &o->sockets, NULL, "N" },
          { "messages", 0, 0, G_OPTION_ARG_INT, &o->messages, NULL, "N" },
          { "rows", 0, 0, G_OPTION_ARG_INT, &o->rows, NULL, "N" },
          { "from", 0, 0, G_OPTION_ARG_INT, &o->from, "number of the first message", "N" },
          { "device", 0, 0, G_OPTION_ARG_STRING, &o->device, NULL, "EUI64" },
          { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("- many monitors at once");
  g_autoptr (GError) error = NULL;
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || o->port <= 0 || o->sockets < 1
      || o->sockets > SOCKETS_MAX || o->messages < 1 || o->rows < 1) {
    fprintf (stderr, "bench-hl7-load: %s\n", error != NULL ? error->message : "see --help");
    return 2;
  }
  if (o->device == NULL)
    o->device = g_strdup ("00A0370000000001");
  load.waits = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 start = g_get_monotonic_time ();
  run (&load);
  double seconds = (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  qsort (load.waits->data, load.waits->len, sizeof (gint64), by_size);
  printf ("{\"messages\":%d,\"seconds\":%.3f,\"accepted\":%d,\"refused\":%d,\"p99_ms\":%.2f}\n",
          o->messages, seconds, load.accepted, load.refused,
          (double)g_array_index (load.waits, gint64, load.waits->len * 99 / 100) / 1000);
  return load.refused == 0 ? 0 : 1;
}
