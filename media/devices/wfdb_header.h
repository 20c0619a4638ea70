/* A WFDB header (header(5)): one record, or one segment of a record. */
#pragma once
#include <glib.h>

typedef struct {
  char *file;
  guint format;    /* 8 16 24 32 61 80 160 212 310 311 */
  guint per_frame; /* samples in a frame: the signal's rate is that many times the record's */
  guint skew;      /* frames by which the file has this signal late */
  gsize offset;    /* bytes before the first sample in the file */
  double gain;     /* steps per unit; 0: not calibrated */
  double baseline; /* sample value of 0 units */
  char *unit;      /* "mV" unless it says otherwise */
  guint bits;      /* 0: not stated */
  gboolean has_initial, has_checksum;
  gint64 initial;    /* value of the first sample */
  gint64 checksum;   /* sum of all samples, modulo 65536 */
  char *description; /* NULL */
} WfdbSignal;

typedef struct {
  char *name;
  guint64 samples; /* frames; 0 for the layout of a record whose segments differ */
} WfdbSegment;

typedef struct {
  char *name;
  guint64 rate_num, rate_den; /* frames a second */
  guint64 samples;            /* frames; 0: not stated */
  gint time[3], date[3];      /* hour, minute, second; year, month, day; -1: not stated */
  double fraction;            /* of the second */
  GPtrArray *signals;         /* WfdbSignal; empty when there are segments */
  GPtrArray *segments;        /* WfdbSegment */
  GPtrArray *comments;        /* text behind '#', UTF-8 */
} WfdbHeader;

WfdbHeader *wfdb_header_parse (const guint8 *data, gsize length, GError **error);
void wfdb_header_free (WfdbHeader *header);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WfdbHeader, wfdb_header_free)
