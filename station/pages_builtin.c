/* What a program built without pages (-Dpages=false) serves in their place. */
#include "station/server_private.h"

#include <string.h>

static const char text[]
    = "<!doctype html><html lang=\"vi\"><meta charset=\"utf-8\"><title>Nhịp Cầu</title>"
      "<h1>Nhịp Cầu</h1><p>Chương trình này được dựng không có trang (-Dpages=false).</p>"
      "<p lang=\"en\">This program was built without its pages (-Dpages=false).</p></html>\n";

GBytes *
pages_find (const char *path, const char **ret_mime, gboolean *ret_immutable)
{
  static GBytes *page;
  if (!g_str_equal (path, "/") && !g_str_equal (path, "/console") && !g_str_equal (path, "/join"))
    return NULL;
  if (page == NULL)
    page = g_bytes_new_static (text, strlen (text));
  *ret_mime = "text/html; charset=utf-8";
  *ret_immutable = FALSE;
  return page;
}
