/* What one source delivers: opened, its frames of each kind counted and looked at, closed. */
#pragma once
#include "media/capture/source.h"

#include <gio/gio.h>
#include <string.h>

#define SECOND G_USEC_PER_SEC

/* Under the thread sanitizer encoders hardly keep up. */
#ifdef __SANITIZE_THREAD__
#define SLOW 20
#else
#define SLOW 1
#endif

/* What one source delivered; frames come on streaming threads. */
typedef struct {
  GMutex lock;
  GPtrArray *record, *live[MEDIA_JPEG + 1];
  GArray *arrived[MEDIA_JPEG + 1]; /* gint64 µs, beside live */
  GArray *ages;                    /* gint64 µs of all frames */
  SourceState state;
  char *reason;
  guint states;
  gint64 oldest_us; /* what the median age may be */
  gint stuck;       /* atomic: VP8's callback does not return */
  Source *source;
} Log;

static inline void
on_state (Source *source, SourceState state, const char *reason, void *arg)
{
  Log *log = arg;
  log->state = state;
  log->states++;
  g_free (log->reason);
  log->reason = g_strdup (reason);
}

/* Under the lock. A loaded machine may be late once; log_close() looks at the middle. */
static inline void
check_fresh (Log *log, const Frame *frame)
{
  gint64 age_us = g_get_monotonic_time () - frame->capture_us;
  g_assert_cmpint (age_us, >, -50000);
  g_assert_cmpint (age_us, <, 5 * SECOND * SLOW);
  g_array_append_val (log->ages, age_us);
}

static inline void
check_after (GPtrArray *list, const Frame *frame)
{
  if (list->len > 0) {
    const Frame *before = list->pdata[list->len - 1];
    g_assert_cmpint (frame->capture_us, >, before->capture_us);
  }
}

static inline void
on_record (Source *source, Frame *frame, void *arg)
{
  Log *log = arg;
  g_mutex_lock (&log->lock);
  check_fresh (log, frame);
  check_after (log->record, frame);
  g_ptr_array_add (log->record, frame_ref (frame));
  g_mutex_unlock (&log->lock);
  g_main_context_wakeup (NULL);
}

static inline void
on_live (Source *source, Frame *frame, void *arg)
{
  Log *log = arg;
  while (frame->codec == MEDIA_VP8 && g_atomic_int_get (&log->stuck))
    g_usleep (1000);
  gint64 now_us = g_get_monotonic_time ();
  g_mutex_lock (&log->lock);
  check_fresh (log, frame);
  check_after (log->live[frame->codec], frame);
  g_ptr_array_add (log->live[frame->codec], frame_ref (frame));
  g_array_append_val (log->arrived[frame->codec], now_us);
  g_mutex_unlock (&log->lock);
  g_main_context_wakeup (NULL);
}

static const SourceEvents events = { on_state, on_record, on_live };

static inline Log *
log_open (const SourceConfig *config)
{
  Log *log = g_new0 (Log, 1);
  log->state = SOURCE_STOPPED;
  log->oldest_us = 300000;
  log->record = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
  for (guint i = 0; i <= MEDIA_JPEG; i++) {
    log->live[i] = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
    log->arrived[i] = g_array_new (FALSE, FALSE, sizeof (gint64));
  }
  log->ages = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GError) error = NULL;
  log->source = source_new (config, &events, log, &error);
  g_assert_no_error (error);
  source_start (log->source);
  return log;
}

static inline gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
  return x < y ? -1 : x > y;
}

static inline void
log_close (Log *log)
{
  gint64 begun_us = g_get_monotonic_time ();
  source_free (log->source);
  g_assert_cmpint (g_get_monotonic_time () - begun_us, <, 2 * SECOND * SLOW);
  /* Nothing comes after that: the lists may go. */
  if (log->ages->len > 0) {
    g_array_sort (log->ages, compare);
    gint64 middle_us = g_array_index (log->ages, gint64, log->ages->len / 2);
    g_test_message ("age of frames: median %" G_GINT64_FORMAT " us", middle_us);
    g_assert_cmpint (middle_us, <, log->oldest_us * SLOW);
  }
  g_array_unref (log->ages);
  for (guint i = 0; i <= MEDIA_JPEG; i++) {
    g_ptr_array_unref (log->live[i]);
    g_array_unref (log->arrived[i]);
  }
  g_ptr_array_unref (log->record);
  g_free (log->reason);
  g_free (log);
}

static inline guint
count (Log *log, GPtrArray *list)
{
  g_mutex_lock (&log->lock);
  guint n = list->len;
  g_mutex_unlock (&log->lock);
  return n;
}

static inline Frame *
frame_at (Log *log, GPtrArray *list, guint i)
{
  g_mutex_lock (&log->lock);
  g_assert_cmpuint (i, <, list->len);
  Frame *frame = list->pdata[i];
  g_mutex_unlock (&log->lock);
  return frame;
}

static inline gboolean
tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* Runs the main context until `condition` holds; false after `seconds`. */
#define WAIT(seconds, condition)                                                                   \
  ({                                                                                               \
    gint64 end_ = g_get_monotonic_time () + (gint64)((seconds)*SECOND);                            \
    guint tick_ = g_timeout_add (20, tick, NULL);                                                  \
    while (!(condition) && g_get_monotonic_time () < end_)                                         \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (tick_);                                                                       \
    (condition);                                                                                   \
  })

#define WAIT_FRAMES(log, list, n)                                                                  \
  g_assert_true (WAIT (((n) / 10.0) + 10, count ((log), (list)) >= (n)))

/* --- shapes --- */

/* NAL types of an Annex B access unit, as a string of letters: S, P, I(DR), N(on-IDR), x. */
static inline char *
nal_types (const Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  GString *types = g_string_new (NULL);
  for (gsize i = 0; i + 3 < size; i++)
    if (data[i] == 0 && data[i + 1] == 0 && data[i + 2] == 1) {
      guint type = data[i + 3] & 31;
      g_string_append_c (types, type == 7   ? 'S'
                                : type == 8 ? 'P'
                                : type == 5 ? 'I'
                                : type == 1 ? 'N'
                                            : 'x');
      i += 3;
    }
  return g_string_free (types, FALSE);
}

static void
check_h264 (const Frame *frame)
{
  g_autofree char *types = nal_types (frame);
  g_assert_nonnull (types);
  gboolean idr = strchr (types, 'I') != NULL;
  g_assert_cmpint (idr, ==, frame->key);
  if (!idr) {
    g_assert_nonnull (strchr (types, 'N'));
    return;
  }
  g_assert_null (strchr (types, 'N'));
  const char *sps = strchr (types, 'S'), *pps = strchr (types, 'P');
  g_assert_nonnull (sps);
  g_assert_nonnull (pps);
  g_assert_true (sps < pps && pps < strchr (types, 'I'));
}

static inline void
check_constrained_baseline (const Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  for (gsize i = 0; i + 6 < size; i++)
    if (memcmp (data + i, "\0\0\1", 3) == 0 && (data[i + 3] & 31) == 7) {
      g_assert_cmpuint (data[i + 4], ==, 66);
      g_assert_true (data[i + 5] & 0x40);
      return;
    }
  g_assert_not_reached ();
}

static void
check_vp8 (const Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  g_assert_cmpuint (size, >, 10);
  g_assert_cmpint (!(data[0] & 1), ==, frame->key); /* RFC 6386 section 9.1 */
  if (frame->key)
    g_assert_true (memcmp (data + 3, "\x9d\x01\x2a", 3) == 0);
}
