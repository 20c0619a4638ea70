#include "station/recovering.h"
#include "records/drill.h"
#include "certs/session_cert.h"
#include "station/clock.h"
#include "station/papers/recovery_sheet.h"
#include "station/request_work.h"
#include "station/text.h"

#include <openssl/x509.h>
#include <time.h>

/* ---- What there is ------------------------------------------------------------------------ */

static char *
common_name (X509 *certificate)
{
  X509_NAME *name = X509_get_subject_name (certificate);
  int at = X509_NAME_get_index_by_NID (name, NID_commonName, -1);
  if (at < 0)
    at = X509_NAME_entry_count (name) - 1;
  unsigned char *utf8 = NULL;
  int length
      = at >= 0
            ? ASN1_STRING_to_UTF8 (&utf8, X509_NAME_ENTRY_get_data (X509_NAME_get_entry (name, at)))
            : -1;
  char *text = length > 0 ? g_utf8_make_valid ((const char *)utf8, length) : g_strdup ("?");
  OPENSSL_free (utf8);
  return text;
}

static char *
last_day (X509 *certificate)
{
  struct tm parts = { 0 };
  char text[16] = "?";
  if (ASN1_TIME_to_tm (X509_get0_notAfter (certificate), &parts) == 1)
    strftime (text, sizeof text, "%Y-%m-%d", &parts);
  return g_strdup (text);
}

static json_t *
recipient_json (Vault *vault, guint i, gint64 last_us, gint64 set_up_us)
{
  X509 *certificate = vault_recipient (vault, i);
  g_autofree char *name = common_name (certificate), *until = last_day (certificate);
  g_autofree char *print = fingerprint_sha256 (certificate);
  g_autofree char *drilled = last_us > 0 ? clock_text (last_us) : NULL;
  return json_pack ("{s:i, s:s, s:s, s:s, s:b, s:s?, s:b}", "number",
                    (int)vault_recipient_place (vault, i) + 1, "subject", name, "sha256", print,
                    "until", until, "confirmed", (int)vault_recipient_confirmed (vault, i),
                    "drilled", drilled, "due",
                    (int)drill_is_due (last_us, set_up_us, g_get_real_time ()));
}

json_t *
recovering_recipients (Store *store, GError **error)
{
  gint64 set_up_us;
  Vault *vault = store_vault (store);
  g_autoptr (GArray) times = drill_times (store, &set_up_us, error);
  if (times == NULL)
    return NULL;
  json_t *list = json_array ();
  for (guint i = 0; i < times->len; i++)
    json_array_append_new (list,
                           recipient_json (vault, i, g_array_index (times, gint64, i), set_up_us));
  return list;
}

/* ---- The sheet ---------------------------------------------------------------------------- */

static const char *
field (const json_t *object, const char *key)
{
  return json_string_value (json_object_get (object, key));
}

GBytes *
recovering_sheet_pdf (Store *store, const char *station_name, GError **error)
{
  json_auto_t *list = recovering_recipients (store, error);
  if (list == NULL)
    return NULL;
  guint count = (guint)json_array_size (list);
  g_autofree RecoveryHolder *holders = g_new0 (RecoveryHolder, count);
  g_autoptr (GPtrArray) days = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < count; i++) {
    const json_t *one = json_array_get (list, i);
    const char *drilled = field (one, "drilled");
    if (drilled != NULL)
      g_ptr_array_add (days, g_strndup (drilled, 10));
    holders[i]
        = (RecoveryHolder){ .number = (int)json_integer_value (json_object_get (one, "number")),
                            .name = field (one, "subject"),
                            .sha256 = field (one, "sha256"),
                            .until = field (one, "until"),
                            .drilled = drilled != NULL ? days->pdata[days->len - 1] : NULL,
                            .confirmed = json_is_true (json_object_get (one, "confirmed")) };
  }
  GBytes *id = vault_id (store_vault (store));
  const guint8 *bytes = g_bytes_get_data (id, NULL);
  GString *vault = g_string_new (NULL);
  for (gsize i = 0; i < g_bytes_get_size (id); i++)
    g_string_append_printf (vault, "%02x", bytes[i]);
  g_autofree char *now = clock_text (g_get_real_time ());
  now[10] = '\0';
  const RecoverySheet sheet = {
    .station = station_name, .vault = vault->str, .made = now, .holders = holders, .count = count
  };
  GBytes *pdf = recovery_sheet_make (&sheet, error);
  g_string_free (vault, TRUE);
  return pdf;
}

/* ---- Messages, in a thread ---------------------------------------------------------------- */

static void
answer_error (Request *request, const GError *error)
{
  if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL))
    request_refuse_with (request, "refused",
                         "Mã này không phải của lần diễn tập nào đang mở: mỗi mã có 16 chữ và số, "
                         "lấy từ tệp mới nhất, và chỉ dùng một lần.",
                         error->message, NULL);
  else
    request_failed (request, error);
}

static void
start (Request *request, RequestWork work)
{
  request_work (request, work, answer_error);
}

static gboolean
work_list (RequestJob *job, GError **error)
{
  json_t *list = recovering_recipients (job->station->store, error);
  if (list != NULL)
    job->result = json_pack ("{s:o, s:i}", "recipients", list, "days", DRILL_DAYS);
  return list != NULL;
}

void
recovering_list (Request *request)
{
  start (request, work_list);
}

static json_t *
bytes_json (const char *name, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autofree char *base64 = g_base64_encode (data, size);
  return json_pack ("{s:s}", name, base64);
}

static gboolean
work_challenge (RequestJob *job, GError **error)
{
  gint64 number = json_integer_value (json_object_get (job->message, "number"));
  Store *store = job->station->store;
  guint i = 0;
  while (i < vault_recipients (store_vault (store))
         && vault_recipient_place (store_vault (store), i) + 1 != number)
    i++;
  g_autoptr (GBytes) challenge = drill_challenge (store, i, job->user, error);
  if (challenge == NULL)
    return FALSE;
  job->result = bytes_json ("challenge", challenge);
  return TRUE;
}

void
recovering_challenge (Request *request)
{
  gint64 number;
  if (request_number (request, "number", 1, 1000000, &number))
    start (request, work_challenge);
}

static gboolean
work_confirm (RequestJob *job, GError **error)
{
  guint i;
  Store *store = job->station->store;
  const char *code = request_job_text (job, "code");
  if (!drill_confirm (store, code, job->user, &i, error))
    return FALSE;
  job->result
      = json_pack ("{s:i}", "number", (int)vault_recipient_place (store_vault (store), i) + 1);
  return TRUE;
}

void
recovering_confirm (Request *request)
{
  const char *code;
  if (request_text (request, "code", REQUIRED, 100, &code))
    start (request, work_confirm);
}

static gboolean
work_sheet (RequestJob *job, GError **error)
{
  g_autoptr (GBytes) pdf
      = recovering_sheet_pdf (job->station->store, job->station->config->station_name, error);
  if (pdf == NULL)
    return FALSE;
  job->result = bytes_json ("pdf", pdf);
  return TRUE;
}

void
recovering_sheet (Request *request)
{
  start (request, work_sheet);
}

/* ---- Reminding ---------------------------------------------------------------------------- */

void
recovering_add_problems (Station *station, json_t *list)
{
  json_auto_t *recipients = recovering_recipients (station->store, NULL);
  guint due = 0;
  gsize i;
  json_t *one;
  json_array_foreach (recipients, i, one)
  {
    due += json_is_true (json_object_get (one, "due")) ? 1 : 0;
  }
  if (due == 0)
    return;
  g_autofree char *vi = g_strdup_printf (
      "Đã quá một tháng chưa diễn tập %u khóa khôi phục: mở “Gửi và lưu giữ”, thẻ “Khóa khôi "
      "phục”.",
      due);
  g_autofree char *en = g_strdup_printf (
      "%u recovery keys have not shown for a month that they open: see “Sending and keeping”, "
      "“Recovery keys”.",
      due);
  json_array_append_new (list, json_pack ("{s:s, s:s, s:o}", "level", "warn", "code",
                                          "recovery-drill", "text", text_json (vi, en)));
}
