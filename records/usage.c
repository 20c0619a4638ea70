#include "records/usage.h"
#include "records/attachment_file.h"
#include "records/store_private.h"
#include <sys/stat.h>

#define DAY_US (G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC)

static char *
day_text (gint64 utc_us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (utc_us / G_USEC_PER_SEC);
  return time != NULL ? g_date_time_format (time, "%Y-%m-%d") : g_strdup ("1970-01-01");
}

/* A number that one statement gives for a day; 0 when it gives none. */
static gint64
number_since (Store *store, const char *sql, const char *day)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) row = store_db_prepare (store->reader, sql, NULL);

  if (row == NULL)
    return 0;
  store_db_bind_text (row, 1, day);
  return sqlite3_step (row) == SQLITE_ROW ? sqlite3_column_int64 (row, 0) : 0;
}

static gint64
recorded_since (Store *store, const char *day)
{
  return number_since (store,
                       "SELECT sum(segment.bytes) FROM consult JOIN segment "
                       "ON segment.consult = consult.id WHERE consult.created_day >= ?",
                       day);
}

/* Days since the first consultation, that day included; 0: there is none. */
static gint64
age_in_days (Store *store, const char *today)
{
  gint64 days = number_since (
      store, "SELECT 1 + julianday(?) - julianday(min(created_day)) FROM consult", today);
  return MAX (days, 0);
}

static gint64
files_since (const char *folder, gint64 since_s)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  gint64 bytes = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    struct stat status;
    if (lstat (path, &status) == 0 && S_ISREG (status.st_mode) && status.st_mtime >= since_s)
      bytes += status.st_size;
  }
  return bytes;
}

/* A folder that is older than the window holds no younger file. */
static gint64
attached_since (Store *store, gint64 since_s)
{
  g_autofree char *above = g_build_filename (store->state_dir, ATTACHMENT_FOLDER, NULL);
  g_autoptr (GDir) dir = g_dir_open (above, 0, NULL);
  const char *name;
  gint64 bytes = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (above, name, NULL);
    struct stat status;
    if (lstat (path, &status) == 0 && S_ISDIR (status.st_mode) && status.st_mtime >= since_s)
      bytes += files_since (path, since_s);
  }
  return bytes;
}

static gint64
database_bytes (Store *store)
{
  g_autofree char *path = g_build_filename (store->state_dir, STORE_DB_NAME, NULL);
  struct stat status;
  return stat (path, &status) == 0 ? status.st_size : 0;
}

guint64
usage_per_day (Store *store, gint64 now_us)
{
  const gint64 since_us = now_us - (USAGE_DAYS - 1) * DAY_US;
  g_autofree char *today = day_text (now_us), *since = day_text (since_us);
  gint64 age = age_in_days (store, today), days = CLAMP (age, 1, USAGE_DAYS);

  if (age == 0)
    return 0;
  gint64 bytes = recorded_since (store, since) + attached_since (store, since_us / G_USEC_PER_SEC)
                 + database_bytes (store) / age * days;
  return (guint64)(bytes / days);
}
