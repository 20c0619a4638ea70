#include "station/erasing.h"
#include "records/outbox.h"
#include "station/clock.h"

RetentionClock
erasing_clock (void)
{
  return (RetentionClock){ g_get_real_time (), clock_is_synchronized () };
}

json_t *
erasing_backups (void)
{
  return json_pack ("[{s:s, s:s}]", "where", "backup", "what",
                    "every backup made before: the next backup to the same folder removes the key");
}

/* What a station cannot reach: it does not know which disks lie in which drawer. */
static json_t *
copies_of (Store *store, const Erasure *erasure)
{
  json_t *copies = erasing_backups ();
  if (outbox_is_confirmed (store, erasure->consult, "record"))
    json_array_append_new (copies,
                           json_pack ("{s:s, s:s}", "where", "hospital", "what",
                                      "the record, as it was delivered, is kept there under "
                                      "its rules"));
  if (outbox_is_confirmed (store, erasure->consult, "recording"))
    json_array_append_new (copies,
                           json_pack ("{s:s, s:s}", "where", "hospital-recording", "what",
                                      "the recording, as it was delivered, is kept there under its "
                                      "rules"));
  return copies;
}

gboolean
erasing_run (Store *store, Identity *signer, const Erasure *erasure, char **ret_certificate,
             GError **error)
{
  const RetentionClock clock = erasing_clock ();
  if (!retention_allows (store, erasure, &clock, error))
    return FALSE;
  json_auto_t *copies = copies_of (store, erasure);
  Erasure whole = *erasure;
  whole.copies = copies;
  return erasure_run (store, signer, &whole, ret_certificate, error);
}

/* ---- Lists -------------------------------------------------------------------------------- */

static json_t *
line_to_json (const RetentionLine *line)
{
  return json_pack ("{s:s, s:s?, s:s?, s:s, s:i, s:b, s:s?, s:b, s:b, s:b}", "consultation",
                    line->consult, "day", line->day, "due", line->due, "class",
                    retention_class_name (line->class), "years", (int)retention_years (line->class),
                    "hold", (int)line->hold, "reason", line->reason, "recording",
                    (line->purposes & 1u << PURPOSE_RECORDING) != 0, "clinical",
                    (line->purposes & 1u << PURPOSE_CLINICAL) != 0, "is_due", (int)line->is_due);
}

json_t *
erasing_list (Store *store, const char *consult, GError **error)
{
  const RetentionClock clock = erasing_clock ();
  json_auto_t *records = json_array ();
  if (consult != NULL) {
    RetentionLine *line = retention_of (store, consult, &clock, error);
    if (line == NULL)
      return NULL;
    json_array_append_new (records, line_to_json (line));
    retention_line_free (line);
  } else {
    g_autoptr (GPtrArray) list = retention_list (store, &clock, error);
    if (list == NULL)
      return NULL;
    for (guint i = 0; i < list->len; i++)
      json_array_append_new (records, line_to_json (list->pdata[i]));
  }
  return json_pack ("{s:s, s:O}", "clock", clock.trusted ? "trusted" : "not-trusted", "records",
                    records);
}

static json_t *
purposes_to_json (guint purposes)
{
  json_t *names = json_array ();
  for (Purpose purpose = PURPOSE_CLINICAL; purpose < PURPOSE_STATION; purpose++)
    if (purposes & 1u << purpose)
      json_array_append_new (names, json_string (purpose_name (purpose)));
  return names;
}

json_t *
erasing_certificates (Store *store, GError **error)
{
  g_autoptr (GPtrArray) list = erasure_list (store, error);
  if (list == NULL)
    return NULL;
  json_t *all = json_array ();
  for (guint i = 0; i < list->len; i++) {
    const ErasureCertificate *one = list->pdata[i];
    json_array_append_new (all, json_pack ("{s:s, s:s, s:s, s:o, s:O, s:b, s:s}", "consultation",
                                           one->consult, "at", one->at, "why", one->why, "purposes",
                                           purposes_to_json (one->purposes), "copies", one->copies,
                                           "signed", (int)one->is_signed, "file", one->file));
  }
  return all;
}

json_t *
erasing_certificate (Store *store, const char *file, GError **error)
{
  g_autoptr (GBytes) statement = NULL, signature = NULL;
  gboolean is_signed;
  gsize size, der_size;
  if (!erasure_read (store, file, &statement, &signature, &is_signed, error))
    return NULL;
  const char *text = g_bytes_get_data (statement, &size);
  const guint8 *der = g_bytes_get_data (signature, &der_size);
  g_autofree char *base64 = g_base64_encode (der, der_size);
  return json_pack ("{s:s, s:s%, s:s, s:b}", "file", file, "statement", text, size, "signature",
                    base64, "signed", (int)is_signed);
}
