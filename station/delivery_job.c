#include "station/delivery_job.h"
#include "records/attachment.h"
#include "records/erasure.h"
#include "station/deliver.h"
#include "station/fhir.h"
#include "station/log_heads.h"
#include "station/parcel.h"

#include <string.h>

#define KIND_PIECE "delivery-part"
#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const ConfigDeliver *
deliveries_destination (const Config *config, const char *name)
{
  for (guint i = 0; i < config->delivers->len; i++) {
    const ConfigDeliver *deliver = config->delivers->pdata[i];
    if (g_str_equal (deliver->name, name))
      return deliver;
  }
  return NULL;
}

/* The same in the words of deliver.h. */
static gboolean
record_error (const GError *cause, GError **error)
{
  gboolean locked = g_error_matches (cause, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_set_error (error, DELIVER_ERROR, locked ? DELIVER_ERROR_LOCKED : DELIVER_ERROR_RECORD, "%s",
               cause->message);
  return FALSE;
}

static gboolean
is_signed (const DeliveryJob *job, GError **error)
{
  g_autoptr (GError) local = NULL;
  StoreRow *row = store_latest (job->store, job->item->consult, "signature", &local);
  if (row != NULL) {
    store_row_free (row);
    return TRUE;
  }
  if (!g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
    return record_error (local, error);
  g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_UNSIGNED, "not signed yet");
  return FALSE;
}

/* ---- How far it came ---------------------------------------------------------------------- */

static gboolean
advance (OutboxState state, void *arg, GError **error)
{
  DeliveryJob *job = arg;
  g_autoptr (GError) local = NULL;
  json_auto_t *body = NULL;

  if (state == OUTBOX_CONFIRMED)
    body = json_pack ("{s:s, s:s, s:s, s:s, s:s}", "delivery", job->item->uuid, "target",
                      job->item->target, "item", job->item->item, "state",
                      outbox_state_name (state), "sha256", job->sha256);
  if (outbox_advance (job->store, job->item, state, job->sha256, body, &local))
    return TRUE;
  return record_error (local, error);
}

static void
set_hash (DeliveryJob *job, GBytes *bytes)
{
  g_autofree char *hex = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
  g_strlcpy (job->sha256, hex, sizeof job->sha256);
}

/* What was to be sent was destroyed before it was, on purpose. */
static gboolean
is_destroyed (const DeliveryJob *job)
{
  const char *consult = job->item->consult;
  return erasure_done (job->store, consult, PURPOSE_CLINICAL)
         || (g_str_equal (job->item->item, "recording")
             && erasure_done (job->store, consult, PURPOSE_RECORDING));
}

static gboolean
withdraw (DeliveryJob *job, GError **error)
{
  g_strlcpy (job->sha256, NOTHING, sizeof job->sha256);
  return advance (OUTBOX_WITHDRAWN, job, error);
}

/* ---- The record, or one object ------------------------------------------------------------ */

/* ret_id: of the Bundle; NULL for an object (both transfer full). */
static GBytes *
content (const DeliveryJob *job, char **ret_id, GError **error)
{
  const char *consult = job->item->consult;
  g_autoptr (GError) local = NULL;
  GBytes *bytes = NULL;
  guint64 size;

  if (!g_str_equal (job->item->item, "record")) {
    if (attachment_size (job->store, consult, job->item->item, &size, &local))
      bytes = attachment_read (job->store, consult, job->item->item, 0, (gsize)size, &local);
  } else {
    json_auto_t *bundle = fhir_bundle (job->store, job->config->station_name, consult, &local);
    if (bundle != NULL) {
      *ret_id = g_strdup (json_string_value (json_object_get (bundle, "id")));
      bytes = fhir_bundle_bytes (bundle);
    }
  }
  if (bytes == NULL)
    record_error (local, error);
  return bytes;
}

static gboolean
send_whole (DeliveryJob *job, const ConfigDeliver *to, GError **error)
{
  g_autofree char *id = NULL;
  g_autoptr (GBytes) bytes = content (job, &id, error);
  if (bytes == NULL)
    return FALSE;
  set_hash (job, bytes);
  const Delivery delivery = { .to = to,
                              .own_title = job->config->dicom_title,
                              .id = id,
                              .bytes = bytes,
                              .stop = job->stop,
                              .advance = advance,
                              .arg = job };
  return deliver (&delivery, error);
}

/* ---- Files and recording ------------------------------------------------------------------ */

static void
add_kib (gint *kib, guint64 bytes)
{
  g_atomic_int_add (kib, (gint)MIN (bytes / 1024, 1 << 22));
}

/* The log keeps each piece that arrived: a later try, after a kill too, goes on behind it. */
static gboolean
piece_arrived (const PackagePiece *piece, const ParcelPiece *sent, void *arg, GError **error)
{
  DeliveryJob *job = arg;
  const ConfigDeliver *to = deliveries_destination (job->config, job->item->target);
  g_autoptr (GError) local = NULL;
  json_auto_t *body = json_pack ("{s:s, s:s, s:s, s:i, s:I, s:s}", "delivery", job->item->uuid,
                                 "to", to->to, "file", piece->file, "nth", (int)piece->nth, "size",
                                 (json_int_t)sent->size, "sha256", sent->sha256);
  if (!store_put_sync (job->store, job->item->consult, KIND_PIECE, NULL, body, NULL, &local))
    return record_error (local, error);
  add_kib (&job->done_kib, piece->size);
  return TRUE;
}

static gboolean
package_advance (OutboxState state, GBytes *index, void *arg, GError **error)
{
  set_hash (arg, index);
  return advance (state, arg, error);
}

static void
take_piece (const json_t *body, GHashTable *there)
{
  const char *file, *sha256;
  json_int_t nth, size;
  if (json_unpack ((json_t *)body, "{s:s, s:I, s:I, s:s}", "file", &file, "nth", &nth, "size",
                   &size, "sha256", &sha256)
          != 0
      || strlen (sha256) != 64 || nth < 0 || nth > G_MAXINT || size < 0)
    return;
  ParcelPiece *piece = g_new0 (ParcelPiece, 1);
  piece->size = (guint64)size;
  g_strlcpy (piece->sha256, sha256, sizeof piece->sha256);
  g_hash_table_replace (there, parcel_key (file, (guint)nth), piece);
}

/* What earlier tries have brought to this very address. */
static GHashTable *
read_pieces (const DeliveryJob *job, const ConfigDeliver *to, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GPtrArray) rows = store_read (job->store, job->item->consult, KIND_PIECE, 0, &local);
  if (rows == NULL) {
    record_error (local, error);
    return NULL;
  }
  GHashTable *there = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < rows->len; i++) {
    const json_t *body = ((StoreRow *)rows->pdata[i])->body;
    const char *uuid = json_string_value (json_object_get (body, "delivery"));
    const char *address = json_string_value (json_object_get (body, "to"));
    if (g_strcmp0 (uuid, job->item->uuid) == 0 && g_strcmp0 (address, to->to) == 0)
      take_piece (body, there);
  }
  return there;
}

static void
count (DeliveryJob *job, const GPtrArray *plan, GHashTable *there)
{
  for (guint i = 0; i < plan->len; i++) {
    const PackagePiece *piece = plan->pdata[i];
    g_autofree char *key = parcel_key (piece->file, piece->nth);
    add_kib (&job->total_kib, piece->size);
    if (g_hash_table_contains (there, key))
      add_kib (&job->done_kib, piece->size);
  }
}

static gboolean
send_package (DeliveryJob *job, const ConfigDeliver *to, PackageKind kind, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GPtrArray) plan = package_plan (job->store, job->item->consult, kind, &local);
  if (plan == NULL)
    return record_error (local, error);
  g_autoptr (GHashTable) there = read_pieces (job, to, error);
  if (there == NULL)
    return FALSE;
  g_autofree char *id = fhir_bundle_id (job->item->consult);
  count (job, plan, there);
  Parcel parcel = { .to = to,
                    .store = job->store,
                    .consult = job->item->consult,
                    .id = id,
                    .kind = job->item->item,
                    .plan = plan,
                    .there = there,
                    .stop = job->stop,
                    .arrived = piece_arrived,
                    .advance = package_advance,
                    .arg = job };
  return parcel_deliver (&parcel, error);
}

/* ---- Both --------------------------------------------------------------------------------- */

static gboolean
work (DeliveryJob *job, GError **error)
{
  const ConfigDeliver *to = deliveries_destination (job->config, job->item->target);
  PackageKind kind;

  if (is_destroyed (job))
    return withdraw (job, error);
  if (to == NULL) {
    g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_NOWHERE, "station.conf has no [deliver %s]",
                 job->item->target);
    return FALSE;
  }
  if (!is_signed (job, error))
    return FALSE;
  if (package_kind_parse (job->item->item, &kind))
    return send_package (job, to, kind, error);
  return send_whole (job, to, error);
}

void
delivery_job_run (DeliveryJob *job)
{
  g_autoptr (GError) error = NULL, later = NULL;
  job->delivered = work (job, &error);
  if (job->delivered) {
    g_message ("deliver: %s of %s is at %s", job->item->item, job->item->consult,
               job->item->target);
    log_heads_exchange (job->store, job->identity,
                        deliveries_destination (job->config, job->item->target), job->stop);
    return;
  }
  job->waits = g_error_matches (error, DELIVER_ERROR, DELIVER_ERROR_LOCKED)
               || g_error_matches (error, DELIVER_ERROR, DELIVER_ERROR_UNSIGNED)
               || g_error_matches (error, DELIVER_ERROR, DELIVER_ERROR_STOPPED);
  const char *word = error->domain == DELIVER_ERROR ? deliver_error_word (error->code) : "trouble";
  if (!job->waits)
    g_message ("deliver: %s to %s: %s", job->item->uuid, job->item->target, error->message);
  if (g_strcmp0 (word, job->item->problem) == 0 && job->waits)
    return; /* said already */
  if (!outbox_fail (job->store, job->item->uuid, word, &later))
    g_warning ("deliver: %s", later->message);
}
