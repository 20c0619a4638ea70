/* What every live device gives, whatever it speaks.
 *
 *   bytes ─► driver (socket, serial port, D-Bus) ─► parser (sans-IO) ─► FeedSink
 *                      └─► raw(): every byte, for capture and replay
 *
 * Parsers are sans-IO: bytes and the time of their arrival go in, observations, waves and alarms
 * come out by the sink. All calls of one sink come from one thread, in the order of what happened.
 * Members that nobody wants are NULL; feed_observation() and its kin look at that and free what
 * nobody takes.
 */
#pragma once
#include "media/devices/alarm.h"
#include "media/devices/observation.h"
#include "media/devices/wave.h"

typedef enum {
  FEED_SEARCHING, /* no device: not plugged in, out of range, does not answer */
  FEED_LIVE,      /* connected; readings come or may come */
  FEED_LOST,      /* was live and is gone; the driver goes on searching by itself */
  FEED_FAILED,    /* cannot come back without a person: `why` says what to do */
} FeedState;

typedef enum { FEED_FROM_DEVICE, FEED_TO_DEVICE } FeedDirection;

typedef struct {
  /* (transfer full) */
  void (*observation) (Observation *observation, void *arg);
  /* (transfer full) */
  void (*wave) (WaveBlock *block, void *arg);
  /* (transfer full) */
  void (*alarm) (DeviceAlarm *alarm, void *arg);
  /* why: English and Vietnamese sentences for people; NULL when there is nothing to say. battery:
   * percent, -1 unknown. */
  void (*state) (FeedState state, const char *why_vi, const char *why_en, int battery, void *arg);
  /* As read or written, before any parsing. */
  void (*raw) (FeedDirection direction, const guint8 *data, gsize length, void *arg);
  void *arg;
} FeedSink;

void feed_observation (const FeedSink *sink, Observation *observation);
void feed_wave (const FeedSink *sink, WaveBlock *block);
void feed_alarm (const FeedSink *sink, DeviceAlarm *alarm);
void feed_state (const FeedSink *sink, FeedState state, const char *why_vi, const char *why_en,
                 int battery);
void feed_raw (const FeedSink *sink, FeedDirection direction, const guint8 *data, gsize length);
