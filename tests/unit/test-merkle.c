#include "records/merkle.h"
#include <string.h>

/* Data and roots of the Certificate Transparency reference implementation's own vectors. */
static const char *const inputs[8] = {
  "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"
};
static const char *const roots[8]
    = { "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" };

static GBytes *
from_hex (const char *hex)
{
  GByteArray *out = g_byte_array_new ();
  for (gsize i = 0; hex[i] != '\0'; i += 2) {
    guint8 byte = g_ascii_xdigit_value (hex[i]) << 4 | g_ascii_xdigit_value (hex[i + 1]);
    g_byte_array_append (out, &byte, 1);
  }
  return g_byte_array_free_to_bytes (out);
}

static void
assert_hex (gconstpointer bytes, gsize size, const char *hex)
{
  g_autoptr (GBytes) want = from_hex (hex);
  g_assert_cmpmem (bytes, size, g_bytes_get_data (want, NULL), g_bytes_get_size (want));
}

static void
leaf_of_vector (guint i, guint8 hash[MERKLE_HASH])
{
  g_autoptr (GBytes) data = from_hex (inputs[i]);
  merkle_leaf (g_bytes_get_data (data, NULL), g_bytes_get_size (data), hash);
}

static gboolean
vector_leaf (guint64 idx, guint8 hash[MERKLE_HASH], void *arg, GError **error)
{
  leaf_of_vector ((guint)idx, hash);
  return TRUE;
}

static void
test_roots (void)
{
  Merkle merkle = { 0 };
  guint8 root[MERKLE_HASH];

  merkle_root (&merkle, root);
  assert_hex (root, sizeof root,
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (guint i = 0; i < 8; i++) {
    guint8 hash[MERKLE_HASH];
    leaf_of_vector (i, hash);
    merkle_push (&merkle, hash);
    merkle_root (&merkle, root);
    assert_hex (root, sizeof root, roots[i]);
  }
}

static void
test_vector_proofs (void)
{
  static const struct {
    guint64 idx, size;
    const char *proof;
  } inclusion[] = {
    { 0, 1, "" },
    { 0, 8,
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4" },
    { 5, 8,
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
    { 2, 3, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
  };
  static const struct {
    guint64 old_size, size;
    const char *proof;
  } consistency[] = {
    { 1, 1, "" },
    { 1, 8,
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4" },
    { 6, 8,
      "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
    { 2, 5,
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (inclusion); i++) {
    g_autoptr (GBytes) proof
        = merkle_prove_inclusion (inclusion[i].idx, inclusion[i].size, vector_leaf, NULL, NULL);
    assert_hex (g_bytes_get_data (proof, NULL), g_bytes_get_size (proof), inclusion[i].proof);
  }
  for (guint i = 0; i < G_N_ELEMENTS (consistency); i++) {
    g_autoptr (GBytes) proof = merkle_prove_consistency (
        consistency[i].old_size, consistency[i].size, vector_leaf, NULL, NULL);
    assert_hex (g_bytes_get_data (proof, NULL), g_bytes_get_size (proof), consistency[i].proof);
  }
}

/* ---- Every proof of small trees, and every bit of it wrong -------------------------------- */

#define SMALL 34

static gboolean
number_leaf (guint64 idx, guint8 hash[MERKLE_HASH], void *arg, GError **error)
{
  merkle_leaf (&idx, sizeof idx, hash);
  return TRUE;
}

static void
root_of (guint64 size, guint8 root[MERKLE_HASH])
{
  Merkle merkle = { 0 };
  for (guint64 i = 0; i < size; i++) {
    guint8 hash[MERKLE_HASH];
    number_leaf (i, hash, NULL, NULL);
    merkle_push (&merkle, hash);
  }
  merkle_root (&merkle, root);
}

static GBytes *
with_bit_wrong (GBytes *proof, gsize bit)
{
  gsize size;
  guint8 *copy = g_bytes_unref_to_data (g_bytes_ref (proof), &size);
  copy[bit / 8] ^= 1 << bit % 8;
  return g_bytes_new_take (copy, size);
}

static GBytes *
shorter (GBytes *proof)
{
  return g_bytes_new_from_bytes (proof, 0, g_bytes_get_size (proof) - MERKLE_HASH);
}

static void
test_all_inclusions (void)
{
  for (guint64 size = 1; size < SMALL; size++) {
    guint8 root[MERKLE_HASH], leaf[MERKLE_HASH];
    root_of (size, root);
    for (guint64 idx = 0; idx < size; idx++) {
      g_autoptr (GBytes) proof = merkle_prove_inclusion (idx, size, number_leaf, NULL, NULL);
      number_leaf (idx, leaf, NULL, NULL);
      g_assert_true (merkle_check_inclusion (leaf, idx, size, proof, root));
      g_assert_false (merkle_check_inclusion (leaf, size, size, proof, root));
      if (size > 1) {
        g_autoptr (GBytes) cut = shorter (proof);
        g_autoptr (GBytes) bent
            = with_bit_wrong (proof, (idx * 37) % (g_bytes_get_size (proof) * 8));
        g_assert_false (merkle_check_inclusion (leaf, idx, size, cut, root));
        g_assert_false (merkle_check_inclusion (leaf, idx, size, bent, root));
        g_assert_false (merkle_check_inclusion (leaf, (idx + 1) % size, size, proof, root));
      }
    }
  }
}

static void
test_all_consistencies (void)
{
  for (guint64 size = 1; size < SMALL; size++) {
    guint8 root[MERKLE_HASH], old_root[MERKLE_HASH], other[MERKLE_HASH];
    root_of (size, root);
    for (guint64 old_size = 1; old_size <= size; old_size++) {
      g_autoptr (GBytes) proof = merkle_prove_consistency (old_size, size, number_leaf, NULL, NULL);
      root_of (old_size, old_root);
      memcpy (other, old_root, sizeof other);
      other[3] ^= 4;
      g_assert_true (merkle_check_consistency (old_size, old_root, size, root, proof));
      g_assert_false (merkle_check_consistency (old_size, other, size, root, proof));
      g_assert_false (merkle_check_consistency (0, old_root, size, root, proof));
      if (old_size < size) {
        g_autoptr (GBytes) cut = shorter (proof);
        g_autoptr (GBytes) bent
            = with_bit_wrong (proof, (old_size * 41) % (g_bytes_get_size (proof) * 8));
        g_assert_false (merkle_check_consistency (old_size, old_root, size, root, cut));
        g_assert_false (merkle_check_consistency (old_size, old_root, size, root, bent));
      }
    }
  }
}

static void
test_save_and_load (void)
{
  Merkle merkle = { 0 }, again;

  for (guint64 i = 0; i < 1000; i++) {
    guint8 hash[MERKLE_HASH], root[MERKLE_HASH], root_again[MERKLE_HASH];
    g_autoptr (GBytes) saved = merkle_save (&merkle);
    gsize size;
    gconstpointer peaks = g_bytes_get_data (saved, &size);
    g_assert_true (merkle_load (&again, merkle.size, peaks, size));
    g_assert_false (merkle_load (&again, merkle.size, peaks, size + MERKLE_HASH));
    merkle_root (&merkle, root);
    merkle_root (&again, root_again);
    g_assert_cmpmem (root, sizeof root, root_again, sizeof root_again);
    number_leaf (i, hash, NULL, NULL);
    merkle_push (&merkle, hash);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/merkle/roots", test_roots);
  g_test_add_func ("/merkle/vector-proofs", test_vector_proofs);
  g_test_add_func ("/merkle/all-inclusions", test_all_inclusions);
  g_test_add_func ("/merkle/all-consistencies", test_all_consistencies);
  g_test_add_func ("/merkle/save-and-load", test_save_and_load);
  return g_test_run ();
}
