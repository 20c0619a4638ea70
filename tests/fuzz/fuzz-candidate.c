/* ICE texts of a page: what is taken must be what the checks promise. */
#include "media/transport/candidate.h"
#include <gio/gio.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *line = g_strndup ((const char *)data, size);
  Candidate candidate;
  candidate_check_pwd (line);
  candidate_check_ufrag (line);
  if (!candidate_parse (line, &candidate))
    return 0;
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (candidate.address);
  g_assert_nonnull (address);
  g_assert_cmpuint (candidate.port, >, 0);
  g_assert_cmpuint (candidate.priority, >, 0);
  g_assert_true (*candidate.ufrag == '\0' || candidate_check_ufrag (candidate.ufrag));
  candidate_is_loopback (&candidate);
  return 0;
}
