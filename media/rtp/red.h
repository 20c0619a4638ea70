/* RED, RFC 2198: older Opus packets ride along with a new one (`red/48000/2`, a=fmtp:63 111/111).
 *
 * Sans-IO; reads in place, allocates nothing, accepts any bytes.
 */
#pragma once
#include <glib.h>

/* In one packet, the primary one included. Browsers send two, with a setting up to ten. */
#define RED_MAX_BLOCKS 10
#define RED_BLOCK_MAX 1023u    /* bytes of a redundant block: 10 bits */
#define RED_OFFSET_MAX 0x3fffu /* ticks it may be older: 14 bits, 341 ms at 48 kHz */

typedef struct {
  guint8 payload_type;
  guint16 offset; /* ticks before the packet's timestamp; 0 for the primary block */
  const guint8 *data;
  gsize size;
} RedBlock;

/* Takes the payload of a RED packet apart: oldest first, the primary block last, as they stand
 * (RFC 2198 3). Returns their number; 0: malformed, or more than RED_MAX_BLOCKS. */
guint red_parse (const guint8 *payload, gsize size, RedBlock blocks[RED_MAX_BLOCKS]);

/* Writes n blocks, the primary one last. Returns the size; 0: does not fit into room, or a
 * redundant block is too long or too old. */
gsize red_write (guint8 *out, gsize room, const RedBlock *blocks, guint n);
