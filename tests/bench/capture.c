/* bench-capture: what sources cost. Opens the addresses given, lets their encoders run, and prints
 * this process's CPU time in percent of one core, frames per second, bit rates and the age of the
 * frames as they come out (now - capture time), in ms.
 *
 *   bench-capture [--h264] [--vp8] [--record] [--size 1280x720] [--fps 30] [--bitrate B]
 *                 [--seconds 20] ADDRESS...
 */
#include <stdio.h>
#include <sys/resource.h>
#include "media/capture/source.h"

enum { OUTLETS = MEDIA_OPUS + 2 }; /* by codec, the last is the record */

typedef struct {
  GMutex lock;
  GArray *ages[OUTLETS]; /* gint64 µs */
  gsize bytes[OUTLETS];
  gboolean counting;
} Tally;

static gboolean h264, vp8, record;
static int fps, seconds = 20, bitrate;
static char *size;
static char **addresses;

static const GOptionEntry entries[] = {
  { "h264", 0, 0, G_OPTION_ARG_NONE, &h264, "live H.264", NULL },
  { "vp8", 0, 0, G_OPTION_ARG_NONE, &vp8, "live VP8", NULL },
  { "record", 0, 0, G_OPTION_ARG_NONE, &record, "the record", NULL },
  { "size", 0, 0, G_OPTION_ARG_STRING, &size, "of the picture", "WxH" },
  { "fps", 0, 0, G_OPTION_ARG_INT, &fps, "frames per second", "N" },
  { "bitrate", 0, 0, G_OPTION_ARG_INT, &bitrate, "of live encoders, bit/s", "N" },
  { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "20", "N" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &addresses, NULL, "ADDRESS..." },
  { 0 },
};

static void
add (Tally *tally, guint outlet, const Frame *frame)
{
  gint64 age_us = g_get_monotonic_time () - frame->capture_us;
  g_mutex_lock (&tally->lock);
  if (tally->counting) {
    g_array_append_val (tally->ages[outlet], age_us);
    tally->bytes[outlet] += g_bytes_get_size (frame->data);
  }
  g_mutex_unlock (&tally->lock);
}

static void
on_live (Source *source, Frame *frame, void *arg)
{
  add (arg, frame->codec, frame);
}

static void
on_record (Source *source, Frame *frame, void *arg)
{
  add (arg, OUTLETS - 1, frame);
}

static void
on_state (Source *source, SourceState state, const char *reason, void *arg)
{
  if (state == SOURCE_MISSING)
    g_printerr ("%s: %s\n", source_name (source), reason);
}

static double
cpu_seconds (void)
{
  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
         + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static Source *
open_source (const char *address, guint number, Tally *tally)
{
  static const SourceEvents events = { on_state, on_record, on_live };
  g_autofree char *name = g_strdup_printf ("source-%u", number);
  SourceConfig config = { .name = name,
                          .kind = MEDIA_VIDEO,
                          .address = address,
                          .frame_rate = (guint)fps,
                          .live_bitrate = (guint)bitrate };
  if (size)
    sscanf (size, "%4ux%4u", &config.width, &config.height);
  if (!source_check_address (MEDIA_VIDEO, address, NULL))
    config.kind = MEDIA_AUDIO;
  g_autoptr (GError) error = NULL;
  Source *source = source_new (&config, &events, tally, &error);
  if (!source) {
    g_printerr ("bench-capture: %s\n", error->message);
    exit (2);
  }
  source_set_live (source, MEDIA_H264, 0, h264);
  source_set_live (source, MEDIA_VP8, 0, vp8);
  source_set_live (source, MEDIA_OPUS, 0, TRUE);
  source_set_recording (source, record);
  source_start (source);
  return source;
}

static void
run_for (double time)
{
  gint64 end_us = g_get_monotonic_time () + (gint64)(time * G_USEC_PER_SEC);
  while (g_get_monotonic_time () < end_us) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (100000);
  }
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
  return x < y ? -1 : x > y;
}

static void
print_outlet (Tally *tally, guint outlet)
{
  GArray *ages = tally->ages[outlet];
  if (ages->len == 0)
    return;
  g_array_sort (ages, compare);
  printf ("%-6s %6.1f frames/s %8.1f kbit/s   age p50 %.1f p95 %.1f max %.1f ms\n",
          outlet == OUTLETS - 1 ? "record" : media_codec_name (outlet), (double)ages->len / seconds,
          tally->bytes[outlet] * 8.0 / 1000 / seconds,
          g_array_index (ages, gint64, ages->len / 2) / 1000.0,
          g_array_index (ages, gint64, ages->len * 95 / 100) / 1000.0,
          g_array_index (ages, gint64, ages->len - 1) / 1000.0);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("- what sources cost");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || !addresses) {
    g_printerr ("bench-capture: %s\n", error ? error->message : "an address is needed");
    return 2;
  }
  Tally tally = { 0 };
  for (guint i = 0; i < OUTLETS; i++)
    tally.ages[i] = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GPtrArray) sources = g_ptr_array_new_with_free_func ((GDestroyNotify)source_free);
  for (guint i = 0; addresses[i]; i++)
    g_ptr_array_add (sources, open_source (addresses[i], i, &tally));
  run_for (4); /* connecting and the first key frames do not count */
  g_mutex_lock (&tally.lock);
  tally.counting = TRUE;
  g_mutex_unlock (&tally.lock);
  double begun = cpu_seconds ();
  gint64 begun_us = g_get_monotonic_time ();
  run_for (seconds);
  double cpu = cpu_seconds () - begun;
  double span = (g_get_monotonic_time () - begun_us) / 1e6;
  g_ptr_array_set_size (sources, 0);
  printf ("cpu    %6.2f %% of a core\n", cpu / span * 100);
  for (guint i = 0; i < OUTLETS; i++)
    print_outlet (&tally, i);
  return 0;
}
