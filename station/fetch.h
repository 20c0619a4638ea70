/* HTTP and HTTPS to servers that station.conf names, through libcurl. Waits for the network: worker
 * threads only. */
#pragma once
#include <glib.h>

/* POSTs body and gives what comes back with status 200: at most `largest` bytes, of the media type
 * `wanted`, within `seconds`. Redirections are not followed; HTTPS is verified against the system's
 * roots. G_IO_ERROR with what is wrong. */
GBytes *fetch_post (const char *url, const char *type, GBytes *body, const char *wanted,
                    gsize largest, guint seconds, GError **error);
