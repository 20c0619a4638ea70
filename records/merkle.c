#include "records/merkle.h"
#include <openssl/evp.h>
#include <string.h>

static void
context_free (gpointer context)
{
  EVP_MD_CTX_free (context);
}

/* Fetching the digest anew for each of millions of short hashes would cost more than they do. */
static GPrivate thread_context = G_PRIVATE_INIT (context_free);

static void
sha256 (gconstpointer head, gsize head_size, gconstpointer data, gsize size, guint8 *ret_hash)
{
  EVP_MD_CTX *context = g_private_get (&thread_context);

  if (context == NULL) {
    context = EVP_MD_CTX_new ();
    g_private_set (&thread_context, context);
  }
  if (EVP_DigestInit_ex (context, EVP_MD_CTX_get0_md (context) ? NULL : EVP_sha256 (), NULL) != 1
      || EVP_DigestUpdate (context, head, head_size) != 1
      || EVP_DigestUpdate (context, data, size) != 1
      || EVP_DigestFinal_ex (context, ret_hash, NULL) != 1)
    g_error ("SHA-256 is not available: libcrypto has no working provider");
}

void
merkle_leaf (gconstpointer data, gsize size, guint8 ret_hash[MERKLE_HASH])
{
  sha256 ("\0", 1, data, size, ret_hash);
}

/* ret_hash may be left or right. */
static void
node (const guint8 *left, const guint8 *right, guint8 *ret_hash)
{
  guint8 in[1 + MERKLE_HASH] = { 1 };
  memcpy (in + 1, left, MERKLE_HASH);
  sha256 (in, sizeof in, right, MERKLE_HASH, ret_hash);
}

void
merkle_push (Merkle *merkle, const guint8 leaf_hash[MERKLE_HASH])
{
  guint8 hash[MERKLE_HASH];
  guint level = 0;

  memcpy (hash, leaf_hash, MERKLE_HASH);
  for (; merkle->size >> level & 1; level++)
    node (merkle->peaks[level], hash, hash);
  memcpy (merkle->peaks[level], hash, MERKLE_HASH);
  merkle->size++;
}

void
merkle_root (const Merkle *merkle, guint8 ret_root[MERKLE_HASH])
{
  gboolean first = TRUE;
  guint8 root[MERKLE_HASH];

  sha256 ("", 0, "", 0, root);
  for (guint level = 0; level < 64; level++) {
    if (!(merkle->size >> level & 1))
      continue;
    if (first)
      memcpy (root, merkle->peaks[level], MERKLE_HASH);
    else
      node (merkle->peaks[level], root, root);
    first = FALSE;
  }
  memcpy (ret_root, root, MERKLE_HASH);
}

GBytes *
merkle_save (const Merkle *merkle)
{
  GByteArray *out = g_byte_array_new ();
  for (int level = 63; level >= 0; level--)
    if (merkle->size >> level & 1)
      g_byte_array_append (out, merkle->peaks[level], MERKLE_HASH);
  return g_byte_array_free_to_bytes (out);
}

gboolean
merkle_load (Merkle *ret_merkle, guint64 size, gconstpointer peaks, gsize length)
{
  Merkle merkle = { .size = size };
  const guint8 *next = peaks;

  if (length != (gsize)__builtin_popcountll (size) * MERKLE_HASH)
    return FALSE;
  for (int level = 63; level >= 0; level--)
    if (size >> level & 1) {
      memcpy (merkle.peaks[level], next, MERKLE_HASH);
      next += MERKLE_HASH;
    }
  *ret_merkle = merkle;
  return TRUE;
}

/* ---- Proofs ------------------------------------------------------------------------------ */

typedef struct {
  MerkleLeaf leaf;
  void *arg;
} Leaves;

/* MTH(D[begin:end]) */
static gboolean
range_root (const Leaves *leaves, guint64 begin, guint64 end, guint8 *ret_root, GError **error)
{
  Merkle merkle = { 0 };
  for (guint64 idx = begin; idx < end; idx++) {
    guint8 hash[MERKLE_HASH];
    if (!leaves->leaf (idx, hash, leaves->arg, error))
      return FALSE;
    merkle_push (&merkle, hash);
  }
  merkle_root (&merkle, ret_root);
  return TRUE;
}

/* Largest power of two below n; n > 1. */
static guint64
split (guint64 n)
{
  return G_GUINT64_CONSTANT (1) << (63 - __builtin_clzll (n - 1));
}

/* The roots of the subtrees that a walk from the whole range towards a leaf leaves aside; hashes
 * is filled from the top, so it is reversed at the end. */
static gboolean
collect (const Leaves *leaves, guint64 begin, guint64 end, GByteArray *hashes, GError **error)
{
  guint8 root[MERKLE_HASH];
  if (!range_root (leaves, begin, end, root, error))
    return FALSE;
  g_byte_array_append (hashes, root, MERKLE_HASH);
  return TRUE;
}

static GBytes *
reversed (const GByteArray *hashes)
{
  GByteArray *out = g_byte_array_new ();
  for (guint i = hashes->len; i >= MERKLE_HASH; i -= MERKLE_HASH)
    g_byte_array_append (out, hashes->data + i - MERKLE_HASH, MERKLE_HASH);
  return g_byte_array_free_to_bytes (out);
}

GBytes *
merkle_prove_inclusion (guint64 idx, guint64 size, MerkleLeaf leaf, void *arg, GError **error)
{
  g_autoptr (GByteArray) hashes = g_byte_array_new ();
  const Leaves leaves = { leaf, arg };
  guint64 begin = 0, end = size;

  g_return_val_if_fail (idx < size, NULL);
  while (end - begin > 1) {
    guint64 middle = begin + split (end - begin);
    gboolean is_left = idx < middle;
    if (!collect (&leaves, is_left ? middle : begin, is_left ? end : middle, hashes, error))
      return NULL;
    if (is_left)
      end = middle;
    else
      begin = middle;
  }
  return reversed (hashes);
}

GBytes *
merkle_prove_consistency (guint64 old_size, guint64 size, MerkleLeaf leaf, void *arg,
                          GError **error)
{
  g_autoptr (GByteArray) hashes = g_byte_array_new ();
  const Leaves leaves = { leaf, arg };
  guint64 begin = 0, end = size;

  g_return_val_if_fail (old_size > 0 && old_size <= size, NULL);
  while (end != old_size) {
    guint64 middle = begin + split (end - begin);
    gboolean is_left = old_size <= middle;
    if (!collect (&leaves, is_left ? middle : begin, is_left ? end : middle, hashes, error))
      return NULL;
    if (is_left)
      end = middle;
    else
      begin = middle;
  }
  /* The old tree itself need not be told when the walk ended on the whole of it. */
  if (begin > 0 && !collect (&leaves, begin, end, hashes, error))
    return NULL;
  return reversed (hashes);
}

/* RFC 9162 §2.1.3.2, the same tree. */
gboolean
merkle_check_inclusion (const guint8 leaf_hash[MERKLE_HASH], guint64 idx, guint64 size,
                        GBytes *proof, const guint8 root[MERKLE_HASH])
{
  gsize length;
  const guint8 *next = g_bytes_get_data (proof, &length);
  guint8 hash[MERKLE_HASH];
  guint64 fn = idx, sn = size - 1;

  if (idx >= size || length % MERKLE_HASH != 0)
    return FALSE;
  memcpy (hash, leaf_hash, MERKLE_HASH);
  for (gsize i = 0; i < length; i += MERKLE_HASH) {
    if (sn == 0)
      return FALSE;
    if ((fn & 1) || fn == sn) {
      node (next + i, hash, hash);
      while (!(fn & 1) && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      node (hash, next + i, hash);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && memcmp (hash, root, MERKLE_HASH) == 0;
}

/* RFC 9162 §2.1.4.2. */
gboolean
merkle_check_consistency (guint64 old_size, const guint8 old_root[MERKLE_HASH], guint64 size,
                          const guint8 root[MERKLE_HASH], GBytes *proof)
{
  gsize length;
  const guint8 *next = g_bytes_get_data (proof, &length);
  const guint8 *stop = next + length;
  guint8 fr[MERKLE_HASH], sr[MERKLE_HASH];

  if (old_size == 0 || old_size > size || length % MERKLE_HASH != 0)
    return FALSE;
  if (old_size == size)
    return length == 0 && memcmp (old_root, root, MERKLE_HASH) == 0;
  if (length == 0)
    return FALSE;
  if ((old_size & (old_size - 1)) == 0) {
    memcpy (fr, old_root, MERKLE_HASH);
  } else {
    memcpy (fr, next, MERKLE_HASH);
    next += MERKLE_HASH;
  }
  memcpy (sr, fr, MERKLE_HASH);
  guint64 fn = old_size - 1, sn = size - 1;
  while (fn & 1) {
    fn >>= 1;
    sn >>= 1;
  }
  for (; next < stop; next += MERKLE_HASH) {
    if (sn == 0)
      return FALSE;
    if ((fn & 1) || fn == sn) {
      node (next, fr, fr);
      node (next, sr, sr);
      while (!(fn & 1) && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      node (sr, next, sr);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && memcmp (fr, old_root, MERKLE_HASH) == 0 && memcmp (sr, root, MERKLE_HASH) == 0;
}
