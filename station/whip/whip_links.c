#include "station/whip/whip_links.h"

#include <string.h>

enum { LINKS_MAX = 32, NAME_MAX_BYTES = 32, VALUE_MAX_BYTES = 512 };

/* One link of the header, as far as it concerns us. */
typedef struct {
  char *target;
  gboolean is_ice;
  char *user, *credential;
} Link;

static void
link_clear (Link *link)
{
  g_free (link->target);
  g_free (link->user);
  g_free (link->credential);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Link, link_clear)

static void
skip_spaces (const char **at)
{
  *at += strspn (*at, " \t");
}

/* RFC 9110 §5.6.4: a quoted string, a backslash before any character. NULL: it does not end. */
static char *
take_quoted (const char **at)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for ((*at)++; **at != '\0' && **at != '"'; (*at)++) {
    if (**at == '\\' && (*at)[1] != '\0')
      (*at)++;
    g_string_append_c (text, **at);
  }
  if (**at != '"')
    return NULL;
  (*at)++;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
take_token (const char **at)
{
  gsize length = strcspn (*at, " \t;,=\"<>");
  char *token = g_strndup (*at, length);
  *at += length;
  return token;
}

static void
put (char **target, char **value)
{
  if (*target == NULL && strlen (*value) <= VALUE_MAX_BYTES)
    *target = g_steal_pointer (value);
}

/* ; name=value. FALSE: malformed. */
static gboolean
take_parameter (const char **at, Link *link)
{
  skip_spaces (at);
  g_autofree char *name = take_token (at), *value = NULL;
  skip_spaces (at);
  if (**at == '=') {
    (*at)++;
    skip_spaces (at);
    value = **at == '"' ? take_quoted (at) : take_token (at);
    if (value == NULL)
      return FALSE;
  }
  if (value == NULL || strlen (name) > NAME_MAX_BYTES)
    return TRUE;
  if (g_ascii_strcasecmp (name, "rel") == 0)
    link->is_ice |= g_ascii_strcasecmp (value, "ice-server") == 0;
  else if (g_ascii_strcasecmp (name, "username") == 0)
    put (&link->user, &value);
  else if (g_ascii_strcasecmp (name, "credential") == 0)
    put (&link->credential, &value);
  return TRUE;
}

/* <target>; parameters. FALSE: malformed, nothing behind it can be read. */
static gboolean
take_link (const char **at, Link *link)
{
  const char *end = **at == '<' ? strchr (*at, '>') : NULL;
  if (end == NULL)
    return FALSE;
  link->target = g_strndup (*at + 1, (gsize)(end - *at - 1));
  *at = end + 1;
  skip_spaces (at);
  while (**at == ';') {
    (*at)++;
    if (!take_parameter (at, link))
      return FALSE;
    skip_spaces (at);
  }
  return **at == '\0' || **at == ',';
}

/* RFC 7064: stun:HOST or stun:HOST:PORT, as our settings have it behind the scheme. */
static void
add_stun (WhipServers *servers, const char *target)
{
  const char *place = target + strlen ("stun:");
  gboolean plain = *place != '\0' && strlen (place) < 256 && strpbrk (place, "/?#@ ") == NULL;
  if (plain && servers->stun == NULL)
    servers->stun = g_strdup (place);
}

static void
add_relay (WhipServers *servers, const Link *link, const char *ca_file)
{
  g_autoptr (Relay) relay = relay_new (link->target, NULL);
  if (relay == NULL || link->user == NULL || link->credential == NULL
      || servers->relays->len >= RELAY_MAX)
    return;
  relay->user = g_strdup (link->user);
  relay->password = g_strdup (link->credential);
  relay->ca_file = g_strdup (ca_file);
  g_ptr_array_add (servers->relays, g_steal_pointer (&relay));
}

static void
add (WhipServers *servers, const Link *link, const char *ca_file)
{
  if (!link->is_ice)
    return;
  if (g_str_has_prefix (link->target, "stun:"))
    add_stun (servers, link->target);
  else if (g_str_has_prefix (link->target, "turn:") || g_str_has_prefix (link->target, "turns:"))
    add_relay (servers, link, ca_file);
}

WhipServers *
whip_links_parse (const char *header, const char *ca_file)
{
  WhipServers *servers = g_new0 (WhipServers, 1);
  servers->relays = g_ptr_array_new_with_free_func ((GDestroyNotify)relay_free);
  const char *at = header != NULL ? header : "";
  for (guint i = 0; i < LINKS_MAX; i++) {
    g_auto (Link) link = { 0 };
    at += strspn (at, " \t,");
    if (*at == '\0' || !take_link (&at, &link))
      break;
    add (servers, &link, ca_file);
  }
  return servers;
}

void
whip_servers_free (WhipServers *servers)
{
  g_free (servers->stun);
  g_ptr_array_unref (servers->relays);
  g_free (servers);
}
