/* Flips one bit of a state folder at a time, and asks: does verify find and name it, or does all
 * read back as before? For the folder of a real consultation; works in place, leaves it as it was.
 *
 *   flip-probe STATE PASSPHRASE-FILE FLIPS SEED
 *
 * One JSON line on stdout; exit status 1 when a flip was neither named nor harmless. */
#include "../unit/record_dump.h"
#include "records/verify.h"
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  char *name;
  guint64 bytes;
} File;

typedef struct {
  const char *state;
  char *passphrase, *content;
  Vault *vault; /* opened before anything was touched */
  GPtrArray *files;
  guint64 bytes; /* of all files */
  guint found, harmless;
  GHashTable *harmless_by; /* file → guint */
  json_t *wrong;
} Probe;

static void
file_free (void *data)
{
  g_free (((File *)data)->name);
  g_free (data);
}

static void
list_files (Probe *probe, const char *folder)
{
  g_autofree char *path = g_build_filename (probe->state, folder, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *relative
        = *folder != '\0' ? g_build_filename (folder, name, NULL) : g_strdup (name);
    g_autofree char *inner = g_build_filename (probe->state, relative, NULL);
    struct stat status;
    g_assert_cmpint (stat (inner, &status), ==, 0);
    if (S_ISDIR (status.st_mode)) {
      list_files (probe, relative);
    } else if (status.st_size > 0) {
      File *file = g_new (File, 1);
      *file = (File){ g_steal_pointer (&relative), (guint64)status.st_size };
      g_ptr_array_add (probe->files, file);
      probe->bytes += file->bytes;
    }
  }
}

static int
by_name (const void *a, const void *b)
{
  return strcmp ((*(File *const *)a)->name, (*(File *const *)b)->name);
}

static Vault *
open_vault (const Probe *probe)
{
  g_autoptr (Vault) vault = vault_open_read_only (probe->state, NULL);
  g_auto (GStrv) users = vault != NULL ? vault_users (vault, NULL) : NULL;
  for (guint i = 0; users != NULL && users[i] != NULL; i++)
    if (vault_unlock (vault, users[i], probe->passphrase, NULL))
      return g_steal_pointer (&vault);
  return NULL;
}

static void
flip (const Probe *probe, const char *name, guint64 at, guint8 mask)
{
  g_autofree char *path = g_build_filename (probe->state, name, NULL);
  guint8 byte;
  int fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pread (fd, &byte, 1, (off_t)at), ==, 1);
  byte ^= mask;
  g_assert_cmpint (pwrite (fd, &byte, 1, (off_t)at), ==, 1);
  close (fd);
}

typedef struct {
  const char *name;
  gboolean bad, named;
  GString *said;
} Told;

static void
take (VerifyVerdict verdict, const char *code, const char *where, const char *what, void *arg)
{
  Told *told = arg;
  if (verdict != VERIFY_BAD)
    return;
  told->bad = TRUE;
  told->named |= strstr (where, told->name) != NULL || strstr (what, told->name) != NULL;
  g_string_append_printf (told->said, "%s %s: %s; ", code, where, what);
}

/* As `nhipcau record verify` does it. */
static void
verify_now (const Probe *probe, const char *name, Told *told)
{
  gboolean keys = g_str_has_prefix (name, "keys");
  g_autoptr (Vault) own = keys ? open_vault (probe) : NULL;
  g_autoptr (GError) error = NULL;
  VerifySummary summary;
  told->name = name;
  told->said = g_string_new (NULL);
  if (!verify_state (probe->state, keys ? own : probe->vault, NULL, take, told, &summary, &error)) {
    told->bad = TRUE;
    told->named = strstr (error->message, name) != NULL;
    g_string_append (told->said, error->message);
  }
}

static void
count_harmless (Probe *probe, const char *name)
{
  guint before = GPOINTER_TO_UINT (g_hash_table_lookup (probe->harmless_by, name));
  g_hash_table_insert (probe->harmless_by, (char *)name, GUINT_TO_POINTER (before + 1));
  probe->harmless++;
}

static void
try_one (Probe *probe, const File *file, guint64 at, guint8 mask)
{
  Told told = { 0 };
  flip (probe, file->name, at, mask);
  verify_now (probe, file->name, &told);
  if (told.bad && told.named) {
    probe->found++;
  } else {
    g_autoptr (Vault) vault = told.bad ? NULL : open_vault (probe);
    g_autofree char *now = vault != NULL ? record_dump (probe->state, vault) : NULL;
    if (!told.bad && g_strcmp0 (now, probe->content) == 0)
      count_harmless (probe, file->name);
    else
      json_array_append_new (
          probe->wrong,
          json_pack ("{s:s, s:I, s:i, s:s, s:s}", "file", file->name, "at", (json_int_t)at, "mask",
                     mask, "why", told.bad ? "not named" : "not found", "said", told.said->str));
  }
  flip (probe, file->name, at, mask);
  g_string_free (told.said, TRUE);
}

static const File *
file_at (const Probe *probe, guint64 *at)
{
  for (guint i = 0; i < probe->files->len; i++) {
    const File *file = probe->files->pdata[i];
    if (*at < file->bytes)
      return file;
    *at -= file->bytes;
  }
  return NULL;
}

/* Half of them anywhere, which is mostly in the recording; half in a file at random, so that the
 * small ones, keys and log, get their share. */
static void
run (Probe *probe, guint flips, guint32 seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  for (guint i = 0; i < flips; i++) {
    guint64 at = ((guint64)g_rand_int (random) << 32 | g_rand_int (random));
    guint8 mask = (guint8)(1 << g_rand_int_range (random, 0, 8));
    const File *file;
    if (i % 2 == 0) {
      at %= probe->bytes;
      file = file_at (probe, &at);
    } else {
      file = probe->files->pdata[g_rand_int_range (random, 0, (gint32)probe->files->len)];
      at %= file->bytes;
    }
    try_one (probe, file, at, mask);
  }
}

static void
report (const Probe *probe, guint flips, guint32 seed)
{
  json_t *by = json_object ();
  GHashTableIter iter;
  void *name, *n;
  g_hash_table_iter_init (&iter, probe->harmless_by);
  while (g_hash_table_iter_next (&iter, &name, &n))
    json_object_set_new (by, name, json_integer (GPOINTER_TO_UINT (n)));
  json_t *line = json_pack ("{s:i, s:I, s:i, s:I, s:i, s:i, s:o, s:O}", "flips", flips, "seed",
                            (json_int_t)seed, "files", probe->files->len, "bytes",
                            (json_int_t)probe->bytes, "named", probe->found, "harmless",
                            probe->harmless, "harmless_by_file", by, "wrong", probe->wrong);
  char *text = json_dumps (line, JSON_COMPACT);
  puts (text);
  free (text);
  json_decref (line);
}

int
main (int argc, char **argv)
{
  Probe probe = { .state = argc == 5 ? argv[1] : NULL };
  if (argc != 5 || !g_file_get_contents (argv[2], &probe.passphrase, NULL, NULL)) {
    fprintf (stderr, "usage: flip-probe STATE PASSPHRASE-FILE FLIPS SEED\n");
    return 2;
  }
  setlocale (LC_ALL, "C.UTF-8");
  g_strchomp (probe.passphrase);
  guint flips = (guint)g_ascii_strtoull (argv[3], NULL, 10);
  guint32 seed = (guint32)g_ascii_strtoull (argv[4], NULL, 10);
  probe.files = g_ptr_array_new_with_free_func (file_free);
  probe.harmless_by = g_hash_table_new (g_str_hash, g_str_equal);
  probe.wrong = json_array ();
  list_files (&probe, "");
  g_ptr_array_sort (probe.files, by_name);
  probe.vault = open_vault (&probe);
  probe.content = probe.vault != NULL ? record_dump (probe.state, probe.vault) : NULL;
  if (probe.content == NULL) {
    fprintf (stderr, "flip-probe: %s cannot be read to begin with\n", probe.state);
    return 2;
  }
  run (&probe, flips, seed);
  report (&probe, flips, seed);
  gboolean good = json_array_size (probe.wrong) == 0;
  json_decref (probe.wrong);
  vault_free (probe.vault);
  return good ? 0 : 1;
}
