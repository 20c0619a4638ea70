/* What a file of device data would be stored as: `nhipcau device decode KIND FILE…`. */
#pragma once
#include <jansson.h>
#include <glib.h>

/* Kinds that can be decoded, NULL-terminated: "hl7" … */
const char *const *device_decode_kinds (void);

/* out is called with the JSON object of each observation, and of each block of a wave
 * (docs/devices.md), in order (transfer none);
 * note, when not NULL, with a sentence for each message of which nothing is stored.
 * A file holds one message, several in MLLP frames, or several one after the other. FALSE with
 * the first error; what decoded before and after it was handed out. */
typedef void (*DecodeOut) (json_t *observation, void *arg);
typedef void (*DecodeNote) (const char *text, void *arg);
gboolean device_decode (const char *kind, const guint8 *data, gsize length, DecodeOut out,
                        DecodeNote note, void *arg, GError **error);
