/* The rows of a WCM message before they become streams (private to media/devices). */
#pragma once
#include "media/devices/hl7_context.h"
#include "media/devices/wave.h"

typedef struct {
  gint64 low, high; /* samples from low to high are none */
} WcmNone;

/* One OBX of type NA, and what its facets say. */
typedef struct {
  guint segment, order; /* order: which OBR it stands under */
  char *place;          /* OBX-4; NULL: none */
  guint32 mdc;
  char *name;       /* of the lead */
  const char *kind; /* of the stream */
  char *device, *patient_id;
  gboolean test, off; /* off: the device says that nothing is connected */
  gboolean invalid;   /* nothing of it counts */
  GStrv flags;
  gint64 start_us;  /* UTC of the first sample; G_MININT64: not said */
  gboolean coarse;  /* said in whole seconds */
  guint window_us;  /* OBR-8 minus OBR-7; 0: not said */
  gboolean is_wave; /* by its code or its order; else only a rate makes it one */
  gint32 *samples;  /* as written, times 10^decimals */
  guint count, decimals;
  char *unit; /* UCUM, of OBX-6 */

  guint rate_num, rate_den; /* 0: not known */
  double scale;             /* 0: not said */
  char *scale_unit;
  guint bits;
  GArray *none; /* WcmNone */
} WcmRow;

/* (transfer full) array of WcmRow* with a known rate, in order of the message; those are marked in
 * taken, with their facets. */
GPtrArray *wcm_rows (const Hl7Message *message, const Profile *profile, gint64 now_us,
                     const char *sender, gboolean *taken);
void wcm_row_free (WcmRow *row);
/* Does the device say that this sample, as written, is none? */
gboolean wcm_row_is_none (const WcmRow *row, gint64 sample);
/* So say it of all from low to high; beyond 32 such words they are ignored. */
void wcm_row_add_none (WcmRow *row, gint64 low, gint64 high);

/* An OBX that says something about rows of samples. */
typedef struct WcmFacet WcmFacet;
/* NULL: it is none. order: as of WcmRow. above: index of the row that stands above it under the
 * same OBR, -1: none. (transfer full) */
WcmFacet *wcm_facet_read (const Hl7Message *message, guint segment, guint order, int above);
void wcm_facet_free (void *facet);
/* Each facet into the rows that it belongs to; those facets are marked in taken. */
void wcm_facets_attach (const GPtrArray *facets, const GPtrArray *rows, const Hl7Message *message,
                        gboolean *taken);
