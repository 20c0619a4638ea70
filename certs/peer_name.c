#include "certs/peer_check.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define STATION_PREFIX "nhipcau:station:"
#define PERSON_PREFIX "nhipcau:person:"
#define STATION_LONGEST 32
#define PERSON_LONGEST 64
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

gboolean
peer_id_is_valid (PeerKind kind, const char *id)
{
  gsize length = id != NULL ? strlen (id) : 0;
  if (length == 0)
    return FALSE;
  if (kind == PEER_STATION)
    return length <= STATION_LONGEST && g_ascii_islower (*id)
           && strspn (id, LOWER DIGITS "-") == length;
  return length <= PERSON_LONGEST && (g_ascii_islower (*id) || g_ascii_isdigit (*id))
         && strspn (id, LOWER DIGITS "._@-") == length;
}

char *
peer_uri (PeerKind kind, const char *id)
{
  return g_strconcat (kind == PEER_STATION ? STATION_PREFIX : PERSON_PREFIX, id, NULL);
}

gboolean
peer_uri_parse (const char *uri, PeerKind *ret_kind, char **ret_id)
{
  PeerKind kind = g_str_has_prefix (uri, STATION_PREFIX) ? PEER_STATION : PEER_PERSON;
  const char *prefix = kind == PEER_STATION ? STATION_PREFIX : PERSON_PREFIX;
  if (!g_str_has_prefix (uri, prefix) || !peer_id_is_valid (kind, uri + strlen (prefix)))
    return FALSE;
  *ret_kind = kind;
  *ret_id = g_strdup (uri + strlen (prefix));
  return TRUE;
}

/* NUL bytes inside make it none. */
static char *
uri_text (const GENERAL_NAME *name)
{
  if (name->type != GEN_URI)
    return NULL;
  const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
  int length = ASN1_STRING_length (uri);
  const char *data = (const char *)ASN1_STRING_get0_data (uri);
  if (length <= 0 || length > 128 || memchr (data, 0, (gsize)length) != NULL)
    return NULL;
  return g_strndup (data, (gsize)length);
}

gboolean
peer_name_of (X509 *certificate, PeerKind *ret_kind, char **ret_id)
{
  GENERAL_NAMES *names = X509_get_ext_d2i (certificate, NID_subject_alt_name, NULL, NULL);
  g_autofree char *id = NULL;
  PeerKind kind = PEER_STATION;
  guint found = 0;
  for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num (names); i++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value (names, i);
    g_autofree char *uri = uri_text (name);
    g_autofree char *one = NULL;
    if (name->type != GEN_URI)
      continue;
    found++;
    if (uri != NULL && peer_uri_parse (uri, &kind, &one)) {
      g_free (id);
      id = g_steal_pointer (&one);
    }
  }
  GENERAL_NAMES_free (names);
  ERR_clear_error ();
  if (found != 1 || id == NULL)
    return FALSE;
  *ret_kind = kind;
  *ret_id = g_steal_pointer (&id);
  return TRUE;
}

char *
peer_key_hash (const EVP_PKEY *key)
{
  unsigned char *der = NULL;
  int size = i2d_PUBKEY (key, &der);
  char *hash = size > 0 ? g_compute_checksum_for_data (G_CHECKSUM_SHA256, der, (gsize)size)
                        : g_strdup ("");
  OPENSSL_free (der);
  return hash;
}
