#include "station/issuers.h"
#include "station/clock.h"

static const char *const everybody[] = { "*", NULL };

char *
issuers_list_file (const Config *config, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".crl", NULL);
  return g_build_filename (config->state, "certs", "crl", file, NULL);
}

static void
load_list (const Config *config, PeerTrust *trust, const char *name)
{
  g_autofree char *file = issuers_list_file (config, name);
  g_autoptr (GError) error = NULL;
  char *text = NULL;
  gsize length = 0;
  if (!g_file_test (file, G_FILE_TEST_EXISTS)
      || !g_file_get_contents (file, &text, &length, &error)) {
    if (error != NULL)
      g_warning ("issuers: %s", error->message);
    return;
  }
  g_autoptr (GBytes) bytes = g_bytes_new_take (text, length);
  if (!peer_trust_set_crl (trust, name, bytes, &error))
    g_warning ("issuers: %s: %s", file, error->message);
}

void
issuers_reload_lists (const Config *config, PeerTrust *trust)
{
  for (guint i = 0; i < config->issuers->len; i++)
    load_list (config, trust, ((ConfigIssuer *)config->issuers->pdata[i])->name);
}

PeerTrust *
issuers_trust (const Config *config, GError **error)
{
  g_autoptr (PeerTrust) trust = peer_trust_new ();
  for (guint i = 0; i < config->issuers->len; i++) {
    const ConfigIssuer *issuer = config->issuers->pdata[i];
    const char *const *stations = (const char *const *)issuer->stations;
    const char *const *people = (const char *const *)issuer->people;
    if (!peer_trust_add_issuer (trust, issuer->name, issuer->certificate,
                                stations != NULL ? stations : everybody,
                                people != NULL ? people : everybody, error)) {
      g_prefix_error (error, "[issuer %s]: ", issuer->name);
      return NULL;
    }
  }
  issuers_reload_lists (config, trust);
  g_autofree char *known = g_build_filename (config->state, "certs", "known", NULL);
  return peer_trust_load_known (trust, known, error) ? g_steal_pointer (&trust) : NULL;
}

const ConfigIssuer *
issuers_find (const Config *config, const char *name)
{
  for (guint i = 0; name != NULL && i < config->issuers->len; i++)
    if (g_str_equal (((ConfigIssuer *)config->issuers->pdata[i])->name, name))
      return config->issuers->pdata[i];
  return NULL;
}

const ConfigIssuer *
issuers_own (const Config *config, PeerTrust *trust, X509 *certificate)
{
  g_autofree char *name = certificate != NULL ? peer_trust_issuer_of (trust, certificate) : NULL;
  const ConfigIssuer *own = issuers_find (config, name);
  for (guint i = 0; own == NULL && i < config->issuers->len; i++) {
    const ConfigIssuer *issuer = config->issuers->pdata[i];
    if (issuer->est != NULL || config->issuers->len == 1)
      own = issuer;
  }
  return own;
}

PeerTime
issuers_time (const Config *config, gint64 at_least)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  gboolean kept = config->clock == CONFIG_CLOCK_AUTO ? clock_is_synchronized ()
                                                     : config->clock == CONFIG_CLOCK_TRUSTED;
  return (PeerTime){ now, kept && now >= at_least };
}
