#include "media/transport/relay.h"
#include "media/error.h"
#include <gio/gio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { DEFAULT_PORT = 3478, DEFAULT_TLS_PORT = 5349 };

static gboolean
parse_transport (const char *query, gboolean tls, RelayTransport *ret)
{
  if (query == NULL) {
    *ret = tls ? RELAY_TLS : RELAY_UDP;
    return TRUE;
  }
  if (strcmp (query, "transport=tcp") == 0)
    *ret = tls ? RELAY_TLS : RELAY_TCP;
  else if (strcmp (query, "transport=udp") == 0 && !tls)
    *ret = RELAY_UDP;
  else
    return FALSE;
  return TRUE;
}

static gboolean
parse_host (const char *text, gboolean tls, Relay *relay)
{
  guint16 port = tls ? DEFAULT_TLS_PORT : DEFAULT_PORT;
  if (*text == '\0' || strpbrk (text, " /#@") != NULL)
    return FALSE;
  g_autoptr (GSocketConnectable) address = g_network_address_parse (text, port, NULL);
  const char *host
      = address != NULL ? g_network_address_get_hostname (G_NETWORK_ADDRESS (address)) : NULL;
  if (host == NULL || *host == '\0' || strlen (host) > 253
      || (strchr (host, ':') != NULL && !g_hostname_is_ip_address (host)))
    return FALSE;
  relay->host = g_strdup (host);
  relay->port = g_network_address_get_port (G_NETWORK_ADDRESS (address));
  return relay->port != 0;
}

static char *
write_url (const Relay *relay)
{
  gboolean brackets = strchr (relay->host, ':') != NULL;
  return g_strdup_printf ("%s:%s%s%s:%u?transport=%s",
                          relay->transport == RELAY_TLS ? "turns" : "turn", brackets ? "[" : "",
                          relay->host, brackets ? "]" : "", relay->port,
                          relay->transport == RELAY_UDP ? "udp" : "tcp");
}

Relay *
relay_new (const char *url, GError **error)
{
  g_autoptr (Relay) relay = g_new0 (Relay, 1);
  g_auto (GStrv) parts = g_strsplit (url, "?", 2);
  gboolean tls = g_str_has_prefix (url, "turns:");
  const char *host = parts[0] != NULL ? strchr (parts[0], ':') : NULL;
  if ((tls || g_str_has_prefix (url, "turn:")) && parse_host (host + 1, tls, relay)
      && parse_transport (parts[1], tls, &relay->transport)) {
    relay->url = write_url (relay);
    return g_steal_pointer (&relay);
  }
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_ADDRESS,
               "'%s' is no relay: give turn:HOST:PORT, turn:HOST:PORT?transport=tcp or "
               "turns:HOST:PORT (TLS)",
               url);
  return NULL;
}

Relay *
relay_copy (const Relay *relay)
{
  Relay *copy = g_memdup2 (relay, sizeof *relay);
  copy->url = g_strdup (relay->url);
  copy->host = g_strdup (relay->host);
  copy->user = g_strdup (relay->user);
  copy->password = g_strdup (relay->password);
  copy->secret = g_strdup (relay->secret);
  copy->ca_file = g_strdup (relay->ca_file);
  return copy;
}

void
relay_free (Relay *relay)
{
  if (relay == NULL)
    return;
  g_free (relay->url);
  g_free (relay->host);
  g_free (relay->user);
  g_free (relay->password);
  g_free (relay->secret);
  g_free (relay->ca_file);
  g_free (relay);
}

void
relay_credentials (const Relay *relay, gint64 now_s, char **ret_user, char **ret_password)
{
  if (relay->secret == NULL) {
    *ret_user = g_strdup (relay->user != NULL ? relay->user : "");
    *ret_password = g_strdup (relay->password != NULL ? relay->password : "");
    return;
  }
  guint8 digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  g_autofree char *user = g_strdup_printf ("%" G_GINT64_FORMAT ":%s", now_s + RELAY_CREDENTIALS_S,
                                           relay->user != NULL ? relay->user : "nhipcau");
  HMAC (EVP_sha1 (), relay->secret, (int)strlen (relay->secret), (const guint8 *)user,
        strlen (user), digest, &size);
  *ret_password = g_base64_encode (digest, size);
  *ret_user = g_steal_pointer (&user);
}

const char *
relay_outcome_name (RelayOutcome outcome)
{
  static const char *const names[] = {
    [RELAY_GOOD] = "good",
    [RELAY_NO_NAME] = "no-name",
    [RELAY_UNREACHABLE] = "unreachable",
    [RELAY_SILENT] = "silent",
    [RELAY_UNTRUSTED] = "untrusted",
    [RELAY_OTHER_NAME] = "other-name",
    [RELAY_EXPIRED] = "expired",
    [RELAY_NO_TLS] = "no-tls",
    [RELAY_UNAUTHORIZED] = "unauthorized",
    [RELAY_FORBIDDEN] = "forbidden",
    [RELAY_QUOTA] = "quota",
    [RELAY_FULL] = "full",
    [RELAY_REFUSED] = "refused",
    [RELAY_BROKEN] = "broken",
  };
  return names[outcome];
}

void
relay_report_clear (RelayReport *report)
{
  g_clear_pointer (&report->detail, g_free);
}
