/* A device at the end of a serial line, which is a pty: oximeters and an IntelliVue monitor.
 *
 *   sim-serial --kind contec|contec-old|nonin|nonin-9560|intellivue --link PATH [--wander]
 *   sim-serial --kind intellivue --udp ADDRESS
 *
 * PATH becomes a symbolic link to the pty, as /dev/serial/by-id has them. Prints "ready PATH".
 * --wander: the patient's values drift. On stdin, a command a line, each answered by "ok" when it
 * is done:
 *
 *   pulse N   spo2 N   finger in|out   garbage N   unplug   plug   mute   speak   patient ID|-
 *   demo on|off   pressure SYSTOLIC   silence on|off   measure SPO2
 *
 * measure: a 9560 measures once, and tells it each second until it is acknowledged; "lost" on the
 * first of them: as if that had not been heard. garbage: so many random bytes before the next
 * frame. mute: the device is on and says nothing. Ends on SIGTERM, or when stdin ends. */
#include "intellivue_model.h"
#include "oximeter_model.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define STEP_MS 10

typedef struct {
  GMainLoop *loop;
  char *kind, *link, *udp;
  gboolean wander, muted;
  int master; /* -1: unplugged */
  GSocket *lan;
  GSocketAddress *asker; /* who spoke to the LAN port last */
  IvDeframer unframe;
  OximeterModel oximeter;
  IntellivueModel *monitor; /* NULL: an oximeter */
  gboolean spot;            /* a 9560 */
  GByteArray *measured;     /* not acknowledged yet; NULL: nothing is */
  gint64 told_us;
  guint deaf; /* answers that it does not hear */
  gint64 start_us, frames;
  char *patient;
  GRand *rand;
} Sim;

static void
put (Sim *sim, const guint8 *data, gsize length)
{
  /* Nobody reads: what a real line would lose, this one does too. */
  if (sim->master >= 0 && !sim->muted && write (sim->master, data, length) < 0 && errno != EAGAIN
      && errno != EIO)
    g_printerr ("sim-serial: %s\n", g_strerror (errno));
}

static void
put_datagram (const guint8 *payload, gsize length, void *arg)
{
  Sim *sim = arg;
  if (sim->asker != NULL)
    g_socket_send_to (sim->lan, sim->asker, (const char *)payload, length, NULL, NULL);
}

/* By LAN a payload goes without its frame. */
static void
put_monitor (const guint8 *data, gsize length, void *arg)
{
  Sim *sim = arg;
  if (sim->lan != NULL && !sim->muted)
    iv_deframer_feed (&sim->unframe, data, length, put_datagram, sim);
  else
    put (sim, data, length);
}

static void
hear_datagrams (Sim *sim, gint64 now)
{
  guint8 bytes[4096];
  gssize got;
  do {
    g_autoptr (GSocketAddress) from = NULL;
    got = g_socket_receive_from (sim->lan, &from, (char *)bytes, sizeof bytes, NULL, NULL);
    if (got <= 0 || sim->muted)
      continue;
    g_autoptr (GByteArray) frame = iv_frame (bytes, (gsize)got);
    g_set_object (&sim->asker, from);
    intellivue_model_hear (sim->monitor, frame->data, frame->len, now);
  } while (got > 0);
}

static gboolean
open_lan (Sim *sim)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (sim->udp, 24105);
  sim->lan
      = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  g_socket_set_blocking (sim->lan, FALSE);
  return address != NULL && g_socket_bind (sim->lan, address, TRUE, NULL);
}

/* ---- The line ----------------------------------------------------------------------------------
 */

static gboolean
plug (Sim *sim)
{
  struct termios raw;
  sim->master = posix_openpt (O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (sim->master < 0 || grantpt (sim->master) != 0 || unlockpt (sim->master) != 0)
    return FALSE;
  tcgetattr (sim->master, &raw);
  cfmakeraw (&raw);
  tcsetattr (sim->master, TCSANOW, &raw);
  unlink (sim->link);
  return symlink (ptsname (sim->master), sim->link) == 0;
}

static void
unplug (Sim *sim)
{
  if (sim->master >= 0)
    close (sim->master);
  sim->master = -1;
  if (sim->link != NULL)
    unlink (sim->link);
}

static void hear_answer (Sim *sim, const guint8 *bytes, gsize length);

static void
hear (Sim *sim, gint64 now)
{
  guint8 bytes[4096];
  gssize got = sim->master >= 0 ? read (sim->master, bytes, sizeof bytes) : 0;
  if (got <= 0)
    return;
  if (sim->monitor != NULL)
    intellivue_model_hear (sim->monitor, bytes, (gsize)got, now);
  else if (sim->spot)
    hear_answer (sim, bytes, (gsize)got);
  else
    oximeter_model_hear (&sim->oximeter, bytes, (gsize)got, now);
}

static void
wander (Sim *sim, double seconds)
{
  double pulse = 88 + 5 * sin (seconds / 47), spo2 = 96.2 - sin (seconds / 31);
  sim->oximeter.pulse = floor (pulse);
  sim->oximeter.spo2 = floor (spo2);
  if (sim->monitor != NULL) {
    sim->monitor->heart_rate = floor (pulse);
    sim->monitor->spo2 = floor (spo2);
  }
}

/* ---- A 9560 ------------------------------------------------------------------------------------
 */

static void
measure (Sim *sim, const char *words)
{
  guint spo2 = (guint)atoi (words), pulse = (guint)sim->oximeter.pulse;
  guint8 data[14] = { 0x20, 0x26, 0x11, 0x20, 0x09, 0x05, 0x07, 0x00, 0x02 };
  const guint8 head[] = { 0x00, 0x02, 0x00, 0x0D, 0x00, sizeof data };
  guint8 sum = 0;
  data[7] = (guint8)(sim->frames++ % 100); /* hundredths: no two are alike */
  data[10] = (guint8)(pulse >> 8);
  data[11] = (guint8)pulse;
  data[13] = (guint8)spo2;
  for (guint i = 0; i < sizeof data; i++)
    sum += data[i];
  const guint8 tail[] = { sum, 0x03 };
  g_clear_pointer (&sim->measured, g_byte_array_unref);
  sim->measured = g_byte_array_new ();
  g_byte_array_append (sim->measured, head, sizeof head);
  g_byte_array_append (sim->measured, data, sizeof data);
  g_byte_array_append (sim->measured, tail, sizeof tail);
  sim->told_us = 0;
  sim->deaf = strstr (words, "lost") != NULL ? 1 : 0;
}

static void
hear_answer (Sim *sim, const guint8 *bytes, gsize length)
{
  if (memchr (bytes, 0x06, length) == NULL || sim->measured == NULL)
    return;
  if (sim->deaf > 0)
    sim->deaf--;
  else
    g_clear_pointer (&sim->measured, g_byte_array_unref);
}

static void
tell_measured (Sim *sim, gint64 now)
{
  if (sim->measured == NULL || now - sim->told_us < G_USEC_PER_SEC)
    return;
  sim->told_us = now;
  put (sim, sim->measured->data, sim->measured->len);
}

static gboolean
step (void *data)
{
  Sim *sim = data;
  gint64 now = g_get_monotonic_time (), due;
  hear (sim, now);
  if (sim->lan != NULL)
    hear_datagrams (sim, now);
  if (sim->wander)
    wander (sim, (now - sim->start_us) / 1e6);
  if (sim->spot) {
    tell_measured (sim, now);
    return G_SOURCE_CONTINUE;
  }
  if (sim->monitor != NULL) {
    intellivue_model_tick (sim->monitor, now);
    return G_SOURCE_CONTINUE;
  }
  due = (now - sim->start_us) * oximeter_model_rate (&sim->oximeter) / G_USEC_PER_SEC;
  for (; sim->frames < due; sim->frames++) {
    g_autoptr (GByteArray) frame = g_byte_array_new ();
    oximeter_model_frame (&sim->oximeter, now, frame);
    put (sim, frame->data, frame->len);
  }
  return G_SOURCE_CONTINUE;
}

/* ---- Commands ----------------------------------------------------------------------------------
 */

static void
put_garbage (Sim *sim, guint count)
{
  for (guint i = 0; i < MIN (count, 100000); i++) {
    guint8 byte = (guint8)g_rand_int (sim->rand);
    put (sim, &byte, 1);
  }
}

static void
set_patient (Sim *sim, const char *id)
{
  g_free (sim->patient);
  sim->patient = g_str_equal (id, "-") ? NULL : g_strdup (id);
  if (sim->monitor != NULL)
    sim->monitor->patient_id = sim->patient;
}

static gboolean
obey (Sim *sim, const char *verb, const char *value)
{
  IntellivueModel *monitor = sim->monitor;
  if (g_str_equal (verb, "pulse")) {
    sim->oximeter.pulse = atof (value);
    if (monitor != NULL)
      monitor->heart_rate = atof (value);
  } else if (g_str_equal (verb, "spo2")) {
    sim->oximeter.spo2 = atof (value);
    if (monitor != NULL)
      monitor->spo2 = atof (value);
  } else if (g_str_equal (verb, "finger")) {
    oximeter_model_set_finger (&sim->oximeter, g_str_equal (value, "in"));
    if (monitor != NULL)
      monitor->spo2_on = g_str_equal (value, "in");
  } else if (g_str_equal (verb, "garbage")) {
    put_garbage (sim, (guint)atoi (value));
  } else if (g_str_equal (verb, "unplug")) {
    unplug (sim);
  } else if (g_str_equal (verb, "plug")) {
    return sim->master >= 0 || plug (sim);
  } else if (g_str_equal (verb, "mute") || g_str_equal (verb, "speak")) {
    sim->muted = g_str_equal (verb, "mute");
  } else if (g_str_equal (verb, "patient")) {
    set_patient (sim, value);
  } else if (g_str_equal (verb, "pressure") && monitor != NULL) {
    monitor->systolic = atoi (value);
    monitor->pressure_time += 0x10000; /* a minute, BCD */
  } else if (g_str_equal (verb, "demo") && monitor != NULL) {
    monitor->demo = g_str_equal (value, "on");
  } else if (g_str_equal (verb, "measure") && sim->spot) {
    measure (sim, value);
  } else if (g_str_equal (verb, "silence") && monitor != NULL) {
    monitor->silenced = g_str_equal (value, "on");
  } else {
    return FALSE;
  }
  return TRUE;
}

static gboolean
on_command (GIOChannel *channel, GIOCondition condition, void *data)
{
  Sim *sim = data;
  g_autofree char *line = NULL;
  if (g_io_channel_read_line (channel, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
    g_main_loop_quit (sim->loop);
    return G_SOURCE_REMOVE;
  }
  g_auto (GStrv) words = g_strsplit (g_strstrip (line), " ", 2);
  gboolean good = words[0] != NULL && obey (sim, words[0], words[1] != NULL ? words[1] : "");
  puts (good ? "ok" : "what?");
  fflush (stdout);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_signal (void *data)
{
  g_main_loop_quit (((Sim *)data)->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
choose_kind (Sim *sim)
{
  static const char *const oximeters[] = { "contec", "contec-old", "nonin" };
  for (guint i = 0; i < G_N_ELEMENTS (oximeters); i++)
    if (g_strcmp0 (sim->kind, oximeters[i]) == 0) {
      oximeter_model_init (&sim->oximeter, (OximeterFormat)i);
      return TRUE;
    }
  if (g_strcmp0 (sim->kind, "nonin-9560") == 0) {
    sim->spot = TRUE;
    return TRUE;
  }
  if (g_strcmp0 (sim->kind, "intellivue") != 0)
    return FALSE;
  sim->monitor = intellivue_model_new (put_monitor, sim);
  set_patient (sim, "0100123");
  return TRUE;
}

static gboolean
read_options (Sim *sim, int argc, char **argv)
{
  const GOptionEntry entries[] = {
    { "kind", 0, 0, G_OPTION_ARG_STRING, &sim->kind,
      "contec, contec-old, nonin, nonin-9560, intellivue", "K" },
    { "link", 0, 0, G_OPTION_ARG_FILENAME, &sim->link, "where the port is to be", "PATH" },
    { "udp", 0, 0, G_OPTION_ARG_STRING, &sim->udp, "where the monitor's LAN port is", "ADDRESS" },
    { "wander", 0, 0, G_OPTION_ARG_NONE, &sim->wander, "values drift", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, &argc, &argv, NULL)
         && (sim->link != NULL || sim->udp != NULL) && choose_kind (sim);
}

int
main (int argc, char **argv)
{
  Sim sim = { .master = -1, .rand = g_rand_new_with_seed (1) };
  if (!read_options (&sim, argc, argv) || (sim.udp != NULL ? !open_lan (&sim) : !plug (&sim))) {
    g_printerr ("sim-serial: see the head of serial.c for its options\n");
    return 2;
  }
  sim.loop = g_main_loop_new (NULL, FALSE);
  sim.start_us = g_get_monotonic_time ();
  g_autoptr (GIOChannel) commands = g_io_channel_unix_new (STDIN_FILENO);
  g_io_add_watch (commands, G_IO_IN | G_IO_HUP, on_command, &sim);
  g_unix_signal_add (SIGTERM, on_signal, &sim);
  g_timeout_add (STEP_MS, step, &sim);
  printf ("ready %s\n", sim.link != NULL ? sim.link : sim.udp);
  fflush (stdout);
  g_main_loop_run (sim.loop);
  unplug (&sim);
  return 0;
}
