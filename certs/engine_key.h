/* Private keys behind an OpenSSL engine: "org.openssl.engine:ENGINE:KEY", above all
 * "org.openssl.engine:pkcs11:pkcs11:token=…;object=…" (libengine-pkcs11-openssl; the module is the
 * one of PKCS11_MODULE_PATH or openssl.cnf). Any thread. */
#pragma once
#include <glib.h>
#include <openssl/evp.h>
#include <openssl/ui.h>

gboolean engine_key_is_uri (const char *uri);
/* Once logged in, the engine stays so for as long as the program runs: good for the station's own
 * key, not for a person's (token_sign.h). method asks for the PIN, with arg. NULL with OpenSSL's
 * error queue filled. */
EVP_PKEY *engine_key_load (const char *uri, UI_METHOD *method, void *arg);
