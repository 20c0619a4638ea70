/* What an OpenID provider says of itself, fetched in a worker thread: its key set, and where it
 * gives tokens out. Between providers.c and providers_fetch.c. */
#pragma once
#include "station/config.h"

#include <gio/gio.h>
#include <jansson.h>

/* Ten seconds at most, less when *stop becomes non-zero (atomic; it must outlive the call). done
 * comes in the caller's thread-default main context. */
void providers_fetch (const ConfigProvider *provider, const gint *stop, GAsyncReadyCallback done,
                      void *arg);
/* {issuer, keys, origins, fetched_us} (transfer full); NULL with G_IO_ERROR: what was wrong. */
json_t *providers_fetched (GAsyncResult *result, GError **error);
/* "https://id.example.vn:8443" of an address (transfer full); NULL: it is none by https. */
char *providers_origin_of (const char *url);
