/* HTTP and HTTPS to servers that station.conf names, through libcurl. Waits for the network: worker
 * threads only. */
#pragma once
#include <glib.h>

/* POSTs body and gives what comes back with status 200: at most `largest` bytes, of the media type
 * `wanted`, within `seconds`. Redirections are not followed; HTTPS is verified against the system's
 * roots. G_IO_ERROR with what is wrong. */
GBytes *fetch_post (const char *url, const char *type, GBytes *body, const char *wanted,
                    gsize largest, guint seconds, GError **error);

/* GETs from an HTTPS server that ca_file vouches for (NULL: the system's roots): at most `largest`
 * bytes of JSON, within `seconds`. Redirections are not followed. stop: given up when it becomes
 * non-zero (atomic); may be NULL. */
GBytes *fetch_json (const char *url, const char *ca_file, gsize largest, guint seconds,
                    const gint *stop, GError **error);
