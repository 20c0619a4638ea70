#include "station/keeping.h"
#include "station/console_private.h"
#include "station/erasing.h"
#include "station/record_view.h"
#include "station/request_work.h"

#include <string.h>

#define REASON_MAX 500
#define CERTIFICATES_MAX 200

/* What the rules refuse is said in the rules' own words, which name the day or the hold. */
static void
answer_error (Request *request, const GError *error)
{
  if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_FAILED)
      || g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND)) {
    g_autofree char *vi = g_strdup_printf ("Không làm được: %s", error->message);
    request_refuse_with (request, "refused", vi, error->message, NULL);
    return;
  }
  request_failed (request, error);
}

static void
start (Request *request, RequestWork work)
{
  request_work (request, work, answer_error);
}

/* ---- retention.list ----------------------------------------------------------------------- */

typedef enum { SHOW_ALL, SHOW_DUE, SHOW_HELD } Show;

static gboolean
is_shown (const json_t *line, Show show)
{
  if (show == SHOW_ALL)
    return TRUE;
  return json_is_true (json_object_get (line, show == SHOW_DUE ? "is_due" : "hold"));
}

static int
count_of (const json_t *lines, Show show)
{
  int count = 0;
  gsize i;
  json_t *line;
  json_array_foreach (lines, i, line)
  {
    count += is_shown (line, show);
  }
  return count;
}

/* The patient's name where the vault is open, and how the consultation stands. */
static void
add_names (const RequestJob *job, json_t *lines)
{
  gsize i;
  json_t *line;
  json_array_foreach (lines, i, line)
  {
    const char *consult = json_string_value (json_object_get (line, "consultation"));
    json_auto_t *view = record_view_line (job->station->store, consult, job->unlocked);
    static const char *const fields[] = { "patient", "state", "locked" };
    for (guint f = 0; f < G_N_ELEMENTS (fields); f++) {
      json_t *value = json_object_get (view, fields[f]);
      if (value != NULL)
        json_object_set (line, fields[f], value);
    }
  }
}

/* Newest first; lines stand oldest first. */
static json_t *
page_of (const json_t *lines, Show show, const char *before, guint limit, gboolean *ret_more)
{
  json_t *page = json_array ();
  gboolean begun = before == NULL;
  *ret_more = FALSE;
  for (gsize i = json_array_size (lines); i > 0; i--) {
    json_t *line = json_array_get (lines, i - 1);
    const char *consult = json_string_value (json_object_get (line, "consultation"));
    if (!begun)
      begun = g_str_equal (consult, before);
    else if (!is_shown (line, show))
      continue;
    else if (json_array_size (page) < limit)
      json_array_append (page, line);
    else
      *ret_more = TRUE;
  }
  return page;
}

static gboolean
work_list (RequestJob *job, GError **error)
{
  const char *show_word = request_job_text (job, "show");
  Show show = g_strcmp0 (show_word, "due") == 0    ? SHOW_DUE
              : g_strcmp0 (show_word, "held") == 0 ? SHOW_HELD
                                                   : SHOW_ALL;
  json_auto_t *list = erasing_list (job->station->store, NULL, error);
  gboolean more;
  if (list == NULL)
    return FALSE;
  const json_t *lines = json_object_get (list, "records");
  json_t *page = page_of (lines, show, request_job_text (job, "before"), 50, &more);
  add_names (job, page);
  const Config *config = job->station->config;
  job->result = json_pack (
      "{s:O, s:o, s:b, s:{s:i, s:i, s:i}, s:{s:b, s:i}}", "clock", json_object_get (list, "clock"),
      "records", page, "more", (int)more, "counts", "all", count_of (lines, SHOW_ALL), "due",
      count_of (lines, SHOW_DUE), "held", count_of (lines, SHOW_HELD), "policy", "make_room",
      (int)config->make_room, "age", (int)config->make_room_age);
  return TRUE;
}

void
keeping_list (Request *request)
{
  static const char *const words[] = { "all", "due", "held", NULL };
  const char *show, *before;
  if (request_word (request, "show", OPTIONAL, words, &show)
      && request_id (request, "before", OPTIONAL, &before))
    start (request, work_list);
}

/* ---- retention.set, retention.hold -------------------------------------------------------- */

static gboolean
work_set (RequestJob *job, GError **error)
{
  RetentionClass class = RETENTION_ORDINARY;
  retention_class_parse (request_job_text (job, "class"), &class);
  return retention_set_class (job->station->store, request_job_text (job, "consultation"), class,
                              job->user, request_job_text (job, "reason"), error);
}

void
keeping_set (Request *request)
{
  static const char *const words[] = { "ordinary", "accident", "psychiatric", "death", NULL };
  const char *id, *class, *reason;
  if (request_id (request, "consultation", REQUIRED, &id)
      && request_word (request, "class", REQUIRED, words, &class)
      && request_text (request, "reason", OPTIONAL, REASON_MAX, &reason))
    start (request, work_set);
}

static gboolean
work_hold (RequestJob *job, GError **error)
{
  return retention_set_hold (job->station->store, request_job_text (job, "consultation"),
                             json_is_true (json_object_get (job->message, "hold")), job->user,
                             request_job_text (job, "reason"), error);
}

void
keeping_hold (Request *request)
{
  const char *id, *reason;
  gboolean hold;
  if (request_id (request, "consultation", REQUIRED, &id) && request_flag (request, "hold", &hold)
      && request_text (request, "reason", hold ? REQUIRED : OPTIONAL, REASON_MAX, &reason))
    start (request, work_hold);
}

/* ---- retention.erase ---------------------------------------------------------------------- */

static gboolean
work_erase (RequestJob *job, GError **error)
{
  const char *purpose = request_job_text (job, "purpose");
  const guint recording = 1u << PURPOSE_RECORDING, teaching = 1u << PURPOSE_TEACHING;
  Erasure erasure = { .consult = request_job_text (job, "consultation"),
                      .purposes = recording,
                      .reason = request_job_text (job, "reason"),
                      .user = job->user };
  g_autofree char *certificate = NULL;
  if (g_str_equal (purpose, "teaching"))
    erasure.purposes = teaching;
  else if (g_str_equal (purpose, "all"))
    erasure.purposes = recording | teaching | 1u << PURPOSE_CLINICAL;
  if (!erasure_why_parse (request_job_text (job, "why"), &erasure.why)
      || !erasing_run (job->station->store, job->station->identity, &erasure, &certificate, error))
    return FALSE;
  job->result = json_pack ("{s:s}", "certificate", certificate);
  return TRUE;
}

static void
erase_confirmed (Request *request)
{
  start (request, work_erase);
}

void
keeping_erase (Request *request)
{
  static const char *const purposes[] = { "recording", "teaching", "all", NULL };
  static const char *const whys[] = { "retention-over", "consent-withdrawn", "disk-full", NULL };
  const char *id, *purpose, *why, *reason, *pin, *passphrase;
  Station *station = request->station;
  if (!request_id (request, "consultation", REQUIRED, &id)
      || !request_word (request, "purpose", REQUIRED, purposes, &purpose)
      || !request_word (request, "why", REQUIRED, whys, &why)
      || !request_text (request, "reason", REQUIRED, REASON_MAX, &reason)
      || !request_text (request, "pin", OPTIONAL, 32, &pin)
      || !request_text (request, "passphrase", OPTIONAL, 1024, &passphrase))
    return;
  if (station->identity == NULL)
    request_refuse (request, "not-ready");
  else
    console_prove (request, pin, passphrase, "or the passphrase is wanted to destroy a record",
                   erase_confirmed);
}

/* ---- erasure.list, erasure.certificate ---------------------------------------------------- */

static gboolean
work_certificates (RequestJob *job, GError **error)
{
  json_auto_t *all = erasing_certificates (job->station->store, error);
  if (all == NULL)
    return FALSE;
  json_t *list = json_array ();
  for (gsize i = json_array_size (all); i > 0 && json_array_size (list) < CERTIFICATES_MAX; i--)
    json_array_append (list, json_array_get (all, i - 1));
  job->result = json_pack ("{s:o, s:i}", "certificates", list, "count", (int)json_array_size (all));
  return TRUE;
}

void
keeping_certificates (Request *request)
{
  start (request, work_certificates);
}

static gboolean
work_certificate (RequestJob *job, GError **error)
{
  json_t *certificate
      = erasing_certificate (job->station->store, request_job_text (job, "file"), error);
  if (certificate == NULL)
    return FALSE;
  job->result = json_pack ("{s:o}", "certificate", certificate);
  return TRUE;
}

void
keeping_certificate (Request *request)
{
  const char *file;
  if (request_text (request, "file", REQUIRED, 64, &file))
    start (request, work_certificate);
}
