/* The rate at which packets arrived, by the receiver's clock: feedback that comes late or in heaps
 * does not change it (draft-ietf-rmcat-gcc-02 5.5: R_hat). Plain data, zeroed to begin with.
 */
#pragma once
#include "media/rtp/twcc.h"

enum { ACKED_RATE_STEPS = 40, ACKED_RATE_STEP_US = 50000 };

typedef struct {
  guint64 bytes[ACKED_RATE_STEPS];
  gint64 step, first_step; /* number of the newest; first that is measured whole */
} AckedRate;

void acked_rate_add (AckedRate *rate, const TwccResult *result);
/* Over the newest whole steps that make up span_us and hold at least so many bytes, if there are
 * so many in 2 s; 0: nothing measured yet. */
double acked_rate_bps (const AckedRate *rate, gint64 span_us, guint64 least_bytes);
