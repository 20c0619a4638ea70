/* ECGs as they are kept: what was packed comes out again; what is no such form is refused. */
#include "media/devices/ecg_pack.h"
#include "media/error.h"

#include <string.h>

#define SAMPLES 1200

static EcgRecording *
recording_new (void)
{
  g_autoptr (GError) error = NULL;
  EcgRecording *recording = ecg_recording_new ("scp");
  for (guint s = 0; s < 2; s++) {
    WaveStream *stream = ecg_stream_new (s == 0 ? 500 : 125, s == 0 ? 1 : 2, 2 + s, &error);
    for (guint l = 0; l < stream->lead_count; l++)
      ecg_lead_set (&stream->leads[l], l == 0 ? "II" : "V1", "uV", 4.88 + s, -1, 16);
    ecg_add_stream (recording, stream);
    for (guint b = 0; b < 2; b++) {
      WaveBlock *block = ecg_add_block (recording, stream, 3 + b, 100 * b, SAMPLES, &error);
      for (guint i = 0; i < SAMPLES * stream->lead_count; i++)
        block->samples[i] = (gint32)((i * 2654435761u) >> (i % 32));
      block->samples[5] = WAVE_MISSING;
      block->samples[6] = G_MAXINT32;
      block->samples[7] = G_MININT32 + 1;
    }
  }
  ecg_add_interpretation (recording, g_strdup ("Nhịp xoang"));
  return recording;
}

static void
same_streams (const EcgRecording *a, const EcgRecording *b)
{
  g_assert_cmpuint (a->streams->len, ==, b->streams->len);
  for (guint i = 0; i < a->streams->len; i++) {
    const WaveStream *one = a->streams->pdata[i], *other = b->streams->pdata[i];
    g_assert_cmpuint (one->rate_num, ==, other->rate_num);
    g_assert_cmpuint (one->rate_den, ==, other->rate_den);
    g_assert_cmpuint (one->lead_count, ==, other->lead_count);
    for (guint l = 0; l < one->lead_count; l++) {
      g_assert_cmpstr (one->leads[l].name, ==, other->leads[l].name);
      g_assert_cmpstr (one->leads[l].unit, ==, other->leads[l].unit);
      g_assert_cmpuint (one->leads[l].mdc, ==, other->leads[l].mdc);
      g_assert_cmpfloat (one->leads[l].scale, ==, other->leads[l].scale);
      g_assert_cmpfloat (one->leads[l].offset, ==, other->leads[l].offset);
    }
  }
}

static void
test_again (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EcgRecording) recording = recording_new ();
  g_autoptr (GBytes) packed = ecg_pack (recording, &error);
  g_autoptr (EcgRecording) again = ecg_unpack (packed, &error);
  g_assert_no_error (error);
  same_streams (recording, again);
  g_assert_cmpuint (again->blocks->len, ==, recording->blocks->len);
  for (guint i = 0; i < again->blocks->len; i++) {
    const WaveBlock *one = recording->blocks->pdata[i], *other = again->blocks->pdata[i];
    g_assert_cmpuint (one->epoch, ==, other->epoch);
    g_assert_cmpuint (one->first, ==, other->first);
    g_assert_cmpmem (one->samples, sizeof (gint32) * one->count * one->stream->lead_count,
                     other->samples, sizeof (gint32) * other->count * other->stream->lead_count);
  }
  g_assert_cmpstr (again->interpretation->pdata[0], ==, "Nhịp xoang");
}

/* Cut anywhere, or with a wrong byte: an error, or something that is whole. */
static void
test_damaged (void)
{
  g_autoptr (EcgRecording) recording = recording_new ();
  g_autoptr (GBytes) packed = ecg_pack (recording, NULL);
  gsize size;
  const guint8 *data = g_bytes_get_data (packed, &size);
  for (gsize cut = 0; cut < size; cut += 1 + cut / 20) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) part = g_bytes_new (data, cut);
    g_assert_null (ecg_unpack (part, &error));
    g_assert_nonnull (error);
  }
  for (gsize at = 0; at < size; at += 1 + at / 20) {
    g_autofree guint8 *copy = g_memdup2 (data, size);
    g_autoptr (GError) error = NULL;
    copy[at] ^= 0x55;
    g_autoptr (GBytes) other = g_bytes_new (copy, size);
    g_autoptr (EcgRecording) read = ecg_unpack (other, &error);
    g_assert_true ((read == NULL) == (error != NULL));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ecg-pack/again", test_again);
  g_test_add_func ("/ecg-pack/damaged", test_damaged);
  return g_test_run ();
}
