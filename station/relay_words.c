#include "station/relay_words.h"
#include "station/text.h"

#include <string.h>

static Text
words_of (RelayOutcome outcome)
{
  static const Text words[] = {
    [RELAY_GOOD] = { "dùng được", "works" },
    [RELAY_NO_NAME] = { "mạng không biết tên máy chủ này; kiểm tra address trong station.conf",
                        "the network does not know its name; check address in station.conf" },
    [RELAY_UNREACHABLE] = { "không kết nối được; kiểm tra mạng, tường lửa và cổng",
                            "it cannot be reached; check the network, the firewall and the port" },
    [RELAY_SILENT] = { "không trả lời; tường lửa có thể đang chặn",
                       "it does not answer; a firewall may be in the way" },
    [RELAY_UNTRUSTED] = { "chứng thư không được tin cậy; đặt ca-file trong station.conf",
                          "its certificate is not trusted; set ca-file in station.conf" },
    [RELAY_OTHER_NAME] = { "chứng thư là của máy chủ khác tên; dùng đúng tên trong address",
                           "its certificate is for another name; use that name in address" },
    [RELAY_EXPIRED] = { "chứng thư đã hết hạn hoặc chưa có hiệu lực",
                        "its certificate has expired or is not valid yet" },
    [RELAY_NO_TLS] = { "không lập được kết nối TLS; cổng này có thể không dùng TLS",
                       "no TLS connection could be made; this port may not speak TLS" },
    [RELAY_UNAUTHORIZED] = { "sai người dùng, mật khẩu hoặc secret-file (hoặc đồng hồ sai giờ)",
                             "wrong user, password or secret-file (or a clock is wrong)" },
    [RELAY_FORBIDDEN] = { "máy chủ cấm trạm này dùng", "it forbids this station to use it" },
    [RELAY_QUOTA]
    = { "người dùng này đã hết lượt địa chỉ", "this user has too many addresses there" },
    [RELAY_FULL] = { "máy chủ đã hết chỗ", "it has no room left" },
    [RELAY_REFUSED] = { "máy chủ từ chối", "it refuses" },
    [RELAY_BROKEN]
    = { "nơi này trả lời không phải như một máy chủ TURN", "what answers there is no TURN server" },
  };
  return words[outcome];
}

/* "401 Unauthorized" */
static char *
said_by (const RelayReport *report)
{
  if (report->code != 0)
    return g_strdup_printf (" (%u%s%s)", report->code, report->detail != NULL ? " " : "",
                            report->detail != NULL ? report->detail : "");
  return report->detail != NULL ? g_strdup_printf (" (%s)", report->detail) : g_strdup ("");
}

void
relay_words (const char *url, const RelayReport *report, char **ret_vi, char **ret_en)
{
  Text words = words_of (report->outcome);
  g_autofree char *said = said_by (report);
  *ret_vi = g_strdup_printf ("Máy chủ chuyển tiếp %s: %s%s.", url, words.vi, said);
  *ret_en = g_strdup_printf ("Relay %s: %s%s.", url, words.en, said);
}

json_t *
relay_view (const char *url, const RelayReport *report)
{
  gboolean good = report->outcome == RELAY_GOOD;
  g_autofree char *vi = NULL, *en = NULL;
  relay_words (url, report, &vi, &en);
  g_log_structured (G_LOG_DOMAIN, good ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_WARNING, "NHIPCAU_TOPIC",
                    "transport", "NHIPCAU_EVENT", good ? "relay-good" : "relay-failed", "MESSAGE",
                    "%s", en);
  return json_pack ("{s:s, s:s, s:s, s:o}", "relay", url, "level", good ? "good" : "bad", "code",
                    relay_outcome_name (report->outcome), "text", text_json (vi, en));
}

static json_t *
stun_server (const char *host_port)
{
  g_autofree char *url = g_strconcat ("stun:", host_port, NULL);
  return json_pack ("{s:[s]}", "urls", url);
}

static json_t *
relay_server (const Relay *relay)
{
  if (relay->secret != NULL) {
    g_autofree char *user = NULL, *password = NULL;
    relay_credentials (relay, g_get_real_time () / G_USEC_PER_SEC, &user, &password);
    return json_pack ("{s:[s], s:s, s:s}", "urls", relay->url, "username", user, "credential",
                      password);
  }
  if (relay->transport != RELAY_UDP)
    return NULL;
  gboolean brackets = strchr (relay->host, ':') != NULL;
  g_autofree char *host = g_strdup_printf ("%s%s%s:%u", brackets ? "[" : "", relay->host,
                                           brackets ? "]" : "", relay->port);
  return stun_server (host);
}

json_t *
relay_servers (const Config *config)
{
  json_t *servers = json_array ();
  if (config->stun != NULL)
    json_array_append_new (servers, stun_server (config->stun));
  for (guint i = 0; i < config->relays->len; i++) {
    json_t *server = relay_server (config->relays->pdata[i]);
    if (server != NULL)
      json_array_append_new (servers, server);
  }
  return servers;
}
