/* The monthly drill: proof that a recovery key still opens, so that a lost one is found before it
 * is needed. Two ways, each kept in a sealed row of the station's, and with it in the log:
 *
 *   challenge  the station seals a fresh code to a recipient; its holder opens it elsewhere with
 *              stock openssl and somebody types the code back. The private key never comes near
 *   escrows    whoever holds the key opens every escrow of a state folder, or of a copy of one, and
 *              each key is compared with its commitment
 *
 *   row "drill-challenge"  {"recipient", "sha256"}     the newest of a recipient rules
 *   row "drill"            {"recipient", "how", "opened"}   recipient: its number, cert show has it
 */
#pragma once
#include "records/store.h"

enum { DRILL_DAYS = 31 }; /* from one to the next */

/* The challenge for recipient i, DER (transfer full); the row is durable. Waits for the disk; any
 * thread but the writer's. user NULL: nobody is signed in. */
GBytes *drill_challenge (Store *store, guint i, const char *user, GError **error);
/* The code of a challenge that is not answered yet: says so in a row. CREDENTIAL: it is of none.
 * ret_recipient: i. */
gboolean drill_confirm (Store *store, const char *code, const char *user, guint *ret_recipient,
                        GError **error);

typedef struct {
  guint keys, opened; /* escrows there are, and those that gave the key that is in use */
  char *problem;      /* of the first that did not; NULL: none */
} DrillReport;
void drill_report_clear (DrillReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DrillReport, drill_report_clear)
/* Opens every escrow of a vault, which may be open for reading only. FALSE with error: the key is
 * of no recipient (CREDENTIAL), or the keys cannot be read. */
gboolean drill_escrows (Vault *vault, EVP_PKEY *key, X509 *certificate, guint *ret_recipient,
                        DrillReport *ret_report, GError **error);
/* Says in a row that all of them opened. */
gboolean drill_log_escrows (Store *store, guint recipient, guint opened, const char *user,
                            GError **error);

/* When each recipient last showed that its key opens, UTC µs, 0: never; and when the station was
 * set up. Array of gint64, one for each i. */
GArray *drill_times (Store *store, gint64 *ret_set_up_us, GError **error);
/* Whether a recipient's drill is due. last_us 0: counted from set-up. */
gboolean drill_is_due (gint64 last_us, gint64 set_up_us, gint64 now_us);
