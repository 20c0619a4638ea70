/* A WFDB record: a header, and one run of bytes for all of its files.
 *
 * The input is the header's text, a zero, and those bytes; a segment's header is the text behind a
 * second zero. */
#include "media/devices/ecg_wfdb.h"

#include <string.h>

typedef struct {
  GBytes *segment, *signals;
} Files;

static GBytes *
find (const char *name, void *arg)
{
  Files *files = arg;
  return g_bytes_ref (g_str_has_suffix (name, ".hea") ? files->segment : files->signals);
}

static void
write_json (json_t *object, void *arg)
{
  char *text = json_dumps (object, JSON_COMPACT);
  if (text == NULL)
    g_error ("something that cannot be written");
  free (text);
}

/* Up to a zero, or the end. */
static gsize
part (const guint8 *data, gsize size)
{
  const guint8 *end = size > 0 ? memchr (data, 0, size) : NULL;
  return end != NULL ? (gsize)(end - data) : size;
}

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  gsize header = part (data, size), rest = MIN (header + 1, size);
  gsize segment = part (data + rest, size - rest), signals = MIN (rest + segment + 1, size);
  Files files
      = { g_bytes_new (data + rest, segment), g_bytes_new (data + signals, size - signals) };
  g_autoptr (GError) error = NULL;
  g_autoptr (EcgRecording) recording = ecg_wfdb_read (data, header, find, &files, &error);
  if ((recording == NULL) != (error != NULL))
    g_error ("neither a recording nor a reason");
  if (recording != NULL && recording->samples < 100000)
    ecg_recording_each (recording, write_json, NULL);
  g_bytes_unref (files.segment);
  g_bytes_unref (files.signals);
  return 0;
}
