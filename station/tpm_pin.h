/* A user's PIN that the station's TPM checks, so that it opens the vault (users.h,
 * certs/tpm_seal.h). The console's messages; main thread. */
#pragma once
#include "station/request.h"

/* Sets one: {passphrase, pin}. It must be none that this user ever had here: rows keep the
 * verifiers of those, and whoever has the machine with its boot credential could try all PINs
 * against one. */
void tpm_pin_set (Request *request);
/* Back to a PIN that opens the screen only: {passphrase, pin}. */
void tpm_pin_clear (Request *request);
