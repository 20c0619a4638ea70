/* A capture's file, changed anywhere, cut anywhere, or made of nothing: it ends as a reason or as
 * what was written, a whole prefix of it.
 * Input: mode u8; 0: the rest is the file; else the first bytes of a good capture are taken, as
 * many as two bytes say (0: all), and changed by {offset u16, byte u8}…, which are XORed. */
#include "../unit/vault_place.h"
#include "records/capture.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

#define RECORDS 6

static Place place;
static Vault *vault;
static char *good;
static gsize good_size;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_autoptr (GError) error = NULL;
  place_init (&place);
  place_create (&place);
  vault = place_open (&place);
  gboolean open = vault_unlock_boot (vault, place.boot, &error);
  g_assert_no_error (error);
  g_assert_true (open);
  g_autofree char *path = g_build_filename (place.dir, "good.cap", NULL);
  json_auto_t *about = json_pack ("{s:s}", "kind", "contec");
  CaptureWriter *writer = capture_create (path, vault, about, &error);
  g_assert_no_error (error);
  for (guint8 i = 0; i < RECORDS; i++)
    g_assert_true (capture_write (writer, CAPTURE_FROM_DEVICE, i, i, &i, 1, NULL));
  capture_close (writer);
  g_assert_true (g_file_get_contents (path, &good, &good_size, NULL));
  return 0;
}

/* What was read is what was written, in its order: nothing that was changed passes. */
static void
read_all (CaptureReader *reader)
{
  for (guint8 i = 0;; i++) {
    CaptureRecord record = { 0 };
    g_autoptr (GError) error = NULL;
    CaptureRead read = capture_read (reader, &record, &error);
    g_assert_true ((error != NULL) == (read == CAPTURE_BROKEN));
    if (read != CAPTURE_GOT)
      break;
    gsize size;
    const guint8 *bytes = g_bytes_get_data (record.data, &size);
    g_assert_cmpuint (i, <, RECORDS);
    g_assert_true (size == 1 && bytes[0] == i && record.monotonic_us == i);
    g_bytes_unref (record.data);
  }
}

static GByteArray *
file_of (const guint8 *data, size_t size)
{
  GByteArray *file = g_byte_array_new ();
  if (data[0] == 0 || size < 3)
    return g_byte_array_append (file, data + 1, (guint)size - 1);
  gsize length = (gsize)data[1] << 8 | data[2];
  g_byte_array_append (file, (const guint8 *)good,
                       (guint)(length == 0 ? good_size : MIN (length, good_size)));
  for (gsize at = 3; at + 3 <= size && file->len > 0; at += 3)
    file->data[((gsize)data[at] << 8 | data[at + 1]) % file->len] ^= data[at + 2];
  return file;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  if (size == 0)
    return 0;
  g_autoptr (GByteArray) bytes = file_of (data, size);
  g_autoptr (GError) error = NULL, other = NULL;
  int fd = memfd_create ("capture", MFD_CLOEXEC);
  g_assert_true (fd >= 0 && write (fd, bytes->data, bytes->len) == (gssize)bytes->len);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (CaptureReader) reader = capture_open (path, vault, &error);
  g_assert_true ((reader == NULL) == (error != NULL));
  if (reader != NULL)
    read_all (reader);
  g_autoptr (CaptureReader) recovered
      = capture_open_recovery (path, place.keys[0], place.certificates[0], &other);
  g_assert_true ((recovered == NULL) == (other != NULL));
  if (recovered != NULL)
    read_all (recovered);
  close (fd);
  return 0;
}
