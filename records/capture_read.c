#include "records/capture_format.h"
#include "records/sealing.h"
#include "records/secure_memory.h"
#include "records/store_log.h"
#include "records/vault_cms.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

struct CaptureReader {
  char *path;
  FILE *file;
  guint8 key[32], head_sha256[32];
  guint64 seq;
  json_t *about;
};

guint64
capture_get (const guint8 *at, guint bytes)
{
  guint64 value = 0;
  for (guint i = 0; i < bytes; i++)
    value = value << 8 | at[i];
  return value;
}

static gboolean
fail (const CaptureReader *reader, RecordsError code, const char *what, GError **error)
{
  g_set_error (error, RECORDS_ERROR, code, "%s: %s", reader->path, what);
  return FALSE;
}

/* ---- Head --------------------------------------------------------------------------------------
 */

typedef struct {
  GByteArray *bytes; /* all of it */
  GBytes *station, *recovery;
} Head;

static void
head_clear (Head *head)
{
  g_clear_pointer (&head->bytes, g_byte_array_unref);
  g_clear_pointer (&head->station, g_bytes_unref);
  g_clear_pointer (&head->recovery, g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Head, head_clear)

static gboolean
take (CaptureReader *reader, Head *head, gsize size)
{
  guint before = head->bytes->len;
  g_byte_array_set_size (head->bytes, before + (guint)size);
  return fread (head->bytes->data + before, 1, size, reader->file) == size;
}

static GBytes *
take_part (CaptureReader *reader, Head *head)
{
  if (!take (reader, head, 4))
    return NULL;
  gsize size = capture_get (head->bytes->data + head->bytes->len - 4, 4);
  if (size == 0 || size > CAPTURE_WRAP_MAX || !take (reader, head, size))
    return NULL;
  return g_bytes_new (head->bytes->data + head->bytes->len - size, size);
}

static gboolean
read_head (CaptureReader *reader, Head *head, GError **error)
{
  head->bytes = g_byte_array_new ();
  if (!take (reader, head, CAPTURE_HEAD) || memcmp (head->bytes->data, CAPTURE_MAGIC, 8) != 0)
    return fail (reader, RECORDS_ERROR_TAMPERED, "is no capture of a device", error);
  if (capture_get (head->bytes->data + 8, 2) != 1 || capture_get (head->bytes->data + 10, 2) != 1)
    return fail (reader, RECORDS_ERROR_VERSION, "is of another version than this program reads",
                 error);
  head->station = take_part (reader, head);
  head->recovery = head->station != NULL ? take_part (reader, head) : NULL;
  if (head->recovery == NULL)
    return fail (reader, RECORDS_ERROR_TAMPERED, "is cut within its head", error);
  store_sha256 (head->bytes->data, head->bytes->len, reader->head_sha256);
  return TRUE;
}

static gboolean
take_key (CaptureReader *reader, GBytes *key, GError **error)
{
  if (key == NULL)
    return FALSE;
  if (g_bytes_get_size (key) != 32)
    return fail (reader, RECORDS_ERROR_TAMPERED, "its key was changed", error);
  memcpy (reader->key, g_bytes_get_data (key, NULL), 32);
  return TRUE;
}

static gboolean
unwrap_for_station (CaptureReader *reader, const Head *head, Vault *vault, GError **error)
{
  guint8 wrapping[32];
  if (!capture_station_key (vault, wrapping, error))
    return FALSE;
  g_autoptr (GBytes) aad = g_bytes_new (head->bytes->data, CAPTURE_HEAD);
  g_autoptr (GBytes) key = sealing_open (wrapping, 0, aad, head->station, error);
  OPENSSL_cleanse (wrapping, sizeof wrapping);
  if (key == NULL)
    g_prefix_error (error, "%s: is of another station, or was changed: ", reader->path);
  return take_key (reader, key, error);
}

/* ---- Records -----------------------------------------------------------------------------------
 */

static CaptureRead
open_record (CaptureReader *reader, const guint8 *head, GBytes *sealed, CaptureRecord *ret_record,
             GError **error)
{
  g_autoptr (GBytes) aad = capture_aad (reader->head_sha256, head);
  g_autoptr (GBytes) plain = sealing_open (reader->key, CAPTURE_RECORD_HEAD, aad, sealed, error);
  gsize size = 0;
  const guint8 *bytes = plain != NULL ? g_bytes_get_data (plain, &size) : NULL;
  if (plain == NULL || size < CAPTURE_PLAIN_HEAD || bytes[0] > CAPTURE_END) {
    g_clear_error (error);
    fail (reader, RECORDS_ERROR_TAMPERED, "a record was changed", error);
    return CAPTURE_BROKEN;
  }
  reader->seq++;
  ret_record->kind = (CaptureKind)bytes[0];
  ret_record->monotonic_us = (gint64)capture_get (bytes + 1, 8);
  ret_record->utc_us = (gint64)capture_get (bytes + 9, 8);
  ret_record->data = secure_bytes_new (bytes + CAPTURE_PLAIN_HEAD, size - CAPTURE_PLAIN_HEAD);
  return CAPTURE_GOT;
}

static CaptureRead
next_record (CaptureReader *reader, CaptureRecord *ret_record, GError **error)
{
  guint8 head[CAPTURE_RECORD_HEAD];
  gsize got = fread (head, 1, sizeof head, reader->file);
  if (got < sizeof head)
    return CAPTURE_CUT;
  gsize size = capture_get (head, 4);
  if (size < SEALING_OVERHEAD + CAPTURE_PLAIN_HEAD
      || size > SEALING_OVERHEAD + CAPTURE_PLAIN_HEAD + CAPTURE_BYTES_MAX
      || capture_get (head + 4, 8) != reader->seq) {
    fail (reader, RECORDS_ERROR_TAMPERED, "a record was changed or left out", error);
    return CAPTURE_BROKEN;
  }
  g_autofree guint8 *sealed = g_malloc (sizeof head + size);
  memcpy (sealed, head, sizeof head);
  if (fread (sealed + sizeof head, 1, size, reader->file) < size)
    return CAPTURE_CUT;
  g_autoptr (GBytes) bytes = g_bytes_new (sealed, sizeof head + size);
  return open_record (reader, head, bytes, ret_record, error);
}

CaptureRead
capture_read (CaptureReader *reader, CaptureRecord *ret_record, GError **error)
{
  CaptureRead read = next_record (reader, ret_record, error);
  if (read == CAPTURE_CUT && ferror (reader->file)) {
    fail (reader, RECORDS_ERROR_DISK, "the disk does not give all of it", error);
    return CAPTURE_BROKEN;
  }
  if (read == CAPTURE_GOT && ret_record->kind == CAPTURE_END) {
    g_clear_pointer (&ret_record->data, g_bytes_unref);
    return CAPTURE_WHOLE;
  }
  return read;
}

static gboolean
read_about (CaptureReader *reader, GError **error)
{
  CaptureRecord record = { 0 };
  CaptureRead read = capture_read (reader, &record, error);
  if (read != CAPTURE_GOT)
    return read != CAPTURE_BROKEN
           && fail (reader, RECORDS_ERROR_TAMPERED, "ends before its first record", error);
  if (record.kind == CAPTURE_ABOUT)
    reader->about = json_loadb (g_bytes_get_data (record.data, NULL),
                                g_bytes_get_size (record.data), JSON_REJECT_DUPLICATES, NULL);
  g_bytes_unref (record.data);
  return json_is_object (reader->about)
         || fail (reader, RECORDS_ERROR_TAMPERED, "does not say what it is of", error);
}

/* ---- Opening -----------------------------------------------------------------------------------
 */

static CaptureReader *
reader_new (const char *path, GError **error)
{
  CaptureReader *reader = g_new0 (CaptureReader, 1);
  reader->path = g_strdup (path);
  reader->file = fopen (path, "rbe");
  if (reader->file != NULL)
    return reader;
  g_set_error (error, RECORDS_ERROR, errno == ENOENT ? RECORDS_ERROR_NOT_FOUND : RECORDS_ERROR_DISK,
               "%s: %s", path, g_strerror (errno));
  capture_reader_free (reader);
  return NULL;
}

CaptureReader *
capture_open (const char *path, Vault *vault, GError **error)
{
  g_auto (Head) head = { 0 };
  g_autoptr (GError) local = NULL;
  g_autoptr (CaptureReader) reader = reader_new (path, &local);
  if (reader != NULL && read_head (reader, &head, &local)
      && unwrap_for_station (reader, &head, vault, &local) && read_about (reader, &local))
    return g_steal_pointer (&reader);
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

CaptureReader *
capture_open_recovery (const char *path, EVP_PKEY *key, X509 *certificate, GError **error)
{
  g_auto (Head) head = { 0 };
  g_autoptr (GError) local = NULL;
  g_autoptr (CaptureReader) reader = reader_new (path, &local);
  if (reader != NULL && read_head (reader, &head, &local)) {
    g_autoptr (GBytes) file_key = cms_open (head.recovery, key, certificate, &local);
    if (take_key (reader, file_key, &local) && read_about (reader, &local))
      return g_steal_pointer (&reader);
  }
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

void
capture_reader_free (CaptureReader *reader)
{
  if (reader == NULL)
    return;
  if (reader->file != NULL)
    fclose (reader->file);
  OPENSSL_cleanse (reader->key, sizeof reader->key);
  json_decref (reader->about);
  g_free (reader->path);
  g_free (reader);
}

const json_t *
capture_about (const CaptureReader *reader)
{
  return reader->about;
}
