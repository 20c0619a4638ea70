/* Pictures before they go on paper: the first byte chooses JPEG or PNG. */
#include "station/papers/sheet_private.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  guint width = 0, height = 0;
  if (size == 0)
    return 0;
  const char *mime = data[0] & 1 ? "image/jpeg" : "image/png";
  if (sheet_picture_size (data + 1, size - 1, mime, &width, &height))
    g_assert_true (width > 0 && height > 0 && (guint64)width * height <= 50000000);
  return 0;
}
