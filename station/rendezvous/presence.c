#include "station/rendezvous/presence.h"

#define PRESENCE_TYP "nhipcau-presence+jws"
#define RING_TYP "nhipcau-ring+jws"

int
presence_turn_compare (const PresenceTurn *a, const PresenceTurn *b)
{
  if (a->epoch != b->epoch)
    return a->epoch < b->epoch ? -1 : 1;
  if (a->link != b->link)
    return a->link < b->link ? -1 : 1;
  return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static json_t *
turn_body (const char *station, const PresenceTurn *turn)
{
  return json_pack ("{s:i, s:s, s:I, s:I, s:I}", "v", 1, "station", station, "epoch",
                    (json_int_t)turn->epoch, "link", (json_int_t)turn->link, "seq",
                    (json_int_t)turn->seq);
}

char *
presence_sign (EVP_PKEY *key, const char *station, const PresenceTurn *turn,
               const json_t *epoch_key, gint64 at_us, GError **error)
{
  json_auto_t *body = turn_body (station, turn);
  g_autoptr (GDateTime) at = g_date_time_new_from_unix_utc (at_us / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (at, "%Y-%m-%dT%H:%M:%S.000Z");
  json_object_set_new (body, "at", json_string (text));
  json_object_set_new (body, "state", json_string (epoch_key != NULL ? "here" : "gone"));
  if (epoch_key != NULL)
    json_object_set_new (body, "key", jose_public_part (epoch_key));
  return jose_sign (key, PRESENCE_TYP, body, error);
}

char *
presence_sign_ring (EVP_PKEY *key, const char *station, const char *desk, const PresenceTurn *turn,
                    const json_t *calls, GError **error)
{
  json_auto_t *body = turn_body (station, turn);
  json_object_set_new (body, "desk", json_string (desk));
  json_object_set (body, "calls", (json_t *)calls);
  return jose_sign (key, RING_TYP, body, error);
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

void
presence_reader_clear (PresenceReader *reader)
{
  g_clear_pointer (&reader->station, g_free);
  g_clear_pointer (&reader->desk, g_free);
  g_clear_pointer (&reader->key_hash, g_free);
}

static gboolean
read_count (const json_t *body, const char *name, gint64 largest, gint64 *ret)
{
  const json_t *value = json_object_get (body, name);
  *ret = json_integer_value (value);
  return json_is_integer (value) && *ret >= 0 && *ret <= largest;
}

static gboolean
text_is (const json_t *body, const char *name, const char *wanted)
{
  return g_strcmp0 (json_string_value (json_object_get (body, name)), wanted) == 0;
}

static gboolean
presence_fits (const json_t *body)
{
  if (text_is (body, "state", "gone"))
    return TRUE;
  return text_is (body, "state", "here") && jose_is_public_key (json_object_get (body, "key"));
}

static gboolean
ring_fits (const json_t *body, const char *desk)
{
  gsize i;
  json_t *call, *calls = json_object_get (body, "calls");
  if (!text_is (body, "desk", desk) || !json_is_array (calls)
      || json_array_size (calls) > PRESENCE_CALLS_MAX)
    return FALSE;
  json_array_foreach (calls, i, call)
  {
    if (!json_is_string (json_object_get (call, "call"))
        || !json_is_string (json_object_get (call, "since")))
      return FALSE;
  }
  return TRUE;
}

json_t *
presence_read (PresenceReader *reader, const char *jws, gsize length, GError **error)
{
  g_autofree char *thumbprint = NULL;
  gint64 version, link, seq;
  PresenceTurn turn = { 0 };
  json_auto_t *body = jose_verify (jws, length, reader->desk != NULL ? RING_TYP : PRESENCE_TYP,
                                   &thumbprint, error);
  if (body == NULL)
    return NULL;
  if (g_strcmp0 (thumbprint, reader->key_hash) != 0
      || !text_is (body, "station", reader->station)) {
    g_set_error (error, JOSE_ERROR, JOSE_ERROR_SEAL, "is another station's");
    return NULL;
  }
  if (!read_count (body, "v", 1, &version) || version != 1
      || !read_count (body, "epoch", G_GINT64_CONSTANT (1) << 53, &turn.epoch)
      || !read_count (body, "link", G_MAXUINT32, &link)
      || !read_count (body, "seq", G_MAXUINT32, &seq)
      || !(reader->desk != NULL ? ring_fits (body, reader->desk) : presence_fits (body))) {
    g_set_error (error, JOSE_ERROR, JOSE_ERROR_FORM, "has not the form of docs/rendezvous.md");
    return NULL;
  }
  turn.link = (guint32)link;
  turn.seq = (guint32)seq;
  if (presence_turn_compare (&turn, &reader->newest) <= 0) {
    g_set_error (error, JOSE_ERROR, JOSE_ERROR_SEAL, "is not newer than what was there");
    return NULL;
  }
  reader->newest = turn;
  return json_incref (body);
}
