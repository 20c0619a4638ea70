#include "station/whip/whip_words.h"

#include <gio/gio.h>

static const struct {
  long status;
  WhipWords words;
} statuses[] = {
  { 400,
    { "bad-request",
      { "Máy chủ hội nghị không hiểu yêu cầu của trạm. Hãy báo người vận hành máy chủ.",
        "The conference server does not understand the station's request. Tell its operator." } } },
  { 401,
    { "unauthorized",
      { "Máy chủ hội nghị không nhận mã truy cập (401). Hãy xin mã mới và ghi vào tệp token của "
        "trạm.",
        "The conference server does not accept the access token (401). Ask for a new one and put "
        "it into the station's token file." } } },
  { 403,
    { "forbidden",
      { "Máy chủ hội nghị từ chối (403): mã này không được phép vào phòng này. Hãy hỏi người vận "
        "hành máy chủ.",
        "The conference server refuses (403): this token may not use this room. Ask its "
        "operator." } } },
  { 404,
    { "not-found",
      { "Máy chủ hội nghị không có phòng này (404). Hãy kiểm tra địa chỉ trong station.conf.",
        "The conference server has no such room (404). Check the address in station.conf." } } },
  { 405,
    { "not-whip",
      { "Địa chỉ trong station.conf không phải của WHIP hay WHEP (405).",
        "The address in station.conf is not one of WHIP or WHEP (405)." } } },
  { 409,
    { "busy",
      { "Phòng đang được dùng (409). Hãy chờ rồi thử lại.",
        "The room is in use (409). Wait, then try again." } } },
  { 415,
    { "unsupported",
      { "Địa chỉ trong station.conf không nhận WHIP hay WHEP (415). Hãy kiểm tra lại.",
        "The address in station.conf takes no WHIP or WHEP (415). Check it." } } },
  { 422,
    { "unprocessable",
      { "Máy chủ hội nghị không nhận hình tiếng của trạm (422). Hãy báo người vận hành máy chủ.",
        "The conference server does not take the station's media (422). Tell its operator." } } },
  { 429,
    { "too-many",
      { "Máy chủ hội nghị nhận quá nhiều yêu cầu (429). Hãy chờ rồi thử lại.",
        "The conference server has too many requests (429). Wait, then try again." } } },
  { 503,
    { "unavailable",
      { "Máy chủ hội nghị đang quá tải hoặc bảo trì (503). Hãy thử lại sau ít phút.",
        "The conference server is overloaded or under maintenance (503). Try again in some "
        "minutes." } } },
};

static const WhipWords other_status
    = { "refused",
        { "Máy chủ hội nghị từ chối. Hãy xem nhật ký của trạm.",
          "The conference server refuses. See the station's log." } };
static const WhipWords server_status = {
  "server-error",
  { "Máy chủ hội nghị gặp lỗi (5xx). Hãy thử lại; nếu vẫn vậy, hãy báo người vận hành máy chủ.",
    "The conference server failed (5xx). Try again; if it goes on, tell its operator." }
};

static const WhipWords errors[] = {
  { "untrusted",
    { "Không tin được chứng thư của máy chủ hội nghị. Đừng bỏ qua: hãy kiểm tra địa chỉ và ca-file "
      "trong station.conf, rồi hỏi người vận hành máy chủ.",
      "The conference server's certificate is not trusted. Do not go around it: check the address "
      "and ca-file in station.conf, then ask its operator." } },
  { "no-tls",
    { "Không lập được kết nối TLS với máy chủ hội nghị. Hãy kiểm tra địa chỉ và cổng.",
      "No TLS connection with the conference server could be made. Check address and port." } },
  { "no-name",
    { "Không tìm thấy tên của máy chủ hội nghị. Hãy kiểm tra địa chỉ và mạng.",
      "The conference server's name is not known. Check the address and the network." } },
  { "unreachable",
    { "Không tới được máy chủ hội nghị. Hãy kiểm tra mạng.",
      "The conference server cannot be reached. Check the network." } },
  { "silent",
    { "Máy chủ hội nghị không trả lời. Hãy thử lại.",
      "The conference server does not answer. Try again." } },
  { "failed",
    { "Kết nối với máy chủ hội nghị bị lỗi. Hãy xem nhật ký của trạm.",
      "The connection with the conference server failed. See the station's log." } },
};

static const WhipWords codes[] = {
  { "redirected",
    { "Máy chủ hội nghị chuyển sang một địa chỉ mà station.conf không cho phép. Hãy ghi địa chỉ đó "
      "vào redirect-hosts nếu tin được.",
      "The conference server sends the station to an address that station.conf does not allow. Add "
      "it to redirect-hosts if it is to be trusted." } },
  { "description",
    { "Máy chủ hội nghị trả lời không đúng chuẩn. Hãy báo người vận hành máy chủ.",
      "The conference server's answer does not fit. Tell its operator." } },
  { "no-session",
    { "Máy chủ hội nghị không cho biết địa chỉ của phiên. Hãy báo người vận hành máy chủ.",
      "The conference server does not say where its session is. Tell its operator." } },
  { "no-path",
    { "Không tìm được đường truyền tới máy chủ hội nghị. Hãy kiểm tra mạng.",
      "No way through the network to the conference server was found. Check the network." } },
  { "gone",
    { "Máy chủ hội nghị đã đóng phiên.", "The conference server has closed the session." } },
  { "lost", { "Mất liên lạc với máy chủ hội nghị.", "The conference server was lost." } },
  { "restart",
    { "Máy chủ hội nghị không nối lại được đường truyền.",
      "The conference server could not restore the connection." } },
};

const WhipWords *
whip_words_status (long status)
{
  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++)
    if (statuses[i].status == status)
      return &statuses[i].words;
  return status >= 500 ? &server_status : &other_status;
}

const WhipWords *
whip_words_error (const GError *error)
{
  if (g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE))
    return &errors[0];
  if (error->domain == G_TLS_ERROR)
    return &errors[1];
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_HOST_NOT_FOUND))
    return &errors[2];
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    return &errors[3];
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return &errors[4];
  return &errors[G_N_ELEMENTS (errors) - 1];
}

const WhipWords *
whip_words_code (const char *code)
{
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (g_str_equal (codes[i].code, code))
      return &codes[i];
  return &errors[G_N_ELEMENTS (errors) - 1];
}
