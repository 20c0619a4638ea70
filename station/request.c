#include "station/request.h"
#include "records/data_key.h"
#include "station/text.h"
#include "station/view.h"

#include <string.h>

typedef struct {
  const char *code;
  Text text;
} Refusal;

static const Refusal refusals[] = {
  { "bad-message",
    { "Yêu cầu không đúng dạng. Hãy tải lại trang.",
      "The request is malformed. Reload the page." } },
  { "out-of-place", { "Chưa làm được việc này lúc này.", "This cannot be done at this point." } },
  { "not-signed-in", { "Hãy đăng nhập.", "Sign in first." } },
  { "not-allowed", { "Không được phép.", "This is not allowed." } },
  { "wrong-pin", { "Mã PIN không đúng.", "The PIN is wrong." } },
  { "locked-out",
    { "Sai mã PIN quá nhiều lần. Hãy chờ rồi thử lại.",
      "Too many wrong PINs. Wait, then try again." } },
  { "no-such", { "Không tìm thấy.", "There is no such thing." } },
  { "invite-used",
    { "Buổi khám của lời mời này đã xong. Muốn gặp lại bác sĩ, hãy gọi cho trạm để hẹn lần khác.",
      "The consultation of this invitation is over. To see the doctor again, call the station and "
      "make another appointment." } },
  { "invite-expired",
    { "Lời mời đã hết hạn. Hãy gọi cho trạm để xin đường dẫn mới.",
      "The invitation has expired. Call the station and ask for a new link." } },
  { "invite-burnt",
    { "Lời mời đã bị hủy vì mở sai nhiều lần. Hãy gọi cho trạm để xin đường dẫn và mã PIN mới.",
      "The invitation was burnt by wrong attempts. Call the station and ask for a new link and "
      "PIN." } },
  { "invite-cancelled",
    { "Cuộc hẹn này đã được hủy. Hãy gọi cho trạm nếu bạn vẫn cần khám.",
      "This appointment was cancelled. Call the station if you still need to be seen." } },
  { "pin-wanted",
    { "Hãy nhập mã PIN mà trạm đã báo riêng cho bạn.",
      "Enter the PIN that the station told you apart." } },
  { "refused",
    { "Bác sĩ không nhận lời tham gia này.", "The doctor did not admit this request." } },
  { "not-proven", { "Hãy đăng nhập.", "Sign in first." } },
  { "not-ready",
    { "Trạm chưa sẵn sàng. Xem các việc còn thiếu.",
      "The station is not ready yet. See what is missing." } },
  { "disk",
    { "Không ghi được vào đĩa. Hãy giải phóng chỗ trống rồi thử lại.",
      "The disk cannot be written. Free some space, then try again." } },
  { "locked",
    { "Hồ sơ đã khóa. Hãy mở bằng mật khẩu.",
      "The records are locked. Open them with the passphrase." } },
  { "busy", { "Đang làm việc khác. Thử lại sau giây lát.", "Busy. Try again in a moment." } },
  { "failed", { "Không làm được. Xem nhật ký của trạm.", "This failed. See the station's log." } },
};

static const Refusal *
refusal_of (const char *code)
{
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    if (g_str_equal (refusals[i].code, code))
      return &refusals[i];
  return &refusals[G_N_ELEMENTS (refusals) - 1];
}

Request *
request_new (Client *client, json_t *message, const char *user)
{
  Request *request = g_new0 (Request, 1);
  const json_t *id = json_object_get (message, "id");
  request->references = 1;
  request->client = client_ref (client);
  request->station = client->station;
  request->message = json_incref (message);
  request->id = json_is_integer (id) && json_integer_value (id) >= 1 ? json_integer_value (id) : 0;
  request->user = g_strdup (user);
  return request;
}

Request *
request_ref (Request *request)
{
  request->references++;
  return request;
}

void
request_unref (Request *request)
{
  if (--request->references > 0)
    return;
  client_unref (request->client);
  json_decref (request->message);
  g_free (request->user);
  g_free (request);
}

void
request_ok (Request *request, json_t *fields)
{
  json_t *answer = fields != NULL ? fields : json_object ();
  if (request->id == 0) {
    json_decref (answer);
    return;
  }
  /* What the request brought about is seen before it is confirmed. */
  if (request->client->kind == CLIENT_CONSOLE)
    view_send_pending (request->client);
  json_object_set_new (answer, "type", json_string ("ok"));
  json_object_set_new (answer, "re", json_integer (request->id));
  client_send (request->client, answer);
}

void
request_refuse_with (Request *request, const char *code, const char *vi, const char *en,
                     json_t *fields)
{
  json_t *answer = fields != NULL ? fields : json_object ();
  json_object_set_new (answer, "type", json_string ("error"));
  json_object_set_new (answer, "code", json_string (code));
  json_object_set_new (answer, "text", text_json (vi, en));
  if (request->id != 0)
    json_object_set_new (answer, "re", json_integer (request->id));
  client_send (request->client, answer);
}

void
request_refuse (Request *request, const char *code)
{
  const Refusal *refusal = refusal_of (code);
  request_refuse_with (request, code, refusal->text.vi, refusal->text.en, NULL);
}

void
request_bad (Request *request, const char *field, const char *en)
{
  g_autofree char *vi_text = g_strdup_printf ("Ô '%s' không hợp lệ.", field);
  g_autofree char *en_text = g_strdup_printf ("'%s' %s.", field, en);
  request_refuse_with (request, "bad-message", vi_text, en_text,
                       json_pack ("{s:s}", "field", field));
}

void
request_failed (Request *request, const GError *error)
{
  if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED))
    request_refuse (request, "locked");
  else if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
    request_refuse (request, "no-such");
  else if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_DISK))
    request_refuse (request, "disk");
  else
    request_refuse (request, "failed");
}

void
request_written (Station *station, Consult *consult, gint64 seq, const GError *error, void *request)
{
  request_stored (seq, error, request);
}

void
request_stored (gint64 seq, const GError *error, void *request)
{
  g_autoptr (Request) answered = request;
  if (error != NULL)
    request_failed (answered, error);
  else
    request_ok (answered, NULL);
}

/* ---- Fields ------------------------------------------------------------------------------ */

gboolean
text_is_clean (const char *text, gsize max)
{
  gsize count = 0;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char_validated (p, -1);
    if (c == (gunichar)-1 || c == (gunichar)-2 || ++count > max)
      return FALSE;
    if (g_unichar_iscntrl (c) && c != '\n' && c != '\t')
      return FALSE;
  }
  return TRUE;
}

/* The value of a field; NULL with *ret_good FALSE (answered) or TRUE (absent, and may be). */
static const json_t *
take_field (Request *request, const char *field, FieldNeed need, gboolean *ret_good)
{
  const json_t *value = json_object_get (request->message, field);
  gboolean absent = value == NULL || json_is_null (value);
  *ret_good = !absent || need == OPTIONAL;
  if (!*ret_good)
    request_bad (request, field, "is missing");
  return absent ? NULL : value;
}

gboolean
request_text (Request *request, const char *field, FieldNeed need, gsize max, const char **ret)
{
  gboolean good;
  const json_t *value = take_field (request, field, need, &good);
  *ret = NULL;
  if (value == NULL)
    return good;
  const char *text = json_string_value (value);
  if (text == NULL || !text_is_clean (text, max) || (need == REQUIRED && *text == '\0')) {
    g_autofree char *wrong
        = g_strdup_printf ("wants a text of at most %" G_GSIZE_FORMAT " characters", max);
    request_bad (request, field, wrong);
    return FALSE;
  }
  *ret = text;
  return TRUE;
}

gboolean
request_word (Request *request, const char *field, FieldNeed need, const char *const *words,
              const char **ret)
{
  gboolean good;
  const json_t *value = take_field (request, field, need, &good);
  *ret = NULL;
  if (value == NULL)
    return good;
  const char *text = json_string_value (value);
  if (text == NULL || !g_strv_contains (words, text)) {
    g_autofree char *list = g_strjoinv (", ", (char **)words);
    g_autofree char *wrong = g_strdup_printf ("wants one of %s", list);
    request_bad (request, field, wrong);
    return FALSE;
  }
  *ret = text;
  return TRUE;
}

gboolean
request_id (Request *request, const char *field, FieldNeed need, const char **ret)
{
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  if (!request_text (request, field, need, 64, ret))
    return FALSE;
  if (*ret != NULL && strspn (*ret, allowed) != strlen (*ret)) {
    request_bad (request, field, "is no id");
    return FALSE;
  }
  return TRUE;
}

gboolean
request_number (Request *request, const char *field, gint64 low, gint64 high, gint64 *ret)
{
  const json_t *value = json_object_get (request->message, field);
  if (!json_is_integer (value) || json_integer_value (value) < low
      || json_integer_value (value) > high) {
    g_autofree char *wrong = g_strdup_printf (
        "wants a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, low, high);
    request_bad (request, field, wrong);
    return FALSE;
  }
  *ret = json_integer_value (value);
  return TRUE;
}

gboolean
request_flag (Request *request, const char *field, gboolean *ret)
{
  const json_t *value = json_object_get (request->message, field);
  if (value != NULL && !json_is_null (value) && !json_is_boolean (value)) {
    request_bad (request, field, "wants true or false");
    return FALSE;
  }
  *ret = json_is_true (value);
  return TRUE;
}
