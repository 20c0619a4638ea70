/* edf-dump FILE: each signal of an EDF or BDF file as EDFlib reads it, a JSON line each: label and
 * samples. For tests/scenario/ecg-files.test.mjs: a reader that is not ours. */
#include <edflib.h>
#include <glib.h>
#include <stdio.h>

int
main (int argc, char **argv)
{
  static struct edf_hdr_struct header; /* too large for a stack */
  if (argc != 2 || edfopen_file_readonly (argv[1], &header, EDFLIB_READ_ALL_ANNOTATIONS) != 0) {
    fputs ("edf-dump: EDFlib does not open the file\n", stderr);
    return 1;
  }
  for (int i = 0; i < header.edfsignals; i++) {
    const struct edf_param_struct *signal = &header.signalparam[i];
    int count = (int)signal->smp_in_file;
    g_autofree int *samples = g_new (int, count);
    if (edfread_digital_samples (header.handle, i, count, samples) != count)
      return 1;
    printf ("{\"label\":\"%s\",\"samples\":[", g_strchomp (g_strdup (signal->label)));
    for (int j = 0; j < count; j++)
      printf (j > 0 ? ",%d" : "%d", samples[j]);
    puts ("]}");
  }
  printf ("{\"annotations\":%lld}\n", header.annotations_in_file);
  return 0;
}
