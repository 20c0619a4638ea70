#include "station/whip/whip_fragment.h"
#include "media/transport/candidate.h"

#include <gio/gio.h>
#include <string.h>

enum { MID_MAX = 64 };

void
whip_fragment_free (WhipFragment *fragment)
{
  g_free (fragment->ufrag);
  g_free (fragment->pwd);
  g_free (fragment->mid);
  g_ptr_array_unref (fragment->candidates);
  g_free (fragment);
}

static const char *
value_of (const char *line, const char *attribute)
{
  return g_str_has_prefix (line, attribute) ? line + strlen (attribute) : NULL;
}

static gboolean
is_plain (const char *text, gsize max)
{
  gsize length = strlen (text);
  for (const char *c = text; *c != '\0'; c++)
    if (*c < 0x20 || *c >= 0x7f)
      return FALSE;
  return length > 0 && length <= max;
}

static void
take_first (char **target, const char *value)
{
  if (*target == NULL)
    *target = g_strdup (value);
}

static void
take_line (WhipFragment *fragment, const char *line)
{
  const char *value;
  if ((value = value_of (line, "a=ice-ufrag:")) != NULL)
    take_first (&fragment->ufrag, value);
  else if ((value = value_of (line, "a=ice-pwd:")) != NULL)
    take_first (&fragment->pwd, value);
  else if ((value = value_of (line, "a=mid:")) != NULL && is_plain (value, MID_MAX))
    take_first (&fragment->mid, value);
  else if (g_str_has_prefix (line, "a=candidate:") && is_plain (line, CANDIDATE_MAX_LINE)
           && fragment->candidates->len < WHIP_FRAGMENT_CANDIDATES)
    g_ptr_array_add (fragment->candidates, g_strdup (line + strlen ("a=")));
  else if (g_str_equal (line, "a=end-of-candidates"))
    fragment->end = TRUE;
}

static gboolean
credentials_are_good (const WhipFragment *fragment)
{
  if (fragment->ufrag == NULL || fragment->pwd == NULL)
    return fragment->ufrag == NULL && fragment->pwd == NULL;
  return candidate_check_ufrag (fragment->ufrag) && candidate_check_pwd (fragment->pwd);
}

WhipFragment *
whip_fragment_parse (const char *text, GError **error)
{
  if (strnlen (text, WHIP_FRAGMENT_MAX + 1) > WHIP_FRAGMENT_MAX) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "longer than %d bytes",
                 WHIP_FRAGMENT_MAX);
    return NULL;
  }
  g_autoptr (WhipFragment) fragment = g_new0 (WhipFragment, 1);
  fragment->candidates = g_ptr_array_new_with_free_func (g_free);
  for (const char *at = text; *at != '\0';) {
    gsize length = strcspn (at, "\r\n");
    g_autofree char *line = g_strndup (at, length);
    take_line (fragment, line);
    at += length;
    at += strspn (at, "\r\n");
  }
  if (!credentials_are_good (fragment)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 "a=ice-ufrag and a=ice-pwd do not have the form of RFC 8839");
    return NULL;
  }
  return g_steal_pointer (&fragment);
}

static void
write_candidates (GString *text, const WhipFragment *fragment)
{
  for (guint i = 0; i < fragment->candidates->len; i++)
    g_string_append_printf (text, "a=%s\r\n", (const char *)fragment->candidates->pdata[i]);
  if (fragment->end)
    g_string_append (text, "a=end-of-candidates\r\n");
}

/* RFC 8840 §9: what stands before the m-line counts for the session; the m-line is a pseudo one. */
char *
whip_fragment_write (const WhipFragment *fragment)
{
  GString *text = g_string_new (NULL);
  const char *mid = fragment->mid != NULL ? fragment->mid : "0";
  if (fragment->ufrag != NULL)
    g_string_append_printf (text, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", fragment->ufrag,
                            fragment->pwd);
  g_string_append_printf (text, "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:%s\r\n", mid);
  write_candidates (text, fragment);
  return g_string_free (text, FALSE);
}

static gboolean
is_of_ice (const char *line)
{
  return g_str_has_prefix (line, "a=candidate:") || g_str_equal (line, "a=end-of-candidates");
}

static void
copy_line (GString *text, const char *line, const WhipFragment *fragment)
{
  if (fragment->ufrag != NULL && g_str_has_prefix (line, "a=ice-ufrag:"))
    g_string_append_printf (text, "a=ice-ufrag:%s\r\n", fragment->ufrag);
  else if (fragment->pwd != NULL && g_str_has_prefix (line, "a=ice-pwd:"))
    g_string_append_printf (text, "a=ice-pwd:%s\r\n", fragment->pwd);
  else if (!is_of_ice (line))
    g_string_append_printf (text, "%s\r\n", line);
}

char *
whip_fragment_apply (const char *sdp, const WhipFragment *fragment)
{
  GString *text = g_string_new (NULL);
  gboolean written = FALSE;
  for (const char *at = sdp; *at != '\0';) {
    gsize length = strcspn (at, "\r\n");
    g_autofree char *line = g_strndup (at, length);
    copy_line (text, line, fragment);
    if (!written && g_str_has_prefix (line, "a=mid:")) {
      write_candidates (text, fragment);
      written = TRUE;
    }
    at += length;
    at += strspn (at, "\r\n");
  }
  return g_string_free (text, FALSE);
}
