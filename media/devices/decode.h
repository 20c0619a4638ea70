/* What a file of device data would be stored as: `nhipcau device decode KIND FILE…`. */
#pragma once
#include "media/devices/profile.h"
#include <jansson.h>

/* Kinds that can be decoded, NULL-terminated: "hl7" … */
const char *const *device_decode_kinds (void);

/* What device_decode() must be told besides the kind, as "gatt:2A35": "UUID"; NULL: nothing. */
const char *device_decode_parameter (const char *kind);

/* out is called with the JSON object of each observation, and of each block of a wave
 * (docs/devices.md), in order (transfer none);
 * note, when not NULL, with a sentence for each message of which nothing is stored.
 * A file holds one message, several in MLLP frames, or several one after the other. FALSE with
 * the first error; what decoded before and after it was handed out. */
typedef void (*DecodeOut) (json_t *observation, void *arg);
typedef void (*DecodeNote) (const char *text, void *arg);
gboolean device_decode (const char *kind, const guint8 *data, gsize length, DecodeOut out,
                        DecodeNote note, void *arg, GError **error);

/* Of kind "hl7", by the profile of who sent it; NULL: none. */
gboolean device_decode_hl7 (const Profile *profile, const guint8 *data, gsize length, DecodeOut out,
                            DecodeNote note, void *arg, GError **error);

/* Some kinds are several files (WFDB: a header and its signals). The bytes of one beside the first,
 * by its name, which has no folder; NULL when there is none. (transfer full) */
typedef GBytes *(*DecodeFind) (const char *name, void *find_arg);
/* As device_decode(), for all kinds. */
gboolean device_decode_beside (const char *kind, const guint8 *data, gsize length, DecodeFind find,
                               void *find_arg, DecodeOut out, DecodeNote note, void *arg,
                               GError **error);
