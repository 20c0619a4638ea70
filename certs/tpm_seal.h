/* A secret that a TPM 2.0 gives out against a PIN, and counts wrong ones of (tpm2-tss, ESAPI).
 *
 * The secret is a sealed object (KEYEDHASH, no scheme) below a storage key of the owner hierarchy
 * that the TPM makes anew each time from its seed (ECC P-256, AES-128-CFB: `tpm2_createprimary -C o
 * -G ecc256`). Its authorisation value is the PIN; noDA is clear, so that wrong PINs count towards
 * the TPM's own lockout (TPM 2.0 Part 1, 19.8), across restarts and whatever program asks. What is
 * kept is TPM2B_PUBLIC and TPM2B_PRIVATE, as tpm2-tools have them, one behind the other: useless
 * without this very TPM. The session is salted with the storage key and encrypts parameters, so
 * that neither PIN nor secret crosses the bus in the clear.
 *
 * tcti: as tpm2-tools name it, "device:/dev/tpmrm0". Any thread; waits for the TPM (about a second
 * on real ones, by their makers' figures). Errors: CERTS_ERROR_KEY the PIN is wrong;
 * CERTS_ERROR_LOCKED_OUT the TPM refuses every PIN for a while; CERTS_ERROR_NOT_FOUND there is no
 * TPM; CERTS_ERROR_FAILED the rest, another TPM among it.
 */
#pragma once
#include "certs/error.h"

#define TPM_SEAL_PIN_LONGEST 32 /* bytes: of the digest that names the object */
#define TPM_SEAL_SECRET_LONGEST 128

/* secret: 1 to 128 bytes. What is to be kept (transfer full). */
GBytes *tpm_seal_new (const char *tcti, GBytes *secret, const char *pin, GError **error);
typedef struct {
  guint8 data[TPM_SEAL_SECRET_LONGEST];
  gsize size;
} TpmSecret;
/* Is there a TPM that could do it? */
gboolean tpm_seal_works (const char *tcti, GError **error);
/* ret_secret is the caller's to wipe; untouched on failure. */
gboolean tpm_seal_open (const char *tcti, GBytes *sealed, const char *pin, TpmSecret *ret_secret,
                        GError **error);
