/* One delivery of one item to one destination, whole, in a thread of the caller's that may wait.
 *
 *   FHIR    PUT {to}/Bundle/{id} over TLS with the station's certificate; 200 or 201 is the
 * receipt; GET of the same and comparing (without "meta", which is the server's) confirms it folder
 * {to}/{id}.json, under its name when whole and durable; read back from the disk DICOM   C-STORE
 * (PS3.4 annex B) by a confined child; status 0 is the receipt
 *
 * Each may be repeated without harm: the id is that of the record, the same every time.
 */
#pragma once
#include "records/outbox.h"
#include "station/config.h"
#include "station/text.h"
#include <jansson.h>

#define DELIVER_ERROR (deliver_error_quark ())
GQuark deliver_error_quark (void);
typedef enum {
  DELIVER_ERROR_UNREACHABLE, /* no connection, none in time, or it broke off */
  DELIVER_ERROR_IDENTITY,    /* TLS: its certificate, or ours */
  DELIVER_ERROR_REFUSED,     /* the other side says no, and would say so again */
  DELIVER_ERROR_TROUBLE,     /* the other side has trouble of its own */
  DELIVER_ERROR_LOST,        /* said to be kept, and is not there */
  DELIVER_ERROR_DIFFERENT,   /* what is kept there is something else */
  DELIVER_ERROR_ABSENT,      /* the folder is not there: no disk in */
  DELIVER_ERROR_DISK,        /* it is, and cannot be written or read */
  DELIVER_ERROR_LOCKED,      /* nobody is signed in */
  DELIVER_ERROR_RECORD,      /* the record cannot be read */
  DELIVER_ERROR_UNSIGNED,    /* not signed yet */
  DELIVER_ERROR_NOWHERE,     /* station.conf has no such destination any more */
  DELIVER_ERROR_STOPPED,     /* by the caller */
} DeliverError;
/* The word kept in the outbox, and what people read of it (an unknown word: NULL). */
const char *deliver_error_word (gint code);
const Text *deliver_words (const char *word);

typedef struct {
  const ConfigDeliver *to;
  const char *own_title; /* AE title of the station */
  const char *id;        /* of the Bundle */
  GBytes *bytes;
  gint *stop; /* atomic: 1 ends it, DELIVER_ERROR_STOPPED */
  /* Tells how far it came: SENT, RECEIPTED, CONFIRMED. FALSE with error ends it. */
  gboolean (*advance) (OutboxState state, void *arg, GError **error);
  void *arg;
} Delivery;

gboolean deliver (const Delivery *delivery, GError **error);
/* The three ways (deliver_fhir.c, deliver_folder.c, deliver_dicom.c). */
gboolean deliver_fhir (const Delivery *delivery, GError **error);
gboolean deliver_folder (const Delivery *delivery, GError **error);
gboolean deliver_dicom (const Delivery *delivery, GError **error);
/* Of a Bundle, apart from "meta": a server writes numbers and members in an order of its own. */
gboolean deliver_same_bundle (GBytes *ours, const char *theirs, gsize size);
