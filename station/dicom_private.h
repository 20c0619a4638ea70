/* Between dicom.c (whose an object is) and dicom_receive.c (connections). */
#pragma once
#include "station/dicom.h"
#include "station/dicom_read.h"

#include <gio/gio.h>

/* PS3.4 Table B.2-1, PS3.7 annex C */
enum {
  DICOM_SUCCESS = 0x0000,
  DICOM_OUT_OF_RESOURCES = 0xa700,
  DICOM_DOES_NOT_MATCH = 0xa900,
  DICOM_NOT_UNDERSTOOD = 0xc000,
};

#define DICOM_RECEPTIONS_MAX 4

typedef struct DicomReception DicomReception;

typedef struct {
  char *home; /* under which it is kept: a day's of records/holding.h, or "station" */
  char *attachment, *sender, *name;
  json_t *about;
  gint64 at_us;
} Held;

struct Dicom {
  Station *station;
  DicomRead *read;
  GSocketService *service; /* NULL: not listening */
  GPtrArray *receptions;   /* DicomReception* */
  GPtrArray *held;         /* Held* */
  guint wants;             /* frames that peers wait for */
};

/* An object on its way to the disk. Outlives its connection. */
typedef struct {
  Dicom *dicom;
  DicomReception *reception; /* NULL: the connection is gone */
  GBytes *object;
  char *calling, *instance, *name;
  json_t *about;
  char *home; /* of what is held; NULL: it is a consultation's */
} DicomJob;

/* dicom_receive.c */
Dicom *dicom_reception_owner (DicomReception *reception);
/* The connection waits for this job. */
void dicom_reception_work (DicomReception *reception, DicomJob *job);
/* Ends the wait. */
void dicom_reception_answer (DicomReception *reception, guint status);
void dicom_stop (Dicom *dicom);

/* dicom.c: an object came. Ends by dicom_reception_answer(), also within the call. */
void dicom_take (DicomReception *reception, const char *calling, const char *instance,
                 GBytes *object);

/* dicom_held.c. For GDestroyNotify: a Held*. */
void dicom_held_free (gpointer held);
void dicom_held_add (Dicom *dicom, const char *home, const char *attachment, const json_t *about,
                     const char *name, gint64 at_us);
gboolean dicom_held_load (Dicom *dicom, GError **error);
/* Under which a new one is kept: where it is already, when it was sent before and is held still;
 * else the day's (transfer full). NULL with error. */
char *dicom_held_home (Dicom *dicom, const json_t *about, GError **error);
