/* The header of an EDF or BDF file: 256 bytes, and 256 for each signal. */
#pragma once
#include "media/devices/ecg_recording.h"

typedef struct {
  char *label, *unit;
  double scale, offset; /* physical = digital * scale + offset; scale 0: not calibrated */
  guint samples;        /* in a data record */
  gsize at;             /* bytes from the data record's begin */
  gboolean annotations; /* EDF+'s lists of times and texts, no signal */
} EdfSignal;

typedef struct {
  gboolean bdf;                       /* 24 bits, else 16 */
  gboolean plus, discontinuous;       /* EDF+C, EDF+D */
  guint64 duration_num, duration_den; /* seconds of a data record; 0/1 in files of annotations */
  gsize header, record;               /* bytes */
  guint64 records;                    /* whole ones in the file */
  GArray *signals;                    /* EdfSignal */
} EdfHeader;

/* Patient, device and time go into the recording. */
EdfHeader *edf_header_parse (const guint8 *data, gsize length, EcgRecording *recording,
                             GError **error);
void edf_header_free (EdfHeader *header);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EdfHeader, edf_header_free)
