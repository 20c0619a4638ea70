/* How a tunnel begins: opening, answer, keys (docs/rendezvous.md, Tunnel). */
#include "station/rendezvous/tunnel_private.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

#define OPEN_TYP "nhipcau-open+jwe"
#define ANSWER_TYP "nhipcau-answer+jwe"
#define SECRET_TYP "nhipcau-secret+jwe"
#define OPENING_MAX (8 * 1024)

void
tunnel_ends_clear (TunnelEnds *ends)
{
  g_clear_pointer (&ends->station, g_free);
  g_clear_pointer (&ends->box, g_free);
  g_clear_pointer (&ends->client, g_free);
  g_clear_pointer (&ends->session, g_free);
}

void
tunnel_opening_clear (TunnelOpening *opening)
{
  tunnel_ends_clear (&opening->ends);
  OPENSSL_cleanse (opening->r, sizeof opening->r);
  g_clear_pointer (&opening->key, json_decref);
}

/* ---- Keys -------------------------------------------------------------------------------------
 */

static gboolean
derive (const char *label, const TunnelEnds *ends, GBytes *ikm, const guint8 salt[32],
        guint8 ret[JOSE_KEY])
{
  g_autofree char *info = g_strdup_printf ("%s\n%s\n%s\n%s\n%s", label, ends->station, ends->box,
                                           ends->client, ends->session);
  return jose_hkdf (ikm, salt, info, ret);
}

static gboolean
derive_answer_key (const TunnelEnds *ends, const guint8 r1[JOSE_KEY], const guint8 salt[32],
                   guint8 ret[JOSE_KEY])
{
  g_autoptr (GBytes) ikm = g_bytes_new (r1, JOSE_KEY);
  return derive ("nhipcau-answer-1", ends, ikm, salt, ret);
}

/* key_in: page to station. */
static gboolean
derive_frame_keys (const TunnelEnds *ends, const guint8 r1[JOSE_KEY], const guint8 r2[JOSE_KEY],
                   const char *secret, const guint8 salt_1[32], const char *answer, gsize length,
                   guint8 key_in[JOSE_KEY], guint8 key_out[JOSE_KEY])
{
  guint8 both[64], salt[32];
  GByteArray *material = g_byte_array_new ();
  memcpy (both, salt_1, 32);
  SHA256 ((const guint8 *)answer, length, both + 32);
  SHA256 (both, sizeof both, salt);
  g_byte_array_append (material, r1, JOSE_KEY);
  g_byte_array_append (material, r2, JOSE_KEY);
  g_byte_array_append (material, (const guint8 *)secret, (guint)strlen (secret));
  GBytes *ikm = g_bytes_new_static (material->data, material->len);
  gboolean good = derive ("nhipcau-in-1", ends, ikm, salt, key_in)
                  && derive ("nhipcau-out-1", ends, ikm, salt, key_out);
  g_bytes_unref (ikm);
  OPENSSL_cleanse (material->data, material->len);
  g_byte_array_unref (material);
  return good;
}

static gboolean
random_bytes (guint8 *ret, gsize length, GError **error)
{
  if (RAND_bytes (ret, (int)length) == 1)
    return TRUE;
  g_set_error (error, JOSE_ERROR, JOSE_ERROR_FAILED, "no random numbers");
  return FALSE;
}

/* ---- The station's end ------------------------------------------------------------------------
 */

static gboolean
take_text (const json_t *body, const char *name, gsize bytes, char **ret)
{
  guint8 decoded[32];
  const char *text = json_string_value (json_object_get (body, name));
  if (!jose_from_base64url (text, decoded, bytes))
    return FALSE;
  *ret = g_strdup (text);
  return TRUE;
}

static gboolean
text_is (const json_t *body, const char *name, const char *wanted)
{
  return g_strcmp0 (json_string_value (json_object_get (body, name)), wanted) == 0;
}

static gboolean
opening_fits (const json_t *body, const char *station, const char *box, TunnelOpening *ret)
{
  const json_t *key = json_object_get (body, "key");
  if (json_integer_value (json_object_get (body, "v")) != 1 || !text_is (body, "station", station)
      || !text_is (body, "box", box) || !take_text (body, "client", 16, &ret->ends.client)
      || !take_text (body, "session", 12, &ret->ends.session)
      || !jose_from_base64url (json_string_value (json_object_get (body, "r")), ret->r,
                               sizeof ret->r)
      || !jose_is_public_key (key))
    return FALSE;
  ret->key = jose_public_part (key);
  ret->ends.station = g_strdup (station);
  ret->ends.box = g_strdup (box);
  return TRUE;
}

static const json_t *
key_named (const json_t *keys, const char *kid)
{
  gsize i;
  const json_t *key;
  json_array_foreach ((json_t *)keys, i, key)
  {
    if (text_is (key, "kid", kid))
      return key;
  }
  return NULL;
}

static json_t *
parse_object (GBytes *plain)
{
  gsize size;
  const char *text = g_bytes_get_data (plain, &size);
  json_t *body = json_loadb (text, size, JSON_REJECT_DUPLICATES, NULL);
  if (json_is_object (body))
    return body;
  json_decref (body);
  return NULL;
}

static gboolean
not_an_opening (GError **error, const char *what)
{
  g_set_error (error, JOSE_ERROR, JOSE_ERROR_FORM, "%s", what);
  return FALSE;
}

gboolean
tunnel_opening_read (const char *text, gsize length, const char *station, const char *box,
                     const json_t *epoch_keys, TunnelOpening *ret, GError **error)
{
  g_auto (JoseSealed) sealed = { 0 };
  if (length > OPENING_MAX)
    return not_an_opening (error, "is too long");
  if (!jose_read (text, length, "ECDH-ES", OPEN_TYP, &sealed, error))
    return FALSE;
  const json_t *key = key_named (epoch_keys, jose_sealed_text (&sealed, "kid"));
  if (key == NULL)
    return not_an_opening (error, "is to a key that is not here");
  g_autoptr (GBytes) plain = jose_open_ecdh (&sealed, key, error);
  if (plain == NULL)
    return FALSE;
  json_auto_t *body = parse_object (plain);
  if (body == NULL || !opening_fits (body, station, box, ret))
    return not_an_opening (error, "has not the form of docs/rendezvous.md");
  SHA256 ((const guint8 *)text, length, ret->hash);
  SHA256 (ret->r, sizeof ret->r, ret->once);
  return TRUE;
}

static char *
seal_answer (const TunnelOpening *opening, json_t *body, GError **error)
{
  guint8 key[JOSE_KEY];
  if (!derive_answer_key (&opening->ends, opening->r, opening->hash, key)) {
    g_set_error (error, JOSE_ERROR, JOSE_ERROR_FAILED, "no key for the answer");
    return NULL;
  }
  json_auto_t *header = json_pack ("{s:s, s:s}", "typ", ANSWER_TYP, "kid", opening->ends.session);
  char *text = json_dumps (body, JSON_COMPACT | JSON_SORT_KEYS);
  char *sealed = jose_seal_dir (key, header, text, strlen (text), error);
  free (text);
  OPENSSL_cleanse (key, sizeof key);
  return sealed;
}

char *
tunnel_opening_refuse (const TunnelOpening *opening, const char *code, GError **error)
{
  json_auto_t *body = json_pack ("{s:i, s:s}", "v", 1, "refused", code);
  return seal_answer (opening, body, error);
}

static char *
answer_with (const TunnelOpening *opening, const guint8 r2[JOSE_KEY], GError **error)
{
  g_autofree char *encoded = jose_base64url (r2, JOSE_KEY);
  g_autofree char *plain = g_strdup_printf ("{\"r\":\"%s\"}", encoded);
  json_auto_t *header = json_pack ("{s:s}", "typ", SECRET_TYP);
  json_t *sealed = jose_seal_ecdh (opening->key, header, plain, strlen (plain), error);
  OPENSSL_cleanse (plain, strlen (plain));
  OPENSSL_cleanse (encoded, strlen (encoded));
  if (sealed == NULL)
    return NULL;
  json_auto_t *body = json_pack ("{s:i, s:o}", "v", 1, "sealed", sealed);
  return seal_answer (opening, body, error);
}

Tunnel *
tunnel_accept (const TunnelOpening *opening, const char *secret, gint64 now,
               const TunnelEvents *events, void *arg, char **ret_answer, GError **error)
{
  guint8 r2[JOSE_KEY];
  if (!random_bytes (r2, sizeof r2, error))
    return NULL;
  g_autofree char *answer = answer_with (opening, r2, error);
  if (answer == NULL)
    return NULL;
  g_autoptr (Tunnel) tunnel = tunnel_new (FALSE, now, events, arg);
  tunnel->ends = (TunnelEnds){ g_strdup (opening->ends.station), g_strdup (opening->ends.box),
                               g_strdup (opening->ends.client), g_strdup (opening->ends.session) };
  gboolean good = derive_frame_keys (&tunnel->ends, opening->r, r2, secret, opening->hash, answer,
                                     strlen (answer), tunnel->key_receive, tunnel->key_send);
  OPENSSL_cleanse (r2, sizeof r2);
  if (!good) {
    g_set_error (error, JOSE_ERROR, JOSE_ERROR_FAILED, "no keys for a tunnel");
    return NULL;
  }
  *ret_answer = g_steal_pointer (&answer);
  return g_steal_pointer (&tunnel);
}

/* ---- The page's end ---------------------------------------------------------------------------
 */

static char *
seal_opening (const Tunnel *tunnel, const json_t *epoch_key, GError **error)
{
  g_autofree char *kid = jose_thumbprint (epoch_key);
  g_autofree char *r = jose_base64url (tunnel->r, sizeof tunnel->r);
  const TunnelEnds *ends = &tunnel->ends;
  json_auto_t *body = json_pack ("{s:i, s:s, s:s, s:s, s:s, s:s, s:o}", "v", 1, "station",
                                 ends->station, "box", ends->box, "client", ends->client, "session",
                                 ends->session, "r", r, "key", jose_public_part (tunnel->key));
  json_auto_t *header = json_pack ("{s:s, s:s?}", "typ", OPEN_TYP, "kid", kid);
  char *plain = json_dumps (body, JSON_COMPACT);
  json_auto_t *sealed = jose_seal_ecdh (epoch_key, header, plain, strlen (plain), error);
  free (plain);
  if (sealed == NULL)
    return NULL;
  char *text = json_dumps (sealed, JSON_COMPACT);
  char *copy = g_strdup (text);
  free (text);
  return copy;
}

Tunnel *
tunnel_dial (TunnelEnds *ends, const char *secret, const json_t *epoch_key, gint64 now,
             const TunnelEvents *events, void *arg, char **ret_open, GError **error)
{
  guint8 session[12];
  g_autoptr (Tunnel) tunnel = tunnel_new (TRUE, now, events, arg);
  tunnel->ends = *ends;
  *ends = (TunnelEnds){ 0 };
  tunnel->secret = g_strdup (secret);
  tunnel->key = jose_ecdh_key_new (error);
  if (tunnel->key == NULL || !random_bytes (tunnel->r, sizeof tunnel->r, error)
      || !random_bytes (session, sizeof session, error))
    return NULL;
  if (tunnel->ends.session == NULL)
    tunnel->ends.session = jose_base64url (session, sizeof session);
  g_autofree char *open = seal_opening (tunnel, epoch_key, error);
  if (open == NULL)
    return NULL;
  SHA256 ((const guint8 *)open, strlen (open), tunnel->salt);
  *ret_open = g_steal_pointer (&open);
  return g_steal_pointer (&tunnel);
}

static gboolean
read_secret (const Tunnel *tunnel, const json_t *object, guint8 r2[JOSE_KEY])
{
  g_auto (JoseSealed) sealed = { 0 };
  if (!jose_read_object (object, "ECDH-ES", SECRET_TYP, &sealed, NULL))
    return FALSE;
  g_autoptr (GBytes) plain = jose_open_ecdh (&sealed, tunnel->key, NULL);
  json_auto_t *body = plain != NULL ? parse_object (plain) : NULL;
  return jose_from_base64url (json_string_value (json_object_get (body, "r")), r2, JOSE_KEY);
}

gboolean
tunnel_take_answer (Tunnel *tunnel, const char *text, gsize length, gint64 now)
{
  guint8 key[JOSE_KEY], r2[JOSE_KEY];
  g_auto (JoseSealed) sealed = { 0 };
  if (length > OPENING_MAX || !jose_read (text, length, "dir", ANSWER_TYP, &sealed, NULL)
      || !g_str_equal (jose_sealed_text (&sealed, "kid"), tunnel->ends.session)
      || !derive_answer_key (&tunnel->ends, tunnel->r, tunnel->salt, key))
    return FALSE;
  g_autoptr (GBytes) plain = jose_open_dir (&sealed, key, NULL);
  json_auto_t *body = plain != NULL ? parse_object (plain) : NULL;
  const char *refused = json_string_value (json_object_get (body, "refused"));
  if (body == NULL || json_integer_value (json_object_get (body, "v")) != 1)
    return FALSE;
  if (refused != NULL) {
    tunnel->state = TUNNEL_REFUSED;
    tunnel->why = g_strdup (refused);
    return TRUE;
  }
  if (!read_secret (tunnel, json_object_get (body, "sealed"), r2)
      || !derive_frame_keys (&tunnel->ends, tunnel->r, r2, tunnel->secret, tunnel->salt, text,
                             length, tunnel->key_send, tunnel->key_receive))
    return FALSE;
  OPENSSL_cleanse (r2, sizeof r2);
  OPENSSL_cleanse (tunnel->r, sizeof tunnel->r);
  g_clear_pointer (&tunnel->key, json_decref);
  tunnel->state = TUNNEL_OPEN;
  tunnel->heard = now;
  return TRUE;
}
