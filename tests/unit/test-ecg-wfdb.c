/* WFDB: all formats of samples, segments and gaps, sums that must be right. */
#include "ecg_check.h"

typedef struct {
  GHashTable *files; /* name → GBytes */
} Shelf;

static GBytes *
find (const char *name, void *arg)
{
  GBytes *bytes = g_hash_table_lookup (((Shelf *)arg)->files, name);
  return bytes != NULL ? g_bytes_ref (bytes) : NULL;
}

static Shelf *
shelf_new (void)
{
  Shelf *shelf = g_new0 (Shelf, 1);
  shelf->files
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
  return shelf;
}

static void
shelf_free (Shelf *shelf)
{
  g_hash_table_unref (shelf->files);
  g_free (shelf);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Shelf, shelf_free)

static void
shelve (Shelf *shelf, const char *name, const void *data, gsize length)
{
  g_hash_table_insert (shelf->files, g_strdup (name), g_bytes_new (data, length));
}

/* Puts NAME.hea and NAME.dat on the shelf. */
static void
shelve_record (Shelf *shelf, const EcgMade *made, const char *name, guint format)
{
  g_autoptr (GString) header = g_string_new (NULL);
  g_autoptr (GByteArray) data = ecg_make_wfdb (made, name, format, header);
  g_autofree char *hea = g_strconcat (name, ".hea", NULL), *dat = g_strconcat (name, ".dat", NULL);
  shelve (shelf, hea, header->str, header->len);
  shelve (shelf, dat, data->data, data->len);
}

static EcgRecording *
read_text (Shelf *shelf, const char *header, GError **error)
{
  return ecg_wfdb_read ((const guint8 *)header, strlen (header), find, shelf, error);
}

static char *
header_of (Shelf *shelf, const char *name)
{
  gsize length = 0;
  const char *text = g_bytes_get_data (g_hash_table_lookup (shelf->files, name), &length);
  return g_strndup (text, length);
}

/* Small enough for formats of few bits. */
static void
shrink (EcgMade *made, gint most)
{
  for (guint lead = 0; lead < ECG_MADE_LEADS; lead++)
    for (guint i = 0; i < made->count; i++)
      made->lead[lead][i] = (gint16)CLAMP (made->lead[lead][i], -most, most);
}

static void
test_formats (void)
{
  static const guint formats[][2]
      = { { 8, 60 },   { 16, 32000 },  { 24, 32000 }, { 32, 32000 }, { 61, 32000 },
          { 80, 120 }, { 160, 32000 }, { 212, 2000 }, { 310, 500 },  { 311, 500 } };
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++) {
    /* An odd number of samples ends inside of what is packed together. */
    g_autoptr (EcgMade) made = ecg_made_new (250, 1001);
    shrink (made, (gint)formats[i][1]);
    g_autoptr (Shelf) shelf = shelf_new ();
    shelve_record (shelf, made, "r", formats[i][0]);
    g_autofree char *header = header_of (shelf, "r.hea");
    g_autoptr (GError) error = NULL;
    g_autoptr (EcgRecording) recording = read_text (shelf, header, &error);
    g_assert_no_error (error);
    check_whole (recording, made, "mV", 0.0025);
  }
}

static void
test_missing (void)
{
  g_autoptr (EcgMade) made = ecg_made_new (250, 100);
  made->lead[0][5] = G_MININT16;
  g_autoptr (Shelf) shelf = shelf_new ();
  shelve_record (shelf, made, "r", 16);
  g_autofree char *header = header_of (shelf, "r.hea");
  g_autoptr (EcgRecording) recording = read_text (shelf, header, NULL);
  const WaveBlock *block = g_ptr_array_index (recording->blocks, 0);
  g_assert_cmpint (block->samples[5], ==, WAVE_MISSING);
  g_assert_cmpint (block->samples[6], ==, made->lead[0][6]);
}

static void
test_segments (void)
{
  g_autoptr (EcgMade) made = ecg_made_new (250, 1000);
  g_autoptr (Shelf) shelf = shelf_new ();
  shelve_record (shelf, made, "a", 16);
  shelve_record (shelf, made, "b", 212);
  g_autoptr (GError) error = NULL;
  g_autoptr (EcgRecording) recording
      = read_text (shelf, "m/4 8 250 2700\nlayout 0\na 1000\n~ 700\nb 1000\n", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (recording->streams->len, ==, 1);
  g_assert_cmpuint (recording->blocks->len, ==, 2);
  const WaveBlock *second = g_ptr_array_index (recording->blocks, 1);
  g_assert_cmpuint (second->epoch, ==, 0);
  g_assert_cmpuint (second->first, ==, 1700);
  check_block (g_ptr_array_index (recording->blocks, 0), made, 0);
  check_block (second, made, 0);

  g_autoptr (EcgRecording) missing = read_text (shelf, "m/1 8 250 1000\nc 1000\n", &error);
  g_assert_null (missing);
  g_assert_nonnull (strstr (error->message, "c.hea"));
}

/* Two signals of 4 and 1 samples a frame; the second is two frames late. */
static void
test_frames (void)
{
  static const gint16 samples[]
      = { 1, 2, 3, 4, 100, 5, 6, 7, 8, 101, 9, 10, 11, 12, 102, 13, 14, 15, 16, 103 };
  g_autoptr (Shelf) shelf = shelf_new ();
  shelve (shelf, "f.dat", samples, sizeof samples);
  g_autoptr (GError) error = NULL;
  g_autoptr (EcgRecording) recording = read_text (
      shelf,
      "f 2 125 4\nf.dat 16x4 200 12 0 1 136 0 II\nf.dat 16:2 10(-5)/mmHg 12 0 100 406 0 ABP\n",
      &error);
  g_assert_no_error (error);
  g_assert_cmpuint (recording->streams->len, ==, 2);
  const WaveBlock *fast = g_ptr_array_index (recording->blocks, 0);
  const WaveBlock *slow = g_ptr_array_index (recording->blocks, 1);
  g_assert_cmpuint (fast->stream->rate_num, ==, 500);
  for (guint i = 0; i < 16; i++)
    g_assert_cmpint (fast->samples[i], ==, (gint)i + 1);
  const gint32 late[] = { 102, 103, WAVE_MISSING, WAVE_MISSING };
  g_assert_cmpmem (slow->samples, sizeof late, late, sizeof late);
  g_assert_cmpstr (slow->stream->leads[0].unit, ==, "mm[Hg]");
  g_assert_cmpfloat_with_epsilon (wave_block_value (slow, 0, 0), 10.7, 1e-9);
}

static void
test_annotations (void)
{
  /* N at 18 with an aux text, a skip of 70,000 frames, A 5 frames later, the end. */
  static const guint8 atr[]
      = { 18, 1 << 2, 2, 63 << 2, '(', 'N', 0, 59 << 2, 1, 0, 0x70, 0x11, 5, 8 << 2, 0, 0 };
  g_autoptr (EcgMade) made = ecg_made_new (250, 100);
  g_autoptr (Shelf) shelf = shelf_new ();
  shelve_record (shelf, made, "r", 16);
  shelve (shelf, "r.atr", atr, sizeof atr);
  g_autofree char *header = header_of (shelf, "r.hea");
  g_autoptr (EcgRecording) recording = read_text (shelf, header, NULL);
  g_assert_cmpuint (recording->annotations->len, ==, 2);
  const EcgAnnotation *first = g_ptr_array_index (recording->annotations, 0);
  const EcgAnnotation *second = g_ptr_array_index (recording->annotations, 1);
  g_assert_cmpstr (first->text, ==, "N (N");
  g_assert_cmpint (first->at_us, ==, 72000);
  g_assert_cmpstr (second->text, ==, "A");
  g_assert_cmpint (second->at_us, ==, (18 + 70000 + 5) * 4000);
}

static void
test_wrong (void)
{
  static const struct {
    const char *header, *word;
  } wrong[] = {
    { "", "ends before" },
    { "r 1 250 10\n", "ends before" },
    { "r x\n", "line 1" },
    { "../r 1 250\n", "segments" },
    { ".r 1 250\n", "name" },
    { "r 1 abc\n", "frequency" },
    { "r 1 250 10\n/etc/passwd 16\n", "same folder" },
    { "r 1 250 10\nr.dat 99\n", "format" },
    { "r 1 250 10\nr.dat 16 200 12 0 1 2 0 I\n", "begins with" },
    { "r 1 250 999999\nr.dat 16\n", "holds" },
    { "r 1 250 10\nother.dat 16\n", "other.dat" },
    { "r 2 250 10\nr.dat 16\nr.dat 212\n", "different formats" },
    { "r/99999999 1 250\n", "segments" },
  };
  g_autoptr (EcgMade) made = ecg_made_new (250, 100);
  g_autoptr (Shelf) shelf = shelf_new ();
  shelve_record (shelf, made, "r", 16);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (EcgRecording) recording = read_text (shelf, wrong[i].header, &error);
    g_assert_null (recording);
    if (strstr (error->message, wrong[i].word) == NULL)
      g_error ("'%s' does not say '%s'", error->message, wrong[i].word);
  }
  /* One bit of a sample: its signal's sum is another. */
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (g_hash_table_lookup (shelf->files, "r.dat"), &length);
  g_autofree guint8 *changed = g_memdup2 (data, length);
  changed[length / 2] ^= 1;
  shelve (shelf, "r.dat", changed, length);
  g_autofree char *header = header_of (shelf, "r.hea");
  g_autoptr (GError) error = NULL;
  g_autoptr (EcgRecording) recording = read_text (shelf, header, &error);
  g_assert_null (recording);
  g_assert_nonnull (strstr (error->message, "checksum"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ecg-wfdb/formats", test_formats);
  g_test_add_func ("/ecg-wfdb/missing", test_missing);
  g_test_add_func ("/ecg-wfdb/segments", test_segments);
  g_test_add_func ("/ecg-wfdb/frames", test_frames);
  g_test_add_func ("/ecg-wfdb/annotations", test_annotations);
  g_test_add_func ("/ecg-wfdb/wrong", test_wrong);
  return g_test_run ();
}
