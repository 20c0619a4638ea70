/* What the files behind store.h, segment.h and verify.h share. */
#pragma once
#include "records/store.h"
#include "records/store_row.h"
#include "records/store_writer.h"

typedef struct SegmentWriter SegmentWriter;
typedef struct SegmentCache SegmentCache;

struct Store {
  char *state_dir;
  Vault *vault;
  StoreMode mode;
  int lock_fd;         /* -1: read-only */
  StoreWriter *writer; /* NULL: read-only */
  gpointer trust;      /* interned text, atomic */

  GMutex reader_lock;
  sqlite3 *reader; /* under reader_lock */

  GMutex repair_lock;
  json_t *recovered; /* under repair_lock: row that waits for the station's key */
  GPtrArray *torn;   /* under repair_lock: SegmentRow*, of a killed station, not yet cut */

  GMutex segments_lock;
  SegmentWriter *segments; /* under segments_lock, made at the first track */
  SegmentCache *cache;     /* under segments_lock, made at the first reading */

  GMutex attachments_lock;  /* one attachment is written or taken away at a time */
  GThreadPool *attachments; /* under attachments_lock, made at the first put */
};

/* FALSE with error when the store is read-only. */
gboolean store_writable (Store *store, GError **error);

/* Rows of one job, in the writer's thread. ret_seq: of the last one. */
gboolean store_write_rows (StoreWrite *write, Vault *vault, const StoreRowContent *row,
                           json_t *bodies, gint64 *ret_seq, GError **error);
/* The leaf of one key, unless it stands there already. */
gboolean store_write_key (StoreWrite *write, const VaultKeyRow *key, GError **error);

/* At opening: keys without a leaf get one, segments left open are counted, the "recovered" row
 * is prepared when pid (of the one before) or wal_bytes tell of a kill. */
gboolean store_repair_prepare (Store *store, const char *killed_pid, guint64 wal_bytes,
                               GError **error);

/* segment_writer.c and segment_index.c */
void segment_writer_free (SegmentWriter *writer);
void segment_cache_free (SegmentCache *cache);

/* Cuts segments that a killed station left open, of one consultation or all (NULL), as far as
 * their keys can be had. Called with repair_lock held. */
gboolean segment_repair (Store *store, const char *consult, GError **error);
/* Segments in state "open" at opening, before any track: array of SegmentRow*. */
GPtrArray *segment_list_torn (Store *store, GError **error);
/* Removes files that a kill left before their segment came into the log; they hold no record. */
gboolean segment_remove_strays (Store *store, GError **error);
/* Removes what a kill left of attachments half written (attachment.c). */
void attachment_remove_strays (Store *store);
/* Removes the files of consultations whose key is destroyed (erasure.c): after the deed, and at
 * opening, for a kill may come between. */
gboolean erasure_remove_files (Store *store, GError **error);
/* The same as store_repair(), for one consultation; used before its segments are touched. */
gboolean store_repair_consult (Store *store, const char *consult, GError **error);
