/* What names an authority may vouch for. */
#include "certs/issue.h"
#include <gio/gio.h>
#include <string.h>

#define NAME_LONGEST 253

#define PERMITTED                                                                                  \
  "critical,permitted;DNS:localhost,permitted;DNS:local,permitted;DNS:lan,"                        \
  "permitted;DNS:internal,permitted;DNS:home.arpa,"                                                \
  "permitted;IP:127.0.0.0/255.0.0.0,permitted;IP:10.0.0.0/255.0.0.0,"                              \
  "permitted;IP:172.16.0.0/255.240.0.0,permitted;IP:192.168.0.0/255.255.0.0,"                      \
  "permitted;IP:169.254.0.0/255.255.0.0,"                                                          \
  "permitted;IP:0:0:0:0:0:0:0:1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,"                          \
  "permitted;IP:fc00:0:0:0:0:0:0:0/fe00:0:0:0:0:0:0:0,"                                            \
  "permitted;IP:fe80:0:0:0:0:0:0:0/ffc0:0:0:0:0:0:0:0"

gboolean
issue_name_is_valid (const char *name)
{
  gsize length = strlen (name);
  if (g_hostname_is_ip_address (name))
    return TRUE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (name[i]) && strchr (".-_", name[i]) == NULL)
      return FALSE;
  return length > 0 && length <= NAME_LONGEST;
}

char *
issue_private_constraints (const char *const *names)
{
  g_autoptr (GString) text = g_string_new (PERMITTED);

  for (gsize i = 0; names != NULL && names[i] != NULL; i++) {
    g_autoptr (GInetAddress) address = g_inet_address_new_from_string (names[i]);
    if (address == NULL)
      g_string_append_printf (text, ",permitted;DNS:%s", names[i]);
    else if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4)
      g_string_append_printf (text, ",permitted;IP:%s/255.255.255.255", names[i]);
    else
      g_string_append_printf (text, ",permitted;IP:%s/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                              names[i]);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
issue_permits (X509 *authority, X509 *certificate)
{
  NAME_CONSTRAINTS *constraints = X509_get_ext_d2i (authority, NID_name_constraints, NULL, NULL);
  /* The check looks at extensions that only this call has parsed. */
  gboolean good
      = X509_check_purpose (certificate, -1, 0) == 1
        && (constraints == NULL || NAME_CONSTRAINTS_check (certificate, constraints) == X509_V_OK);
  NAME_CONSTRAINTS_free (constraints);
  return good;
}
