/* Frames of Philips IntelliVue's RS-232 link ("MIB/RS232", Data Export Interface), sans-IO.
 *
 *   C0 | 11 01 | length u16 BE | payload | FCS u16 LE | C1
 *
 * FCS: CRC of X.25 (ISO/IEC 13239: initial FFFF, polynomial 8408 reflected, complemented) over
 * header and payload. C0, C1 and 7D between the ends are sent as 7D and the byte xor 20.
 */
#pragma once
#include <glib.h>

/* The station offers the monitor 1,456 bytes; nothing longer is taken. */
#define IV_PAYLOAD_MAX 2048

typedef struct {
  guint8 bytes[IV_PAYLOAD_MAX + 6];
  gsize n;
  gboolean inside, escaped;
  guint64 broken; /* frames begun that were none */
} IvDeframer;

/* One payload whose FCS and length are right; valid during the call. */
typedef void (*IvPayload) (const guint8 *payload, gsize length, void *arg);

/* Zeroed at the beginning. Linear in the bytes; whatever came before, the next C0 begins anew. */
void iv_deframer_feed (IvDeframer *deframer, const guint8 *data, gsize length, IvPayload out,
                       void *arg);
/* (transfer full) */
GByteArray *iv_frame (const guint8 *payload, gsize length);
guint16 iv_fcs (const guint8 *data, gsize length);
