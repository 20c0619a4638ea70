/* One ECG file, from its bytes to the JSON that pages and the command line get. */
#include "media/devices/ecg_file.h"

static void
write_json (json_t *object, void *arg)
{
  char *text = json_dumps (object, JSON_COMPACT);
  /* Whatever the file said, what comes of it is valid UTF-8, hence valid JSON. */
  if (text == NULL)
    g_error ("something that cannot be written");
  free (text);
}

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (GError) error = NULL;
#ifdef ECG_PREPARE
  g_autofree guint8 *prepared = g_memdup2 (data, size);
  ECG_PREPARE (prepared, size);
  data = prepared;
#endif
  g_autoptr (EcgRecording) recording = ecg_file_read (ECG_KIND, data, size, NULL, NULL, &error);
  if ((recording == NULL) != (error != NULL))
    g_error ("neither a recording nor a reason");
  /* Long recordings are many samples and nothing new. */
  if (recording != NULL && recording->samples < 100000)
    ecg_recording_each (recording, write_json, NULL);
  return 0;
}
