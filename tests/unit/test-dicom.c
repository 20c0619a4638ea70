/* What is told of DICOM objects, by real confined children on objects that are made, cut and
 * changed here; and names, and what a child may say. */
#include "media/dicom/child.h"
#include "records/attachment.h"
#include "records_place.h"
#include "station/dicom_about.h"
#include "station/dicom_read.h"

/* ---- An object ---------------------------------------------------------------------------- */

static void
element (GByteArray *to, guint16 group, guint16 number, const char *vr, gconstpointer value,
         gsize size)
{
  const gboolean is_long = g_str_equal (vr, "OB") || g_str_equal (vr, "OW");
  const guint8 tag[4] = { group & 0xff, group >> 8, number & 0xff, number >> 8 };
  const guint8 length[6]
      = { 0, 0, size & 0xff, (size >> 8) & 0xff, (size >> 16) & 0xff, (size >> 24) & 0xff };
  g_byte_array_append (to, tag, 4);
  g_byte_array_append (to, (const guint8 *)vr, 2);
  g_byte_array_append (to, is_long ? length : length + 2, is_long ? 6 : 2);
  g_byte_array_append (to, value, (guint)size);
}

static void
text (GByteArray *to, guint16 group, guint16 number, const char *vr, const char *value)
{
  g_autofree char *even = g_strconcat (value, strlen (value) % 2 ? " " : "", NULL);
  element (to, group, number, vr, even, strlen (even));
}

static void
word16 (GByteArray *to, guint16 group, guint16 number, guint16 value)
{
  const guint8 bytes[2] = { value & 0xff, value >> 8 };
  element (to, group, number, "US", bytes, 2);
}

/* 8 × 4 grey samples of 16 bits: 0, 1, 2 … */
static GBytes *
make_object (void)
{
  GByteArray *file = g_byte_array_new ();
  guint8 pixels[64] = { 0 };
  g_byte_array_set_size (file, 128);
  memset (file->data, 0, 128);
  g_byte_array_append (file, (const guint8 *)"DICM", 4);
  text (file, 2, 2, "UI", "1.2.840.10008.5.1.4.1.1.1");
  text (file, 2, 3, "UI", "2.25.7");
  text (file, 2, 0x10, "UI", "1.2.840.10008.1.2.1");
  text (file, 8, 5, "CS", "ISO_IR 100");
  text (file, 8, 0x18, "UI", "2.25.7");
  text (file, 8, 0x60, "CS", "CR");
  text (file, 0x10, 0x10, "PN", "Buc^J\xe9r\xf4me");
  text (file, 0x10, 0x20, "LO", "42");
  word16 (file, 0x28, 2, 1);
  text (file, 0x28, 4, "CS", "MONOCHROME2");
  word16 (file, 0x28, 0x10, 4);
  word16 (file, 0x28, 0x11, 8);
  word16 (file, 0x28, 0x100, 16);
  word16 (file, 0x28, 0x101, 16);
  word16 (file, 0x28, 0x102, 15);
  word16 (file, 0x28, 0x103, 0);
  for (guint i = 0; i < 32; i++)
    pixels[2 * i] = (guint8)i;
  element (file, 0x7fe0, 0x10, "OW", pixels, sizeof pixels);
  return g_byte_array_free_to_bytes (file);
}

/* ---- Describing --------------------------------------------------------------------------- */

typedef struct {
  gboolean done;
  json_t *about;
} Told;

static void
take_about (json_t *about, const char *why, void *arg)
{
  Told *told = arg;
  g_assert_false (told->done);
  g_assert_true (about != NULL || why != NULL);
  told->done = TRUE;
  told->about = about != NULL ? json_deep_copy (about) : NULL;
}

static json_t *
describe (DicomRead *read, GBytes *object)
{
  Told told = { 0 };
  dicom_describe (read, object, take_about, &told);
  while (!told.done)
    g_main_context_iteration (NULL, TRUE);
  return told.about;
}

static void
test_describe (void)
{
  DicomRead *read = dicom_read_new (NULL);
  g_autoptr (GBytes) object = make_object ();
  json_auto_t *about = describe (read, object);
  g_assert_nonnull (about);
  g_assert_cmpstr (dicom_about_text (about, "sop_instance"), ==, "2.25.7");
  g_assert_cmpstr (dicom_about_patient (about, "name"), ==, "Buc Jérôme");
  g_assert_cmpstr (dicom_about_patient (about, "id"), ==, "42");
  g_assert_true (json_is_true (json_object_get (json_object_get (about, "picture"), "shown")));
  dicom_read_free (read);
}

/* Cut anywhere, and changed anywhere: each is answered, whatever becomes of its child. */
static void
test_hostile (void)
{
  DicomRead *read = dicom_read_new (NULL);
  g_autoptr (GBytes) object = make_object ();
  gsize size;
  const guint8 *bytes = g_bytes_get_data (object, &size);
  GRand *rand = g_rand_new_with_seed (4);
  guint described = 0;
  for (guint i = 0; i < 150; i++) {
    gsize length = i % 3 == 0 ? (gsize)g_rand_int_range (rand, 1, (gint32)size) : size;
    guint8 *copy = g_memdup2 (bytes, length);
    for (gint32 n = i % 3 == 0 ? 0 : g_rand_int_range (rand, 1, 6); n > 0; n--)
      copy[g_rand_int_range (rand, 128, (gint32)length)] = (guint8)g_rand_int (rand);
    g_autoptr (GBytes) changed = g_bytes_new_take (copy, length);
    json_auto_t *about = describe (read, changed);
    described += about != NULL;
  }
  g_assert_cmpuint (described, >, 10);
  g_assert_cmpuint (described, <, 150);
  g_rand_free (rand);
  dicom_read_free (read);
}

/* ---- Pictures ----------------------------------------------------------------------------- */

typedef struct {
  guint left, pictures;
  char *why;
} Asked;

static void
take_picture (GBytes *bytes, const char *why, void *arg)
{
  Asked *asked = arg;
  asked->left--;
  asked->pictures += bytes != NULL;
  if (bytes == NULL) {
    g_free (asked->why);
    asked->why = g_strdup (why);
  }
}

static void
wait_for (Asked *asked)
{
  while (asked->left > 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_pictures (void)
{
  static const char *const forms[] = { "thumb", "small", "full" };
  const AttachmentInfo info = { .kind = "dicom" };
  Records records;
  Attachment attachment;
  Asked asked = { .left = 9 };
  g_autoptr (GBytes) object = make_object ();
  g_autoptr (GError) error = NULL;

  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  attachment_put_sync (records.store, consult, NULL, &info, object, &attachment, &error);
  g_assert_no_error (error);
  DicomRead *read = dicom_read_new (records.store);
  for (guint i = 0; i < 9; i++)
    dicom_picture (read, consult, attachment.id, 0, forms[i % 3], take_picture, &asked);
  DicomAsk *unwanted = dicom_picture (read, consult, attachment.id, 0, "full", take_picture, NULL);
  dicom_ask_cancel (unwanted); /* its answer would follow a NULL */
  wait_for (&asked);
  g_assert_cmpuint (asked.pictures, ==, 9);
  asked = (Asked){ .left = 1 };
  dicom_picture (read, consult, attachment.id, 1, "full", take_picture, &asked);
  wait_for (&asked);
  g_assert_cmpstr (asked.why, ==, "undecodable");
  g_clear_pointer (&asked.why, g_free);
  asked.left = 1;
  attachment.id[0] = attachment.id[0] == '0' ? '1' : '0';
  dicom_picture (read, consult, attachment.id, 0, "full", take_picture, &asked);
  wait_for (&asked);
  g_assert_cmpstr (asked.why, ==, "no-such");
  g_free (asked.why);
  dicom_read_free (read);
  records_down (&records);
}

/* ---- Confinement -------------------------------------------------------------------------- */

typedef struct {
  gboolean gone;
  guint messages;
} Heard;

static void
hear (DicomChild *child, json_t *message, GBytes *bytes, void *arg)
{
  ((Heard *)arg)->messages++;
}

static void
hear_gone (DicomChild *child, const char *why, void *arg)
{
  ((Heard *)arg)->gone = TRUE;
}

/* A child that has begun its work is nobody's file opener: the kernel says which calls it may make
 * (mode 2: a filter), and that it can gain nothing. */
static void
test_confined (void)
{
  static const DicomChildEvents events = { hear, hear_gone };
  Heard heard = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) object = make_object ();
  int fd = dicom_memory_file (object, &error);
  g_assert_no_error (error);
  DicomChild *child = dicom_child_new ("read", fd, 1 << 20, &events, &heard, &error);
  g_assert_no_error (error);
  dicom_child_send (child, json_pack ("{s:s}", "do", "describe"));
  while (heard.messages == 0 && !heard.gone)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (heard.messages, ==, 1);
  g_autofree char *path = g_strdup_printf ("/proc/%s/status", dicom_child_pid (child));
  g_autofree char *limits_path = g_strdup_printf ("/proc/%s/limits", dicom_child_pid (child));
  g_autofree char *status = NULL, *limits = NULL;
  g_assert_true (g_file_get_contents (path, &status, NULL, NULL));
  g_assert_nonnull (strstr (status, "\nSeccomp:\t2\n"));
  g_assert_nonnull (strstr (status, "\nNoNewPrivs:\t1\n"));
  if (geteuid () == 0)
    g_assert_nonnull (strstr (status, "\nUid:\t65534\t65534\t65534\t65534\n"));
  g_assert_true (g_file_get_contents (limits_path, &limits, NULL, NULL));
  g_assert_nonnull (strstr (limits, "Max core file size        0"));
  g_assert_nonnull (strstr (limits, "Max open files            16"));
  dicom_child_free (child);
}

/* ---- What a child says -------------------------------------------------------------------- */

static void
test_clean (void)
{
  json_auto_t *said = json_pack (
      "{s:s, s:s, s:i, s:{s:s, s:[s]}, s:{s:b, s:i, s:i, s:i, s:i, s:f, s:[{s:f,s:f},{s:s}], s:o}}",
      "modality", "US\x01", "study", "1.2", "evil", 1, "patient", "name", "A", "id", "x", "picture",
      "shown", 1, "rows", 4, "columns", 100000000, "frames", 1, "bits", 8, "slope", 2.0, "windows",
      "center", 1.0, "width", 2.0, "center", "x", "spacing", json_null ());
  json_auto_t *about = dicom_about_clean (said);
  json_t *picture = json_object_get (about, "picture");
  g_assert_cmpstr (dicom_about_text (about, "modality"), ==, ""); /* a control character */
  g_assert_cmpstr (dicom_about_text (about, "study"), ==, "1.2");
  g_assert_null (json_object_get (about, "evil"));
  g_assert_cmpstr (dicom_about_patient (about, "id"), ==, "");        /* no text */
  g_assert_false (json_is_true (json_object_get (picture, "shown"))); /* no such width */
  g_assert_cmpuint (json_array_size (json_object_get (picture, "windows")), ==, 1);
  g_assert_null (dicom_about_clean (json_object_get (said, "study")));
}

static void
test_names (void)
{
  g_assert_true (dicom_names_agree ("NGUYEN VAN DUONG", "Nguyễn Văn Đương"));
  g_assert_true (dicom_names_agree ("Duong  Nguyen-Van", "Nguyễn Văn Đương"));
  g_assert_true (dicom_names_agree ("", "Nguyễn Văn Đương"));
  g_assert_false (dicom_names_agree ("NGUYEN VAN", "Nguyễn Văn Đương"));
  g_assert_false (dicom_names_agree ("Vàng Thị Mỷ", "Vàng Thị Mai"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  dicom_child_set_program (g_getenv ("NHIPCAU_DICOM"));
  g_test_add_func ("/dicom/describe", test_describe);
  g_test_add_func ("/dicom/hostile", test_hostile);
  g_test_add_func ("/dicom/pictures", test_pictures);
  g_test_add_func ("/dicom/confined", test_confined);
  g_test_add_func ("/dicom/clean", test_clean);
  g_test_add_func ("/dicom/names", test_names);
  return g_test_run ();
}
