/* Files made durable, and what a disk says when it fails. Any thread. */
#pragma once
#include <glib.h>

/* FALSE, with RECORDS_ERROR_DISK: "path: what errno says". */
gboolean disk_error (const char *path, GError **error);
/* Names in the folder are durable: those that were made, renamed or removed before. errno stays
 * that of the failure. */
gboolean disk_sync_folder (const char *folder, GError **error);
/* The same for the folder that a file is in. */
gboolean disk_sync_parent (const char *path, GError **error);
