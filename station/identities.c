#include "station/identities_private.h"
#include "station/identity_words.h"
#include "station/providers.h"
#include "station/station.h"
#include "station/text.h"

#include <string.h>

#define FINGERPRINT_LENGTH 95 /* SHA-256 as "AB:CD:…" */
#define FAILURES_MAX 10

void
proven_clear (Proven *proven)
{
  json_decref (proven->identity);
  json_decref (proven->proof);
  g_free (proven->fingerprint);
  g_free (proven->person);
  g_free (proven->facility);
  *proven = (Proven){ 0 };
}

void
identities_refuse (Request *request, const char *reason)
{
  const Text *text = identity_words (reason);
  request_refuse_with (request, "not-proven", text->vi, text->en,
                       json_pack ("{s:s}", "reason", reason));
  if (!g_str_equal (reason, "wanted") && ++request->client->failures >= FAILURES_MAX)
    client_close (request->client);
}

void
identities_refuse_unproven (Request *request)
{
  identities_refuse (request, "wanted");
}

/* "AB:CD:…" in upper case (transfer full); NULL: it is none, refused. */
static char *
fingerprint_of (Request *request)
{
  const char *text;
  if (!request_text (request, "fingerprint", REQUIRED, FINGERPRINT_LENGTH, &text))
    return NULL;
  gboolean good = strlen (text) == FINGERPRINT_LENGTH;
  for (guint i = 0; good && i < FINGERPRINT_LENGTH; i++)
    good = i % 3 == 2 ? text[i] == ':' : g_ascii_isxdigit (text[i]);
  if (good)
    return g_ascii_strup (text, -1);
  request_bad (request, "fingerprint", "wants the SHA-256 of a certificate as AB:CD:…");
  return NULL;
}

/* ---- An OpenID provider -------------------------------------------------------------------- */

typedef struct {
  Request *request;
  char *fingerprint, *token;
  IdentitiesDone done;
} Checking;

static void
token_judged (IdTokenVerdict verdict, const IdToken *token, const ConfigProvider *provider,
              void *arg)
{
  Checking *checking = arg;
  g_autoptr (Request) request = checking->request;
  g_auto (Proven) proven = { .fingerprint = checking->fingerprint };
  g_autofree char *compact = checking->token;
  IdentitiesDone done = checking->done;
  g_free (checking);
  if (verdict != ID_TOKEN_GOOD) {
    g_info ("identities: a token was refused: %s", id_token_verdict_name (verdict));
    identities_refuse (request, id_token_verdict_name (verdict));
    return;
  }
  proven.identity = json_pack ("{s:s, s:s, s:s, s:s, s:s}", "method", "oidc", "provider",
                               provider->title != NULL ? provider->title : provider->name, "issuer",
                               token->issuer, "subject", token->subject, "name", token->name);
  proven.person = g_strconcat (provider->name, ":", token->subject, NULL);
  proven.facility = g_strdup (provider->title != NULL ? provider->title : provider->name);
  proven.proof = json_pack ("{s:s, s:O, s:s}", "token", compact, "key", token->key, "client_id",
                            provider->client_id);
  if (request->client->events != NULL) /* the page may be gone meanwhile */
    done (request, &proven);
}

static void
check_token (Request *request, const json_t *identity, const char *nonce, char *fingerprint,
             IdentitiesDone done)
{
  const char *token = json_string_value (json_object_get (identity, "token"));
  Checking *checking = g_new0 (Checking, 1);
  *checking = (Checking){ request_ref (request), fingerprint, g_strdup (token != NULL ? token : ""),
                          done };
  providers_check (request->station->providers, checking->token, nonce, token_judged, checking);
}

void
identities_check (Request *request, const char *invite, const char *key, IdentitiesDone done)
{
  const json_t *identity = json_object_get (request->message, "identity");
  const char *method = json_string_value (json_object_get (identity, "method"));
  static const char *const methods[] = { "oidc", "passkey", "password", "certificate", NULL };
  if (method == NULL || !g_strv_contains (methods, method)) {
    request_bad (request, "identity",
                 "wants an object with method oidc, passkey, password or certificate");
    return;
  }
  char *fingerprint = fingerprint_of (request);
  if (fingerprint == NULL)
    return;
  g_autofree char *nonce = binding_nonce (invite, key, fingerprint);
  if (g_str_equal (method, "oidc"))
    check_token (request, identity, nonce, fingerprint, done);
  else if (g_str_equal (method, "passkey"))
    identities_check_passkey (request, identity, nonce, fingerprint, done);
  else if (g_str_equal (method, "certificate"))
    identities_check_certificate (request, identity, nonce, fingerprint, done);
  else
    identities_check_password (request, identity, fingerprint, done);
}

/* ---- Record and media ---------------------------------------------------------------------- */

json_t *
identities_row (const char *guest, const char *invite, const char *key, json_t *browser_key,
                const Proven *proven)
{
  json_t *row = json_deep_copy (proven->identity);
  json_object_set_new (row, "guest", json_string (guest));
  json_object_set_new (row, "invite", json_string (invite));
  json_object_set_new (row, "key", json_string (key));
  json_object_set (row, "browser_key", browser_key);
  json_object_set_new (row, "fingerprint", json_string (proven->fingerprint));
  json_object_set (row, "proof", proven->proof);
  json_object_set_new (row, "checked_s", json_integer (g_get_real_time () / G_USEC_PER_SEC));
  return row;
}

gboolean
identities_media_is_bound (const char *fingerprint, const char *sdp)
{
  static const char attribute[] = "a=fingerprint:", hash[] = "sha-256 ";
  g_auto (GStrv) lines = g_strsplit_set (sdp, "\r\n", -1);
  guint found = 0;
  if (fingerprint == NULL)
    return TRUE;
  for (guint i = 0; lines[i] != NULL; i++) {
    if (!g_str_has_prefix (lines[i], attribute))
      continue;
    const char *value = lines[i] + strlen (attribute);
    if (g_ascii_strncasecmp (value, hash, strlen (hash)) != 0
        || g_ascii_strcasecmp (value + strlen (hash), fingerprint) != 0)
      return FALSE;
    found++;
  }
  return found > 0;
}
