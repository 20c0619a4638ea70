#include "certs/peer_check.h"

#define CALL_THE_ISSUER_VI "hãy gọi nơi cấp (Sở Y tế, bệnh viện)"

static const PeerAnswer answers[] = {
  { PEER_REFUSE, "chain-broken",
    "Chứng thư hỏng hoặc bị sửa. Hãy cài lại chứng thư nhận từ nơi cấp: nhipcau cert install.",
    "The certificate is damaged or was changed. Install again what the issuer gave: nhipcau cert "
    "install." },
  { PEER_ADMIT, "good", "Chứng thư hợp lệ.", "The certificate is good." },
  { PEER_ADMIT, "known-key",
    "Đồng hồ của trạm chưa đáng tin nên không xét hạn; bên kia dùng đúng khóa đã biết. Hãy chỉnh "
    "lại ngày giờ.",
    "The station's clock cannot be trusted, so dates were not looked at; the other side has the "
    "key "
    "that is known. Set date and time." },
  { PEER_CONFIRM, "clock-untrusted",
    "Đồng hồ của trạm chưa đáng tin và chưa từng gặp khóa này. Hãy gọi lại số điện thoại đã biết "
    "để "
    "nhận nhau rồi mới cho vào; sau đó chỉnh ngày giờ.",
    "The station's clock cannot be trusted and this key was never seen. Make sure by a telephone "
    "number that you know before you let them in; then set date and time." },
  { PEER_REFUSE, "chain-missing",
    "Bên kia không có chứng thư. Bên đó cần xin: nhipcau cert request, rồi nhipcau cert install.",
    "The other side has no certificate. They have to ask for one: nhipcau cert request, then "
    "nhipcau "
    "cert install." },
  { PEER_REFUSE, "algorithm-weak",
    "Khóa hoặc thuật toán của chứng thư quá yếu. Hãy xin chứng thư mới với khóa P-256.",
    "Key or algorithm of the certificate is too weak. Ask for a new one with a P-256 key." },
  { PEER_REFUSE, "issuer-unknown",
    "Nơi cấp chứng thư không phải nơi được tin. Nếu đúng là người cần gặp, nhờ quản trị thêm nơi "
    "cấp "
    "vào station.conf: [issuer TÊN].",
    "The certificate is of an issuer that is not trusted here. If it is who you expect, have the "
    "administrator name the issuer in station.conf: [issuer NAME]." },
  { PEER_REFUSE, "issuer-other",
    "Nơi cấp này không được cấp cho mã này. " CALL_THE_ISSUER_VI
    "; quản trị xem stations và people của [issuer].",
    "This issuer may not vouch for this id. Call the issuer; administrators look at stations and "
    "people of [issuer]." },
  { PEER_REFUSE, "issuer-expired",
    "Chứng thư của nơi cấp đã hết hạn (hoặc chưa tới hạn). Quản trị cần lấy chứng thư mới của nơi "
    "cấp "
    "và thay tệp trong [issuer].",
    "The issuer's own certificate has expired (or is not valid yet). The administrator needs the "
    "issuer's new one, in place of the file in [issuer]." },
  { PEER_REFUSE, "name-missing",
    "Chứng thư không nói là của trạm hay người nào. Hãy xin lại bằng: nhipcau cert request.",
    "The certificate does not say whose it is. Ask for one again by: nhipcau cert request." },
  { PEER_REFUSE, "name-other",
    "Chứng thư là của trạm hoặc người khác. Đừng cho vào; hãy gọi lại số điện thoại đã biết.",
    "The certificate is somebody else's. Do not let them in; call a telephone number that you "
    "know." },
  { PEER_REFUSE, "kind-other",
    "Chứng thư của người không dùng cho trạm, và ngược lại. Hãy xin đúng loại từ nơi cấp.",
    "A person's certificate is no station's, nor the other way round. Ask the issuer for the right "
    "kind." },
  { PEER_REFUSE, "purpose-other",
    "Chứng thư này cấp cho việc khác (không phải để xưng danh). Hãy xin lại: nhipcau cert request.",
    "This certificate was issued for something else than to say who one is. Ask again: nhipcau "
    "cert "
    "request." },
  { PEER_REFUSE, "certificate-early",
    "Chứng thư chưa tới ngày có hiệu lực. Hãy so ngày giờ của hai máy; nếu đúng, đợi đến ngày đó.",
    "The certificate is not valid yet. Compare date and time of both machines; if they are right, "
    "wait for its day." },
  { PEER_REFUSE, "certificate-expired",
    "Chứng thư đã hết hạn. Bên kia cần gia hạn: nhipcau cert renew, hoặc xin cấp lại.",
    "The certificate has expired. The other side has to renew it: nhipcau cert renew, or ask for a "
    "new one." },
  { PEER_REFUSE, "certificate-revoked",
    "Chứng thư đã bị thu hồi. Đừng cho vào; " CALL_THE_ISSUER_VI
    " để biết lý do và xin chứng thư mới.",
    "The certificate was revoked. Do not let them in; call the issuer for the reason and a new "
    "certificate." },
  { PEER_REFUSE, "revocation-unknown",
    "Chưa có danh sách thu hồi của nơi cấp nên chưa thể cho vào. Hãy nối mạng rồi chạy: nhipcau "
    "cert "
    "revoke-check.",
    "There is no revocation list of the issuer, so nobody can be let in by it yet. Connect the "
    "network and run: nhipcau cert revoke-check." },
  { PEER_REFUSE, "revocation-old",
    "Danh sách thu hồi của nơi cấp đã quá hạn. Hãy nối mạng rồi chạy: nhipcau cert revoke-check; "
    "nếu "
    "vẫn vậy, báo nơi cấp phát hành danh sách mới.",
    "The issuer's revocation list is out of date. Connect the network and run: nhipcau cert "
    "revoke-check; if that does not help, the issuer has to publish a new one." },
};

PeerAnswer
peer_answer (const char *code)
{
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    if (g_str_equal (answers[i].code, code))
      return answers[i];
  return answers[0];
}
