#include "station/proof.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

gboolean
proof_secret_equal (const char *a, const char *b)
{
  guint8 hash_a[SHA256_DIGEST_LENGTH], hash_b[SHA256_DIGEST_LENGTH];
  SHA256 ((const guint8 *)a, strlen (a), hash_a);
  SHA256 ((const guint8 *)b, strlen (b), hash_b);
  return CRYPTO_memcmp (hash_a, hash_b, sizeof hash_a) == 0;
}
