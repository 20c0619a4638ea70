/* What is wanted of a file, cut into chunks: each byte once, whatever was asked. */
#include "media/transport/file_parts.h"
#include <string.h>

static guint32
walk (FileParts *parts, guint8 *seen, guint32 size)
{
  FilePart part;
  guint32 sum = 0, last = 0;
  while (file_parts_next (parts, &part)) {
    g_assert_cmpuint (part.from, <, part.to);
    g_assert_cmpuint (part.to, <=, size);
    g_assert_cmpuint (part.to - part.from, <=, FILE_CHUNK_BYTES);
    g_assert_cmpuint (part.from, >=, last);
    for (guint32 i = part.from; i < part.to; i++) {
      g_assert_cmpint (seen[i], ==, 0);
      seen[i] = 1;
    }
    last = part.to;
    sum += part.to - part.from;
  }
  g_assert_cmpuint (file_parts_left (parts), ==, 0);
  return sum;
}

static void
test_whole (void)
{
  enum { SIZE = 2 * FILE_CHUNK_BYTES + 7 };
  guint8 seen[SIZE] = { 0 };
  g_autoptr (FileParts) parts = file_parts_new (SIZE, &(FilePart){ 0, G_MAXUINT32 }, 1);
  g_assert_cmpuint (file_parts_left (parts), ==, SIZE);
  g_assert_cmpuint (walk (parts, seen, SIZE), ==, SIZE);
}

static void
test_hostile (void)
{
  static const FilePart asked[]
      = { { 900, 100 },  { 50, 50 },         { 4000, 5000 }, { 90, 1200 },
          { 100, 1000 }, { 1200, 1300 },     { 10, 20 },     { 2999, 9999 },
          { 0, 1 },      { G_MAXUINT32, 3 }, { 0, 1 } };
  guint8 seen[3000] = { 0 };
  g_autoptr (FileParts) parts = file_parts_new (3000, asked, G_N_ELEMENTS (asked));
  g_assert_cmpuint (walk (parts, seen, 3000), ==, (1300 - 90) + 10 + 1 + 1);
  g_assert_cmpint (seen[0] + seen[2999] + seen[15] + seen[1299], ==, 4);
  g_assert_cmpint (seen[1300] + seen[30] + seen[2998], ==, 0);
  g_autoptr (FileParts) none = file_parts_new (0, asked, G_N_ELEMENTS (asked));
  FilePart part;
  g_assert_false (file_parts_next (none, &part));
}

/* Asked at random, bytes that were asked are sent, others are not. */
static void
test_random (void)
{
  enum { SIZE = 9000 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  for (guint round = 0; round < 300; round++) {
    FilePart asked[FILE_PARTS_MAX + 8];
    guint8 wanted[SIZE] = { 0 }, seen[SIZE] = { 0 };
    guint n = (guint)g_rand_int_range (rand, 0, G_N_ELEMENTS (asked));
    for (guint i = 0; i < n; i++) {
      asked[i].from = (guint32)g_rand_int_range (rand, 0, SIZE + 500);
      asked[i].to = asked[i].from + (guint32)g_rand_int_range (rand, 0, 400);
      for (guint32 k = asked[i].from; k < MIN (asked[i].to, SIZE) && i < FILE_PARTS_MAX; k++)
        wanted[k] = 1;
    }
    g_autoptr (FileParts) parts = file_parts_new (SIZE, asked, n);
    walk (parts, seen, SIZE);
    g_assert_cmpmem (seen, SIZE, wanted, SIZE);
  }
}

static void
test_chunk (void)
{
  guint8 data[300];
  for (guint i = 0; i < sizeof data; i++)
    data[i] = (guint8)i;
  g_autoptr (GBytes) file = g_bytes_new_static (data, sizeof data);
  g_autoptr (GBytes) chunk
      = file_chunk_write ((const guint8 *)"0123456789abcdef", file, &(FilePart){ 257, 300 });
  gsize size;
  const guint8 *bytes = g_bytes_get_data (chunk, &size);
  g_assert_cmpuint (size, ==, FILE_CHUNK_HEADER + 43);
  g_assert_cmpmem (bytes, FILE_ID_BYTES, "0123456789abcdef", 16);
  g_assert_cmpmem (bytes + 16, 4, "\0\0\1\1", 4);
  g_assert_cmpmem (bytes + 20, 43, data + 257, 43);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/file-parts/whole", test_whole);
  g_test_add_func ("/file-parts/hostile", test_hostile);
  g_test_add_func ("/file-parts/random", test_random);
  g_test_add_func ("/file-parts/chunk", test_chunk);
  return g_test_run ();
}
