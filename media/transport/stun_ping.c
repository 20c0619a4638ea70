#include "media/transport/stun_ping.h"
#include <stun/stunagent.h>
#include <stun/usages/ice.h>
#include <string.h>

/* RFC 8445 §5.1.2.1: what a peer-reflexive candidate of this side would have. */
enum { PRIORITY = 110 << 24 | 65535 << 8 | 255 };

gsize
stun_ping_write (const char *local_ufrag, const char *remote_ufrag, const char *remote_pwd,
                 guint64 tie, guint8 ret_datagram[STUN_PING_CAPACITY])
{
  static const uint16_t known[]
      = { STUN_ATTRIBUTE_USERNAME,      STUN_ATTRIBUTE_MESSAGE_INTEGRITY, STUN_ATTRIBUTE_PRIORITY,
          STUN_ATTRIBUTE_USE_CANDIDATE, STUN_ATTRIBUTE_ICE_CONTROLLING,   0 };
  g_autofree char *username = g_strconcat (remote_ufrag, ":", local_ufrag, NULL);
  StunAgent agent;
  StunMessage message;
  stun_agent_init (&agent, known, STUN_COMPATIBILITY_RFC5389,
                   STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
  return stun_usage_ice_conncheck_create (
      &agent, &message, ret_datagram, STUN_PING_CAPACITY, (const uint8_t *)username,
      strlen (username), (const uint8_t *)remote_pwd, strlen (remote_pwd), TRUE, TRUE, PRIORITY,
      tie, NULL, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
}
