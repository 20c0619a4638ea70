/* The pages, built into the program as a GResource (station/web/build-pages). */
#include "station/server_private.h"

#include "pages.h"

#include <gio/gio.h>
#include <string.h>

#define PREFIX "/vn/nhipcau/pages"

static const struct {
  const char *end, *mime;
} mimes[] = {
  { ".html", "text/html; charset=utf-8" },
  { ".js", "text/javascript; charset=utf-8" },
  { ".css", "text/css; charset=utf-8" },
  { ".json", "application/json" },
  { ".webmanifest", "application/manifest+json" },
  { ".svg", "image/svg+xml" },
  { ".png", "image/png" },
  { ".ico", "image/x-icon" },
  { ".woff2", "font/woff2" },
};

static const char *
mime_of (const char *path)
{
  for (guint i = 0; i < G_N_ELEMENTS (mimes); i++)
    if (g_str_has_suffix (path, mimes[i].end))
      return mimes[i].mime;
  return "application/octet-stream";
}

/* Names with a hash in them never change what they name. */
static gboolean
has_hash (const char *path)
{
  const char *dash = strrchr (path, '-'), *dot = strrchr (path, '.');
  return dash != NULL && dot != NULL && dot - dash == 9;
}

static const char *
file_of (const char *path)
{
  if (g_str_equal (path, "/") || g_str_equal (path, "/console"))
    return "/console.html";
  if (g_str_equal (path, "/join"))
    return "/join.html";
  if (g_str_equal (path, "/desk") || g_str_equal (path, "/desk.html"))
    return "/desk.html";
  return g_str_has_prefix (path, "/assets/") ? path : NULL;
}

static GBytes *
resource (const char *file, const char *suffix)
{
  g_autofree char *name = g_strconcat (PREFIX, file, suffix, NULL);
  return g_resource_lookup_data (nhipcau_pages_get_resource (), name, G_RESOURCE_LOOKUP_FLAGS_NONE,
                                 NULL);
}

const Page *
pages_find (const char *path)
{
  static GHashTable *found; /* path → Page*, so that callers own nothing */
  const char *file = file_of (path);
  if (file == NULL)
    return NULL;
  if (found == NULL)
    found = g_hash_table_new (g_str_hash, g_str_equal);
  Page *page = g_hash_table_lookup (found, file);
  GBytes *body = page == NULL ? resource (file, "") : NULL;
  if (body != NULL) {
    page = g_new (Page, 1);
    *page = (Page){ mime_of (file), has_hash (file), body, resource (file, ".br") };
    g_hash_table_insert (found, g_strdup (file), page);
  }
  return page;
}
