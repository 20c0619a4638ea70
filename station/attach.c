#include "station/attach.h"

typedef struct {
  Station *station;
  char *consult, *user, *kind, *name, *mime_type;
  json_t *about;
  AttachDone done;
  void *arg;
} Attach;

static void
attach_free (Attach *attach)
{
  g_free (attach->consult);
  g_free (attach->user);
  g_free (attach->kind);
  g_free (attach->name);
  g_free (attach->mime_type);
  json_decref (attach->about);
  g_free (attach);
}

/* The row as it was written. */
static void
apply (Attach *attach, const Attachment *attachment)
{
  Station *station = attach->station;
  Consult *consult = station_consult (station, attach->consult);
  json_auto_t *body = json_pack ("{s:s, s:s, s:s, s:s, s:I, s:s, s:O}", "id", attachment->id,
                                 "kind", attach->kind, "name", attach->name, "mime",
                                 attach->mime_type, "size", (json_int_t)attachment->size, "sha256",
                                 attachment->sha256, "about", attach->about);
  StoreRow row = { .consult = attach->consult,
                   .kind = (char *)"attachment",
                   .user = attach->user,
                   .seq = attachment->seq,
                   .utc_us = g_get_real_time (),
                   .body = body };
  if (consult == NULL || body == NULL)
    return;
  consult_apply (consult, &row, users_name (station->users, attach->user));
  station_changed (station);
}

static void
kept (const Attachment *attachment, const GError *error, void *arg)
{
  Attach *attach = arg;
  Station *station = attach->station;

  station->pending--;
  if (attachment != NULL && attachment->is_new)
    apply (attach, attachment);
  if (attach->done != NULL)
    attach->done (station, attachment, error, attach->arg);
  attach_free (attach);
}

void
station_attach (Station *station, const char *consult, const char *user, const AttachmentInfo *info,
                GBytes *content, AttachDone done, void *arg)
{
  Attach *attach = g_new0 (Attach, 1);

  attach->station = station;
  attach->consult = g_strdup (consult);
  attach->user = g_strdup (user);
  attach->kind = g_strdup (info->kind);
  attach->name = g_strdup (info->name != NULL ? info->name : "");
  attach->mime_type
      = g_strdup (info->mime_type != NULL ? info->mime_type : "application/octet-stream");
  attach->about = info->about != NULL ? json_incref (info->about) : json_object ();
  attach->done = done;
  attach->arg = arg;
  station->pending++;
  attachment_put (station->store, consult, user, info, content, kept, attach);
}
