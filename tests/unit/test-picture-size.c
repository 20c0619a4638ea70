/* Pictures before they go on paper: how large they are, and what is none. */
#include "station/papers/sheet_private.h"

#include <string.h>

static const guint8 jpeg[]
    = { 0xFF, 0xD8, 0xFF, 0xE0, 0, 4,    'J', 'F',  0xFF, 0xC0, 0, 11,   8,   0x02,
        0xD0, 0x05, 0,    1,    1, 0x11, 0,   0xFF, 0xDA, 0,    2, 0xFF, 0xD9 };
static const guint8 png[]
    = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0,
        0,    5,   0,   0,   0,    2,    0xD0, 8,    2, 0, 0, 0,  1,   2,   3,   4 };

static gboolean
size_of (const guint8 *data, gsize length, const char *mime, guint *width, guint *height)
{
  g_autofree guint8 *copy = g_memdup2 (data, length); /* so that reading beyond it is seen */
  *width = *height = 0;
  return sheet_picture_size (copy, length, mime, width, height);
}

static void
test_whole (void)
{
  guint width, height;
  g_assert_true (size_of (jpeg, sizeof jpeg, "image/jpeg", &width, &height));
  g_assert_cmpuint (width, ==, 1280);
  g_assert_cmpuint (height, ==, 720);
  g_assert_true (size_of (png, sizeof png, "image/png", &width, &height));
  g_assert_cmpuint (width, ==, 1280);
  g_assert_cmpuint (height, ==, 720);
  g_assert_false (size_of (png, sizeof png, "image/jpeg", &width, &height));
  g_assert_false (size_of (jpeg, sizeof jpeg, "image/gif", &width, &height));
}

static void
test_none (void)
{
  guint width, height;
  for (gsize cut = 0; cut < sizeof jpeg; cut++)
    g_assert_false (size_of (jpeg, cut, "image/jpeg", &width, &height));
  for (gsize cut = 0; cut < sizeof png; cut++)
    g_assert_false (size_of (png, cut, "image/png", &width, &height));
  guint8 other[sizeof jpeg];
  memcpy (other, jpeg, sizeof jpeg);
  memset (other + 13, 0xFF, 4); /* 65535 by 65535 */
  g_assert_false (size_of (other, sizeof other, "image/jpeg", &width, &height));
  memset (other + 13, 0, 4);
  g_assert_false (size_of (other, sizeof other, "image/jpeg", &width, &height));
  memcpy (other, jpeg, sizeof jpeg);
  other[9] = 0xC3; /* lossless */
  g_assert_false (size_of (other, sizeof other, "image/jpeg", &width, &height));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/picture-size/whole", test_whole);
  g_test_add_func ("/picture-size/none", test_none);
  return g_test_run ();
}
