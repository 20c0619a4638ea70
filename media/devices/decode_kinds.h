/* The kinds of device_decode(), one file each: decode_KIND.c. To add one: declare it here, name it
 * in the table of decode.c.
 *
 * Each is as device_decode() of its kind.
 */
#pragma once
#include "media/devices/decode.h"

typedef gboolean (*DecodeKind) (const guint8 *data, gsize length, DecodeOut out, DecodeNote note,
                                void *arg, GError **error);

/* Of a kind that wants a parameter. */
typedef gboolean (*DecodeKindOf) (const char *parameter, const guint8 *data, gsize length,
                                  DecodeOut out, DecodeNote note, void *arg, GError **error);

gboolean decode_hl7 (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
                     GError **error);
gboolean decode_scp (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
                     GError **error);
gboolean decode_aecg (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
                      GError **error);
gboolean decode_edf (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
                     GError **error);
/* The waveforms of a DICOM file. */
gboolean decode_dicom_ecg (const guint8 *data, gsize length, DecodeOut out, DecodeNote note,
                           void *arg, GError **error);

/* A kind of several files. */
typedef gboolean (*DecodeKindBeside) (const guint8 *data, gsize length, DecodeFind find,
                                      void *find_arg, DecodeOut out, DecodeNote note, void *arg,
                                      GError **error);
gboolean decode_wfdb (const guint8 *data, gsize length, DecodeFind find, void *find_arg,
                      DecodeOut out, DecodeNote note, void *arg, GError **error);
gboolean decode_contec (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
                        GError **error);
gboolean decode_nonin_spot (const guint8 *data, gsize length, DecodeOut out, DecodeNote note,
                            void *arg, GError **error);
gboolean decode_nonin (const guint8 *data, gsize length, DecodeOut out, DecodeNote note, void *arg,
                       GError **error);
gboolean decode_intellivue (const guint8 *data, gsize length, DecodeOut out, DecodeNote note,
                            void *arg, GError **error);
/* uuid: of the characteristic, "2A35" */
gboolean decode_gatt (const char *uuid, const guint8 *data, gsize length, DecodeOut out,
                      DecodeNote note, void *arg, GError **error);
