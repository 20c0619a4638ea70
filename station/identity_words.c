#include "station/identity_words.h"

#include <glib.h>

typedef struct {
  const char *reason;
  Text text;
} Words;

static const Words words[] = {
  { "wanted",
    { "Buổi khám này yêu cầu bác sĩ đăng nhập. Hãy bấm nút đăng nhập của bệnh viện, hoặc dùng tài "
      "khoản "
      "mà trạm đã cấp; nếu chưa có, hãy gọi cho trạm.",
      "This consultation wants specialists to sign in. Press the button of your hospital, or use "
      "the "
      "account that the station gave you; if you have none, call the station." } },
  { "malformed",
    { "Giấy xác nhận đăng nhập không đọc được. Hãy đăng nhập lại; nếu vẫn vậy, hãy báo bộ phận tin "
      "học của bệnh viện.",
      "The proof of your sign-in cannot be read. Sign in again; if that does not help, tell the "
      "hospital's IT." } },
  { "algorithm",
    { "Giấy xác nhận đăng nhập không có chữ ký mà trạm chấp nhận. Hãy báo bộ phận tin học: nhà "
      "cung "
      "cấp phải ký bằng RS256, PS256, ES256 hoặc ES384.",
      "The proof of your sign-in is not signed in a way that the station takes. Tell the "
      "hospital's "
      "IT: the provider must sign by RS256, PS256, ES256 or ES384." } },
  { "issuer",
    { "Trạm này không nhận đăng nhập từ nơi bạn vừa đăng nhập. Hãy chọn đúng bệnh viện trên trang "
      "này.",
      "This station does not take sign-ins from where you signed in. Choose your hospital on this "
      "page." } },
  { "key",
    { "Trạm chưa có khóa của bệnh viện để kiểm tra đăng nhập (có thể trạm đang mất mạng tới bệnh "
      "viện). Hãy chờ một phút rồi đăng nhập lại.",
      "The station has not got the hospital's key to check your sign-in (perhaps it cannot reach "
      "the hospital now). Wait a minute, then sign in again." } },
  { "signature",
    { "Chữ ký trên giấy xác nhận đăng nhập không đúng. Hãy tải lại trang và đăng nhập lại; nếu vẫn "
      "vậy, đừng tiếp tục và hãy báo bộ phận tin học.",
      "The signature of your sign-in is wrong. Reload the page and sign in again; if it comes "
      "back, "
      "stop and tell the hospital's IT." } },
  { "audience",
    { "Giấy xác nhận đăng nhập này dành cho một ứng dụng khác. Hãy đăng nhập lại từ trang này.",
      "This sign-in was made for another application. Sign in again from this page." } },
  { "expired",
    { "Lần đăng nhập đã hết hạn. Hãy đăng nhập lại; nếu vẫn vậy, hãy nhờ trạm xem lại đồng hồ máy "
      "trạm.",
      "The sign-in has expired. Sign in again; if that does not help, ask the station to look at "
      "its "
      "clock." } },
  { "early",
    { "Lần đăng nhập mang giờ ở tương lai: đồng hồ của bệnh viện và của trạm lệch nhau. Hãy chờ ít "
      "phút rồi thử lại, hoặc nhờ trạm xem lại đồng hồ.",
      "The sign-in is dated in the future: the clocks of hospital and station differ. Wait some "
      "minutes and try again, or ask the station to look at its clock." } },
  { "nonce",
    { "Lần đăng nhập này thuộc về trình duyệt hoặc lời mời khác. Hãy mở lại đường dẫn mời trên máy "
      "này rồi đăng nhập.",
      "This sign-in belongs to another browser or invitation. Open the invitation's link on this "
      "computer again, then sign in." } },
  { "role",
    { "Tài khoản của bạn chưa được bệnh viện cấp quyền hội chẩn từ xa. Hãy nhờ bộ phận tin học cấp "
      "quyền.",
      "Your account has not been given the role for teleconsultation. Ask the hospital's IT for "
      "it." } },
  { "passkey",
    { "Trạm không nhận khóa đăng nhập này: có thể nó chưa được đăng ký, đã bị gỡ, hoặc là bản sao. "
      "Hãy "
      "thử lại; nếu vẫn vậy, hãy xin người quản trị trạm đường dẫn đăng ký mới.",
      "The station does not take this passkey: perhaps it is not registered, was removed, or is a "
      "copy. Try again; if that does not help, ask the station's administrator for a new link." } },
  { "password",
    { "Tên tài khoản, mật khẩu hoặc mã không đúng. Mỗi mã chỉ dùng một lần: hãy chờ mã tiếp theo "
      "rồi "
      "thử lại.",
      "Account, password or code is wrong. Each code counts once: wait for the next one and try "
      "again." } },
  { "unbound",
    { "Đường truyền hình và tiếng không phải của trình duyệt đã đăng nhập nên trạm đã từ chối. Hãy "
      "tải lại trang và đăng nhập lại.",
      "Picture and sound do not come from the browser that signed in, so that the station refused "
      "them. Reload the page and sign in again." } },
};

const Text *
identity_words (const char *reason)
{
  static const Text other
      = { "Đăng nhập không thành công. Hãy thử lại.", "The sign-in did not succeed. Try again." };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (words[i].reason, reason))
      return &words[i].text;
  return &other;
}
