#include "media/transport/file_parts.h"
#include <string.h>

struct FileParts {
  GArray *wanted; /* FilePart: in order, apart from each other */
  guint next;
  guint32 left;
};

static gint
by_start (gconstpointer a, gconstpointer b)
{
  const FilePart *x = a, *y = b;
  return (x->from > y->from) - (x->from < y->from);
}

static void
take (GArray *all, FilePart part)
{
  FilePart *last = all->len > 0 ? &g_array_index (all, FilePart, all->len - 1) : NULL;
  if (last != NULL && part.from <= last->to)
    last->to = MAX (last->to, part.to);
  else
    g_array_append_val (all, part);
}

FileParts *
file_parts_new (guint32 size, const FilePart *wanted, guint n)
{
  FileParts *parts = g_new0 (FileParts, 1);
  g_autoptr (GArray) sorted = g_array_new (FALSE, FALSE, sizeof (FilePart));
  parts->wanted = g_array_new (FALSE, FALSE, sizeof (FilePart));
  for (guint i = 0; i < MIN (n, FILE_PARTS_MAX); i++) {
    FilePart part = { wanted[i].from, MIN (wanted[i].to, size) };
    if (part.from < part.to)
      g_array_append_val (sorted, part);
  }
  g_array_sort (sorted, by_start);
  for (guint i = 0; i < sorted->len; i++)
    take (parts->wanted, g_array_index (sorted, FilePart, i));
  for (guint i = 0; i < parts->wanted->len; i++) {
    const FilePart *part = &g_array_index (parts->wanted, FilePart, i);
    parts->left += part->to - part->from;
  }
  return parts;
}

void
file_parts_free (FileParts *parts)
{
  g_array_unref (parts->wanted);
  g_free (parts);
}

gboolean
file_parts_next (FileParts *parts, FilePart *ret_part)
{
  if (parts->next == parts->wanted->len)
    return FALSE;
  FilePart *part = &g_array_index (parts->wanted, FilePart, parts->next);
  guint32 n = MIN (part->to - part->from, FILE_CHUNK_BYTES);
  *ret_part = (FilePart){ part->from, part->from + n };
  part->from += n;
  parts->left -= n;
  if (part->from == part->to)
    parts->next++;
  return TRUE;
}

guint32
file_parts_left (const FileParts *parts)
{
  return parts->left;
}

GBytes *
file_chunk_write (const guint8 id[FILE_ID_BYTES], GBytes *file, const FilePart *part)
{
  guint32 offset = GUINT32_TO_BE (part->from), n = part->to - part->from;
  guint8 *chunk = g_malloc (FILE_CHUNK_HEADER + n);
  memcpy (chunk, id, FILE_ID_BYTES);
  memcpy (chunk + FILE_ID_BYTES, &offset, sizeof offset);
  memcpy (chunk + FILE_CHUNK_HEADER, (const guint8 *)g_bytes_get_data (file, NULL) + part->from, n);
  return g_bytes_new_take (chunk, FILE_CHUNK_HEADER + n);
}
