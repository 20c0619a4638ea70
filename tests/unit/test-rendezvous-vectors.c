/* tests/unit/rendezvous-vectors.json, which the pages' tests read too: what a station has sealed
 * and signed, what a page has sealed, what nobody may take. NHIPCAU_WRITE_VECTORS=FILE makes the
 * station's part of it anew; the pages' part is made by station/web/src/test/rendezvous.test.ts. */
#include "rendezvous_pair.h"
#include "station/rendezvous/tunnel_private.h"

#include <string.h>

#define FILE_NAME "tests/unit/rendezvous-vectors.json"

static json_t *vectors;
static GPtrArray *heard; /* messages of the tunnel at hand */

static const char *
text (const char *name)
{
  const char *value = json_string_value (json_object_get (vectors, name));
  g_assert_nonnull (value);
  return value;
}

static json_t *
list (const char *name)
{
  json_t *value = json_object_get (vectors, name);
  g_assert_cmpuint (json_array_size (value), >, 0);
  return value;
}

static TunnelEnds
ends_of (void)
{
  const json_t *ends = json_object_get (vectors, "ends");
  const char *const names[] = { "station", "box", "client", "session" };
  char *parts[4];
  for (guint i = 0; i < 4; i++)
    parts[i] = g_strdup (json_string_value (json_object_get (ends, names[i])));
  return (TunnelEnds){ parts[0], parts[1], parts[2], parts[3] };
}

static void
key_of (const char *name, guint8 ret[JOSE_KEY])
{
  g_assert_true (jose_from_base64url (text (name), ret, JOSE_KEY));
}

/* ---- Making -----------------------------------------------------------------------------------
 */

static void
set (const char *name, const void *bytes, gsize length)
{
  g_autofree char *encoded = jose_base64url (bytes, length);
  json_object_set_new (vectors, name, json_string (encoded));
}

static void
make_public (void)
{
  EVP_PKEY *key = issue_key (NULL);
  json_auto_t *jwk = jose_from_evp (key, NULL);
  g_autofree char *hash = jose_thumbprint (jwk);
  const json_t *epoch_key = json_object_get (vectors, "epoch_key");
  json_auto_t *calls
      = json_pack ("[{s:s, s:s}]", "call", "c1", "since", "2026-11-27T03:00:00.000Z");
  const PresenceTurn first = { 1764224000, 3, 1 }, last = { 1764224000, 3, PRESENCE_WILL_SEQ };
  g_autofree char *here = presence_sign (key, PAIR_STATION, &first, epoch_key, 0, NULL);
  g_autofree char *will = presence_sign (key, PAIR_STATION, &last, NULL, 0, NULL);
  g_autofree char *ring
      = presence_sign_ring (key, PAIR_STATION, "bv-dien-bien", &first, calls, NULL);
  json_t *made
      = json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s}", "station", PAIR_STATION, "key_hash", hash,
                   "presence", here, "will", will, "ring", ring, "desk", "bv-dien-bien");
  json_object_update_new (vectors, made);
  EVP_PKEY_free (key);
}

static void
bad (const char *what, const char *frame)
{
  json_array_append_new (json_object_get (vectors, "bad_to_page"),
                         json_pack ("{s:s, s:s}", "what", what, "frame", frame));
}

/* Sealed by who has keys, with a header that is not right. */
static void
make_bad_headers (const guint8 key[JOSE_KEY], const char *session)
{
  static const guint8 other[JOSE_KEY] = { 1 };
  const struct {
    const char *what, *header;
    const guint8 *key;
  } cases[] = { { "of another key", "{'kid':'S','f':90,'n':90,'a':0}", other },
                { "of another session", "{'kid':'AAAAAAAAAAAAAAAA','f':91,'n':1,'a':0}", key },
                { "without a number", "{'kid':'S','n':1,'a':0}", key },
                { "number 0", "{'kid':'S','f':0,'n':1,'a':0}", key },
                { "a negative number", "{'kid':'S','f':-1,'n':1,'a':0}", key },
                { "half a number", "{'kid':'S','f':92.5,'n':1,'a':0}", key },
                { "a text as number", "{'kid':'S','f':'93','n':1,'a':0}", key },
                { "an unknown parameter", "{'kid':'S','f':94,'n':1,'a':0,'b64':false}", key },
                { "critical", "{'kid':'S','f':95,'n':1,'a':0,'crit':['f']}", key },
                { "an answer", "{'kid':'S','f':96,'n':1,'a':0,'typ':'nhipcau-answer+jwe'}", key } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GString) header = g_string_new (cases[i].header);
    g_string_replace (header, "'", "\"", 0);
    g_string_replace (header, "\"S\"", "\"SESSION\"", 1);
    g_string_replace (header, "SESSION", session, 1);
    json_auto_t *json = json_loads (header->str, 0, NULL);
    g_autofree char *token = jose_seal_dir (cases[i].key, json, "{\"type\":\"x\"}", 12, NULL);
    bad (cases[i].what, token);
  }
}

static void
make_bad_forms (const char *frame)
{
  g_autofree char *cut = g_strndup (frame, strlen (frame) - 1);
  g_autofree char *padded = g_strconcat (frame, "=", NULL);
  g_autofree char *spaced = g_strconcat (frame, " ", NULL);
  g_autofree char *longer = g_strconcat (frame, ".", NULL);
  bad ("cut by a letter", cut);
  bad ("padded", padded);
  bad ("with a space", spaced);
  bad ("with a part more", longer);
  bad ("of empty parts", "....");
  bad ("JSON", "{}");
}

static void
make_frames (const char *session)
{
  guint8 key[JOSE_KEY];
  json_t *all = json_array ();
  g_autofree char *frame = NULL;
  key_of ("k_out", key);
  for (int i = 1; i <= 5; i++) {
    g_free (frame);
    g_autofree char *message = g_strdup_printf ("{\"type\":\"lobby\",\"position\":%d}", i);
    json_auto_t *header
        = json_pack ("{s:s, s:i, s:i, s:i}", "kid", session, "f", i, "n", i, "a", 0);
    frame = jose_seal_dir (key, header, message, strlen (message), NULL);
    json_array_append_new (all, json_pack ("{s:s, s:s}", "frame", frame, "message", message));
  }
  json_object_set_new (vectors, "to_page", all);
  json_object_set_new (vectors, "bad_to_page", json_array ());
  make_bad_headers (key, session);
  make_bad_forms (frame);
}

static void
make_tunnel (void)
{
  g_autofree char *open = NULL, *answer = NULL;
  g_auto (TunnelOpening) opening = { 0 };
  json_auto_t *keys = pair_epoch_keys ();
  TunnelEnds ends = { g_strdup (PAIR_STATION), g_strdup (PAIR_BOX), pair_client (), NULL };
  json_object_set (vectors, "epoch_key", json_array_get (keys, 0));
  g_autoptr (Tunnel) page = tunnel_dial (&ends, PAIR_SECRET, json_array_get (keys, 0), 0,
                                         &pair_events, NULL, &open, NULL);
  g_assert_true (
      tunnel_opening_read (open, strlen (open), PAIR_STATION, PAIR_BOX, keys, &opening, NULL));
  g_autoptr (Tunnel) station
      = tunnel_accept (&opening, PAIR_SECRET, 0, &pair_events, NULL, &answer, NULL);
  g_autofree char *refusal = tunnel_opening_refuse (&opening, "no-such", NULL);
  const TunnelEnds *all = tunnel_ends (page);
  json_object_set_new (vectors, "ends",
                       json_pack ("{s:s, s:s, s:s, s:s}", "station", all->station, "box", all->box,
                                  "client", all->client, "session", all->session));
  json_object_set_new (vectors, "secret", json_string (PAIR_SECRET));
  json_object_set (vectors, "page_key", page->key);
  set ("r", page->r, JOSE_KEY);
  json_object_set_new (vectors, "open", json_string (open));
  json_object_set_new (vectors, "answer", json_string (answer));
  json_object_set_new (vectors, "refusal", json_string (refusal));
  set ("k_in", station->key_receive, JOSE_KEY);
  set ("k_out", station->key_send, JOSE_KEY);
  make_frames (all->session);
}

/* ---- Checking ---------------------------------------------------------------------------------
 */

static void
keep_message (Tunnel *tunnel, const char *message, gsize length, void *arg)
{
  g_ptr_array_add (heard, g_strndup (message, length));
}

static void
keep_nothing (Tunnel *tunnel, const char *frame, gsize length, void *arg)
{
}

static const TunnelEvents events = { keep_nothing, keep_message };

/* An end with the keys of the file. */
static Tunnel *
end_of (gboolean page)
{
  Tunnel *tunnel = tunnel_new (page, 0, &events, NULL);
  tunnel->ends = ends_of ();
  tunnel->state = page ? TUNNEL_OPEN : TUNNEL_OPENING;
  key_of (page ? "k_in" : "k_out", tunnel->key_send);
  key_of (page ? "k_out" : "k_in", tunnel->key_receive);
  g_clear_pointer (&heard, g_ptr_array_unref);
  heard = g_ptr_array_new_with_free_func (g_free);
  return tunnel;
}

static void
check_frames (const char *name, gboolean page)
{
  gsize i;
  const json_t *one;
  guint messages = 0;
  g_autoptr (Tunnel) tunnel = end_of (page);
  json_array_foreach (list (name), i, one)
  {
    const char *frame = json_string_value (json_object_get (one, "frame"));
    const char *message = json_string_value (json_object_get (one, "message"));
    g_assert_true (tunnel_receive (tunnel, frame, strlen (frame), 0));
    g_assert_false (tunnel_receive (tunnel, frame, strlen (frame), 0));
    if (message == NULL)
      continue;
    g_assert_cmpuint (heard->len, ==, ++messages);
    g_assert_cmpstr (heard->pdata[messages - 1], ==, message);
  }
  g_assert_cmpuint (heard->len, ==, messages);
}

static void
test_to_page (void)
{
  check_frames ("to_page", TRUE);
}

static void
test_to_station (void)
{
  check_frames ("to_station", FALSE);
}

static void
test_bad (void)
{
  gsize i;
  const json_t *one;
  g_autoptr (Tunnel) tunnel = end_of (TRUE);
  json_array_foreach (list ("bad_to_page"), i, one)
  {
    const char *frame = json_string_value (json_object_get (one, "frame"));
    g_test_message ("%s", json_string_value (json_object_get (one, "what")));
    g_assert_false (tunnel_receive (tunnel, frame, strlen (frame), 0));
  }
  g_assert_cmpuint (heard->len, ==, 0);
}

/* Those of the station's own code and of the pages' say the same. */
static void
test_openings (void)
{
  gsize i;
  const json_t *one;
  guint8 r[JOSE_KEY];
  json_auto_t *keys = json_pack ("[O]", json_object_get (vectors, "epoch_key"));
  json_auto_t *opens = json_copy (list ("open_by_page"));
  json_array_append (opens, json_object_get (vectors, "open"));
  key_of ("r", r);
  json_array_foreach (opens, i, one)
  {
    g_auto (TunnelOpening) opening = { 0 };
    const char *open = json_string_value (one);
    g_assert_true (
        tunnel_opening_read (open, strlen (open), PAIR_STATION, PAIR_BOX, keys, &opening, NULL));
    g_assert_cmpmem (opening.r, JOSE_KEY, r, JOSE_KEY);
  }
}

static void
test_answer (void)
{
  guint8 key_in[JOSE_KEY], key_out[JOSE_KEY];
  gsize size = 32;
  g_autoptr (Tunnel) page = end_of (TRUE);
  g_autoptr (GChecksum) hash = g_checksum_new (G_CHECKSUM_SHA256);
  page->state = TUNNEL_OPENING;
  page->secret = g_strdup (text ("secret"));
  page->key = json_incref (json_object_get (vectors, "page_key"));
  key_of ("r", page->r);
  g_checksum_update (hash, (const guint8 *)text ("open"), -1);
  g_checksum_get_digest (hash, page->salt, &size);
  memset (page->key_send, 0, JOSE_KEY);
  g_assert_true (tunnel_receive (page, text ("answer"), strlen (text ("answer")), 0));
  key_of ("k_in", key_in);
  key_of ("k_out", key_out);
  g_assert_cmpmem (page->key_send, JOSE_KEY, key_in, JOSE_KEY);
  g_assert_cmpmem (page->key_receive, JOSE_KEY, key_out, JOSE_KEY);
}

static void
test_public (void)
{
  PresenceReader presence
      = { .station = g_strdup (text ("station")), .key_hash = g_strdup (text ("key_hash")) };
  PresenceReader ring = { .station = g_strdup (text ("station")),
                          .desk = g_strdup (text ("desk")),
                          .key_hash = g_strdup (text ("key_hash")) };
  const char *const names[] = { "presence", "will" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    json_auto_t *body = presence_read (&presence, text (names[i]), strlen (text (names[i])), NULL);
    g_assert_nonnull (body);
  }
  json_auto_t *calls = presence_read (&ring, text ("ring"), strlen (text ("ring")), NULL);
  g_assert_nonnull (calls);
  presence_reader_clear (&presence);
  presence_reader_clear (&ring);
}

int
main (int argc, char **argv)
{
  const char *write = g_getenv ("NHIPCAU_WRITE_VECTORS");
  g_test_init (&argc, &argv, NULL);
  vectors
      = write != NULL ? json_object () : json_load_file (FILE_NAME, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (vectors);
  if (write != NULL) {
    make_tunnel ();
    make_public ();
    g_assert_cmpint (json_dump_file (vectors, write, JSON_INDENT (1)), ==, 0);
    return 0;
  }
  g_test_add_func ("/rendezvous-vectors/openings", test_openings);
  g_test_add_func ("/rendezvous-vectors/answer", test_answer);
  g_test_add_func ("/rendezvous-vectors/to-page", test_to_page);
  g_test_add_func ("/rendezvous-vectors/to-station", test_to_station);
  g_test_add_func ("/rendezvous-vectors/bad", test_bad);
  g_test_add_func ("/rendezvous-vectors/public", test_public);
  int code = g_test_run ();
  g_clear_pointer (&heard, g_ptr_array_unref);
  json_decref (vectors);
  return code;
}
