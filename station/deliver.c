#include "station/deliver.h"

#include <string.h>

G_DEFINE_QUARK (deliver - error - quark, deliver_error)

static const struct {
  const char *word;
  Text text;
} problems[] = {
  [DELIVER_ERROR_UNREACHABLE] = { "unreachable",
                                  { "không kết nối được, hoặc mất kết nối giữa chừng; trạm tự thử "
                                    "lại, xem mạng của trạm nếu kéo dài",
                                    "it cannot be reached, or the connection broke off; it is "
                                    "tried again by itself, look at the network if it lasts" } },
  [DELIVER_ERROR_IDENTITY]
  = { "identity",
      { "chứng thư của máy chủ hay của trạm không được chấp nhận; báo người quản trị",
        "its certificate, or the station's, is not accepted; tell the administrator" } },
  [DELIVER_ERROR_REFUSED]
  = { "refused", { "máy chủ từ chối; báo người quản trị", "it refuses; tell the administrator" } },
  [DELIVER_ERROR_TROUBLE]
  = { "trouble",
      { "máy chủ đang gặp sự cố; trạm tự thử lại, báo bệnh viện nếu kéo dài",
        "it has trouble of its own; it is tried again by itself, tell the hospital if it lasts" } },
  [DELIVER_ERROR_LOST]
  = { "lost",
      { "máy chủ báo đã nhận nhưng đọc lại không thấy; trạm gửi lại, báo bệnh viện nếu kéo dài",
        "it said it had kept it, but it is not there; it is sent again, tell the hospital if it "
        "lasts" } },
  [DELIVER_ERROR_DIFFERENT] = { "different",
                                { "đọc lại thấy khác với hồ sơ đã gửi; báo người quản trị",
                                  "what it kept is not what was sent; tell the administrator" } },
  [DELIVER_ERROR_ABSENT] = { "absent",
                             { "chưa thấy thư mục hay đĩa; hãy cắm đĩa vào",
                               "the folder or disk is not there; put the disk in" } },
  [DELIVER_ERROR_DISK]
  = { "disk",
      { "không ghi hay đọc lại được: đĩa đầy hoặc hỏng; hãy thay đĩa",
        "it cannot be written or read back: the disk is full or damaged, put in another" } },
  [DELIVER_ERROR_LOCKED]
  = { "locked", { "chờ bác sĩ đăng nhập bằng mật khẩu", "waits for a passphrase at sign-in" } },
  [DELIVER_ERROR_RECORD] = { "record",
                             { "không đọc được hồ sơ; chạy nhipcau record verify",
                               "the record cannot be read; run nhipcau record verify" } },
  [DELIVER_ERROR_UNSIGNED] = { "unsigned", { "chờ ký xong", "waits for the signature" } },
  [DELIVER_ERROR_NOWHERE]
  = { "nowhere",
      { "nơi nhận không còn trong station.conf; báo người quản trị",
        "station.conf has no such destination any more; tell the administrator" } },
  [DELIVER_ERROR_STOPPED]
  = { "stopped",
      { "tạm dừng (có cuộc gọi, hoặc nhường hồ sơ gấp hơn); sẽ tự gửi tiếp phần còn lại",
        "paused for a call, or for something more urgent; the rest goes on by itself" } },
};

const char *
deliver_error_word (gint code)
{
  return code >= 0 && code < (gint)G_N_ELEMENTS (problems) ? problems[code].word : "trouble";
}

const Text *
deliver_words (const char *word)
{
  for (guint i = 0; i < G_N_ELEMENTS (problems); i++)
    if (g_strcmp0 (problems[i].word, word) == 0)
      return &problems[i].text;
  return NULL;
}

gboolean
deliver_same_bundle (GBytes *ours, const char *theirs, gsize size)
{
  const gsize flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL;
  json_auto_t *one
      = json_loadb (g_bytes_get_data (ours, NULL), g_bytes_get_size (ours), flags, NULL);
  json_auto_t *other = json_loadb (theirs, size, flags, NULL);
  json_object_del (one, "meta");
  json_object_del (other, "meta");
  return one != NULL && other != NULL && json_equal (one, other) == 1;
}

gboolean
deliver (const Delivery *delivery, GError **error)
{
  switch (delivery->to->kind) {
  case DELIVER_FHIR:
    return deliver_fhir (delivery, error);
  case DELIVER_FOLDER:
    return deliver_folder (delivery, error);
  default:
    return deliver_dicom (delivery, error);
  }
}
