/* Who gets how much of what: the bits of each stream to each peer, out of what each peer's link
 * carries and of what the clinic's own uplink carries for all together.
 *
 * Each stream has steps, the best first: what it takes on the wire at least, and at most. A step is
 * an encoding (a rung, a simulcast layer); none means that nothing is sent. Streams are served in
 * this order, and among equals so that no one rises before all have reached the same step:
 *
 *   control and vitals      a reserve of 16 kbit/s in each peer, reports included
 *   sound, lowest step      always, whatever the estimate says
 *   waves, stethoscope      lowest step; that of waves may have 8 kbit/s of the reserve
 *   looked at, lowest step
 *   sound, waves, stethoscope: their better steps, once there is a picture
 *   looked at: its better steps
 *   the rest: its lowest step only (thumbnails)
 *   bits that are left, up to each step's most, in the same order
 *
 * Down at once: the bits; the step too where it gets less than 60 % of its least, else when that
 * has lasted a second (40 %, three seconds before there is no picture at all). Up only after a
 * surplus of 15 % has stood for a while: half a second at first, 3 s after the first fall, 5 s from
 * nothing at all; doubled, to a minute at most, whenever a rise is followed by a fall within 15 s,
 * and halved again after each rise that lasts. A stream that is looked at from now on, or no
 * longer, does not wait; nor does one that has nothing in the first five seconds after its link was
 * silent.
 *
 * The uplink. Peers' estimates come each from its own link, and where they share the clinic's
 * uplink, they find their shares of it by themselves, but one after the other: who has been idle
 * believes in more than there is, and all queues grow when he begins. So when two estimates fall
 * within a second, they are taken to stand behind the same queue: the sum of what they fell to, and
 * of what the others were allotted, bounds all of them from then on, and is shared out as above, so
 * that the sound of one never waits behind the thumbnails of another. The bound rises by 4 % a
 * second after 5 s and is forgotten when it no longer binds. Falls by chance cost a few seconds of
 * growth, no more.
 *
 * Sans-IO; one thread.
 */
#pragma once
#include <glib.h>

typedef struct Allocation Allocation;
typedef struct AllocationPeer AllocationPeer;
typedef struct AllocationStream AllocationStream;

typedef enum {
  ALLOCATION_SOUND,
  ALLOCATION_WAVES,
  ALLOCATION_STETHOSCOPE,
  ALLOCATION_LOOKED_AT,
  ALLOCATION_REST,
} AllocationClass;

enum { ALLOCATION_STEPS = 6, ALLOCATION_NONE = -1 };

typedef struct {
  guint min_bps, max_bps; /* on the wire, headers included */
} AllocationStep;

Allocation *allocation_new (void);
/* Frees its peers and their streams. */
void allocation_free (Allocation *allocation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Allocation, allocation_free)

/* uplink: it is reached through the clinic's uplink. Belongs to the allocation. */
AllocationPeer *allocation_add_peer (Allocation *allocation, gboolean uplink);
void allocation_remove_peer (Allocation *allocation, AllocationPeer *peer);
/* What its link carries; 0: not known, 500 kbit/s are assumed. */
void allocation_set_estimate (AllocationPeer *peer, guint bps, gint64 now_us);
/* Its link carries nothing for now: what it had stays allotted, nothing is learnt from it, and all
 * of it may be there again at once. Its estimate is not to be set meanwhile. */
void allocation_set_silent (AllocationPeer *peer, gboolean silent, gint64 now_us);

/* Belongs to the peer. Without steps it takes nothing. */
AllocationStream *allocation_add_stream (AllocationPeer *peer, AllocationClass class);
void allocation_remove_stream (AllocationPeer *peer, AllocationStream *stream);
void allocation_set_class (AllocationStream *stream, AllocationClass class);
/* n ≤ ALLOCATION_STEPS, the best first. A stream keeps its place in them (or the last) when their
 * number changes. */
void allocation_set_steps (AllocationStream *stream, const AllocationStep *steps, guint n);
/* Nothing better than this step is to be had (the machine cannot encode more); 0: any. */
void allocation_set_best (AllocationStream *stream, guint step);

/* Decides anew. After any of the above, and every half second. */
void allocation_run (Allocation *allocation, gint64 now_us);
int allocation_step (const AllocationStream *stream); /* or ALLOCATION_NONE */
guint allocation_bps (const AllocationStream *stream);
/* Nobody's: for stills. */
guint allocation_left_bps (const AllocationPeer *peer);
/* 0: it does not bind. */
guint allocation_uplink_bps (const Allocation *allocation);
