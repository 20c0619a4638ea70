/* Contec and Nonin oximeters: recorded bytes, a model of the device, and everything that may befall
 * a line. */
#include "line_probe.h"
#include "oximeter_model.h"

#include <string.h>

static gboolean
read_data (const char *name, char **ret_bytes, gsize *ret_length)
{
  const char *shared = g_getenv ("NHIPCAU_SHARED") ? g_getenv ("NHIPCAU_SHARED") : "../shared";
  g_autofree char *path = g_build_filename (shared, "data/serial", name, NULL);
  if (g_file_get_contents (path, ret_bytes, ret_length, NULL))
    return TRUE;
  g_test_skip ("../shared/data is not here");
  return FALSE;
}

/* All samples, in order; their epochs must be one. */
static char *
samples_text (const LineProbe *probe)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < probe->waves->len; i++) {
    const WaveBlock *block = probe->waves->pdata[i];
    g_assert_cmpuint (block->epoch, ==, 1);
    for (guint j = 0; j < block->count; j++)
      g_string_append_printf (text, " %d", block->samples[j]);
  }
  return g_string_free (text, FALSE);
}

/* ---- Recorded bytes -------------------------------------------------------------------------- */

static const struct {
  const char *file;
  const LineKind *kind;
  guint frames;
  const char *readings, *samples;
} FILES[] = {
  { "contec_cms50dplus_v46_live.bin", &line_kind_contec, 7, "spo2 97 %, pulse 65 /min",
    " 51 48 46 44 43 42 42" },
  { "nonin_oem3_format2_packet.bin", &line_kind_nonin, 25, "spo2 97 %, pulse 72 /min",
    " 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1" },
};

static void
test_recorded (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (FILES); i++) {
    g_autofree char *bytes = NULL;
    gsize length = 0;
    if (!read_data (FILES[i].file, &bytes, &length))
      return;
    g_autoptr (LineProbe) probe = probe_new (FILES[i].kind);
    probe_feed (probe, (const guint8 *)bytes, length);
    FILES[i].kind->close (probe->device, probe->now, LINE_ENDED);
    g_autofree char *text = probe_text (probe, 0), *samples = samples_text (probe);
    g_test_message ("%-36s %s;%s", FILES[i].file, text, samples);
    g_assert_cmpuint (FILES[i].kind->frames (probe->device), ==, FILES[i].frames);
    g_assert_cmpstr (text, ==, FILES[i].readings);
    g_assert_cmpstr (samples, ==, FILES[i].samples);
  }
}

/* ---- A model of the device ---------------------------------------------------------------------
 */

static const struct {
  const char *name;
  OximeterFormat format;
  const LineKind *kind;
} FORMATS[] = {
  { "contec", MODEL_CONTEC, &line_kind_contec },
  { "contec-old", MODEL_CONTEC_OLD, &line_kind_contec },
  { "nonin", MODEL_NONIN, &line_kind_nonin },
};

typedef struct {
  OximeterModel model;
  LineProbe *probe;
} Pair;

static void
pair_begin (Pair *pair, gsize i)
{
  oximeter_model_init (&pair->model, FORMATS[i].format);
  pair->model.started = TRUE;
  pair->probe = probe_new (FORMATS[i].kind);
  pair->model.kept_alive_us = pair->probe->now.monotonic_us;
}

/* So many frames; returns their bytes (transfer full). */
static GByteArray *
frames (Pair *pair, guint count)
{
  GByteArray *bytes = g_byte_array_new ();
  for (guint i = 0; i < count; i++)
    oximeter_model_frame (&pair->model, pair->model.kept_alive_us, bytes);
  return bytes;
}

static void
run (Pair *pair, guint count)
{
  for (guint i = 0; i < count; i++) {
    g_autoptr (GByteArray) bytes = frames (pair, 1);
    probe_feed (pair->probe, bytes->data, bytes->len);
    probe_pass (pair->probe, G_USEC_PER_SEC / oximeter_model_rate (&pair->model));
  }
}

static void
test_values (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (FORMATS); i++) {
    Pair pair;
    pair_begin (&pair, i);
    pair.model.pulse = 150; /* more than 7 bits */
    pair.model.spo2 = 88;
    run (&pair, 40);
    g_autofree char *text = probe_text (pair.probe, 0);
    g_assert_cmpstr (text, ==, "spo2 88 %, pulse 150 /min");
    probe_free (pair.probe);
  }
}

/* Sixty frames a second, one reading of each vital sign. */
static void
test_rate (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (FORMATS); i++) {
    Pair pair;
    pair_begin (&pair, i);
    for (guint second = 0; second < 20; second++) {
      pair.model.pulse = 70 + second % 3;
      run (&pair, oximeter_model_rate (&pair.model));
    }
    g_assert_cmpuint (pair.probe->observations->len, >=, 2 * 18);
    g_assert_cmpuint (pair.probe->observations->len, <=, 2 * 21);
    guint samples = 0;
    for (guint w = 0; w < pair.probe->waves->len; w++)
      samples += ((WaveBlock *)pair.probe->waves->pdata[w])->count;
    g_assert_cmpuint (samples, >=, 20 * oximeter_model_rate (&pair.model) - 5);
    probe_free (pair.probe);
  }
}

/* The plethysmogram has the pulse that the numbers tell: counted by its rises through the middle.
 */
static void
test_pleth_fits_pulse (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (FORMATS); i++) {
    Pair pair;
    guint beats = 0;
    gint32 before = 0, middle = FORMATS[i].format == MODEL_NONIN ? 120 : 60;
    pair_begin (&pair, i);
    pair.model.pulse = 90;
    run (&pair, 30 * oximeter_model_rate (&pair.model));
    for (guint w = 0; w < pair.probe->waves->len; w++) {
      const WaveBlock *block = pair.probe->waves->pdata[w];
      for (guint s = 0; s < block->count; before = block->samples[s++])
        beats += before < middle && block->samples[s] >= middle;
    }
    g_assert_cmpuint (beats, >=, 44);
    g_assert_cmpuint (beats, <=, 46);
    probe_free (pair.probe);
  }
}

static void
test_finger (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (FORMATS); i++) {
    Pair pair;
    pair_begin (&pair, i);
    run (&pair, 150);
    guint said = pair.probe->observations->len;
    guint32 epoch = ((WaveBlock *)pair.probe->waves->pdata[pair.probe->waves->len - 1])->epoch;
    oximeter_model_set_finger (&pair.model, FALSE);
    run (&pair, 1500);
    g_autofree char *out = probe_text (pair.probe, said);
    g_test_message ("%s, finger out: %s", FORMATS[i].name, out);
    g_assert_cmpstr (out, ==, "spo2 !not-measured #no-finger, pulse !not-measured #no-finger");
    said = pair.probe->observations->len;
    guint waves = pair.probe->waves->len;
    oximeter_model_set_finger (&pair.model, TRUE);
    run (&pair, 150);
    g_autofree char *in = probe_text (pair.probe, said);
    g_test_message ("%s, finger in: %s", FORMATS[i].name, in);
    g_assert_true (g_str_has_prefix (
        in, "spo2 !not-measured #searching, pulse !not-measured #searching, spo2 97 %, "
            "pulse 72 /min"));
    const WaveBlock *next = pair.probe->waves->pdata[waves];
    g_assert_cmpuint (next->epoch, ==, epoch + 1);
    g_assert_cmpuint (next->first, ==, 0);
    probe_free (pair.probe);
  }
}

/* ---- What befalls a line -----------------------------------------------------------------------
 */

/* Every reading that came is one that the device said. */
static void
assert_true_readings (const LineProbe *probe)
{
  for (guint i = 0; i < probe->observations->len; i++) {
    const Observation *o = probe->observations->pdata[i];
    if (o->type == OBS_NUMBER)
      g_assert_cmpfloat (o->number, ==, g_str_equal (o->vital, "spo2") ? 97 : 72);
  }
}

/* bytes with garbage at a place, then good ones: the readings go on within so many frames. */
static void
damage (gsize format, gsize at, guint cut, const guint8 *garbage, guint garbage_length)
{
  Pair pair;
  pair_begin (&pair, format);
  run (&pair, 100);
  guint32 epoch = ((WaveBlock *)pair.probe->waves->pdata[pair.probe->waves->len - 1])->epoch;
  g_autoptr (GByteArray) bytes = frames (&pair, 6);
  probe_feed (pair.probe, bytes->data, at);
  probe_feed (pair.probe, garbage, garbage_length);
  probe_feed (pair.probe, bytes->data + at + cut, bytes->len - at - cut);
  probe_pass (pair.probe, G_USEC_PER_SEC);
  guint said = pair.probe->observations->len, waves = pair.probe->waves->len;
  run (&pair, 60);
  g_assert_cmpuint (pair.probe->observations->len, >, said);
  g_assert_cmpuint (pair.probe->waves->len, >, waves);
  const WaveBlock *last = pair.probe->waves->pdata[pair.probe->waves->len - 1];
  g_assert_cmpuint (last->epoch, >, epoch);
  assert_true_readings (pair.probe);
  probe_free (pair.probe);
}

static void
test_garbage (void)
{
  for (gsize format = 0; format < G_N_ELEMENTS (FORMATS); format++) {
    gsize size = FORMATS[format].format == MODEL_CONTEC ? 9 : 5;
    for (guint32 seed = 0; seed < 40; seed++) {
      g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
      guint8 garbage[64];
      for (guint i = 0; i < sizeof garbage; i++)
        garbage[i] = (guint8)g_rand_int (rand);
      for (gsize at = size; at < 2 * size; at++)
        damage (format, at, 0, garbage, 1 + seed);
    }
  }
}

static void
test_lost_bytes (void)
{
  for (gsize format = 0; format < G_N_ELEMENTS (FORMATS); format++) {
    gsize size = FORMATS[format].format == MODEL_CONTEC ? 9 : 5;
    for (gsize at = size; at < 2 * size; at++)
      for (guint cut = 1; cut < size; cut++)
        damage (format, at, cut, NULL, 0);
  }
}

/* Noise says nothing, and is not taken for a device. */
static void
test_noise (void)
{
  const LineKind *const kinds[] = { &line_kind_contec, &line_kind_nonin };
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autoptr (LineProbe) probe = probe_new (kinds[i]);
    g_autoptr (GRand) rand = g_rand_new_with_seed (3);
    for (guint n = 0; n < 100000; n++) {
      guint8 byte = (guint8)g_rand_int (rand);
      probe_feed (probe, &byte, 1);
      probe_pass (probe, 500);
    }
    for (guint n = 0; n < probe->observations->len; n++)
      g_assert_cmpint (((Observation *)probe->observations->pdata[n])->type, !=, OBS_NUMBER);
    g_test_message ("%s: %" G_GUINT64_FORMAT " frames in 100,000 bytes of noise", kinds[i]->name,
                    kinds[i]->frames (probe->device));
    g_assert_cmpuint (kinds[i]->frames (probe->device), <, kinds[i]->convincing);
  }
}

/* In whatever pieces the bytes come. */
static void
test_split (void)
{
  for (gsize format = 0; format < G_N_ELEMENTS (FORMATS); format++) {
    Pair pair, whole;
    pair_begin (&pair, format);
    pair_begin (&whole, format);
    g_autoptr (GByteArray) bytes = frames (&pair, 300);
    probe_feed (whole.probe, bytes->data, bytes->len);
    for (gsize at = 0; at < bytes->len; at++)
      probe_feed (pair.probe, bytes->data + at, 1);
    g_autofree char *a = probe_text (pair.probe, 0), *b = probe_text (whole.probe, 0);
    g_assert_cmpstr (a, ==, b);
    g_assert_cmpuint (pair.probe->waves->len, ==, whole.probe->waves->len);
    g_assert_cmpuint (pair.probe->waves->len, >=, 99);
    probe_free (pair.probe);
    probe_free (whole.probe);
  }
}

/* Firmwares that leave the perfusion index out: 7 bytes. */
static void
test_shorter_frames (void)
{
  Pair pair;
  pair_begin (&pair, 0);
  g_autoptr (GByteArray) bytes = frames (&pair, 30);
  for (guint i = 0; i < 30; i++)
    probe_feed (pair.probe, bytes->data + i * 9, 7);
  g_autofree char *text = probe_text (pair.probe, 0);
  g_assert_cmpstr (text, ==, "spo2 97 %, pulse 72 /min");
  g_assert_cmpuint (pair.probe->kind->frames (pair.probe->device), ==, 29);
  probe_free (pair.probe);
}

/* A wrong checksum is no frame. */
static void
test_checksum (void)
{
  Pair pair;
  pair_begin (&pair, 2);
  g_autoptr (GByteArray) bytes = frames (&pair, 50);
  for (guint i = 0; i < 50; i++)
    bytes->data[i * 5 + 4] ^= 0x10;
  probe_feed (pair.probe, bytes->data, bytes->len);
  g_assert_cmpuint (pair.probe->kind->frames (pair.probe->device), ==, 0);
  g_assert_cmpuint (pair.probe->observations->len, ==, 0);
  probe_free (pair.probe);
}

/* A newer Contec falls silent unless it is asked, and asked again. */
static void
test_keep_alive (void)
{
  Pair pair;
  pair_begin (&pair, 0);
  pair.model.started = FALSE;
  for (guint i = 0; i < 60 * 30; i++) {
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    LineProbe *probe = pair.probe;
    oximeter_model_hear (&pair.model, probe->sent->data, probe->sent->len, probe->now.monotonic_us);
    g_byte_array_set_size (probe->sent, 0);
    oximeter_model_frame (&pair.model, probe->now.monotonic_us, bytes);
    probe_feed (probe, bytes->data, bytes->len);
    probe_pass (probe, G_USEC_PER_SEC / 60);
    probe->kind->tick (probe->device, probe->now);
  }
  g_assert_cmpuint (pair.probe->kind->frames (pair.probe->device), >, 60 * 30 - 10);
  pair.probe->kind->close (pair.probe->device, pair.probe->now, LINE_LEFT);
  oximeter_model_hear (&pair.model, pair.probe->sent->data, pair.probe->sent->len, 0);
  g_assert_false (pair.model.started);
  probe_free (pair.probe);
}

/* The plug is pulled: values become absent, once. */
static void
test_lost (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (FORMATS); i++) {
    Pair pair;
    pair_begin (&pair, i);
    run (&pair, 90);
    guint said = pair.probe->observations->len;
    pair.probe->kind->close (pair.probe->device, pair.probe->now, LINE_LOST);
    pair.probe->kind->close (pair.probe->device, pair.probe->now, LINE_LOST);
    g_autofree char *text = probe_text (pair.probe, said);
    g_assert_cmpstr (text, ==, "spo2 !not-measured, pulse !not-measured");
    probe_free (pair.probe);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/oximeter/recorded", test_recorded);
  g_test_add_func ("/oximeter/values", test_values);
  g_test_add_func ("/oximeter/rate", test_rate);
  g_test_add_func ("/oximeter/pleth-fits-pulse", test_pleth_fits_pulse);
  g_test_add_func ("/oximeter/finger", test_finger);
  g_test_add_func ("/oximeter/garbage", test_garbage);
  g_test_add_func ("/oximeter/lost-bytes", test_lost_bytes);
  g_test_add_func ("/oximeter/noise", test_noise);
  g_test_add_func ("/oximeter/split", test_split);
  g_test_add_func ("/oximeter/shorter-frames", test_shorter_frames);
  g_test_add_func ("/oximeter/checksum", test_checksum);
  g_test_add_func ("/oximeter/keep-alive", test_keep_alive);
  g_test_add_func ("/oximeter/lost", test_lost);
  return g_test_run ();
}
