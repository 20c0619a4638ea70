#include "certs/comparison.h"

#include <openssl/sha.h>
#include <string.h>

enum { FINGERPRINTS_MAX = 8, DIGITS = 1000000 };

gboolean
comparison_nonce_is_good (const char *nonce)
{
  gsize length = nonce != NULL ? strlen (nonce) : 0;
  return length >= COMPARISON_NONCE_MIN && length <= COMPARISON_NONCE_MAX
         && strspn (nonce, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
                == length;
}

char *
comparison_commitment (const char *nonce)
{
  g_autofree char *text = g_strconcat ("nhipcau-compare-1\ncommit\n", nonce, NULL);
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

char *
comparison_fingerprints (const char *sdp)
{
  static const char attribute[] = "a=fingerprint:";
  g_auto (GStrv) lines = g_strsplit_set (sdp, "\r\n", -1);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; lines[i] != NULL; i++) {
    if (!g_str_has_prefix (lines[i], attribute))
      continue;
    g_autofree char *value = g_ascii_strup (g_strstrip (lines[i] + strlen (attribute)), -1);
    if (!g_ptr_array_find_with_equal_func (found, value, g_str_equal, NULL))
      g_ptr_array_add (found, g_steal_pointer (&value));
  }
  if (found->len == 0 || found->len > FINGERPRINTS_MAX)
    return NULL;
  g_ptr_array_sort (found, by_name);
  g_ptr_array_add (found, NULL);
  return g_strjoinv (",", (char **)found->pdata);
}

char *
comparison_code (const Comparison *comparison)
{
  g_autofree char *text
      = g_strjoin ("\n", "nhipcau-compare-1", comparison->station_nonce, comparison->page_nonce,
                   comparison->station_fingerprints, comparison->page_fingerprints,
                   comparison->station, comparison->page, NULL);
  guint8 hash[SHA256_DIGEST_LENGTH];
  guint64 number = 0;
  SHA256 ((const guint8 *)text, strlen (text), hash);
  for (guint i = 0; i < 6; i++) /* 48 bits, which a page's numbers hold; no digit is favoured */
    number = number << 8 | hash[i];
  return g_strdup_printf ("%06u", (guint)(number % DIGITS));
}
