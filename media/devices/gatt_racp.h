/* Record Access Control Point (2A52): asking a device for what it remembers.
 *
 * Sans-IO. One procedure at a time: the request is written to 2A52, records come by their own
 * characteristic, then one answer is indicated by 2A52. A device that goes away in between (a
 * strip was inserted) is asked again from the first record that did not come.
 */
#pragma once
#include <glib.h>

typedef enum {
  RACP_REPORT_ALL,
  RACP_REPORT_FROM, /* sequence number first or more */
  RACP_REPORT_LAST,
  RACP_COUNT_ALL,
  RACP_COUNT_FROM,
  RACP_ABORT,
} RacpRequest;

#define RACP_REQUEST_MAX 5
/* Gives the length. */
gsize racp_write (RacpRequest request, guint16 first, guint8 out[RACP_REQUEST_MAX]);

typedef enum {
  RACP_SUCCESS = 1,
  RACP_NOT_SUPPORTED = 2, /* of the operation or its operator: 2 to 5, 9 */
  RACP_NO_RECORDS = 6,
  RACP_ABORT_UNSUCCESSFUL = 7,
  RACP_NOT_COMPLETED = 8,
} RacpResult;

typedef struct {
  gboolean is_count;
  guint16 count;     /* is_count: how many there are */
  guint8 request;    /* else: op code that is answered */
  RacpResult result; /* else: how it ended */
} RacpAnswer;
/* FALSE: no answer that can be read. */
gboolean racp_read (const guint8 *data, gsize length, RacpAnswer *ret_answer);

/* ---- What is still to be asked for -------------------------------------------------------------
 *
 * Sequence numbers only grow, until a device is reset and begins anew: when it has nothing at or
 * past the number that is due, its last record is asked for, and when that has a smaller number,
 * all. */
typedef struct {
  gboolean known; /* a record has come: last is its number */
  guint16 last;
  /* private */
  gboolean busy; /* an answer is awaited */
  RacpRequest request;
  gboolean reset; /* the device counts anew */
} RacpRecords;

/* The request to be written after a connection; gives its length. */
gsize racp_ask (RacpRecords *records, guint8 out[RACP_REQUEST_MAX]);
/* A record came. FALSE: it had come before. */
gboolean racp_record (RacpRecords *records, guint16 sequence);
/* An answer came. Gives the length of what is to be written next; 0: that was all. */
gsize racp_answered (RacpRecords *records, const RacpAnswer *answer, guint8 out[RACP_REQUEST_MAX]);
/* The connection ended. */
void racp_gone (RacpRecords *records);
