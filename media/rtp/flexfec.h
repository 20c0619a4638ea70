/* One parity packet over a group of RTP packets of one stream: FlexFEC as browsers have it
 * (draft-ietf-payload-flexible-fec-scheme-03, "flexible mask"; not the format of RFC 8627). Who
 * misses one packet of the group and has all others makes it again from the parity.
 *
 * Sans-IO, plain data, no memory of its own. What a packet gets only as it leaves (transport-wide
 * number, absolute send time) counts as zero on both sides, so packets are added before that.
 *
 *   FlexFec fec = { 0 };
 *   flexfec_add (&fec, packet->data, packet->size);       each packet of the group
 *   size = flexfec_write (&fec, ssrc, payload, room);     payload of the parity packet
 *   fec = (FlexFec){ 0 };
 */
#pragma once
#include <glib.h>

/* Numbers that one group reaches over: the short mask. */
#define FLEXFEC_SPAN 15
/* What the parity packet's payload is longer than the longest packet behind its first 12 bytes. */
#define FLEXFEC_HEADER_SIZE 20
/* Of a packet that can be in a group. */
#define FLEXFEC_PACKET_MAX 1500

typedef struct {
  guint n;                         /* packets */
  guint16 base;                    /* sequence number of the first */
  guint16 mask;                    /* bit 14: base, bit 13: base + 1, … */
  guint16 length;                  /* XOR of the sizes behind the first 12 bytes */
  gsize longest;                   /* the largest of these sizes */
  guint8 fixed[8];                 /* XOR of the packets' first bytes */
  guint8 rest[FLEXFEC_PACKET_MAX]; /* XOR of what is behind the first 12, filled up with zeros */
} FlexFec;

/* FALSE: it does not belong to the group (its number is below the first or too far from it, or was
 * added before), or is no packet of 12 to FLEXFEC_PACKET_MAX bytes; nothing has changed. */
gboolean flexfec_add (FlexFec *fec, const guint8 *packet, gsize size);

/* The payload of the parity packet of the group, which must not be empty: ssrc is the protected
 * stream's. 0: it does not fit into `room`. */
gsize flexfec_write (const FlexFec *fec, guint32 ssrc, guint8 *out, gsize room);
