#include "records/capture_format.h"
#include "records/sealing.h"
#include "records/store_log.h"
#include "records/vault_cms.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

#define SYNC_US G_USEC_PER_SEC

struct CaptureWriter {
  char *path;
  int fd;
  guint8 key[32], head_sha256[32];
  guint64 seq, size;
  gint64 synced_us, last_monotonic_us, last_utc_us;
};

static gboolean
disk_error (const char *path, GError **error)
{
  g_set_error (error, RECORDS_ERROR, errno == EEXIST ? RECORDS_ERROR_EXISTS : RECORDS_ERROR_DISK,
               "%s: %s", path, g_strerror (errno));
  return FALSE;
}

/* All or nothing: what does not fit on the disk is cut off again. */
static gboolean
append (CaptureWriter *writer, const guint8 *bytes, gsize size, GError **error)
{
  gsize done = 0;
  while (done < size) {
    gssize put = pwrite (writer->fd, bytes + done, size - done, (off_t)(writer->size + done));
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0) {
      disk_error (writer->path, error);
      if (ftruncate (writer->fd, (off_t)writer->size) != 0)
        g_warning ("capture: %s: %s", writer->path, g_strerror (errno));
      return FALSE;
    }
    done += (gsize)put;
  }
  writer->size += size;
  return TRUE;
}

/* ---- Head --------------------------------------------------------------------------------------
 */

gboolean
capture_station_key (Vault *vault, guint8 ret_key[32], GError **error)
{
  g_autoptr (DataKey) key = vault_get_key (vault, "station", PURPOSE_STATION, error);
  if (key == NULL)
    return FALSE;
  data_key_derive (key, CAPTURE_KEY_INFO, ret_key);
  return TRUE;
}

void
capture_put (GByteArray *out, guint64 value, guint bytes)
{
  for (guint i = 0; i < bytes; i++) {
    const guint8 byte = (guint8)(value >> 8 * (bytes - 1 - i));
    g_byte_array_append (out, &byte, 1);
  }
}

static void
put_part (GByteArray *out, GBytes *part)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (part, &size);
  capture_put (out, size, 4);
  g_byte_array_append (out, bytes, (guint)size);
}

/* The file key for the station itself, bound to the file's id. */
static GBytes *
wrap_for_station (Vault *vault, const guint8 *head, const guint8 key[32], GError **error)
{
  guint8 wrapping[32];
  if (!capture_station_key (vault, wrapping, error))
    return NULL;
  g_autoptr (GBytes) aad = g_bytes_new (head, CAPTURE_HEAD), plain = g_bytes_new (key, 32);
  GBytes *sealed = sealing_seal (wrapping, NULL, 0, aad, plain, error);
  OPENSSL_cleanse (wrapping, sizeof wrapping);
  return sealed;
}

static GBytes *
wrap_for_recovery (Vault *vault, const guint8 key[32], GError **error)
{
  g_autoptr (GPtrArray) recipients = g_ptr_array_new ();
  for (guint i = 0; i < vault_recipients (vault); i++)
    g_ptr_array_add (recipients, vault_recipient (vault, i));
  return cms_seal (recipients, key, 32, error);
}

static GByteArray *
make_head (Vault *vault, const guint8 key[32], GError **error)
{
  guint8 id[16];
  g_autoptr (GByteArray) out = g_byte_array_new ();
  if (RAND_bytes (id, sizeof id) != 1)
    g_error ("no random bytes: libcrypto has no working provider");
  g_byte_array_append (out, (const guint8 *)CAPTURE_MAGIC, 8);
  capture_put (out, 1, 2);
  capture_put (out, 1, 2);
  g_byte_array_append (out, id, sizeof id);
  g_autoptr (GBytes) station = wrap_for_station (vault, out->data, key, error);
  if (station == NULL)
    return NULL;
  g_autoptr (GBytes) recovery = wrap_for_recovery (vault, key, error);
  if (recovery == NULL)
    return NULL;
  put_part (out, station);
  put_part (out, recovery);
  return g_steal_pointer (&out);
}

/* ---- Records -----------------------------------------------------------------------------------
 */

GBytes *
capture_aad (const guint8 head_sha256[32], const guint8 record_head[CAPTURE_RECORD_HEAD])
{
  GByteArray *aad = g_byte_array_new ();
  g_byte_array_append (aad, head_sha256, 32);
  g_byte_array_append (aad, record_head, CAPTURE_RECORD_HEAD);
  return g_byte_array_free_to_bytes (aad);
}

static gboolean
write_record (CaptureWriter *writer, CaptureKind kind, gint64 monotonic_us, gint64 utc_us,
              const guint8 *data, gsize length, GError **error)
{
  GByteArray *plain = g_byte_array_new ();
  g_autoptr (GByteArray) head = g_byte_array_new ();
  capture_put (plain, kind, 1);
  capture_put (plain, (guint64)monotonic_us, 8);
  capture_put (plain, (guint64)utc_us, 8);
  if (length > 0)
    g_byte_array_append (plain, data, (guint)length);
  g_autoptr (GBytes) plain_bytes = g_byte_array_free_to_bytes (plain);
  capture_put (head, g_bytes_get_size (plain_bytes) + SEALING_OVERHEAD, 4);
  capture_put (head, writer->seq, 8);
  g_autoptr (GBytes) aad = capture_aad (writer->head_sha256, head->data);
  g_autoptr (GBytes) sealed
      = sealing_seal (writer->key, head->data, CAPTURE_RECORD_HEAD, aad, plain_bytes, error);
  if (sealed == NULL
      || !append (writer, g_bytes_get_data (sealed, NULL), g_bytes_get_size (sealed), error))
    return FALSE;
  writer->seq++;
  writer->last_monotonic_us = monotonic_us;
  writer->last_utc_us = utc_us;
  return TRUE;
}

static void
sync_now_and_then (CaptureWriter *writer)
{
  gint64 now = g_get_monotonic_time ();
  if (now - writer->synced_us < SYNC_US)
    return;
  writer->synced_us = now;
  /* Starts the writing and does not wait: a capture must not hold the devices' loop up. */
  sync_file_range (writer->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

gboolean
capture_write (CaptureWriter *writer, CaptureKind kind, gint64 monotonic_us, gint64 utc_us,
               const guint8 *data, gsize length, GError **error)
{
  do {
    gsize now = MIN (length, CAPTURE_BYTES_MAX);
    if (!write_record (writer, kind, monotonic_us, utc_us, data, now, error))
      return FALSE;
    data = now < length ? data + now : NULL;
    length -= now;
  } while (length > 0);
  sync_now_and_then (writer);
  return TRUE;
}

CaptureWriter *
capture_create (const char *path, Vault *vault, json_t *about, GError **error)
{
  CaptureWriter *writer = g_new0 (CaptureWriter, 1);
  writer->path = g_strdup (path);
  writer->fd = -1;
  if (RAND_priv_bytes (writer->key, sizeof writer->key) != 1)
    g_error ("no random bytes: libcrypto has no working provider");
  g_autoptr (GByteArray) head = make_head (vault, writer->key, error);
  if (head != NULL) {
    store_sha256 (head->data, head->len, writer->head_sha256);
    writer->fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (writer->fd < 0)
      disk_error (path, error);
  }
  char *text = json_dumps (about, JSON_COMPACT);
  gboolean good = writer->fd >= 0 && append (writer, head->data, head->len, error)
                  && capture_write (writer, CAPTURE_ABOUT, g_get_monotonic_time (),
                                    g_get_real_time (), (const guint8 *)text, strlen (text), error);
  free (text);
  if (good)
    return writer;
  capture_close (writer);
  return NULL;
}

guint64
capture_size (const CaptureWriter *writer)
{
  return writer->size;
}

void
capture_close (CaptureWriter *writer)
{
  if (writer == NULL)
    return;
  if (writer->fd >= 0) {
    if (writer->seq > 0)
      capture_write (writer, CAPTURE_END, writer->last_monotonic_us, writer->last_utc_us, NULL, 0,
                     NULL);
    if (fdatasync (writer->fd) != 0)
      g_warning ("capture: %s: %s", writer->path, g_strerror (errno));
    close (writer->fd);
  }
  OPENSSL_cleanse (writer->key, sizeof writer->key);
  g_free (writer->path);
  g_free (writer);
}
