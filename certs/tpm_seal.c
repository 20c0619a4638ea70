#include "certs/tpm_seal.h"

#include <openssl/crypto.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

/* One conversation with the TPM. Handles are ESYS_TR_NONE until they are there. */
typedef struct {
  TSS2_TCTI_CONTEXT *tcti;
  ESYS_CONTEXT *esys;
  ESYS_TR primary, session, object;
} Tpm;

static const TPM2B_PUBLIC STORAGE_KEY = {
  .publicArea = {
    .type = TPM2_ALG_ECC,
    .nameAlg = TPM2_ALG_SHA256,
    .objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_FIXEDTPM
                        | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN
                        | TPMA_OBJECT_USERWITHAUTH,
    .parameters.eccDetail = {
      .symmetric = { .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB },
      .scheme = { .scheme = TPM2_ALG_NULL },
      .curveID = TPM2_ECC_NIST_P256,
      .kdf = { .scheme = TPM2_ALG_NULL },
    },
  },
};

static const TPM2B_PUBLIC SEALED_OBJECT = {
  .publicArea = {
    .type = TPM2_ALG_KEYEDHASH,
    .nameAlg = TPM2_ALG_SHA256,
    .objectAttributes
    = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT,
    .parameters.keyedHashDetail.scheme = { .scheme = TPM2_ALG_NULL },
  },
};

static gboolean
good (TSS2_RC rc, const char *what, GError **error)
{
  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "the TPM: %s: %s", what,
               Tss2_RC_Decode (rc));
  return FALSE;
}

static void
tpm_close (Tpm *tpm)
{
  const ESYS_TR handles[] = { tpm->object, tpm->session, tpm->primary };
  for (guint i = 0; i < G_N_ELEMENTS (handles); i++)
    if (handles[i] != ESYS_TR_NONE)
      Esys_FlushContext (tpm->esys, handles[i]);
  if (tpm->esys != NULL)
    Esys_Finalize (&tpm->esys);
  if (tpm->tcti != NULL)
    Tss2_TctiLdr_Finalize (&tpm->tcti);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Tpm, tpm_close)

static gboolean
make_primary (Tpm *tpm, GError **error)
{
  const TPM2B_SENSITIVE_CREATE nothing = { 0 };
  const TPM2B_DATA outside = { 0 };
  const TPML_PCR_SELECTION registers = { 0 };
  return good (Esys_CreatePrimary (tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                   ESYS_TR_NONE, &nothing, &STORAGE_KEY, &outside, &registers,
                                   &tpm->primary, NULL, NULL, NULL, NULL),
               "makes no storage key (its owner's hierarchy wants no password)", error);
}

static gboolean
tpm_open (Tpm *tpm, const char *tcti, GError **error)
{
  const TPMT_SYM_DEF cipher
      = { .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB };
  TSS2_RC rc = Tss2_TctiLdr_Initialize (tcti, &tpm->tcti);
  if (rc == TSS2_RC_SUCCESS)
    rc = Esys_Initialize (&tpm->esys, tpm->tcti, NULL);
  if (rc != TSS2_RC_SUCCESS) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND,
                 "no TPM answers at %s: %s; is it there, and may this user open it (group tss)?",
                 tcti, Tss2_RC_Decode (rc));
    return FALSE;
  }
  return make_primary (tpm, error)
         && good (Esys_StartAuthSession (tpm->esys, tpm->primary, ESYS_TR_NONE, ESYS_TR_NONE,
                                         ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_HMAC, &cipher,
                                         TPM2_ALG_SHA256, &tpm->session),
                  "starts no session", error);
}

#define TPM_CLOSED                                                                                 \
  {                                                                                                \
    .primary = ESYS_TR_NONE, .session = ESYS_TR_NONE, .object = ESYS_TR_NONE                       \
  }

/* Which parameters are encrypted: what goes there, what comes back. */
static gboolean
encrypt (Tpm *tpm, TPMA_SESSION which, GError **error)
{
  return good (Esys_TRSess_SetAttributes (tpm->esys, tpm->session,
                                          which | TPMA_SESSION_CONTINUESESSION, 0xff),
               "takes no session's attributes", error);
}

gboolean
tpm_seal_works (const char *tcti, GError **error)
{
  g_auto (Tpm) tpm = TPM_CLOSED;
  return tpm_open (&tpm, tcti, error);
}

static gboolean
take_pin (const char *pin, TPM2B_AUTH *ret, GError **error)
{
  gsize length = strlen (pin);
  if (length < 1 || length > TPM_SEAL_PIN_LONGEST) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY, "a PIN for the TPM has 1 to %d bytes",
                 TPM_SEAL_PIN_LONGEST);
    return FALSE;
  }
  ret->size = (UINT16)length;
  memcpy (ret->buffer, pin, length);
  return TRUE;
}

/* ---- Sealing -------------------------------------------------------------------------------- */

static GBytes *
marshal (const TPM2B_PUBLIC *public, const TPM2B_PRIVATE *private, GError **error)
{
  guint8 bytes[sizeof *public + sizeof *private];
  size_t size = 0;
  if (!good (Tss2_MU_TPM2B_PUBLIC_Marshal (public, bytes, sizeof bytes, &size), "its object", error)
      || !good (Tss2_MU_TPM2B_PRIVATE_Marshal (private, bytes, sizeof bytes, &size), "its object",
                error))
    return NULL;
  return g_bytes_new (bytes, size);
}

GBytes *
tpm_seal_new (const char *tcti, GBytes *secret, const char *pin, GError **error)
{
  g_auto (Tpm) tpm = TPM_CLOSED;
  TPM2B_SENSITIVE_CREATE sensitive = { 0 };
  const TPM2B_DATA outside = { 0 };
  const TPML_PCR_SELECTION registers = { 0 };
  TPM2B_PUBLIC *public = NULL;
  TPM2B_PRIVATE *private = NULL;
  GBytes *sealed = NULL;
  gsize size;
  const void *data = g_bytes_get_data (secret, &size);
  if (size < 1 || size > TPM_SEAL_SECRET_LONGEST) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "a TPM seals 1 to %d bytes",
                 TPM_SEAL_SECRET_LONGEST);
    return NULL;
  }
  if (take_pin (pin, &sensitive.sensitive.userAuth, error) && tpm_open (&tpm, tcti, error)
      && encrypt (&tpm, TPMA_SESSION_DECRYPT, error)) {
    sensitive.sensitive.data.size = (UINT16)size;
    memcpy (sensitive.sensitive.data.buffer, data, size);
    if (good (Esys_Create (tpm.esys, tpm.primary, tpm.session, ESYS_TR_NONE, ESYS_TR_NONE,
                           &sensitive, &SEALED_OBJECT, &outside, &registers, &private, &public,
                           NULL, NULL, NULL),
              "seals nothing", error))
      sealed = marshal (public, private, error);
  }
  OPENSSL_cleanse (&sensitive, sizeof sensitive);
  Esys_Free (public);
  Esys_Free (private);
  return sealed;
}

/* ---- Opening -------------------------------------------------------------------------------- */

static gboolean
load_object (Tpm *tpm, GBytes *sealed, GError **error)
{
  TPM2B_PUBLIC public = { 0 };
  TPM2B_PRIVATE private = { 0 };
  size_t at = 0;
  gsize size;
  const guint8 *data = g_bytes_get_data (sealed, &size);
  if (Tss2_MU_TPM2B_PUBLIC_Unmarshal (data, size, &at, &public) != TSS2_RC_SUCCESS
      || Tss2_MU_TPM2B_PRIVATE_Unmarshal (data, size, &at, &private) != TSS2_RC_SUCCESS
      || at != size) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "what the TPM sealed is damaged");
    return FALSE;
  }
  return good (Esys_Load (tpm->esys, tpm->primary, tpm->session, ESYS_TR_NONE, ESYS_TR_NONE,
                          &private, &public, &tpm->object),
               "does not know this object; it was sealed by another TPM, or this one was cleared",
               error);
}

/* TPM 2.0 Part 2, 6.6: without the number of the handle, session or parameter in it. */
static TSS2_RC
plain_code (TSS2_RC rc)
{
  if ((rc & TSS2_RC_LAYER_MASK) != 0 && (rc & TSS2_RC_LAYER_MASK) != TSS2_RESMGR_TPM_RC_LAYER)
    return rc;
  rc &= ~TSS2_RC_LAYER_MASK;
  return (rc & TPM2_RC_FMT1) != 0 ? rc & (TPM2_RC_FMT1 | 0x3f) : rc;
}

static gboolean
unsealed (TSS2_RC rc, GError **error)
{
  TSS2_RC code = plain_code (rc);
  if (code == TPM2_RC_AUTH_FAIL || code == TPM2_RC_BAD_AUTH) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY, "the PIN is wrong");
    return FALSE;
  }
  if (code == TPM2_RC_LOCKOUT) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_LOCKED_OUT,
                 "the TPM takes no PIN for a while, after too many wrong ones");
    return FALSE;
  }
  return good (rc, "does not unseal", error);
}

gboolean
tpm_seal_open (const char *tcti, GBytes *sealed, const char *pin, TpmSecret *ret_secret,
               GError **error)
{
  g_auto (Tpm) tpm = TPM_CLOSED;
  TPM2B_AUTH auth = { 0 };
  TPM2B_SENSITIVE_DATA *data = NULL;
  gboolean open = FALSE;
  if (take_pin (pin, &auth, error) && tpm_open (&tpm, tcti, error)
      && encrypt (&tpm, TPMA_SESSION_DECRYPT, error) && load_object (&tpm, sealed, error)
      && good (Esys_TR_SetAuth (tpm.esys, tpm.object, &auth), "takes no PIN", error)
      && encrypt (&tpm, TPMA_SESSION_ENCRYPT, error))
    open = unsealed (
        Esys_Unseal (tpm.esys, tpm.object, tpm.session, ESYS_TR_NONE, ESYS_TR_NONE, &data), error);
  if (open && data->size > sizeof ret_secret->data) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "the TPM gave too long a secret");
    open = FALSE;
  }
  if (open) {
    ret_secret->size = data->size;
    memcpy (ret_secret->data, data->buffer, data->size);
  }
  if (data != NULL)
    OPENSSL_cleanse (data, sizeof *data);
  Esys_Free (data);
  OPENSSL_cleanse (&auth, sizeof auth);
  return open;
}
