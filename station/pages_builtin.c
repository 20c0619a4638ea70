/* What a program built without pages (-Dpages=false) serves in their place. */
#include "station/server_private.h"

#include <string.h>

static const char text[]
    = "<!doctype html><html lang=\"vi\"><meta charset=\"utf-8\"><title>Nhịp Cầu</title>"
      "<h1>Nhịp Cầu</h1><p>Chương trình này được dựng không có trang (-Dpages=false).</p>"
      "<p lang=\"en\">This program was built without its pages (-Dpages=false).</p></html>\n";

const Page *
pages_find (const char *path)
{
  static Page page = { .mime = "text/html; charset=utf-8" };
  if (!g_str_equal (path, "/") && !g_str_equal (path, "/console") && !g_str_equal (path, "/join")
      && !g_str_equal (path, "/desk"))
    return NULL;
  if (page.body == NULL)
    page.body = g_bytes_new_static (text, strlen (text));
  return &page;
}
