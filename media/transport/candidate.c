#include "media/transport/candidate.h"
#include <gio/gio.h>
#include <string.h>

enum { FIXED_TOKENS = 8, MAX_TOKENS = 40 };

static gboolean
is_ice_text (const char *text, gsize min, gsize max)
{
  gsize length = text ? strnlen (text, max + 1) : 0;
  if (length < min || length > max)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '+' && text[i] != '/')
      return FALSE;
  return TRUE;
}

gboolean
candidate_check_ufrag (const char *ufrag)
{
  return is_ice_text (ufrag, 4, 256);
}

gboolean
candidate_check_pwd (const char *pwd)
{
  return is_ice_text (pwd, 22, 256);
}

static gboolean
parse_type (const char *text, CandidateType *ret_type)
{
  static const char *const names[] = { "host", "srflx", "prflx", "relay" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (text, names[i]) == 0) {
      *ret_type = (CandidateType)i;
      return TRUE;
    }
  return FALSE;
}

static GInetAddress *
parse_address (const char *text)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);
  if (!address || g_inet_address_get_is_any (address) || g_inet_address_get_is_multicast (address))
    return NULL;
  return g_steal_pointer (&address);
}

static gboolean
parse_fixed (char **tokens, Candidate *candidate)
{
  static const char prefix[] = "candidate:";
  guint64 component, priority, port;
  if (!g_str_has_prefix (tokens[0], prefix)
      || !is_ice_text (tokens[0] + strlen (prefix), 1, CANDIDATE_MAX_FOUNDATION)
      || !g_ascii_string_to_unsigned (tokens[1], 10, 1, 1, &component, NULL)
      || g_ascii_strcasecmp (tokens[2], "udp") != 0
      || !g_ascii_string_to_unsigned (tokens[3], 10, 1, G_MAXINT32, &priority, NULL)
      || !g_ascii_string_to_unsigned (tokens[5], 10, 1, G_MAXUINT16, &port, NULL)
      || strcmp (tokens[6], "typ") != 0 || !parse_type (tokens[7], &candidate->type))
    return FALSE;
  g_autoptr (GInetAddress) address = parse_address (tokens[4]);
  if (!address)
    return FALSE;
  g_autofree char *numeric = g_inet_address_to_string (address);
  g_strlcpy (candidate->address, numeric, sizeof candidate->address);
  g_strlcpy (candidate->foundation, tokens[0] + strlen (prefix), sizeof candidate->foundation);
  candidate->priority = (guint32)priority;
  candidate->port = (guint16)port;
  return TRUE;
}

gboolean
candidate_parse (const char *line, Candidate *ret_candidate)
{
  if (!line || strnlen (line, CANDIDATE_MAX_LINE + 1) > CANDIDATE_MAX_LINE)
    return FALSE;
  if (g_str_has_prefix (line, "a="))
    line += 2;
  g_auto (GStrv) tokens = g_strsplit (line, " ", MAX_TOKENS);
  guint n = g_strv_length (tokens);
  Candidate candidate = { 0 };
  if (n < FIXED_TOKENS || !parse_fixed (tokens, &candidate))
    return FALSE;
  for (guint i = FIXED_TOKENS; i + 1 < n; i += 2)
    if (strcmp (tokens[i], "ufrag") == 0 && candidate_check_ufrag (tokens[i + 1]))
      g_strlcpy (candidate.ufrag, tokens[i + 1], sizeof candidate.ufrag);
  *ret_candidate = candidate;
  return TRUE;
}

gboolean
candidate_is_loopback (const Candidate *candidate)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (candidate->address);
  if (!address || g_inet_address_get_is_loopback (address))
    return TRUE;
  static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff }; /* ::ffff:0:0/96 */
  const guint8 *bytes = g_inet_address_to_bytes (address);
  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
         && memcmp (bytes, mapped, sizeof mapped) == 0 && bytes[12] == 127;
}
