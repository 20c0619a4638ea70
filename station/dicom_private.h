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
  gboolean is_held;
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
