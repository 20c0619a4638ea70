/* aECG, EDF and BDF, DICOM: samples that were written are read, and what is wrong is refused. */
#include "ecg_check.h"

#define TIME_US (G_GINT64_CONSTANT (1795140192) * G_USEC_PER_SEC)

static void
check_patient (const EcgRecording *recording, const char *name)
{
  g_assert_cmpstr (recording->patient_id, ==, "0100123");
  g_assert_cmpstr (recording->patient_name, ==, name);
  g_assert_cmpstr (recording->patient_birth, ==, "1959-05-08");
  g_assert_cmpstr (recording->patient_sex, ==, "male");
}

static char *
text_of (const GByteArray *bytes)
{
  return g_strndup ((const char *)bytes->data, bytes->len);
}

static char *
replaced (const char *text, const char *from, const char *to)
{
  g_auto (GStrv) parts = g_strsplit (text, from, 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  return g_strjoinv (to, parts);
}

/* ---- aECG ---------------------------------------------------------------------------------------
 */

static void
test_aecg (void)
{
  g_autoptr (EcgMade) made = ecg_made_new (500, 1000);
  g_autoptr (GByteArray) file = ecg_make_aecg (made, "0100123");
  g_autoptr (EcgRecording) recording = check_read ("aecg", file);
  check_whole (recording, made, "uV", 2.5);
  check_patient (recording, "Nguyễn Văn A");
  g_assert_cmpint (recording->time_us, ==, TIME_US + 500000);
  g_assert_cmpint (recording->time_source, ==, OBS_TIME_DEVICE);
  check_cut ("aecg", file, FALSE);
}

static void
test_aecg_wrong (void)
{
  g_autoptr (EcgMade) made = ecg_made_new (500, 100);
  g_autoptr (GByteArray) file = ecg_make_aecg (made, "0100123");
  g_autofree char *text = text_of (file);
  static const struct {
    const char *from, *to, *word;
  } wrong[] = {
    { "<digits>", "<digits>1.5 ", "whole number" },
    { "<digits>", "<digits>1 ", "different numbers of samples" },
    { "<scale value=\"2.5\"", "<scale value=\"0\"", "scale" },
    { "<increment value=\"2000\"", "<increment value=\"0\"", "increment" },
    { "unit=\"us\"", "unit=\"d\"", "increment" },
    { "<AnnotatedECG", "<Other", "not an AnnotatedECG" },
    { "</AnnotatedECG>", "", "no XML" },
    /* An entity of the document's own is not expanded, and not looked for elsewhere. */
    { "<digits>", "<digits>&own;", "no XML" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *changed = replaced (text, wrong[i].from, wrong[i].to);
    check_refused ("aecg", (const guint8 *)changed, strlen (changed), wrong[i].word);
  }
}

static void
test_aecg_charset (void)
{
  g_autoptr (EcgMade) made = ecg_made_new (500, 100);
  g_autoptr (GByteArray) file = ecg_make_aecg (made, "0100123");
  g_autofree char *text = text_of (file);
  g_autofree char *declared = replaced (text, "UTF-8", "UTF-16");
  gsize length = 0;
  g_autofree char *utf16 = g_convert (declared, -1, "UTF-16", "UTF-8", NULL, &length, NULL);
  g_autoptr (GByteArray) wide = g_byte_array_new ();
  g_byte_array_append (wide, (const guint8 *)utf16, (guint)length);
  g_autoptr (EcgRecording) recording = check_read ("aecg", wide);
  check_patient (recording, "Nguyễn Văn A");
  check_whole (recording, made, "uV", 2.5);
}

/* ---- EDF and BDF --------------------------------------------------------------------------------
 */

#define EDF_PATIENT "0100123 M 08-MAY-1959 Nguyen_Van_A"

static void
test_edf (void)
{
  for (guint bdf = 0; bdf < 2; bdf++) {
    g_autoptr (EcgMade) made = ecg_made_new (500, 4000);
    g_autoptr (GByteArray) file = ecg_make_edf (made, bdf, 0, EDF_PATIENT);
    g_autoptr (EcgRecording) recording = check_read ("edf", file);
    g_assert_cmpstr (recording->kind, ==, bdf ? "bdf" : "edf");
    check_whole (recording, made, "uV", 2.5);
    check_patient (recording, "Nguyen Van A");
    g_assert_cmpstr (recording->model, ==, "ECG-1200");
    g_assert_cmpuint (recording->annotations->len, ==, 1);
    const EcgAnnotation *annotation = g_ptr_array_index (recording->annotations, 0);
    g_assert_cmpint (annotation->at_us, ==, 1500000);
    g_assert_cmpint (annotation->duration_us, ==, 250000);
    g_assert_cmpstr (annotation->text, ==, "Với");
    check_cut ("edf", file, FALSE);
  }
}

/* A gap of whole samples keeps the count of samples; another begins a new epoch at its own time. */
static void
test_edf_gap (void)
{
  static const double gaps[] = { 2.5, 2.501 };
  for (gsize i = 0; i < G_N_ELEMENTS (gaps); i++) {
    g_autoptr (EcgMade) made = ecg_made_new (500, 4000);
    g_autoptr (GByteArray) file = ecg_make_edf (made, FALSE, gaps[i], EDF_PATIENT);
    g_autoptr (EcgRecording) recording = check_read ("edf", file);
    g_assert_cmpuint (recording->blocks->len, ==, 2);
    const WaveBlock *first = g_ptr_array_index (recording->blocks, 0);
    const WaveBlock *second = g_ptr_array_index (recording->blocks, 1);
    check_block (first, made, 0);
    check_block (second, made, 2000);
    g_assert_cmpuint (second->epoch, ==, i);
    g_assert_cmpuint (second->first, ==, i == 0 ? 2000 + 1250 : 0);
    g_assert_cmpint (second->time_us - first->time_us, ==,
                     i == 0 ? 6500000 : 6501000);
  }
}

static void
test_edf_wrong (void)
{
  static const struct {
    guint at;
    const char *text, *word;
  } wrong[] = {
    { 0, "1", "begin" },
    { 184, "99999   ", "length" },
    { 236, "xx", "data records" },
    { 244, "x", "duration" },
    { 252, "0   ", "signals" },
    { 252, "9999", "signals" },
    { 256 + 9 * 216, "x", "samples" },
    { 256 + 9 * 120, "x", "minimum" },
  };
  g_autoptr (EcgMade) made = ecg_made_new (100, 200);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GByteArray) file = ecg_make_edf (made, FALSE, 0, EDF_PATIENT);
    memcpy (file->data + wrong[i].at, wrong[i].text, strlen (wrong[i].text));
    check_refused ("edf", file->data, file->len, wrong[i].word);
  }
}

/* ---- DICOM --------------------------------------------------------------------------------------
 */

static void
test_dicom (void)
{
  for (guint implicit = 0; implicit < 2; implicit++) {
    g_autoptr (EcgMade) made = ecg_made_new (500, 1000);
    g_autoptr (GByteArray) file = ecg_make_dicom (made, implicit, "0100123");
    g_autoptr (EcgRecording) recording = check_read ("dicom", file);
    check_whole (recording, made, "uV", 2.5);
    check_patient (recording, "Nguyễn Văn A");
    g_assert_cmpint (recording->time_us, ==, TIME_US);
    check_cut ("dicom", file, FALSE);
  }
}

static void
test_dicom_wrong (void)
{
  g_autoptr (EcgMade) made = ecg_made_new (500, 100);
  g_autoptr (GByteArray) file = ecg_make_dicom (made, FALSE, "0100123");
  check_refused ("dicom", file->data, file->len - 10, "byte");
  file->data[128] = 'X';
  check_refused ("dicom", file->data, file->len, "DICM");
  file->data[128] = 'D';
  /* 1.2.840.10008.1.2.1 becomes …1.2.2: big endian. */
  guint8 *end = memmem (file->data, file->len, "10008.1.2.1", 11);
  end[10] = '2';
  check_refused ("dicom", file->data, file->len, "transfer syntax");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ecg-files/aecg", test_aecg);
  g_test_add_func ("/ecg-files/aecg-wrong", test_aecg_wrong);
  g_test_add_func ("/ecg-files/aecg-charset", test_aecg_charset);
  g_test_add_func ("/ecg-files/edf", test_edf);
  g_test_add_func ("/ecg-files/edf-gap", test_edf_gap);
  g_test_add_func ("/ecg-files/edf-wrong", test_edf_wrong);
  g_test_add_func ("/ecg-files/dicom", test_dicom);
  g_test_add_func ("/ecg-files/dicom-wrong", test_dicom_wrong);
  return g_test_run ();
}
