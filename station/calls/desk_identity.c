/* A specialist who proves at a desk who they are: the hospital's sign-in, an account of the
 * station, a certificate. The key of the browser signs that it is this station that is meant: one
 * station cannot pass on to another what it was shown. */
#include "certs/browser_key.h"
#include "station/accounts.h"
#include "station/calls/desk_private.h"
#include "station/identities.h"

#include <string.h>

#define PERSON_MAX 190 /* bytes; what call.hand-over names people by */

static const char *
text_of (const json_t *object, const char *member)
{
  const char *text = json_string_value (json_object_get (object, member));
  return text != NULL ? text : "";
}

/* An account that was disabled since ends its sessions too. */
static gboolean
is_still_known (const Station *station, const json_t *identity)
{
  const char *method = text_of (identity, "method");
  if (!g_str_equal (method, "passkey") && !g_str_equal (method, "password"))
    return TRUE;
  const json_t *account = accounts_find (station->accounts, text_of (identity, "subject"));
  return account != NULL && !json_is_true (json_object_get (account, "disabled"));
}

CallPerson *
desk_proven_person (const Station *station, const char *id, const json_t *about)
{
  const json_t *identity = json_object_get (about, "identity");
  return is_still_known (station, identity)
             ? call_person_new (id, text_of (identity, "name"), text_of (about, "facility"), NULL)
             : NULL;
}

json_t *
desk_identity_row (const json_t *about, const char *guest, const char *invite)
{
  static const char *const kept[] = { "key", "browser_key", "fingerprint", "proof", "checked_s" };
  json_t *row = json_deep_copy (json_object_get (about, "identity"));
  json_object_set_new (row, "guest", json_string (guest));
  json_object_set_new (row, "invite", json_string (invite));
  json_object_set_new (row, "bound_to", json_string (IDENTITIES_DESK));
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    json_object_set (row, kept[i], json_object_get (about, kept[i]));
  return row;
}

static void
proven (Request *request, Proven *proven)
{
  json_t *browser_key = json_object_get (request->message, "key");
  g_autofree char *key = browser_key_hash (browser_key);
  if (!text_is_clean (proven->person, PERSON_MAX)) {
    identities_refuse (request, "malformed");
    return;
  }
  json_auto_t *about = json_pack ("{s:O, s:O, s:s, s:O, s:s, s:s, s:I}", "identity",
                                  proven->identity, "proof", proven->proof, "key", key,
                                  "browser_key", browser_key, "fingerprint", proven->fingerprint,
                                  "facility", proven->facility != NULL ? proven->facility : "",
                                  "checked_s", (json_int_t)(g_get_real_time () / G_USEC_PER_SEC));
  g_autofree char *user = g_strconcat (DESK_USER_PREFIX, proven->person, NULL);
  desk_begin_session (request, user, about);
}

void
desk_sign_in_proven (Request *request)
{
  const char *signature;
  g_autofree char *key = NULL;
  if (!request_text (request, "signature", REQUIRED, 128, &signature))
    return;
  g_autofree char *text = g_strdup_printf ("nhipcau-desk-1\n%s\n%s", request->client->nonce,
                                           request->station->config->station_id);
  if (!browser_key_check (json_object_get (request->message, "key"), signature, text, &key)) {
    request_bad (request, "signature", "does not fit the key, the nonce and this station");
    return;
  }
  identities_check (request, IDENTITIES_DESK, key, proven);
}
