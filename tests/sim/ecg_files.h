/* Makes ECG files of every format that the station reads, from samples: for tests, and by
 * tests/sim/ecg-file for whoever wants to try the page. */
#pragma once
#include <glib.h>

#define ECG_MADE_LEADS 8

/* Eight leads (I, II, V1 to V6) of a made-up heart. */
typedef struct {
  guint rate;                   /* samples a second */
  guint count;                  /* of each lead */
  gint16 *lead[ECG_MADE_LEADS]; /* of 2.5 µV */
} EcgMade;

extern const char *const ecg_made_names[ECG_MADE_LEADS];

/* P, QRS and T at 72 a minute, each lead of its own size; the same for the same arguments. */
EcgMade *ecg_made_new (guint rate, guint count);
void ecg_made_free (EcgMade *made);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EcgMade, ecg_made_free)

typedef enum { SCP_PLAIN, SCP_DEFAULT_TABLE, SCP_OWN_TABLES } ScpCoding;

typedef struct {
  ScpCoding coding;
  guint difference; /* 0, 1, 2 */
  gboolean reduced; /* bimodal, and a reference beat taken away */
  const char *patient_id, *family, *given;
} ScpMake;

/* Reduced: what is outside of the QRS complexes comes back only when it is a flat line there. */
GByteArray *ecg_make_scp (const EcgMade *made, const ScpMake *make);
GByteArray *ecg_make_aecg (const EcgMade *made, const char *patient_id);
/* One data record a second; count must be whole seconds. gap_s: at that record a discontinuous file
 * stands still for so many seconds; 0: continuous. patient: the field of EDF+. */
GByteArray *ecg_make_edf (const EcgMade *made, gboolean bdf, double gap_s, const char *patient);
/* Of one format; ret_header gets the text of NAME.hea, with first values and checksums. */
GByteArray *ecg_make_wfdb (const EcgMade *made, const char *name, guint format,
                           GString *ret_header);
GByteArray *ecg_make_dicom (const EcgMade *made, gboolean implicit, const char *patient_id);
