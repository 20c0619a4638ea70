/* What a join page shows to be let near a consultation: an invitation, its secret, proof of the
 * browser's key, and where the invitation has one, the PIN. Main thread.
 *
 * An invitation with a PIN is bound to the first browser that shows the right one: its key is on
 * the disk before the answer goes out, and opens the link from then on without the PIN. Another
 * browser with the right PIN only waits: the doctor's click binds the invitation to it
 * (guest_let_in()).
 *
 * Wrong secrets and PINs are counted together, on the disk before they are answered; the fifth
 * burns the invitation, across restarts.
 */
#pragma once
#include "station/request.h"
#include "station/station.h"

typedef struct {
  Consult *consult;
  Invite *invite;
  char *key;      /* SHA-256 of the browser's public key, hex */
  gboolean other; /* the PIN was right, but another browser has the invitation */
} Pass;

void pass_clear (Pass *pass);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pass, pass_clear)

/* FALSE: the message has been refused, or will be. */
gboolean pass_check (Request *request, Pass *ret);
/* After pass_check(). FALSE: it has been refused, or will be; or the browser is being bound to the
 * invitation, and `then` is called with the request when that is durable: pass_check() and this
 * hold then. */
gboolean pass_check_pin (Request *request, Pass *pass, void (*then) (Request *request));
/* The browser is the one that the invitation is bound to, or none is asked for. */
gboolean pass_is_bound (const Pass *pass);
