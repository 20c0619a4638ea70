#include "records/proven.h"
#include "certs/browser_key.h"
#include "certs/id_token.h"
#include "certs/passkey.h"

#include <string.h>

static const char *
text_of (const json_t *object, const char *member)
{
  const char *text = json_string_value (json_object_get (object, member));
  return text != NULL ? text : "";
}

static json_t *
time_of (const StoreRow *row)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (row->utc_us / G_USEC_PER_SEC);
  g_autofree char *text = time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
  return json_string (text != NULL ? text : "");
}

/* What is wrong (a code), NULL: nothing; of a note only, *ret_note. */
static void
put_verdict (json_t *object, const char *bad, const char *note)
{
  json_t *findings = json_array ();
  if (bad != NULL)
    json_array_append_new (findings, json_pack ("{s:s, s:s}", "verdict", "bad", "code", bad));
  if (note != NULL)
    json_array_append_new (findings, json_pack ("{s:s, s:s}", "verdict", "note", "code", note));
  json_object_set_new (object, "verdict",
                       json_string (bad != NULL    ? "bad"
                                    : note != NULL ? "note"
                                                   : "good"));
  json_object_set_new (object, "findings", findings);
}

/* ---- Identities ------------------------------------------------------------------------------ */

/* With the provider's key as it was then, at the time at which the station judged it. */
static gboolean
token_holds (const json_t *body, const char *nonce)
{
  const json_t *proof = json_object_get (body, "proof");
  json_auto_t *keys = json_pack ("{s:[O]}", "keys", json_object_get (proof, "key"));
  IdTokenTrust trust = { .issuer = text_of (body, "issuer"),
                         .client_id = text_of (proof, "client_id"),
                         .keys = keys };
  g_auto (IdToken) token = { 0 };
  gint64 checked_s = json_integer_value (json_object_get (body, "checked_s"));
  return id_token_check (text_of (proof, "token"), &trust, nonce, checked_s, &token)
             == ID_TOKEN_GOOD
         && g_str_equal (token.subject, text_of (body, "subject"))
         && g_str_equal (token.name, text_of (body, "name"));
}

static gboolean
any_origin (const char *origin, const void *arg)
{
  return g_str_has_prefix (origin, "https://");
}

static gboolean
passkey_holds (const json_t *body, const char *nonce)
{
  const json_t *proof = json_object_get (body, "proof");
  g_autofree char *challenge = binding_passkey_challenge (text_of (proof, "socket_nonce"), nonce);
  PasskeyExpected expected
      = { .rp_id = text_of (proof, "rp_id"), .challenge = challenge, .origin_allowed = any_origin };
  g_auto (Passkey) passkey = { 0 };
  guint32 count;
  return passkey_from_json (json_object_get (proof, "passkey"), &passkey)
         && passkey_verify (json_object_get (proof, "credential"), &expected, &passkey, &count);
}

static void
judge_identity (json_t *object, const json_t *body)
{
  const char *method = text_of (body, "method"), *key = text_of (body, "key");
  g_autofree char *hash = browser_key_hash (json_object_get (body, "browser_key"));
  /* A sign-in at a desk is for every call that is accepted there, not for one invitation. */
  const char *bound_to = json_object_get (body, "bound_to") != NULL ? "bound_to" : "invite";
  g_autofree char *nonce
      = binding_nonce (text_of (body, bound_to), key, text_of (body, "fingerprint"));
  if (g_strcmp0 (hash, key) != 0)
    put_verdict (object, "identity-key", NULL);
  else if (g_str_equal (method, "oidc"))
    put_verdict (object, token_holds (body, nonce) ? NULL : "identity-token", NULL);
  else if (g_str_equal (method, "passkey"))
    put_verdict (object, passkey_holds (body, nonce) ? NULL : "identity-passkey", NULL);
  else
    put_verdict (object, NULL, "identity-by-station");
}

static json_t *
identity_report (const StoreRow *row)
{
  static const char *const copied[]
      = { "guest", "method", "provider", "issuer", "subject", "name" };
  json_t *object = json_object ();
  for (guint i = 0; i < G_N_ELEMENTS (copied); i++)
    json_object_set_new (object, copied[i], json_string (text_of (row->body, copied[i])));
  json_object_set_new (object, "at", time_of (row));
  judge_identity (object, row->body);
  return object;
}

/* ---- Confirmations --------------------------------------------------------------------------- */

/* The newest row of this guest (transfer none). */
static const json_t *
identity_of (const GPtrArray *identities, const char *guest)
{
  const json_t *found = NULL;
  for (guint i = 0; i < identities->len; i++) {
    const StoreRow *row = identities->pdata[i];
    if (g_str_equal (text_of (row->body, "guest"), guest))
      found = row->body;
  }
  return found;
}

/* Whether a version of the guest's note has this text; ret_newest: it is the last one. */
static gboolean
is_version (const GPtrArray *notes, const json_t *body, gboolean *ret_newest)
{
  g_autofree char *user = g_strconcat ("guest:", text_of (body, "guest"), NULL);
  gboolean found = FALSE;
  for (guint i = 0; i < notes->len; i++) {
    const StoreRow *row = notes->pdata[i];
    if (g_strcmp0 (row->user, user) != 0
        || !g_str_equal (text_of (row->body, "note"), text_of (body, "note")))
      continue;
    g_autofree char *hash
        = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text_of (row->body, "text"), -1);
    *ret_newest = g_str_equal (hash, text_of (body, "sha256"));
    found |= *ret_newest;
  }
  return found;
}

static void
judge_confirmation (json_t *object, const char *consult, const json_t *body, const json_t *identity,
                    const GPtrArray *notes)
{
  g_autofree char *text
      = browser_key_opinion (consult, text_of (body, "note"), text_of (body, "sha256"));
  g_autofree char *key = NULL;
  gboolean newest = FALSE;
  if (identity == NULL)
    put_verdict (object, "confirmation-nobody", NULL);
  else if (!browser_key_check (json_object_get (identity, "browser_key"),
                               text_of (body, "signature"), text, &key)
           || !g_str_equal (key, text_of (identity, "key")))
    put_verdict (object, "confirmation-broken", NULL);
  else if (!is_version (notes, body, &newest))
    put_verdict (object, "confirmation-text", NULL);
  else
    put_verdict (object, NULL, newest ? NULL : "confirmation-superseded");
}

static json_t *
confirmation_report (const char *consult, const StoreRow *row, const GPtrArray *identities,
                     const GPtrArray *notes)
{
  const json_t *identity = identity_of (identities, text_of (row->body, "guest"));
  json_t *object
      = json_pack ("{s:s, s:s, s:s, s:s, s:o}", "guest", text_of (row->body, "guest"), "name",
                   text_of (identity, "name"), "note", text_of (row->body, "note"), "sha256",
                   text_of (row->body, "sha256"), "at", time_of (row));
  judge_confirmation (object, consult, row->body, identity, notes);
  return object;
}

static void
add (json_t *list, json_t *object, const char **worst)
{
  const char *verdict = text_of (object, "verdict");
  if (g_str_equal (verdict, "bad")
      || (g_str_equal (verdict, "note") && g_str_equal (*worst, "good")))
    *worst = g_str_equal (verdict, "bad") ? "bad" : "note";
  json_array_append_new (list, object);
}

json_t *
proven_report (Store *store, const char *consult, GError **error)
{
  g_autoptr (GPtrArray) identities = store_read (store, consult, "identity", 0, error);
  g_autoptr (GPtrArray) rows
      = identities != NULL ? store_read (store, consult, "confirmation", 0, error) : NULL;
  g_autoptr (GPtrArray) notes = rows != NULL ? store_read (store, consult, "note", 0, error) : NULL;
  if (notes == NULL)
    return NULL;
  json_t *people = json_array (), *confirmations = json_array ();
  const char *worst = "good";
  for (guint i = 0; i < identities->len; i++)
    add (people, identity_report (identities->pdata[i]), &worst);
  for (guint i = 0; i < rows->len; i++)
    add (confirmations, confirmation_report (consult, rows->pdata[i], identities, notes), &worst);
  return json_pack ("{s:o, s:o, s:s}", "identities", people, "confirmations", confirmations,
                    "verdict", worst);
}
