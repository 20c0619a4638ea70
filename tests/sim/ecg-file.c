/* ecg-file KIND FILE [PATIENT [SAMPLES]]: writes an ECG file of the made-up heart: eight leads at
 * 500 samples a second, 10 s unless told otherwise.
 *
 * KIND: scp scp-own scp-reduced aecg edf bdf wfdb dicom dicom-implicit. WFDB's header goes to FILE,
 * its signals beside it. */
#include "ecg_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static GByteArray *
make_wfdb (const EcgMade *made, const char *file)
{
  g_autoptr (GString) header = g_string_new (NULL);
  g_autofree char *base = g_path_get_basename (file);
  if (g_str_has_suffix (base, ".hea"))
    base[strlen (base) - 4] = '\0';
  g_autofree char *folder = g_path_get_dirname (file);
  g_autofree char *data_name = g_strconcat (base, ".dat", NULL);
  g_autofree char *data_path = g_build_filename (folder, data_name, NULL);
  g_autoptr (GByteArray) data = ecg_make_wfdb (made, base, 16, header);
  if (!g_file_set_contents (data_path, (const char *)data->data, data->len, NULL))
    return NULL;
  gsize length = header->len;
  return g_byte_array_new_take ((guint8 *)g_string_free (g_steal_pointer (&header), FALSE), length);
}

static GByteArray *
make (const EcgMade *made, const char *kind, const char *file, const char *patient)
{
  ScpMake scp = { SCP_DEFAULT_TABLE, 2, FALSE, patient, "Nguyễn", "Văn A" };
  g_autofree char *edf_patient = g_strdup_printf ("%s M 08-MAY-1959 Nguyen_Van_A", patient);
  if (g_str_equal (kind, "scp-own"))
    scp.coding = SCP_OWN_TABLES;
  if (g_str_equal (kind, "scp-reduced"))
    scp.reduced = TRUE;
  if (g_str_has_prefix (kind, "scp"))
    return ecg_make_scp (made, &scp);
  if (g_str_equal (kind, "aecg"))
    return ecg_make_aecg (made, patient);
  if (g_str_equal (kind, "edf") || g_str_equal (kind, "bdf"))
    return ecg_make_edf (made, kind[0] == 'b', 0, edf_patient);
  if (g_str_equal (kind, "wfdb"))
    return make_wfdb (made, file);
  return g_str_has_prefix (kind, "dicom")
             ? ecg_make_dicom (made, g_str_equal (kind, "dicom-implicit"), patient)
             : NULL;
}

int
main (int argc, char **argv)
{
  if (argc < 3) {
    fputs ("usage: ecg-file KIND FILE [PATIENT [SAMPLES]]\n", stderr);
    return 2;
  }
  g_autoptr (EcgMade) made
      = ecg_made_new (500, argc > 4 ? CLAMP ((guint)atoi (argv[4]), 100, 500000) : 5000);
  g_autoptr (GByteArray) bytes = make (made, argv[1], argv[2], argc > 3 ? argv[3] : "0100123");
  if (bytes == NULL
      || !g_file_set_contents (argv[2], (const char *)bytes->data, bytes->len, NULL)) {
    fprintf (stderr, "ecg-file: no such kind, or %s cannot be written\n", argv[2]);
    return 1;
  }
  return 0;
}
