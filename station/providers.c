#include "station/providers.h"
#include "certs/jws.h"
#include "station/providers_fetch.h"

#include <string.h>

#define REFRESH_S (6 * 3600)
#define RETRY_FIRST_S 30
#define RETRY_LAST_S 3600
#define AGAIN_US (5 * G_USEC_PER_SEC) /* for a key that nobody knows, at most so often */
#define WRITE_AGAIN_US (G_TIME_SPAN_DAY)
#define WAITING_MOST 32

typedef struct {
  Providers *all;
  const ConfigProvider *config;
  json_t *keys;                  /* NULL: none yet */
  json_t *origins;               /* array of texts, beside the issuer's own */
  gint64 fetched_us, written_us; /* UTC; 0: never */
  gint64 asked_us;               /* monotonic, for a key that was not known; 0: never */
  guint timer, delay_s;
  gboolean busy;
  GPtrArray *waiting; /* Check* */
} Provider;

struct Providers {
  Station *station;
  GPtrArray *list; /* Provider* */
  gint stop;       /* atomic */
  char *origins;
};

typedef struct {
  char *token, *nonce;
  ProvidersDone done;
  void *arg;
} Check;

static void start_fetch (Provider *provider);

static void
check_free (void *data)
{
  Check *check = data;
  g_free (check->token);
  g_free (check->nonce);
  g_free (check);
}

static void
provider_free (void *data)
{
  Provider *provider = data;
  g_clear_handle_id (&provider->timer, g_source_remove);
  json_decref (provider->keys);
  json_decref (provider->origins);
  g_ptr_array_unref (provider->waiting);
  g_free (provider);
}

/* ---- What is kept -------------------------------------------------------------------------- */

static char *
kind_of (const Provider *provider)
{
  return g_strdup_printf ("provider-%s", provider->config->name);
}

static json_t *
keys_of_json (const json_t *keys)
{
  g_autofree char *text = json_dumps (keys, JSON_COMPACT);
  return text != NULL ? jwks_parse (text, strlen (text)) : NULL;
}

/* Another issuer under the same name begins anew. */
static gboolean
take_body (Provider *provider, const json_t *body)
{
  const char *issuer = json_string_value (json_object_get (body, "issuer"));
  json_t *origins = json_object_get (body, "origins");
  json_t *keys = keys_of_json (json_object_get (body, "keys"));
  if (keys == NULL || g_strcmp0 (issuer, provider->config->issuer) != 0) {
    json_decref (keys);
    return FALSE;
  }
  json_decref (provider->keys);
  json_decref (provider->origins);
  provider->keys = keys;
  provider->origins = json_incref (origins);
  provider->fetched_us = json_integer_value (json_object_get (body, "fetched_us"));
  return TRUE;
}

static gboolean
load (Provider *provider, GError **error)
{
  g_autofree char *kind = kind_of (provider);
  g_autoptr (GError) none = NULL;
  StoreRow *row = store_latest (provider->all->station->store, "station", kind, &none);
  if (row == NULL) {
    if (g_error_matches (none, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&none));
    return FALSE;
  }
  if (take_body (provider, row->body))
    provider->written_us = provider->fetched_us;
  store_row_free (row);
  return TRUE;
}

static void
keep (Provider *provider, json_t *body, gboolean changed)
{
  if (!changed && provider->fetched_us - provider->written_us < WRITE_AGAIN_US)
    return;
  g_autofree char *kind = kind_of (provider);
  provider->written_us = provider->fetched_us;
  store_put (provider->all->station->store, "station", kind, NULL, body, NULL, NULL);
}

/* ---- Judging ------------------------------------------------------------------------------- */

static gboolean
keys_are_old (const Provider *provider)
{
  gint64 age_us = g_get_real_time () - provider->fetched_us;
  return age_us > (gint64)PROVIDERS_KEYS_LAST_S * G_USEC_PER_SEC;
}

static IdTokenVerdict
judge (const Provider *provider, const Check *check, IdToken *ret)
{
  const ConfigProvider *config = provider->config;
  IdTokenTrust trust = { .issuer = config->issuer,
                         .client_id = config->client_id,
                         .roles_claim = config->roles_claim,
                         .roles = (const char *const *)config->roles,
                         .keys = keys_are_old (provider) ? NULL : provider->keys };
  return id_token_check (check->token, &trust, check->nonce, g_get_real_time () / G_USEC_PER_SEC,
                         ret);
}

static void
answer (const Provider *provider, const Check *check)
{
  g_auto (IdToken) token = { 0 };
  IdTokenVerdict verdict = judge (provider, check, &token);
  check->done (verdict, &token, provider->config, check->arg);
}

static void
answer_waiting (Provider *provider)
{
  g_autoptr (GPtrArray) checks = g_steal_pointer (&provider->waiting);
  provider->waiting = g_ptr_array_new_with_free_func (check_free);
  for (guint i = 0; i < checks->len; i++) {
    provider->all->station->pending--;
    answer (provider, checks->pdata[i]);
  }
}

static gboolean
due (void *data)
{
  Provider *provider = data;
  provider->timer = 0;
  start_fetch (provider);
  return G_SOURCE_REMOVE;
}

static void
fetched (GObject *object, GAsyncResult *result, void *data)
{
  Provider *provider = data;
  g_autoptr (GError) error = NULL;
  guint wait_s = REFRESH_S;
  json_auto_t *body = providers_fetched (result, &error);
  provider->busy = FALSE;
  provider->all->station->pending--;
  if (body != NULL) {
    json_auto_t *before = json_incref (provider->keys);
    provider->delay_s = 0;
    if (take_body (provider, body))
      keep (provider, body, !json_equal (before, provider->keys));
  } else {
    provider->delay_s = MIN (MAX (RETRY_FIRST_S, provider->delay_s * 2), RETRY_LAST_S);
    wait_s = provider->delay_s;
    if (g_atomic_int_get (&provider->all->stop) == 0)
      g_message ("providers: [provider %s]: %s; asked again in %u s", provider->config->name,
                 error->message, wait_s);
  }
  if (g_atomic_int_get (&provider->all->stop) == 0)
    provider->timer = g_timeout_add_seconds (wait_s, due, provider);
  answer_waiting (provider);
}

static void
start_fetch (Provider *provider)
{
  if (provider->busy || g_atomic_int_get (&provider->all->stop) != 0)
    return;
  g_clear_handle_id (&provider->timer, g_source_remove);
  provider->busy = TRUE;
  provider->all->station->pending++;
  providers_fetch (provider->config, &provider->all->stop, fetched, provider);
}

/* A key that is not known may be a new one. */
static gboolean
may_ask (const Provider *provider)
{
  return provider->waiting->len < WAITING_MOST && g_atomic_int_get (&provider->all->stop) == 0
         && (provider->busy || provider->asked_us == 0
             || g_get_monotonic_time () - provider->asked_us > AGAIN_US);
}

static Provider *
find (Providers *providers, const char *issuer)
{
  for (guint i = 0; issuer != NULL && i < providers->list->len; i++) {
    Provider *provider = providers->list->pdata[i];
    if (g_str_equal (provider->config->issuer, issuer))
      return provider;
  }
  return NULL;
}

void
providers_check (Providers *providers, const char *token, const char *nonce, ProvidersDone done,
                 void *arg)
{
  g_autofree char *issuer = id_token_issuer (token);
  Provider *provider = find (providers, issuer);
  Check *check = g_new0 (Check, 1);
  *check = (Check){ g_strdup (token), g_strdup (nonce), done, arg };
  if (provider == NULL) {
    done (issuer != NULL ? ID_TOKEN_ISSUER : ID_TOKEN_MALFORMED, NULL, NULL, arg);
    check_free (check);
    return;
  }
  g_auto (IdToken) found = { 0 };
  IdTokenVerdict verdict = judge (provider, check, &found);
  if (verdict == ID_TOKEN_KEY && may_ask (provider)) {
    providers->station->pending++;
    g_ptr_array_add (provider->waiting, check);
    provider->asked_us = g_get_monotonic_time ();
    start_fetch (provider);
    return;
  }
  done (verdict, &found, provider->config, arg);
  check_free (check);
}

/* ---- Life ---------------------------------------------------------------------------------- */

Providers *
providers_new (Station *station, GError **error)
{
  Providers *providers = g_new0 (Providers, 1);
  providers->station = station;
  providers->list = g_ptr_array_new_with_free_func (provider_free);
  for (guint i = 0; i < station->config->providers->len; i++) {
    Provider *provider = g_new0 (Provider, 1);
    provider->all = providers;
    provider->config = station->config->providers->pdata[i];
    provider->waiting = g_ptr_array_new_with_free_func (check_free);
    g_ptr_array_add (providers->list, provider);
    if (!load (provider, error)) {
      providers_free (providers);
      return NULL;
    }
  }
  for (guint i = 0; i < providers->list->len; i++)
    start_fetch (providers->list->pdata[i]);
  return providers;
}

void
providers_stop (Providers *providers)
{
  if (providers == NULL)
    return;
  g_atomic_int_set (&providers->stop, 1);
  for (guint i = 0; i < providers->list->len; i++)
    g_clear_handle_id (&((Provider *)providers->list->pdata[i])->timer, g_source_remove);
}

void
providers_free (Providers *providers)
{
  if (providers == NULL)
    return;
  g_ptr_array_unref (providers->list);
  g_free (providers->origins);
  g_free (providers);
}

/* ---- For pages ----------------------------------------------------------------------------- */

json_t *
providers_json (const Providers *providers)
{
  json_t *list = json_array ();
  for (guint i = 0; i < providers->list->len; i++) {
    const ConfigProvider *config = ((Provider *)providers->list->pdata[i])->config;
    json_array_append_new (
        list, json_pack ("{s:s, s:s, s:s, s:s, s:s}", "provider", config->name, "title",
                         config->title != NULL ? config->title : config->name, "issuer",
                         config->issuer, "client_id", config->client_id, "scope",
                         config->scope != NULL ? config->scope : "openid profile"));
  }
  return list;
}

const char *
providers_origins (Providers *providers)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; providers != NULL && i < providers->list->len; i++) {
    const Provider *provider = providers->list->pdata[i];
    g_autofree char *own = providers_origin_of (provider->config->issuer);
    gsize k;
    json_t *origin;
    g_string_append_printf (text, " %s", own != NULL ? own : "");
    json_array_foreach (provider->origins, k, origin)
    {
      if (g_strcmp0 (json_string_value (origin), own) != 0)
        g_string_append_printf (text, " %s", json_string_value (origin));
    }
  }
  if (providers == NULL)
    return "";
  g_free (providers->origins);
  providers->origins = g_strdup (text->str);
  return providers->origins;
}
