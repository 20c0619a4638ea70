/* The console's messages about accounts of specialists: whoever lets people in makes them; what
 * opens them the people make themselves. */
#include "station/accounts.h"
#include "station/proof.h"
#include "station/rendezvous.h"
#include "station/qr.h"
#include "station/session.h"
#include "station/station.h"
#include "station/users.h"

#include <string.h>

void
accounts_list (Request *request)
{
  request_ok (request, json_pack ("{s:o}", "accounts", accounts_json (request->station->accounts)));
}

/* A copy to be changed (transfer full); NULL: refused. */
static json_t *
copy_of (Request *request)
{
  const char *id;
  if (!request_id (request, "account", REQUIRED, &id))
    return NULL;
  json_t *body = accounts_find (request->station->accounts, id);
  if (body != NULL)
    return json_deep_copy (body);
  request_refuse (request, "no-such");
  return NULL;
}

void
accounts_save (Request *request)
{
  const char *id, *name, *facility;
  Accounts *accounts = request->station->accounts;
  if (!request_id (request, "account", REQUIRED, &id)
      || !request_text (request, "name", REQUIRED, 100, &name)
      || !request_text (request, "facility", OPTIONAL, 200, &facility))
    return;
  if (!user_id_is_valid (id)) {
    request_bad (request, "account",
                 "wants a to z, 0 to 9 and -, a letter first, 32 characters at most");
    return;
  }
  const json_t *known = accounts_find (accounts, id);
  if (known == NULL && accounts_count (accounts) >= ACCOUNTS_MOST) {
    request_refuse_with (request, "not-allowed", "Trạm đã có quá nhiều tài khoản.",
                         "The station has too many accounts.", NULL);
    return;
  }
  json_t *body = known != NULL ? json_deep_copy (known)
                               : json_pack ("{s:s, s:[]}", "account", id, "passkeys");
  json_object_set_new (body, "name", json_string (name));
  json_object_set_new (body, "facility", json_string (facility != NULL ? facility : ""));
  accounts_put (accounts, body, request->user, request_stored, request_ref (request));
}

/* ---- A link -------------------------------------------------------------------------------- */

typedef struct {
  Request *request;
  char *link;
} Giving;

static void
link_durable (gint64 seq, const GError *error, void *arg)
{
  Giving *giving = arg;
  if (error != NULL) {
    request_failed (giving->request, error);
  } else {
    g_autofree char *qr = qr_svg (giving->link);
    request_ok (giving->request, json_pack ("{s:s, s:s?}", "link", giving->link, "qr", qr));
  }
  request_unref (giving->request);
  g_free (giving->link);
  g_free (giving);
}

/* Through the broker where there is one, as invitations go (transfer full). */
static char *
link_of (const Station *station, const char *id, const char *secret)
{
  if (station->config->rendezvous.brokers != NULL && station->identity != NULL)
    return rendezvous_account_link (station, id, secret);
  g_autofree char *url = config_url (station->config);
  return g_strdup_printf ("%s/join#e1.%s.%s", url, id, secret);
}

/* Also the way back for who has lost everything: the administrator knows the person. What opened
 * the account before stays until they say otherwise; wrong passwords are forgotten. */
void
accounts_enrol (Request *request)
{
  Accounts *accounts = request->station->accounts;
  json_t *body = copy_of (request);
  if (body == NULL)
    return;
  const char *id = json_string_value (json_object_get (body, "account"));
  g_autofree char *secret = session_random_text (24);
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, secret, -1);
  Giving *giving = g_new0 (Giving, 1);
  giving->request = request_ref (request);
  giving->link = link_of (request->station, id, secret);
  json_object_set_new (body, "enrol",
                       json_pack ("{s:s, s:I}", "hash", hash, "until_us",
                                  (json_int_t)(g_get_real_time () + ACCOUNTS_LINK_LASTS_US)));
  tries_forget (accounts_tries (accounts), id);
  accounts_put (accounts, body, request->user, link_durable, giving);
}

/* ---- Taking away --------------------------------------------------------------------------- */

void
accounts_disable (Request *request)
{
  gboolean disabled;
  if (!request_flag (request, "disabled", &disabled))
    return;
  json_t *body = copy_of (request);
  if (body == NULL)
    return;
  json_object_set_new (body, "disabled", json_boolean (disabled));
  json_object_del (body, "enrol");
  accounts_put (request->station->accounts, body, request->user, request_stored,
                request_ref (request));
}

static gboolean
forget_passkey (json_t *body, const char *passkey)
{
  json_t *list = json_object_get (body, "passkeys"), *one;
  gsize i;
  json_array_foreach (list, i, one)
  {
    if (g_strcmp0 (json_string_value (json_object_get (one, "id")), passkey) == 0)
      return json_array_remove (list, i) == 0;
  }
  return FALSE;
}

/* A lost key, or the password (no `passkey`). */
void
accounts_forget (Request *request)
{
  const char *passkey;
  if (!request_text (request, "passkey", OPTIONAL, 2000, &passkey))
    return;
  json_t *body = copy_of (request);
  if (body == NULL)
    return;
  if (passkey == NULL) {
    json_object_del (body, "password");
    json_object_del (body, "totp");
  } else if (!forget_passkey (body, passkey)) {
    json_decref (body);
    request_refuse (request, "no-such");
    return;
  }
  accounts_put (request->station->accounts, body, request->user, request_stored,
                request_ref (request));
}
