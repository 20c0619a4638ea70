/* A device at a line of bytes (serial port, pty, a capture being replayed), sans-IO.
 *
 *   bytes and time ─► LineDevice ─► FeedSink (observations, waves)
 *                         └─► LineSend: what the device must hear (start, keep-alive, polls)
 *
 * No socket, no clock: the time of arrival comes with the bytes. One thread. Hostile until parsed:
 * work is linear in the bytes, memory is bounded by the longest frame; after garbage a parser finds
 * its place again by itself.
 */
#pragma once
#include "media/devices/feed.h"

typedef struct {
  gint64 monotonic_us; /* CLOCK_MONOTONIC */
  gint64 utc_us;
} LineTime;

typedef enum { LINE_PARITY_NONE, LINE_PARITY_ODD, LINE_PARITY_EVEN } LineParity;
/* 8 data bits, 1 stop bit. */
typedef struct {
  guint baud;
  LineParity parity;
} LineSettings;

/* Bytes for the device, valid during the call. */
typedef void (*LineSend) (const guint8 *data, gsize length, void *arg);

typedef struct {
  const FeedSink *sink; /* observations, waves and alarms only; outlives the device */
  const char *device;   /* how streams name it; outlives the device; NULL: not at all */
  LineSend send;        /* NULL: nothing can be sent (a file) */
  void *arg;
} LineOutput;

typedef enum {
  LINE_ENDED, /* a file's end: what was gathered is given out, nothing else */
  LINE_LOST,  /* the line is gone: values become absent */
  LINE_LEFT,  /* we leave; the device still hears us */
} LineClosing;

/* What one kind of device is made of. self is what make() gave. */
typedef struct {
  const char *name;             /* in station.conf: "contec" */
  const char *category;         /* Feed's kind, docs/protocol.md: "oximeter" */
  const LineSettings *settings; /* to be tried in turn, ended by baud 0 */
  gboolean spot;                /* speaks only when it has measured: an open line is all that is
                                 * known of it, silence means nothing, and nobody can find it by
                                 * listening */
  guint patience_s;             /* a device that is there has given a frame by then */
  guint convincing;             /* so many frames are no chance */
  guint bytes_per_second;       /* about, of a live device: the clock of `device decode` */
  void *(*make) (const LineOutput *output);
  void (*free) (void *self);
  /* The line is open: say what the device wants to hear first. */
  void (*open) (void *self, LineTime now);
  void (*feed) (void *self, const guint8 *data, gsize length, LineTime now);
  /* Sends what is due; gives the monotonic time at which it wants to be called again, 0: never. */
  gint64 (*tick) (void *self, LineTime now);
  void (*close) (void *self, LineTime now, LineClosing how);
  /* Whole, right frames so far. */
  guint64 (*frames) (void *self);
} LineKind;

extern const LineKind line_kind_contec, line_kind_nonin, line_kind_nonin_spot, line_kind_intellivue;
/* The same monitor by UDP: each call of feed() has one datagram, each LineSend is one; settings are
 * NULL. */
extern const LineKind line_kind_intellivue_lan;

/* Those of serial lines, NULL-terminated, in the order in which "auto" tries them, but for the spot
 * ones. */
const LineKind *const *line_kinds (void);
/* Any kind; NULL: there is none. */
const LineKind *line_kind_find (const char *name);
