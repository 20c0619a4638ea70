/* Between identities.c, identities_account.c and identities_certificate.c. */
#pragma once
#include "station/identities.h"

/* (transfer full) fingerprint. */
void identities_check_passkey (Request *request, const json_t *identity, const char *binding,
                               char *fingerprint, IdentitiesDone done);
void identities_check_certificate (Request *request, const json_t *identity, const char *binding,
                                   char *fingerprint, IdentitiesDone done);
void identities_check_password (Request *request, const json_t *identity, char *fingerprint,
                                IdentitiesDone done);
