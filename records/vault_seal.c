/* The seal of the last whole check of both key files: STATE/keys-checked.
 *
 * It holds what the file system says of them (length, times, number), written when they are known
 * to be sound and the same: after a whole check, and after each change of this program's own. While
 * it fits nobody has written since, and a start need not read ten years of keys again. What the
 * disk loses by itself changes no time: that is found by vault_check(), which the station runs
 * soon after such a start and every day, and by whoever uses the key.
 *
 * Whoever can write files can write this one, too. It decides when the whole check is made, not
 * what is believed: each row has its mac, checked at each use. */
#include "records/vault_private.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS G_GINT64_CONSTANT (1000000000)
#define MS (NS / 1000)
/* The clock of a file system has ticks of some ms: of two writings in one tick the second leaves no
 * trace. So a seal counts only when the files were alone for a while before it. */
#define ALONE_NS (50 * MS)
#define ALONE_AT_WRITING_NS (200 * MS)
/* After a change, so that a seal is no part of it. */
#define DUE_US G_USEC_PER_SEC

static gint64
ns_of (const struct timespec *time)
{
  return (gint64)time->tv_sec * NS + time->tv_nsec;
}

static gboolean
log_is_empty (const char *path)
{
  g_autofree char *log = g_strconcat (path, "-wal", NULL);
  struct stat status;
  return stat (log, &status) != 0 ? errno == ENOENT : status.st_size == 0;
}

static gboolean
tell_file (const char *state_dir, const char *name, GString *text, gint64 *newest_ns)
{
  g_autofree char *path = g_build_filename (state_dir, name, NULL);
  struct stat status;

  if (stat (path, &status) != 0 || !log_is_empty (path))
    return FALSE;
  gint64 changed_ns = ns_of (&status.st_ctim);
  *newest_ns = MAX (*newest_ns, changed_ns);
  g_string_append_printf (
      text,
      "%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GUINT64_FORMAT "\n",
      name, (gint64)status.st_size, ns_of (&status.st_mtim), changed_ns, (guint64)status.st_ino);
  return TRUE;
}

/* What a seal would say now (transfer full); NULL: a log has something to move. */
static char *
tell (const char *state_dir, gint64 *ret_newest_ns)
{
  g_autoptr (GString) text = g_string_new ("nhipcau keys 1\n");

  *ret_newest_ns = 0;
  if (!tell_file (state_dir, KEYS_MAIN, text, ret_newest_ns)
      || !tell_file (state_dir, KEYS_COPY, text, ret_newest_ns))
    return NULL;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
keys_seal_good (const char *state_dir)
{
  g_autofree char *path = g_build_filename (state_dir, KEYS_SEAL, NULL);
  g_autofree char *said = NULL;
  gint64 newest_ns;
  g_autofree char *now = tell (state_dir, &newest_ns);
  struct stat status;

  return now != NULL && g_file_get_contents (path, &said, NULL, NULL) && g_str_equal (said, now)
         && stat (path, &status) == 0 && newest_ns + ALONE_NS < ns_of (&status.st_mtim);
}

/* A seal cut short fits nothing, so it need not be durable. */
void
keys_seal_write (const char *state_dir)
{
  g_autofree char *path = g_build_filename (state_dir, KEYS_SEAL, NULL);
  gint64 newest_ns, now_ns = g_get_real_time () * 1000;
  g_autofree char *text = tell (state_dir, &newest_ns);

  if (text == NULL || newest_ns + ALONE_AT_WRITING_NS >= now_ns || keys_seal_good (state_dir))
    return;
  g_unlink (path);
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return;
  if (write (fd, text, strlen (text)) != (gssize)strlen (text))
    g_unlink (path);
  close (fd);
}

void
vault_seal_when_due (Vault *vault)
{
  if (vault->seal_us == 0 || vault->copy_behind || vault->refused != NULL
      || g_get_monotonic_time () < vault->seal_us)
    return;
  vault->seal_us = 0;
  keys_seal_write (vault->state_dir);
}

void
vault_seal_later (Vault *vault)
{
  vault->seal_us = g_get_monotonic_time () + DUE_US;
}
