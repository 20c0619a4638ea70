#include "station/dicom.h"
#include "station/dicom_about.h"
#include "station/dicom_channel.h"
#include "station/dicom_private.h"
#include "station/attach.h"
#include "station/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* ---- Whose it is -------------------------------------------------------------------------- */

static gboolean
device_is_of_room (const Config *config, const char *calling)
{
  for (guint i = 0; i < config->devices->len; i++)
    if (g_strcmp0 (((ConfigDevice *)config->devices->pdata[i])->id, calling) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
names_this_patient (const Consult *consult, const json_t *about)
{
  const char *id = dicom_about_patient (about, "id");
  const char *name = consult_patient_name (consult);
  if (*id != '\0' && consult_match_patient (consult, id) == PATIENT_OTHER)
    return FALSE;
  return name == NULL || dicom_names_agree (name, dicom_about_patient (about, "name"));
}

/* The doctor has said whose this study is: what comes of it later is the same patient's. */
static gboolean
study_was_claimed (const Consult *consult, const char *study)
{
  gsize i;
  json_t *attachment;
  json_array_foreach (consult->attachments, i, attachment)
  {
    const json_t *about = json_object_get (attachment, "about");
    if (*study != '\0' && g_str_equal (dicom_about_text (about, "study"), study)
        && json_object_get (about, "claimed_by") != NULL)
      return TRUE;
  }
  return FALSE;
}

/* NULL: nobody's; it is held. */
static Consult *
owner_of (Dicom *dicom, const char *calling, const json_t *about)
{
  Station *station = dicom->station;
  Consult *screen = station->screen;
  if (screen == NULL || !consult_is_open (screen) || screen->busy)
    return NULL;
  if (study_was_claimed (screen, dicom_about_text (about, "study")))
    return screen;
  if (!device_is_of_room (station->config, calling))
    return NULL;
  if (names_this_patient (screen, about))
    return screen;
  station_event (station, screen->id, "station", "dicom-held-back", calling);
  return NULL;
}

/* ---- Keeping an object -------------------------------------------------------------------- */

static void
job_end (DicomJob *job, guint status)
{
  if (job->reception != NULL)
    dicom_reception_answer (job->reception, status);
  g_bytes_unref (job->object);
  g_free (job->calling);
  g_free (job->instance);
  g_free (job->name);
  g_free (job->home);
  json_decref (job->about);
  g_free (job);
}

static void
object_kept (Station *station, const Attachment *attachment, const GError *error, void *arg)
{
  DicomJob *job = arg;
  if (attachment == NULL) {
    g_warning ("dicom: an object was not kept: %s", error->message);
    job_end (job, DICOM_OUT_OF_RESOURCES);
    return;
  }
  if (job->home != NULL && attachment->is_new)
    dicom_held_add (job->dicom, job->home, attachment->id, job->about, job->name,
                    g_get_real_time ());
  if (job->home == NULL && attachment->is_new)
    dicom_channel_tell (station, attachment->id);
  station_changed (station);
  job_end (job, DICOM_SUCCESS);
}

static void
keep (DicomJob *job)
{
  Dicom *dicom = job->dicom;
  Consult *owner = owner_of (dicom, job->calling, job->about);
  const AttachmentInfo info = {
    .kind = DICOM_KIND, .name = job->name, .mime_type = "application/dicom", .about = job->about
  };
  g_autoptr (GError) error = NULL;
  job->home = owner == NULL ? dicom_held_home (dicom, job->about, &error) : NULL;
  if (owner == NULL && job->home == NULL)
    object_kept (dicom->station, NULL, error, job);
  else
    station_attach (dicom->station, owner != NULL ? owner->id : job->home, "station", &info,
                    job->object, object_kept, job);
}

static void
described (json_t *about, const char *why, void *arg)
{
  DicomJob *job = arg;
  const char *instance = about != NULL ? dicom_about_text (about, "sop_instance") : "";
  if (about == NULL) {
    g_message ("dicom: an object could not be read (%s) and was refused", why);
    job_end (job, DICOM_NOT_UNDERSTOOD);
    return;
  }
  if (!g_str_equal (instance, job->instance)) {
    g_message ("dicom: an object is not the one that its sender named, and was refused");
    job_end (job, DICOM_DOES_NOT_MATCH);
    return;
  }
  job->about = json_deep_copy (about);
  job->name = g_strdup_printf ("%s-%s.dcm", dicom_about_text (about, "modality"), instance);
  json_object_set_new (job->about, "sender", json_string (job->calling));
  keep (job);
}

void
dicom_take (DicomReception *reception, const char *calling, const char *instance, GBytes *object)
{
  Dicom *dicom = dicom_reception_owner (reception);
  Station *station = dicom->station;
  if (station->stopping || station->disk == DISK_FULL) {
    dicom_reception_answer (reception, DICOM_OUT_OF_RESOURCES);
    return;
  }
  DicomJob *job = g_new0 (DicomJob, 1);
  job->dicom = dicom;
  job->reception = reception;
  job->calling = g_strdup (calling);
  job->instance = g_strdup (instance);
  job->object = g_bytes_ref (object);
  dicom_reception_work (reception, job);
  dicom_describe (dicom->read, object, described, job);
}

/* ---- Messages of the console -------------------------------------------------------------- */

typedef struct {
  Request *request;
  Dicom *dicom;
  guint pending;
  GError *error;
} Claim;

typedef struct {
  Claim *claim;
  char *home, *attachment;
} Claiming;

static void
claim_step (Claim *claim)
{
  if (--claim->pending > 0)
    return;
  if (claim->error != NULL)
    request_failed (claim->request, claim->error);
  else
    request_ok (claim->request, NULL);
  request_unref (claim->request);
  g_clear_error (&claim->error);
  g_free (claim);
}

static void
drop_held (Dicom *dicom, const char *home, const char *attachment)
{
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < dicom->held->len; i++)
    if (g_str_equal (((Held *)dicom->held->pdata[i])->attachment, attachment)) {
      g_ptr_array_remove_index (dicom->held, i);
      break;
    }
  if (!attachment_remove (dicom->station->store, home, attachment, &error))
    g_warning ("dicom: a claimed object is still held, too: %s", error->message);
}

static void
claimed (Station *station, const Attachment *attachment, const GError *error, void *arg)
{
  Claiming *claiming = arg;
  Claim *claim = claiming->claim;
  if (attachment != NULL) {
    drop_held (claim->dicom, claiming->home, claiming->attachment);
    dicom_channel_tell (station, attachment->id);
  } else if (claim->error == NULL)
    claim->error = g_error_copy (error);
  station_changed (station);
  g_free (claiming->home);
  g_free (claiming->attachment);
  g_free (claiming);
  claim_step (claim);
}

static void
claim_one (Claim *claim, const Held *held)
{
  Request *request = claim->request;
  Station *station = request->station;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) object
      = attachment_read (station->store, held->home, held->attachment, 0, ATTACHMENT_MAX, &error);
  if (object == NULL) {
    if (claim->error == NULL)
      claim->error = g_steal_pointer (&error);
    return;
  }
  Claiming *claiming = g_new0 (Claiming, 1);
  claiming->claim = claim;
  claiming->home = g_strdup (held->home);
  claiming->attachment = g_strdup (held->attachment);
  claim->pending++;
  json_auto_t *about = json_deep_copy (held->about);
  json_object_set_new (about, "claimed_by", json_string (request->user));
  const AttachmentInfo info = {
    .kind = DICOM_KIND, .name = held->name, .mime_type = "application/dicom", .about = about
  };
  station_attach (station, station->screen->id, request->user, &info, object, claimed, claiming);
}

static gboolean
is_of_study (const Held *held, const char *study, const char *sender)
{
  return g_str_equal (dicom_about_text (held->about, "study"), study)
         && g_str_equal (held->sender, sender);
}

void
dicom_claim (Request *request)
{
  Station *station = request->station;
  Dicom *dicom = station->dicom;
  const char *study, *sender;
  guint found = 0;
  if (!request_text (request, "study", REQUIRED, 200, &study)
      || !request_text (request, "sender", REQUIRED, 16, &sender))
    return;
  for (guint i = 0; dicom != NULL && i < dicom->held->len; i++)
    found += is_of_study (dicom->held->pdata[i], study, sender);
  if (found == 0) {
    request_refuse (request, "no-such");
    return;
  }
  Claim *claim = g_new0 (Claim, 1);
  *claim = (Claim){ .request = request_ref (request), .dicom = dicom, .pending = 1 };
  for (guint i = 0; i < dicom->held->len; i++)
    if (is_of_study (dicom->held->pdata[i], study, sender))
      claim_one (claim, dicom->held->pdata[i]);
  station_event (station, station->screen->id, request->user, "dicom-claimed", sender);
  claim_step (claim);
}

void
dicom_list (Request *request)
{
  request_ok (request, json_pack ("{s:O}", "items", request->station->screen->attachments));
}

DicomRead *
dicom_reader (Dicom *dicom)
{
  return dicom->read;
}

/* ---- Life --------------------------------------------------------------------------------- */

Dicom *
dicom_new (Station *station, GError **error)
{
  Dicom *dicom = g_new0 (Dicom, 1);
  dicom->station = station;
  dicom->read = dicom_read_new (station->store);
  dicom->held = g_ptr_array_new_with_free_func (dicom_held_free);
  dicom->receptions = g_ptr_array_new ();
  if (dicom_held_load (dicom, error))
    return dicom;
  dicom_free (dicom);
  return NULL;
}

void
dicom_free (Dicom *dicom)
{
  if (dicom == NULL)
    return;
  dicom_stop (dicom);
  dicom_read_free (dicom->read);
  g_ptr_array_unref (dicom->receptions);
  g_ptr_array_unref (dicom->held);
  g_free (dicom);
}
