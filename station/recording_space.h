/* How long the disk still holds recordings. The one answer for console and `check`. */
#pragma once
#include "station/config.h"

typedef struct {
  guint64 bytes; /* that recordings may still use, keep-free left alone */
  guint64 rate;  /* bytes a second */
  gboolean
      measured; /* rate is that of the newest recording; else what the configuration asks for */
  double hours; /* in tenths, rounded down */
} RecordingSpace;

/* Any thread; looks at the disk. known: what it said before, whose rate is to hold; NULL: measure.
 */
RecordingSpace recording_space (const Config *config, const RecordingSpace *known);
/* Bytes a second that this configuration may take: every camera and microphone, and one guest with
 * picture and voice. An upper bound, so that the first recording is no surprise. */
guint64 recording_configured_rate (const Config *config);
