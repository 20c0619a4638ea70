/* Signing: the record is closed. A user confirms with PIN or passphrase; the station seals the
 * manifest of the record with its own key (it signs for nobody), and the keys that let it open
 * this consultation after a power cut are destroyed. */
#pragma once
#include "station/station.h"

/* What follows the row that says "signed": signature row, checkpoint, end of the boot wraps.
 * signature: the row is there already. Waits for the disk; any thread. */
gboolean sign_seal (Station *station, const char *consult, const char *user, gboolean signature,
                    GError **error);
