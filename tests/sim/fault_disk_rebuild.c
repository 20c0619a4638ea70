/* The folder as a power cut might have left it. */
#include "fault_disk_private.h"
#include <glib/gstdio.h>
#include <string.h>

#define SECTOR 512

/* What becomes of that which was not synced. */
typedef enum {
  STYLE_NOTHING, /* all of it is lost */
  STYLE_ALL,     /* none: as after a kill */
  STYLE_ORDERED, /* what came after some moment is lost, one write is torn */
  STYLE_ANY,     /* each operation is there or not */
  STYLE_SECTORS, /* each sector is there or not */
  STYLES,
} Style;

typedef struct {
  guint cut;
  Style style;
  GRand *random;
  guint moment;        /* ORDERED: up to here; of names in any style */
  guint *file_sync;    /* of each file: operations before this one are durable */
  GHashTable *folders; /* path → the same, for names in it */
  GPtrArray *content;  /* GByteArray* of each file, NULL: as in base and untouched */
  GHashTable *names;   /* path → file */
  GHashTable *made;    /* folders that are there; those of base are not listed */
  const char *base;
} Rebuild;

static void
find_syncs (Rebuild *rebuild)
{
  for (guint i = 0; i < rebuild->cut; i++) {
    const FaultOp *op = fault_journal.ops->pdata[i];
    if (op->kind == FAULT_OP_SYNC)
      rebuild->file_sync[op->file - 1] = i;
    else if (op->kind == FAULT_OP_SYNC_FOLDER)
      g_hash_table_replace (rebuild->folders, g_strdup (op->path), GUINT_TO_POINTER (i));
  }
}

/* ---- Contents ----------------------------------------------------------------------------- */

static GByteArray *
content_of (Rebuild *rebuild, guint file)
{
  GByteArray *bytes = rebuild->content->pdata[file - 1];
  const char *path = fault_journal.files->pdata[file - 1];
  if (bytes != NULL)
    return bytes;
  bytes = g_byte_array_new ();
  if (path != NULL) {
    g_autofree char *whole = g_build_filename (rebuild->base, path, NULL), *data = NULL;
    gsize size = 0;
    g_assert_true (g_file_get_contents (whole, &data, &size, NULL));
    g_byte_array_append (bytes, (const guint8 *)data, (guint)size);
  }
  rebuild->content->pdata[file - 1] = bytes;
  return bytes;
}

static void
grow (GByteArray *bytes, guint64 size)
{
  guint before = bytes->len;
  if (size <= before)
    return;
  g_byte_array_set_size (bytes, (guint)size);
  memset (bytes->data + before, 0, size - before);
}

static void
put (GByteArray *bytes, const FaultOp *op, guint64 from, guint64 until)
{
  grow (bytes, op->at + until);
  memcpy (bytes->data + op->at + from, op->bytes + from, until - from);
}

/* Sectors of the file, not of the write. */
static void
put_sectors (Rebuild *rebuild, GByteArray *bytes, const FaultOp *op)
{
  for (guint64 from = 0; from < op->size;) {
    guint64 until = MIN (op->size, from + SECTOR - (op->at + from) % SECTOR);
    if (g_rand_boolean (rebuild->random))
      put (bytes, op, from, until);
    from = until;
  }
  if (g_rand_boolean (rebuild->random))
    grow (bytes, op->at + op->size);
}

static gboolean
is_there (Rebuild *rebuild, guint i)
{
  switch (rebuild->style) {
  case STYLE_NOTHING:
    return FALSE;
  case STYLE_ORDERED:
    return i <= rebuild->moment;
  case STYLE_ANY:
  case STYLE_SECTORS:
    return g_rand_boolean (rebuild->random);
  default:
    return TRUE;
  }
}

static void
apply_content (Rebuild *rebuild, guint i, const FaultOp *op)
{
  gboolean durable = i < rebuild->file_sync[op->file - 1];
  GByteArray *bytes = content_of (rebuild, op->file);

  if (op->kind == FAULT_OP_WRITE && !durable
      && (rebuild->style == STYLE_SECTORS
          || (rebuild->style == STYLE_ORDERED && i == rebuild->moment)))
    put_sectors (rebuild, bytes, op);
  else if (!durable && !is_there (rebuild, i))
    return;
  else if (op->kind == FAULT_OP_WRITE)
    put (bytes, op, 0, op->size);
  else if (op->size < bytes->len)
    g_byte_array_set_size (bytes, (guint)op->size);
  else
    grow (bytes, op->size);
}

/* ---- Names -------------------------------------------------------------------------------- */

static char *
folder_of (const char *path)
{
  const char *slash = strrchr (path, '/');
  return slash != NULL ? g_strndup (path, (gsize)(slash - path)) : g_strdup ("");
}

static gboolean
name_durable (Rebuild *rebuild, guint i, const char *path)
{
  g_autofree char *folder = folder_of (path);
  return i < GPOINTER_TO_UINT (g_hash_table_lookup (rebuild->folders, folder))
         || rebuild->style == STYLE_ALL || (rebuild->style != STYLE_NOTHING && i < rebuild->moment);
}

static void
apply_name (Rebuild *rebuild, guint i, const FaultOp *op)
{
  if (!name_durable (rebuild, i, op->kind == FAULT_OP_RENAME ? op->to : op->path))
    return;
  if (op->kind == FAULT_OP_CREATE)
    g_hash_table_replace (rebuild->names, g_strdup (op->path), GUINT_TO_POINTER (op->file));
  else if (op->kind == FAULT_OP_MKDIR)
    g_hash_table_add (rebuild->made, g_strdup (op->path));
  else
    g_hash_table_remove (rebuild->names, op->path);
  if (op->kind == FAULT_OP_RENAME)
    g_hash_table_replace (rebuild->names, g_strdup (op->to), GUINT_TO_POINTER (op->file));
}

/* A folder that is not there takes with it what was in it. */
static gboolean
has_folder (Rebuild *rebuild, const char *path)
{
  g_autofree char *folder = folder_of (path);
  if (*folder == '\0')
    return TRUE;
  g_autofree char *whole = g_build_filename (rebuild->base, folder, NULL);
  return (g_file_test (whole, G_FILE_TEST_IS_DIR) || g_hash_table_contains (rebuild->made, folder))
         && has_folder (rebuild, folder);
}

static void
write_out (Rebuild *rebuild, const char *out)
{
  GHashTableIter iter;
  gpointer path, file;

  g_hash_table_iter_init (&iter, rebuild->made);
  while (g_hash_table_iter_next (&iter, &path, NULL)) {
    g_autofree char *whole = g_build_filename (out, path, NULL);
    if (has_folder (rebuild, path))
      g_mkdir_with_parents (whole, 0700);
  }
  g_hash_table_iter_init (&iter, rebuild->names);
  while (g_hash_table_iter_next (&iter, &path, &file)) {
    if (g_str_has_suffix (path, "-shm") || !has_folder (rebuild, path))
      continue;
    const GByteArray *bytes = content_of (rebuild, GPOINTER_TO_UINT (file));
    g_autofree char *whole = g_build_filename (out, path, NULL);
    g_autofree char *folder = g_path_get_dirname (whole);
    g_mkdir_with_parents (folder, 0700);
    g_assert_true (g_file_set_contents_full (whole, bytes->data != NULL ? (char *)bytes->data : "",
                                             bytes->len, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  }
}

static void
bytes_free (gpointer bytes)
{
  if (bytes != NULL)
    g_byte_array_unref (bytes);
}

static void
begin (Rebuild *rebuild)
{
  guint files = fault_journal.files->len;
  rebuild->file_sync = g_new0 (guint, files);
  rebuild->folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  rebuild->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  rebuild->made = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  rebuild->content = g_ptr_array_new_full (files, bytes_free);
  g_ptr_array_set_size (rebuild->content, (gint)files);
  for (guint i = 0; i < files; i++)
    if (fault_journal.files->pdata[i] != NULL)
      g_hash_table_replace (rebuild->names, g_strdup (fault_journal.files->pdata[i]),
                            GUINT_TO_POINTER (i + 1));
}

void
fault_disk_rebuild (guint cut, guint32 seed, const char *base, const char *out)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  Rebuild rebuild = { .cut = cut, .random = random, .base = base };

  rebuild.style = seed != 0 ? (Style)g_rand_int_range (random, 0, STYLES) : STYLE_NOTHING;
  /* Not long before the cut: what was not synced is of the last moments. */
  rebuild.moment = cut - MIN (cut, (guint)g_rand_int_range (random, 0, 40));
  begin (&rebuild);
  find_syncs (&rebuild);
  for (guint i = 0; i < cut; i++) {
    const FaultOp *op = fault_journal.ops->pdata[i];
    if (op->kind == FAULT_OP_WRITE || op->kind == FAULT_OP_TRUNCATE)
      apply_content (&rebuild, i, op);
    else if (op->kind != FAULT_OP_SYNC && op->kind != FAULT_OP_SYNC_FOLDER)
      apply_name (&rebuild, i, op);
  }
  write_out (&rebuild, out);
  g_free (rebuild.file_sync);
  g_hash_table_unref (rebuild.folders);
  g_hash_table_unref (rebuild.names);
  g_hash_table_unref (rebuild.made);
  g_ptr_array_unref (rebuild.content);
}

/* ---- Questions ---------------------------------------------------------------------------- */

static guint
file_named (guint cut, const char *path)
{
  guint file = 0;
  for (guint i = 0; i < fault_journal.files->len; i++)
    if (g_strcmp0 (fault_journal.files->pdata[i], path) == 0)
      file = i + 1;
  for (guint i = 0; i < cut; i++) {
    const FaultOp *op = fault_journal.ops->pdata[i];
    if (op->kind == FAULT_OP_CREATE && g_str_equal (op->path, path))
      file = op->file;
  }
  return file;
}

guint64
fault_disk_synced_size (guint cut, const char *path)
{
  guint file = file_named (cut, path);
  guint64 size = 0, synced = 0;
  for (guint i = 0; file != 0 && i < cut; i++) {
    const FaultOp *op = fault_journal.ops->pdata[i];
    if (op->file != file)
      continue;
    if (op->kind == FAULT_OP_WRITE)
      size = MAX (size, op->at + op->size);
    else if (op->kind == FAULT_OP_TRUNCATE)
      size = op->size;
    else if (op->kind == FAULT_OP_SYNC)
      synced = size;
  }
  return synced;
}

gboolean
fault_disk_touches (guint n, const char *suffix)
{
  const FaultOp *op = fault_journal.ops->pdata[n];
  const char *path = op->file != 0 ? fault_journal.called->pdata[op->file - 1] : op->path;
  return g_str_has_suffix (path, suffix);
}
