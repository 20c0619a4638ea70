/* Which rate an encoder is told, given the one that is wanted.
 *
 * Cameras give other frame rates than they announce, half of it in the dark: an encoder that counts
 * frames would miss its rate by as much. And some encoders answer each change with a key frame, so
 * they are told of small changes late. Sans-IO.
 */
#pragma once
#include <glib.h>

typedef struct {
  gboolean counts_frames; /* the encoder goes by the announced frame rate, not by timestamps */
  gboolean costs_key;     /* a change makes it send a key frame */
  double announced_us;    /* between pictures, by the caps */
  double step_us;         /* between pictures, as they come */
  gint64 last_us;         /* capture time of the last picture, 0 before the first */
  guint wanted, told;     /* bit/s */
  gint64 told_us;
} Rate;

void rate_init (Rate *rate, gboolean counts_frames, gboolean costs_key, double frames_per_second);
void rate_picture (Rate *rate, gint64 capture_us);
/* What the encoder must be told now, 0 when it need not be told anything. */
guint rate_due (Rate *rate, gint64 now_us);
