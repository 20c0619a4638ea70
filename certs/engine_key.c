/* OpenSSL 3.0 knows "org.openssl.engine:" URIs in its command only (apps/lib), not in libcrypto:
 * programs go to the engine themselves. ENGINE is deprecated there, and the only way to PKCS#11
 * that Debian 12 has. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "certs/engine_key.h"
#include <openssl/engine.h>
#include <string.h>

#define PREFIX "org.openssl.engine:"

/* The engine keeps who is logged in: one at a time. */
static GMutex lock;

gboolean
engine_key_is_uri (const char *uri)
{
  return g_str_has_prefix (uri, PREFIX);
}

EVP_PKEY *
engine_key_load (const char *uri, UI_METHOD *method, void *arg)
{
  const char *id = uri + strlen (PREFIX), *key_id = strchr (id, ':');
  if (!engine_key_is_uri (uri) || key_id == NULL)
    return NULL;
  g_autofree char *name = g_strndup (id, (gsize)(key_id - id));
  g_mutex_lock (&lock);
  ENGINE_load_dynamic ();
  ENGINE *engine = ENGINE_by_id (name);
  EVP_PKEY *key = NULL;
  if (engine != NULL && ENGINE_init (engine) == 1) {
    key = ENGINE_load_private_key (engine, key_id + 1, method, arg);
    /* The key holds the engine for as long as it lives. */
    ENGINE_finish (engine);
  }
  ENGINE_free (engine);
  g_mutex_unlock (&lock);
  return key;
}
