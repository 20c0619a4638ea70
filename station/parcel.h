/* Delivers a package (package.h) to one destination, whole, in a thread of the caller's that may
 * wait. Each piece is read back before it counts, and is told to the caller, so that a later try
 * goes on behind it; the index comes last.
 *
 *   FHIR    each piece is a Binary (head and body: a file that players take); the index is a Bundle
 *           of type "collection" with a Media or DocumentReference for each
 *   folder  files in {to}/{id of the record's Bundle}/, {kind}.json beside them is the index
 */
#pragma once
#include "station/deliver.h"
#include "station/package.h"

/* A piece that is there: of the bytes as they were sent. */
typedef struct {
  guint64 size;
  char sha256[65];
} ParcelPiece;

typedef struct {
  const ConfigDeliver *to;
  Store *store;
  const char *consult;
  const char *id;   /* of the record's Bundle */
  const char *kind; /* "files", "recording" */
  GPtrArray *plan;  /* of PackagePiece */
  /* parcel_key() → ParcelPiece*: what an earlier try has brought there; goes on growing. */
  GHashTable *there;
  gint *stop; /* atomic: 1 ends it, DELIVER_ERROR_STOPPED */
  /* One more is there; FALSE with error ends it. */
  gboolean (*arrived) (const PackagePiece *piece, const ParcelPiece *sent, void *arg,
                       GError **error);
  /* As Delivery.advance; index: what was sent last. */
  gboolean (*advance) (OutboxState state, GBytes *index, void *arg, GError **error);
  void *arg;
} Parcel;

/* "FILE NTH" (transfer full). */
char *parcel_key (const char *file, guint nth);
gboolean parcel_deliver (Parcel *parcel, GError **error);

/* ---- Between parcel.c, parcel_fhir.c and parcel_folder.c ---- */

gboolean parcel_stopped (const Parcel *parcel, GError **error);
/* Head and body as one (transfer full). head may be NULL. */
GBytes *parcel_join (GBytes *head, GBytes *body);
void parcel_hash (GBytes *bytes, ParcelPiece *ret_piece);
const ParcelPiece *parcel_there (const Parcel *parcel, const PackagePiece *piece);
/* It is there: kept, and told. */
gboolean parcel_arrived (Parcel *parcel, const PackagePiece *piece, const ParcelPiece *sent,
                         GError **error);
/* package_read(), in the words of deliver.h. */
GBytes *parcel_read (const Parcel *parcel, const PackagePiece *piece, GBytes **ret_head,
                     GError **error);
gboolean parcel_fhir (Parcel *parcel, GError **error);
gboolean parcel_folder (Parcel *parcel, GError **error);
