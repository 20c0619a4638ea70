#include "records/vault_private.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define READ_AGAIN 20
#define READ_PAUSE_US 10000

void
keys_read (const char *state_dir, KeyFile **ret_main, KeyFile **ret_copy)
{
  KeyFile *main = key_file_read (state_dir, KEYS_MAIN);
  KeyFile *copy = key_file_read (state_dir, KEYS_COPY);

  /* One generation apart: a running station is between its two writes, or was killed there. */
  for (int i = 0; i < READ_AGAIN && key_file_sound (main) && key_file_sound (copy)
                  && main->generation != copy->generation;
       i++) {
    g_usleep (READ_PAUSE_US);
    key_file_free (main);
    key_file_free (copy);
    main = key_file_read (state_dir, KEYS_MAIN);
    copy = key_file_read (state_dir, KEYS_COPY);
  }
  *ret_main = main;
  *ret_copy = copy;
}

static KeysVerdict
judge_sound (const KeyFile *main, const KeyFile *copy, char **ret_why)
{
  if (main->generation == copy->generation) {
    if (key_file_equal (main, copy))
      return KEYS_SAME;
    *ret_why = g_strdup ("keys.db and keys-copy.db say different things: somebody changed one of "
                         "them; put both back from a backup");
    return KEYS_REFUSE;
  }
  if (main->generation == copy->generation + 1)
    return KEYS_COPY_FROM_MAIN; /* killed between the two writes */
  if (main->generation > copy->generation && key_file_covers (main, copy)) {
    *ret_why = g_strdup_printf ("keys-copy.db is of an earlier time (%" G_GUINT64_FORMAT
                                " changes behind keys.db)",
                                main->generation - copy->generation);
    return KEYS_COPY_FROM_MAIN;
  }
  if (copy->generation > main->generation && key_file_covers (copy, main)) {
    *ret_why = g_strdup_printf ("keys.db is of an earlier time (%" G_GUINT64_FORMAT
                                " changes behind keys-copy.db): somebody put an old file back, or "
                                "the disk lost what it had confirmed",
                                copy->generation - main->generation);
    return KEYS_MAIN_FROM_COPY;
  }
  *ret_why = g_strdup ("keys.db and keys-copy.db are of different times, and the newer lacks keys "
                       "of the older; put both back from a backup");
  return KEYS_REFUSE;
}

/* A power cut while a key was being written leaves a log whose end does not hold, and nothing else.
 * What that key was for never came to be: keys.db is of the same time as the copy, or the copy one
 * change behind, and may then still have a key that keys.db has destroyed. Nobody needs to look at
 * the disk. */
static gboolean
is_power_cut (const KeyFile *broken, const KeyFile *whole)
{
  if (!broken->torn_log || broken->problems->len != 1)
    return FALSE;
  if (broken->generation == whole->generation)
    return key_file_equal (broken, whole);
  return g_str_equal (broken->name, KEYS_COPY) && broken->generation + 1 == whole->generation;
}

KeysVerdict
keys_judge (const KeyFile *main, const KeyFile *copy, char **ret_why)
{
  gboolean main_sound = key_file_sound (main), copy_sound = key_file_sound (copy);

  *ret_why = NULL;
  if (main_sound && copy_sound)
    return judge_sound (main, copy, ret_why);
  const KeyFile *broken = main_sound ? copy : main;
  const KeyFile *whole = main_sound ? main : copy_sound ? copy : NULL;
  const char *first
      = broken->problems->len > 0 ? g_ptr_array_index (broken->problems, 0) : broken->name;
  *ret_why = g_strdup (first);
  if (whole == NULL || broken->newer)
    return KEYS_REFUSE;
  if (!is_power_cut (broken, whole) && !key_file_covers (whole, broken)) {
    g_free (*ret_why);
    *ret_why = g_strdup_printf ("%s; %s lacks some of its keys, so nothing was repaired: put both "
                                "back from a backup",
                                first, whole->name);
    return KEYS_REFUSE;
  }
  return main_sound ? KEYS_COPY_FROM_MAIN : KEYS_MAIN_FROM_COPY;
}

/* A repair stays visible, across starts, until somebody deletes the note. No key material. */
static gboolean
note_damage (const char *state_dir, const char *what, GError **error)
{
  g_autofree char *path = g_build_filename (state_dir, KEYS_DAMAGE_NOTE, NULL);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *when = g_date_time_format_iso8601 (now);
  g_autofree char *line = g_strdup_printf ("%s %s; repaired from the other file\n", when, what);
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  gsize size = strlen (line);
  gboolean good = fd >= 0 && write (fd, line, size) == (gssize)size && fsync (fd) == 0;

  if (!good)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s cannot be written: %s", path,
                 g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return good;
}

gboolean
keys_heal (const char *state_dir, GError **error)
{
  g_autoptr (KeyFile) main = NULL;
  g_autoptr (KeyFile) copy = NULL;
  g_autofree char *why = NULL;

  main = key_file_read (state_dir, KEYS_MAIN);
  copy = key_file_read (state_dir, KEYS_COPY);
  if (main->missing && copy->missing) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
                 "%s holds no keys.db: run `nhipcau setup` first", state_dir);
    return FALSE;
  }
  KeysVerdict verdict = keys_judge (main, copy, &why);
  if (verdict == KEYS_SAME)
    return TRUE;
  if (verdict == KEYS_REFUSE) {
    g_set_error (error, RECORDS_ERROR,
                 main->newer || copy->newer ? RECORDS_ERROR_VERSION : RECORDS_ERROR_TAMPERED, "%s",
                 why);
    return FALSE;
  }
  const KeyFile *from = verdict == KEYS_COPY_FROM_MAIN ? main : copy;
  const KeyFile *to = verdict == KEYS_COPY_FROM_MAIN ? copy : main;
  if (why != NULL) {
    g_warning ("vault: %s; repaired from %s", why, from->name);
    if (!is_power_cut (to, from) && !note_damage (state_dir, why, error))
      return FALSE;
  }
  return key_file_replace (state_dir, to->name, from->image, error);
}

static void
check_table_macs (sqlite3 *db, const char *table, const guint8 *mac_key, GPtrArray *problems)
{
  g_autofree char *sql = g_strdup_printf ("SELECT * FROM %s", table);
  g_autoptr (sqlite3_stmt) row = table_prepare (db, sql, NULL);

  while (row != NULL && sqlite3_step (row) == SQLITE_ROW) {
    if (g_str_equal (table, "meta") && g_str_equal (table_text (row, 0), "generation"))
      continue;
    if (table_mac_good (table, row, mac_key))
      continue;
    g_autofree char *name = g_utf8_make_valid (table_text (row, 0), -1);
    g_ptr_array_add (
        problems, g_strdup_printf ("keys: row %s of table %s is not by this station", name, table));
  }
}

void
keys_check_macs (sqlite3 *db, const guint8 *mac_key, gboolean with_keys, GPtrArray *problems)
{
  Counts counts = { 0 }, found = { 0 };

  check_table_macs (db, "meta", mac_key, problems);
  check_table_macs (db, "recipient", mac_key, problems);
  check_table_macs (db, "passphrase", mac_key, problems);
  if (with_keys)
    check_table_macs (db, "consult_key", mac_key, problems);
  if (!meta_get_counts (db, &counts) || !table_counts (db, &found, NULL)
      || counts.recipients != found.recipients || counts.passphrases != found.passphrases
      || (with_keys && counts.keys != found.keys))
    g_ptr_array_add (problems, g_strdup ("keys: rows were taken away or added by somebody"));
}
