#include "station/broker_words.h"
#include "station/text.h"

static Text
words_of (BrokerTrouble trouble)
{
  static const Text words[] = {
    [BROKER_GOOD] = { "kết nối được", "is reached" },
    [BROKER_NO_NAME]
    = { "mạng không biết tên này; kiểm tra mạng, và broker trong station.conf",
        "the network does not know this name; check the network, and broker in station.conf" },
    [BROKER_REFUSED]
    = { "máy chủ không nhận kết nối ở cổng này; có thể đang tắt, hoặc sai cổng",
        "nothing takes connections at this port; it may be down, or the port is wrong" },
    [BROKER_UNREACHABLE] = { "không tới được; kiểm tra mạng và tường lửa",
                             "there is no way to it; check the network and the firewall" },
    [BROKER_SILENT] = { "nhận kết nối nhưng không trả lời; báo người quản trị máy chủ",
                        "it takes the connection and does not answer; tell whoever runs it" },
    [BROKER_UNTRUSTED] = { "chứng thư của máy chủ không được tin cậy; đặt ca-file trong "
                           "[rendezvous] của station.conf",
                           "its certificate is not trusted; set ca-file in [rendezvous] of "
                           "station.conf" },
    [BROKER_OTHER_NAME] = { "chứng thư là của máy chủ khác tên; dùng đúng tên trong broker",
                            "its certificate is for another name; use that name in broker" },
    [BROKER_EXPIRED]
    = { "chứng thư của máy chủ đã hết hạn hoặc chưa có hiệu lực; xem cả đồng hồ máy này",
        "its certificate has expired or is not valid yet; look at this machine's clock, too" },
    [BROKER_NO_TLS] = { "không nói được TLS với máy chủ; có thể sai cổng",
                        "it does not speak TLS with us; the port may be wrong" },
    [BROKER_STRANGER]
    = { "máy chủ không nhận chứng thư của trạm; chứng thư phải do nơi máy chủ tin cấp, còn hạn",
        "it refuses this station's certificate; that must come from whom it trusts, and be valid" },
    [BROKER_FORBIDDEN]
    = { "máy chủ không cho trạm này dùng; tên chung (CN) của chứng thư phải là id của trạm",
        "its rules forbid this station; the certificate's common name must be the station's id" },
    [BROKER_LOST] = { "kết nối bị ngắt", "the connection broke" },
  };
  G_STATIC_ASSERT (G_N_ELEMENTS (words) == BROKER_TROUBLES);
  return words[trouble];
}

void
broker_words (const char *address, BrokerTrouble trouble, const char *why, char **ret_vi,
              char **ret_en)
{
  Text words = words_of (trouble);
  g_autofree char *said = why != NULL ? g_strdup_printf (" (%s)", why) : g_strdup ("");
  *ret_vi = g_strdup_printf ("Máy chủ kết nối %s: %s%s.%s", address, words.vi, said,
                             trouble == BROKER_GOOD
                                 ? ""
                                 : " Trạm tự kết nối lại; trong lúc đó người ở xa không vào được, "
                                   "cuộc gọi đang diễn ra không bị ảnh hưởng.");
  *ret_en = g_strdup_printf ("Broker %s: %s%s.%s", address, words.en, said,
                             trouble == BROKER_GOOD
                                 ? ""
                                 : " The station connects again by itself; meanwhile nobody from "
                                   "elsewhere can come in, and calls under way are not touched.");
}
