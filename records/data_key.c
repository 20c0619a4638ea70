#include "records/data_key.h"
#include "records/secure_memory.h"
#include "records/sealing.h"
#include <openssl/crypto.h>
#include <string.h>

#define ROW_VERSION 1
#define ROW_ALG_AES_256_GCM 1
#define ROW_HEAD 4 /* version, alg, epoch */
#define ROW_OVERHEAD (ROW_HEAD + SEALING_OVERHEAD)

typedef struct {
  guint8 bytes[DATA_KEY_SIZE];
  guint8 row[32];
} Secrets;

struct DataKey {
  gatomicrefcount refs;
  guint16 epoch;
  guint8 commit[32];
  Secrets *secrets; /* secure memory */
};

G_DEFINE_QUARK (records - error - quark, records_error)

DataKey *
data_key_new (const guint8 *bytes, guint16 epoch)
{
  DataKey *key = g_new0 (DataKey, 1);
  g_atomic_ref_count_init (&key->refs);
  key->epoch = epoch;
  key->secrets = secure_alloc (sizeof *key->secrets);
  memcpy (key->secrets->bytes, bytes, DATA_KEY_SIZE);
  sealing_derive (bytes, DATA_KEY_SIZE, NULL, 0, "nhipcau/1/row", key->secrets->row);
  sealing_derive (bytes, DATA_KEY_SIZE, NULL, 0, "nhipcau/1/commit", key->commit);
  return key;
}

DataKey *
data_key_ref (DataKey *key)
{
  g_atomic_ref_count_inc (&key->refs);
  return key;
}

void
data_key_unref (DataKey *key)
{
  if (key == NULL || !g_atomic_ref_count_dec (&key->refs))
    return;
  secure_free (key->secrets, sizeof *key->secrets);
  g_free (key);
}

guint16
data_key_epoch (DataKey *key)
{
  return key->epoch;
}

void
data_key_commitment (DataKey *key, guint8 ret_commit[32])
{
  memcpy (ret_commit, key->commit, sizeof key->commit);
}

void
data_key_segment (DataKey *key, const guint8 segment_id[16], guint8 ret_key[32])
{
  sealing_derive (key->secrets->bytes, DATA_KEY_SIZE, segment_id, 16, "nhipcau/1/segment", ret_key);
}

void
data_key_attachment (DataKey *key, const guint8 attachment_id[32], guint8 ret_key[32])
{
  sealing_derive (key->secrets->bytes, DATA_KEY_SIZE, attachment_id, 32, "nhipcau/1/attachment",
                  ret_key);
}

void
data_key_derive (DataKey *key, const char *info, guint8 ret_key[32])
{
  sealing_derive (key->secrets->bytes, DATA_KEY_SIZE, NULL, 0, info, ret_key);
}

/* Head, table, consultation, kind, seq, schema: each with its length, so that no two bindings
 * can read the same. */
static GBytes *
binding_aad (const guint8 head[ROW_HEAD], const RowBinding *binding)
{
  g_autoptr (GByteArray) aad = g_byte_array_new ();
  guint64 seq = GUINT64_TO_BE ((guint64)binding->seq);
  guint32 schema = GUINT32_TO_BE ((guint32)binding->schema);

  sealing_add_part (aad, head, ROW_HEAD);
  sealing_add_part (aad, binding->table, strlen (binding->table));
  sealing_add_part (aad, binding->consult, strlen (binding->consult));
  sealing_add_part (aad, binding->kind, strlen (binding->kind));
  sealing_add_part (aad, &seq, sizeof seq);
  sealing_add_part (aad, &schema, sizeof schema);
  return g_byte_array_free_to_bytes (g_steal_pointer (&aad));
}

GBytes *
data_key_seal_row (DataKey *key, const RowBinding *binding, GBytes *plain, GError **error)
{
  const guint8 head[ROW_HEAD]
      = { ROW_VERSION, ROW_ALG_AES_256_GCM, key->epoch >> 8, key->epoch & 0xff };
  g_autoptr (GBytes) aad = binding_aad (head, binding);
  return sealing_seal (key->secrets->row, head, sizeof head, aad, plain, error);
}

GBytes *
data_key_open_row (DataKey *key, const RowBinding *binding, GBytes *sealed, GError **error)
{
  gsize size;
  const guint8 *head = g_bytes_get_data (sealed, &size);

  if (size < ROW_OVERHEAD) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "row %s/%s/%" G_GINT64_FORMAT " is cut short (%" G_GSIZE_FORMAT " bytes)",
                 binding->consult, binding->kind, binding->seq, size);
    return NULL;
  }
  if (head[0] != ROW_VERSION || head[1] != ROW_ALG_AES_256_GCM) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_VERSION,
                 "row %s/%s/%" G_GINT64_FORMAT " has format %u.%u, this program reads %u.%u: "
                 "a newer program wrote it, or it was changed",
                 binding->consult, binding->kind, binding->seq, head[0], head[1], ROW_VERSION,
                 ROW_ALG_AES_256_GCM);
    return NULL;
  }
  guint epoch = (guint)head[2] << 8 | head[3];
  if (epoch != key->epoch) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "row %s/%s/%" G_GINT64_FORMAT " names epoch %u, its key is of epoch %u",
                 binding->consult, binding->kind, binding->seq, epoch, key->epoch);
    return NULL;
  }
  g_autoptr (GBytes) aad = binding_aad (head, binding);
  g_autoptr (GBytes) plain = sealing_open (key->secrets->row, ROW_HEAD, aad, sealed, NULL);
  if (plain == NULL)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "row %s/%s/%" G_GINT64_FORMAT " was changed, or belongs elsewhere",
                 binding->consult, binding->kind, binding->seq);
  return g_steal_pointer (&plain);
}
