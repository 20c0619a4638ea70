/* A Nonin 9560: hostile bytes on the line. */
#include "line_stream.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  line_stream (&line_kind_nonin_spot, data, size, 20000);
  return 0;
}
