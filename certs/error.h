/* Errors of this folder. */
#pragma once
#include <glib.h>

#define CERTS_ERROR (certs_error_quark ())
GQuark certs_error_quark (void);
typedef enum {
  CERTS_ERROR_FAILED,
  CERTS_ERROR_NOT_FOUND,
  CERTS_ERROR_KEY, /* cannot be opened: wrong secret, wrong type, does not fit the certificate */
  CERTS_ERROR_EXPIRED,
  CERTS_ERROR_LOCKED_OUT, /* a TPM takes no PIN for a while */
} CertsError;
