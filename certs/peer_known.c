/* Keys that were seen under an id. */
#include "certs/peer_private.h"
#include <string.h>

#define MOST 100000
#define GROUP "known"
#define FILE_LONGEST (16 * 1024 * 1024)

static gboolean
hash_is_valid (const char *hash)
{
  return strlen (hash) == 64 && strspn (hash, "0123456789abcdef") == 64;
}

void
peer_trust_know (PeerTrust *trust, PeerKind kind, const char *id, const char *key_hash)
{
  g_mutex_lock (&trust->lock);
  if (hash_is_valid (key_hash) && g_hash_table_size (trust->known) < MOST)
    g_hash_table_insert (trust->known, peer_uri (kind, id), g_strdup (key_hash));
  g_mutex_unlock (&trust->lock);
}

gboolean
peer_trust_knows (PeerTrust *trust, PeerKind kind, const char *id, const char *key_hash)
{
  g_autofree char *uri = peer_uri (kind, id);
  g_mutex_lock (&trust->lock);
  gboolean knows = g_strcmp0 (g_hash_table_lookup (trust->known, uri), key_hash) == 0;
  g_mutex_unlock (&trust->lock);
  return knows;
}

gboolean
peer_trust_save_known (PeerTrust *trust, const char *file, GError **error)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  GHashTableIter iter;
  void *uri, *hash;
  gsize length;
  g_mutex_lock (&trust->lock);
  g_hash_table_iter_init (&iter, trust->known);
  while (g_hash_table_iter_next (&iter, &uri, &hash))
    g_key_file_set_string (keys, GROUP, hash, uri);
  g_mutex_unlock (&trust->lock);
  g_autofree char *text = g_key_file_to_data (keys, &length, NULL);
  return g_file_set_contents_full (file, text, (gssize)length,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   0600, error);
}

gboolean
peer_trust_load_known (PeerTrust *trust, const char *file, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_test (file, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!g_file_get_contents (file, &text, &length, error))
    return FALSE;
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  if (length > FILE_LONGEST
      || !g_key_file_load_from_data (keys, text, length, G_KEY_FILE_NONE, NULL))
    return TRUE;
  g_auto (GStrv) hashes = g_key_file_get_keys (keys, GROUP, NULL, NULL);
  for (guint i = 0; hashes != NULL && hashes[i] != NULL; i++) {
    g_autofree char *uri = g_key_file_get_string (keys, GROUP, hashes[i], NULL);
    g_autofree char *id = NULL;
    PeerKind kind;
    if (uri != NULL && peer_uri_parse (uri, &kind, &id))
      peer_trust_know (trust, kind, id, hashes[i]);
  }
  return TRUE;
}
