/* Merkle tree of RFC 6962 §2.1 over a log that only grows: leaf hash SHA-256 (00 | data), node
 * SHA-256 (01 | left | right). What is kept is the right edge: one root for each full subtree, at
 * most 64 of them, whatever the size. Sans-IO; a Merkle is a plain value and may be copied.
 */
#pragma once
#include <glib.h>

#define MERKLE_HASH 32

typedef struct {
  guint64 size;                  /* leaves so far */
  guint8 peaks[64][MERKLE_HASH]; /* peaks[b] holds when bit b of size is set */
} Merkle;

/* Leaf hash of some data. */
void merkle_leaf (gconstpointer data, gsize size, guint8 ret_hash[MERKLE_HASH]);

void merkle_push (Merkle *merkle, const guint8 leaf_hash[MERKLE_HASH]);
/* Root of all leaves so far; of an empty log SHA-256 (""). */
void merkle_root (const Merkle *merkle, guint8 ret_root[MERKLE_HASH]);

/* The peaks in use, largest subtree first, and back. FALSE when the length does not fit size. */
GBytes *merkle_save (const Merkle *merkle);
gboolean merkle_load (Merkle *ret_merkle, guint64 size, gconstpointer peaks, gsize length);

/* Proofs (RFC 6962 §2.1.1, §2.1.2). leaf gives the hash of one leaf; FALSE stops with its error.
 * A proof is the concatenation of its hashes. Making one reads every leaf of the range once. */
typedef gboolean (*MerkleLeaf) (guint64 idx, guint8 ret_hash[MERKLE_HASH], void *arg,
                                GError **error);
GBytes *merkle_prove_inclusion (guint64 idx, guint64 size, MerkleLeaf leaf, void *arg,
                                GError **error);
GBytes *merkle_prove_consistency (guint64 old_size, guint64 size, MerkleLeaf leaf, void *arg,
                                  GError **error);
/* Any bytes may be handed in; work is bounded by the length of the proof. */
gboolean merkle_check_inclusion (const guint8 leaf_hash[MERKLE_HASH], guint64 idx, guint64 size,
                                 GBytes *proof, const guint8 root[MERKLE_HASH]);
gboolean merkle_check_consistency (guint64 old_size, const guint8 old_root[MERKLE_HASH],
                                   guint64 size, const guint8 root[MERKLE_HASH], GBytes *proof);
