/* What a page says that it still wants of a file: every byte once, in order, within the file.
 * Input: size of the file (4 bytes), then pairs of offsets (4 bytes each); and the same as JSON
 * where it begins with a brace, as the channel brings it. */
#include "media/transport/file_parts.h"
#include "station/channel.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static guint32
number (const guint8 *at)
{
  guint32 value;
  memcpy (&value, at, sizeof value);
  return value;
}

static gboolean
is_wanted (const FilePart *wanted, guint n, guint32 at)
{
  for (guint i = 0; i < n; i++)
    if (wanted[i].from <= at && at < wanted[i].to)
      return TRUE;
  return FALSE;
}

static void
check_chunk (GBytes *file, const FilePart *part)
{
  static const guint8 id[FILE_ID_BYTES] = "0123456789abcdef";
  gsize size;
  g_autoptr (GBytes) chunk = file_chunk_write (id, file, part);
  const guint8 *bytes = g_bytes_get_data (chunk, &size);
  const guint8 *whole = g_bytes_get_data (file, NULL);
  g_assert_cmpuint (size, ==, FILE_CHUNK_HEADER + part->to - part->from);
  g_assert_true (memcmp (bytes, id, FILE_ID_BYTES) == 0);
  g_assert_true (memcmp (bytes + FILE_CHUNK_HEADER, whole + part->from, part->to - part->from)
                 == 0);
}

static void
check (guint32 size, const FilePart *wanted, guint n)
{
  g_autoptr (FileParts) parts = file_parts_new (size, wanted, n);
  guint8 *content = g_malloc (size + 1);
  for (guint32 i = 0; i < size; i++)
    content[i] = (guint8)(i * 7 + i / 251);
  g_autoptr (GBytes) file = g_bytes_new_take (content, size);
  guint32 left = file_parts_left (parts), end = 0, expected = 0;
  FilePart part;
  for (guint32 at = 0; at < size; at++)
    expected += is_wanted (wanted, MIN (n, FILE_PARTS_MAX), at);
  g_assert_cmpuint (left, ==, expected);
  while (file_parts_next (parts, &part)) {
    g_assert_cmpuint (part.from, >=, end);
    g_assert_cmpuint (part.from, <, part.to);
    g_assert_cmpuint (part.to, <=, size);
    g_assert_cmpuint (part.to - part.from, <=, FILE_CHUNK_BYTES);
    for (guint32 at = part.from; at < part.to; at++)
      g_assert_true (is_wanted (wanted, MIN (n, FILE_PARTS_MAX), at));
    end = part.to;
    left -= part.to - part.from;
    g_assert_cmpuint (file_parts_left (parts), ==, left);
    check_chunk (file, &part);
  }
  g_assert_cmpuint (left, ==, 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  FilePart wanted[FILE_PARTS_MAX + 4];
  guint n = 0;
  if (size > 0 && data[0] == '{') {
    json_auto_t *message = json_loadb ((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    n = channel_read_parts (message, wanted);
    for (guint i = 0; i < n; i++)
      g_assert_true (wanted[i].from < wanted[i].to && wanted[i].to <= CHANNEL_FILE_MAX);
    check (20000, wanted, n);
    return 0;
  }
  if (size < 4)
    return 0;
  guint32 whole = number (data) % 20000;
  for (gsize at = 4; at + 8 <= size && n < G_N_ELEMENTS (wanted); at += 8, n++)
    wanted[n] = (FilePart){ number (data + at), number (data + at + 4) };
  check (whole, wanted, n);
  return 0;
}
