/* Waves of medical devices: whose they are, by the same rule as readings (readings.h); kept in the
 * consultation's record (wave_record.h); sent to everybody in it (wave_link.h). Main thread.
 *
 *   waves_take() ─► owner ─► track ─┬─► rows of kind "wave", two seconds each
 *                                   └─► data channel `wave`, if it is on screen
 */
#pragma once
#include "media/devices/wave.h"
#include "media/devices/wave_clock.h"
#include "media/devices/wave_packer.h"
#include "station/station.h"
#include "station/wave_receipt.h"

/* Of a block that was gathered for a row. */
typedef struct {
  char *raw;            /* WaveBlock.raw, may be NULL */
  WaveReceipt *receipt; /* NULL: nobody waits */
} WaveNote;

/* A stream that comes now, for one consultation. */
typedef struct {
  guint number; /* on the link; another after each change of the stream */
  WaveStream *stream;
  char *device;
  char *consult; /* or the id of a holding key: nobody's yet */
  gboolean is_held;
  guint32 epoch;     /* ours: unique in the consultation */
  guint32 its_epoch; /* the device's */
  guint64 next;      /* index of the sample that comes next */
  gint64 seen_us;    /* monotonic: when samples came last */
  WaveClock *clock;
  gboolean epoch_is_new; /* pages have not heard of its clock */
  /* Gathered for the next row. */
  WavePacker *row;
  guint64 row_first;
  guint row_count;
  gint64 row_since_us, row_time_us;
  GPtrArray *row_notes; /* WaveNote*: which messages it is of, and who waits for it */
} WaveTrack;

Waves *waves_new (Station *station);
/* What has been gathered is written. */
void waves_free (Waves *waves);

/* (transfer full) The next samples of a stream, in the order of the device. A stream is known by
 * its device and id; one of the same name with other leads or another rate takes its place.
 * device, sender: as of readings_take(); device stands for that of a stream that names none. What
 * is nobody's is kept under the day's holding key (wave_claim.h). */
void waves_take (Waves *waves, const char *device, const char *sender, WaveBlock *block);
/* The same with all blocks of one message (array of WaveBlock*, emptied). What was sent before, by
 * WaveBlock.raw, is there already and is let go. done (may be NULL): all of it that is kept is
 * durable, within a quarter of a second; it may be called before the function returns. */
void waves_take_all (Waves *waves, const char *device, const char *sender, GPtrArray *blocks,
                     WavesDone done, void *arg);

/* What has been gathered of this consultation is written now: it is concluded, parked. NULL: of
 * all, and of nobody. */
void waves_flush (Waves *waves, const char *consult);
/* A device was claimed: what came of it after from_us (UTC µs) and was nobody's is this
 * consultation's. */
void waves_claim (Waves *waves, const char *device, const Consult *consult, const char *user,
                  gint64 from_us);
/* Another consultation is on screen, or none. */
void waves_shown (Waves *waves);
/* A peer whose channel `data` has opened is told which streams there are. */
void waves_tell (Waves *waves, const char *label);
/* Its channel `wave` has opened or closed; its link carries waves in this way (step of
 * hub_ask_waves()); it is gone. */
void waves_peer_open (Waves *waves, const char *label, gboolean open);
void waves_peer_way (Waves *waves, const char *label, int step);
void waves_peer_gone (Waves *waves, const char *label);
/* "waves.fill" of a peer: hostile. */
void waves_fill (Waves *waves, const char *label, const json_t *message);
