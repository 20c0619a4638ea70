/* One sealed row: what stands inside, and making and opening it. docs/records.md has the form.
 *
 *   {"at": {"boot", "mono_us", "trust", "utc_us"}, "body": …,
 *    "log": {"root", "size"}, "user": …}
 *
 * "log" is the log as it stood before the row: its size is the index of the row's own leaf, so
 * that whoever holds the key can tell a history that was rewritten, without any signature.
 */
#pragma once
#include "records/merkle.h"
#include "records/store.h"

#define STORE_ROW_SCHEMA 1
#define STORE_STATION "station"

typedef struct {
  gint64 utc_us, mono_us;
  const char *boot;  /* interned */
  const char *trust; /* interned */
} StoreTime;

StoreTime store_time_now (const char *trust);

typedef struct {
  const char *consult, *kind;
  gint64 seq;
  StoreTime at;
  const char *user; /* NULL: the station itself */
  json_t *body;
  const Merkle *log;
} StoreRowContent;

/* (transfer full) */
GBytes *store_row_seal (DataKey *key, const StoreRowContent *row, GError **error);
/* ret_size and ret_root tell what the row says about the log; both may be NULL. */
StoreRow *store_row_open (DataKey *key, const char *consult, const char *kind, gint64 seq,
                          guint schema, GBytes *sealed, guint64 *ret_size,
                          guint8 ret_root[MERKLE_HASH], GError **error);

/* [a-z0-9-]{1,48} */
gboolean store_kind_valid (const char *kind);
/* A UUID in lower case, or "station". */
gboolean store_consult_valid (const char *consult);
/* The key that seals rows of a consultation. */
DataKey *store_row_key (Vault *vault, const char *consult, GError **error);

/* UUID, random bytes from libcrypto (a segment's key depends on it): text (transfer full). */
char *store_uuid_new (void);
gboolean store_uuid_parse (const char *text, guint8 ret_bytes[16]);
char *store_uuid_format (const guint8 bytes[16]);
