/* The files behind an identity (identity.h): what identity.c and identity_local.c share. */
#pragma once
#include "certs/identity.h"
#include "certs/issue.h"

char *identity_file (const IdentityPlace *place, const char *name); /* STATE/certs/name */
char *identity_key_uri (const IdentityPlace *place);
char *identity_certificate_path (const IdentityPlace *place);
char *identity_chain_path (const IdentityPlace *place); /* STATE/certs/province.crt */

X509 *identity_load_certificate (const char *path, GError **error);
/* Path or OpenSSL STORE URI. secret NULL: no passphrase is offered. */
EVP_PKEY *identity_load_key (const char *uri, GBytes *secret, GError **error);

/* Durable, mode 0600, replaced as a whole. */
gboolean identity_save_key (const char *path, EVP_PKEY *key, GBytes *secret, GError **error);
gboolean identity_save_certificate (const char *path, X509 *certificate, GError **error);
gboolean identity_save_chain (const char *path, STACK_OF (X509) * chain, GError **error);
/* NULL without error: the file is not there. */
STACK_OF (X509) * identity_load_chain (const char *path, GError **error);
