/* The rate at which packets arrived, by the receiver's clock: feedback that comes late or in heaps
 * does not change it (draft-ietf-rmcat-gcc-02 5.5: R_hat). Plain data, zeroed to begin with.
 */
#pragma once
#include "media/rtp/twcc.h"

enum { ACKED_RATE_STEPS = 40, ACKED_RATE_STEP_US = 50000 };

typedef struct {
  guint64 bytes[ACKED_RATE_STEPS];
  gint64 step, first_step; /* number of the newest; first that is measured whole */
  gint64 sent_us;          /* of the newest */
  gboolean paused;         /* it is measured since a pause of ours: the whole span is wanted */
} AckedRate;

void acked_rate_add (AckedRate *rate, const TwccResult *result);
/* Over the newest whole steps that make up span_us and hold at least so many bytes, if there are
 * so many in 2 s; 0: nothing measured yet, or since we last sent nothing for a while. */
double acked_rate_bps (const AckedRate *rate, gint64 span_us, guint64 least_bytes);
