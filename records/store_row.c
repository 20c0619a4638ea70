#include "records/store_row.h"
#include "records/secure_memory.h"
#include "records/store_log.h"
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

/* ---- Names -------------------------------------------------------------------------------- */

gboolean
store_kind_valid (const char *kind)
{
  gsize size = strlen (kind);
  return size > 0 && size <= 48 && strspn (kind, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

gboolean
store_consult_valid (const char *consult)
{
  guint8 bytes[16];
  return g_str_equal (consult, STORE_STATION) || store_uuid_parse (consult, bytes);
}

gboolean
store_uuid_parse (const char *text, guint8 ret_bytes[16])
{
  guint8 bytes[16];
  guint at = 0;

  if (strlen (text) != 36)
    return FALSE;
  for (guint i = 0; i < 36; i++) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-')
        return FALSE;
      continue;
    }
    if (!g_ascii_isxdigit (text[i]) || g_ascii_isupper (text[i]))
      return FALSE;
    guint8 nibble = (guint8)g_ascii_xdigit_value (text[i]);
    bytes[at / 2] = at % 2 == 0 ? (guint8)(nibble << 4) : (guint8)(bytes[at / 2] | nibble);
    at++;
  }
  memcpy (ret_bytes, bytes, 16);
  return TRUE;
}

char *
store_uuid_format (const guint8 bytes[16])
{
  GString *text = g_string_sized_new (36);
  for (guint i = 0; i < 16; i++)
    g_string_append_printf (text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                            bytes[i]);
  return g_string_free (text, FALSE);
}

char *
store_uuid_new (void)
{
  guint8 bytes[16];
  if (RAND_bytes (bytes, sizeof bytes) != 1)
    g_error ("libcrypto gives no random bytes");
  bytes[6] = (guint8)((bytes[6] & 0x0f) | 0x40);
  bytes[8] = (guint8)((bytes[8] & 0x3f) | 0x80);
  return store_uuid_format (bytes);
}

DataKey *
store_row_key (Vault *vault, const char *consult, GError **error)
{
  gboolean station = g_str_equal (consult, STORE_STATION);
  return vault_get_key (vault, consult, station ? PURPOSE_STATION : PURPOSE_CLINICAL, error);
}

/* ---- Time --------------------------------------------------------------------------------- */

static const char *
boot_id (void)
{
  static const char *boot;

  if (g_once_init_enter (&boot)) {
    g_autofree char *text = NULL;
    if (!g_file_get_contents ("/proc/sys/kernel/random/boot_id", &text, NULL, NULL))
      text = g_strdup ("unknown");
    g_once_init_leave (&boot, g_intern_string (g_strchomp (text)));
  }
  return boot;
}

StoreTime
store_time_now (const char *trust)
{
  return (StoreTime){ .utc_us = g_get_real_time (),
                      .mono_us = g_get_monotonic_time (),
                      .boot = boot_id (),
                      .trust = trust };
}

/* ---- Sealing ------------------------------------------------------------------------------ */

static GBytes *
plain_text (const StoreRowContent *row)
{
  guint8 root[MERKLE_HASH];
  char hex[STORE_HEX];

  merkle_root (row->log, root);
  store_hex (root, hex);
  json_t *whole = json_pack (
      "{s:{s:s, s:I, s:s, s:I}, s:O, s:{s:s, s:I}, s:s?}", "at", "boot", row->at.boot, "mono_us",
      (json_int_t)row->at.mono_us, "trust", row->at.trust, "utc_us", (json_int_t)row->at.utc_us,
      "body", row->body, "log", "root", hex, "size", (json_int_t)row->log->size, "user", row->user);
  if (whole == NULL)
    return NULL;
  char *text = json_dumps (whole, JSON_COMPACT | JSON_SORT_KEYS);
  json_decref (whole);
  if (text == NULL)
    return NULL;
  GBytes *plain = secure_bytes_new (text, strlen (text));
  OPENSSL_cleanse (text, strlen (text));
  free (text);
  return plain;
}

GBytes *
store_row_seal (DataKey *key, const StoreRowContent *row, GError **error)
{
  const RowBinding binding = { "rec", row->consult, row->kind, row->seq, STORE_ROW_SCHEMA };
  g_autoptr (GBytes) plain = plain_text (row);

  if (plain == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "a row of kind %s cannot be written as JSON: its text or its user is not UTF-8",
                 row->kind);
    return NULL;
  }
  return data_key_seal_row (key, &binding, plain, error);
}

/* ---- Opening ------------------------------------------------------------------------------ */

void
store_row_free (StoreRow *row)
{
  if (row == NULL)
    return;
  g_free (row->consult);
  g_free (row->kind);
  g_free (row->user);
  g_free (row->boot);
  g_free (row->trust);
  json_decref (row->body);
  g_free (row);
}

static gboolean
parse_hash (const char *hex, guint8 ret_hash[32])
{
  if (strlen (hex) != 64)
    return FALSE;
  for (guint i = 0; i < 32; i++) {
    int high = g_ascii_xdigit_value (hex[2 * i]), low = g_ascii_xdigit_value (hex[2 * i + 1]);
    if (high < 0 || low < 0)
      return FALSE;
    ret_hash[i] = (guint8)(high << 4 | low);
  }
  return TRUE;
}

static StoreRow *
parse_plain (GBytes *plain, guint64 *ret_size, guint8 *ret_root)
{
  const char *boot, *trust, *root;
  json_int_t mono, utc, size;
  json_t *body;
  guint8 hash[MERKLE_HASH];
  StoreRow *row = NULL;
  json_t *whole
      = json_loadb (g_bytes_get_data (plain, NULL), g_bytes_get_size (plain), JSON_ALLOW_NUL, NULL);

  if (whole != NULL
      && json_unpack (whole, "{s:{s:s, s:I, s:s, s:I}, s:o, s:{s:s, s:I}}", "at", "boot", &boot,
                      "mono_us", &mono, "trust", &trust, "utc_us", &utc, "body", &body, "log",
                      "root", &root, "size", &size)
             == 0
      && parse_hash (root, hash)) {
    row = g_new0 (StoreRow, 1);
    row->boot = g_strdup (boot);
    row->trust = g_strdup (trust);
    row->user = g_strdup (json_string_value (json_object_get (whole, "user")));
    row->mono_us = mono;
    row->utc_us = utc;
    row->body = json_incref (body);
    if (ret_size != NULL)
      *ret_size = (guint64)size;
    if (ret_root != NULL)
      memcpy (ret_root, hash, MERKLE_HASH);
  }
  json_decref (whole);
  return row;
}

StoreRow *
store_row_open (DataKey *key, const char *consult, const char *kind, gint64 seq, guint schema,
                GBytes *sealed, guint64 *ret_size, guint8 ret_root[MERKLE_HASH], GError **error)
{
  const RowBinding binding = { "rec", consult, kind, seq, schema };
  g_autoptr (GBytes) plain = data_key_open_row (key, &binding, sealed, error);

  if (plain == NULL)
    return NULL;
  StoreRow *row = schema == STORE_ROW_SCHEMA ? parse_plain (plain, ret_size, ret_root) : NULL;
  if (row == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_VERSION,
                 "row %s/%s/%" G_GINT64_FORMAT " has a content that this program does not know",
                 consult, kind, seq);
    return NULL;
  }
  row->consult = g_strdup (consult);
  row->kind = g_strdup (kind);
  row->seq = seq;
  return row;
}
