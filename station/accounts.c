#include "station/accounts.h"
#include "station/clock.h"
#include "station/session.h"
#include "station/station.h"
#include "station/totp.h"

struct Accounts {
  Store *store;
  GPtrArray *list;    /* json_t* */
  GHashTable *offers; /* id → AccountOffer* */
  Tries *tries;
  guint pending;
};

static void
body_free (void *body)
{
  json_decref (body);
}

static void
offer_free (void *data)
{
  AccountOffer *offer = data;
  g_free (offer->challenge);
  g_free (offer->totp);
  g_free (offer);
}

static const char *
text_of (const json_t *body, const char *member)
{
  const char *text = json_string_value (json_object_get (body, member));
  return text != NULL ? text : "";
}

static void
take (Accounts *accounts, json_t *body)
{
  for (guint i = 0; i < accounts->list->len; i++)
    if (g_str_equal (text_of (accounts->list->pdata[i], "account"), text_of (body, "account"))) {
      json_decref (accounts->list->pdata[i]);
      accounts->list->pdata[i] = json_incref (body);
      return;
    }
  g_ptr_array_add (accounts->list, json_incref (body));
}

Accounts *
accounts_load (Store *store, GError **error)
{
  g_autoptr (GPtrArray) rows = store_read (store, "station", "account", 0, error);
  Tries *tries = rows != NULL ? tries_load (store, "account-tries", error) : NULL;
  if (tries == NULL)
    return NULL;
  Accounts *accounts = g_new0 (Accounts, 1);
  accounts->store = store;
  accounts->tries = tries;
  accounts->list = g_ptr_array_new_with_free_func (body_free);
  accounts->offers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, offer_free);
  for (guint i = 0; i < rows->len; i++)
    take (accounts, ((StoreRow *)rows->pdata[i])->body);
  return accounts;
}

void
accounts_free (Accounts *accounts)
{
  if (accounts == NULL)
    return;
  g_ptr_array_unref (accounts->list);
  g_hash_table_unref (accounts->offers);
  tries_free (accounts->tries);
  g_free (accounts);
}

guint
accounts_pending (const Accounts *accounts)
{
  return accounts->pending + tries_pending (accounts->tries);
}

Tries *
accounts_tries (Accounts *accounts)
{
  return accounts->tries;
}

guint
accounts_count (const Accounts *accounts)
{
  return accounts->list->len;
}

/* ---- Finding ------------------------------------------------------------------------------- */

json_t *
accounts_find (const Accounts *accounts, const char *id)
{
  for (guint i = 0; id != NULL && i < accounts->list->len; i++)
    if (g_str_equal (text_of (accounts->list->pdata[i], "account"), id))
      return accounts->list->pdata[i];
  return NULL;
}

json_t *
accounts_find_passkey (const Accounts *accounts, const char *passkey, json_t **ret_passkey)
{
  for (guint i = 0; passkey != NULL && i < accounts->list->len; i++) {
    json_t *body = accounts->list->pdata[i], *one;
    gsize k;
    json_array_foreach (json_object_get (body, "passkeys"), k, one)
    {
      if (!g_str_equal (text_of (one, "id"), passkey))
        continue;
      *ret_passkey = one;
      return body;
    }
  }
  return NULL;
}

static gboolean
may_sign_in (const json_t *body)
{
  return !json_is_true (json_object_get (body, "disabled"))
         && (json_array_size (json_object_get (body, "passkeys")) > 0
             || json_object_get (body, "password") != NULL);
}

gboolean
accounts_any (const Accounts *accounts)
{
  for (guint i = 0; i < accounts->list->len; i++)
    if (may_sign_in (accounts->list->pdata[i]))
      return TRUE;
  return FALSE;
}

/* ---- Writing ------------------------------------------------------------------------------- */

typedef struct {
  Accounts *accounts;
  json_t *body;
  StoreDone done;
  void *arg;
} Put;

static void
put_durable (gint64 seq, const GError *error, void *arg)
{
  Put *put = arg;
  put->accounts->pending--;
  if (error == NULL)
    take (put->accounts, put->body);
  else
    g_warning ("accounts: not written: %s", error->message);
  if (put->done != NULL)
    put->done (seq, error, put->arg);
  json_decref (put->body);
  g_free (put);
}

void
accounts_put (Accounts *accounts, json_t *body, const char *by, StoreDone done, void *arg)
{
  Put *put = g_new0 (Put, 1);
  *put = (Put){ accounts, body, done, arg };
  accounts->pending++;
  store_put (accounts->store, "station", "account", by, body, put_durable, put);
}

const AccountOffer *
accounts_offer (Accounts *accounts, const char *id, gboolean fresh)
{
  if (fresh) {
    AccountOffer *offer = g_new0 (AccountOffer, 1);
    offer->challenge = session_random_text (32);
    offer->totp = totp_new_secret ();
    g_hash_table_insert (accounts->offers, g_strdup (id), offer);
  }
  return g_hash_table_lookup (accounts->offers, id);
}

/* ---- For pages ----------------------------------------------------------------------------- */

static json_t *
passkeys_json (const json_t *body)
{
  json_t *list = json_array (), *one;
  gsize i;
  json_array_foreach (json_object_get (body, "passkeys"), i, one)
  {
    json_array_append_new (list, json_pack ("{s:s, s:s, s:s}", "id", text_of (one, "id"), "label",
                                            text_of (one, "label"), "at", text_of (one, "at")));
  }
  return list;
}

static json_t *
until_json (const json_t *body)
{
  gint64 until = json_integer_value (json_object_get (json_object_get (body, "enrol"), "until_us"));
  g_autofree char *text = until > g_get_real_time () ? clock_text (until) : NULL;
  return text != NULL ? json_string (text) : json_null ();
}

char *
accounts_link_box (const char *hash)
{
  g_autofree char *text = g_strconcat ("nhipcau-enrol-1\n", hash, NULL);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  return g_strdup_printf ("e-%.32s", sum);
}

const char *
accounts_link_of_box (const Accounts *accounts, const char *box)
{
  for (guint i = 0; g_str_has_prefix (box, "e-") && i < accounts->list->len; i++) {
    const json_t *enrol = json_object_get (accounts->list->pdata[i], "enrol");
    const char *hash = json_string_value (json_object_get (enrol, "hash"));
    g_autofree char *own = hash != NULL ? accounts_link_box (hash) : NULL;
    if (g_strcmp0 (own, box) == 0
        && json_integer_value (json_object_get (enrol, "until_us")) > g_get_real_time ())
      return hash;
  }
  return NULL;
}

json_t *
accounts_json (const Accounts *accounts)
{
  json_t *list = json_array ();
  for (guint i = 0; i < accounts->list->len; i++) {
    const json_t *body = accounts->list->pdata[i];
    json_array_append_new (list,
                           json_pack ("{s:s, s:s, s:s, s:b, s:b, s:o, s:o}", "account",
                                      text_of (body, "account"), "name", text_of (body, "name"),
                                      "facility", text_of (body, "facility"), "disabled",
                                      json_is_true (json_object_get (body, "disabled")), "password",
                                      json_object_get (body, "password") != NULL, "passkeys",
                                      passkeys_json (body), "enrolling", until_json (body)));
  }
  return list;
}

static gboolean
origin_is_ours (const char *origin, const void *config)
{
  return config_origin_allowed (config, origin);
}

static gboolean
origin_is_of_pages (const char *origin, const void *config)
{
  return g_ascii_strcasecmp (origin, ((const Config *)config)->rendezvous.pages) == 0;
}

static gboolean
is_of_pages (const Client *client)
{
  return client->events != NULL && client->events->is_far
         && client->station->config->rendezvous.rp_id != NULL;
}

const char *
accounts_rp (const Client *client)
{
  const Config *config = client->station->config;
  return is_of_pages (client) ? config->rendezvous.rp_id : config->rp_id;
}

PasskeyExpected
accounts_expected (const Client *client, const char *challenge)
{
  return (PasskeyExpected){ .rp_id = accounts_rp (client),
                            .challenge = challenge,
                            .origin_allowed
                            = is_of_pages (client) ? origin_is_of_pages : origin_is_ours,
                            .arg = client->station->config };
}
