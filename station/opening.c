#include "station/opening.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

IdentityPlace
opening_identity_place (const Config *config, GBytes *secret)
{
  return (IdentityPlace){ .state_dir = config->state,
                          .key_uri = config->key,
                          .certificate = config->certificate,
                          .secret = secret };
}

/* The secret of the key in station.conf, or the one derived for the station's own key. */
static GBytes *
identity_secret (Vault *vault, const Config *config, GError **error)
{
  if (config->key == NULL)
    return cli_identity_secret (vault, error);
  if (config->key_secret_file == NULL)
    return g_bytes_new_static ("", 0);
  char *secret = cli_read_secret (config->key_secret_file, error);
  return secret != NULL ? g_bytes_new_take (secret, strlen (secret)) : NULL;
}

/* A clock that is ten years ahead sees the end of the local authority: the station opens all the
 * same, and the console says what is wrong. */
static gboolean
renew_local (const IdentityPlace *place, const char *const *names, gboolean *ret_renewed,
             GError **error)
{
  GError *wrong = NULL;
  if (identity_renew_local (place, names, ret_renewed, &wrong))
    return TRUE;
  if (!g_error_matches (wrong, CERTS_ERROR, CERTS_ERROR_EXPIRED)) {
    g_propagate_error (error, wrong);
    return FALSE;
  }
  g_warning ("identity: %s", wrong->message);
  g_error_free (wrong);
  return TRUE;
}

static gboolean
open_identity (Opening *opening, const Config *config, gboolean *ret_renewed, GError **error)
{
  g_autoptr (GBytes) secret = identity_secret (opening->vault, config, error);
  g_auto (GStrv) names = config_certificate_names (config);
  if (secret == NULL)
    return FALSE;
  IdentityPlace place
      = opening_identity_place (config, g_bytes_get_size (secret) > 0 ? secret : NULL);
  if (config->certificate == NULL
      && !renew_local (&place, (const char *const *)names, ret_renewed, error))
    return FALSE;
  opening->identity = identity_open (&place, error);
  return opening->identity != NULL;
}

gboolean
opening_register_files (Store *store, const Config *config, GError **error)
{
  static const char *const files[]
      = { "certs/station.key", "certs/station.crt", "certs/ca.key", "certs/ca.crt" };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (config->state, files[i], NULL);
    if (g_file_test (path, G_FILE_TEST_EXISTS) && !store_register_file (store, files[i], error))
      return FALSE;
  }
  return TRUE;
}

gboolean
opening_read_write (Opening *opening, const CliOptions *options, const Config *config,
                    GError **error)
{
  gboolean renewed = FALSE;
  opening->vault = cli_open_vault (options, config, FALSE, error);
  if (opening->vault == NULL || !open_identity (opening, config, &renewed, error))
    return FALSE;
  opening->store
      = store_open (config->state, opening->vault, opening->identity, STORE_READ_WRITE, error);
  return opening->store != NULL
         && (!renewed || opening_register_files (opening->store, config, error));
}

gboolean
opening_read_only (Opening *opening, const CliOptions *options, const Config *config,
                   GError **error)
{
  opening->vault = cli_open_vault (options, config, TRUE, error);
  if (opening->vault == NULL)
    return FALSE;
  opening->store = store_open (config->state, opening->vault, NULL, STORE_READ_ONLY, error);
  return opening->store != NULL;
}

void
opening_clear (Opening *opening)
{
  g_clear_pointer (&opening->store, store_free);
  g_clear_pointer (&opening->identity, identity_free);
  g_clear_pointer (&opening->vault, vault_free);
}

gboolean
opening_is_running (const Config *config)
{
  return store_is_running (config->state);
}

gboolean
opening_wake (const Config *config, GError **error)
{
  g_autofree char *path = g_build_filename (config->state, "lock", NULL), *text = NULL;
  gint64 pid = 0;
  if (g_file_get_contents (path, &text, NULL, NULL))
    g_ascii_string_to_signed (g_strchomp (text), 10, 2, G_MAXINT, &pid, NULL);
  if (pid != 0 && kill ((pid_t)pid, SIGUSR1) == 0)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
               "the running station cannot be woken (%s): run this as its own user",
               g_strerror (pid == 0 ? ESRCH : errno));
  return FALSE;
}
