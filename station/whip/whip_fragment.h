/* What a PATCH of a WHIP or WHEP session carries: `application/trickle-ice-sdpfrag` (RFC 8840 §9,
 * RFC 9725 §4.3), and what a restart of ICE leaves of a description. No I/O; any thread.
 */
#pragma once
#include <glib.h>

enum { WHIP_FRAGMENT_MAX = 64 * 1024, WHIP_FRAGMENT_CANDIDATES = 64 };

#define WHIP_FRAGMENT_TYPE "application/trickle-ice-sdpfrag"

typedef struct {
  char *ufrag, *pwd;     /* both or none */
  char *mid;             /* of the first m-line; NULL: none */
  GPtrArray *candidates; /* char *: "candidate:…", WHIP_FRAGMENT_CANDIDATES at most */
  gboolean end;          /* no more will come */
} WhipFragment;

/* Of a fragment, or of a whole description. NULL and error (G_IO_ERROR_INVALID_DATA): longer than
 * WHIP_FRAGMENT_MAX, credentials not of the form of RFC 8839 §5.4, or one of them alone; lines that
 * are none of its business are left out. */
WhipFragment *whip_fragment_parse (const char *text, GError **error);
void whip_fragment_free (WhipFragment *fragment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WhipFragment, whip_fragment_free)

/* The text, CRLF line ends (transfer full). */
char *whip_fragment_write (const WhipFragment *fragment);

/* The description `sdp` with the fragment's credentials and candidates in the place of its own
 * (transfer full). */
char *whip_fragment_apply (const char *sdp, const WhipFragment *fragment);
