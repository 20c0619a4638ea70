/* The two primitives of this folder: AES-256-GCM (SP 800-38D) with a random 96-bit nonce and
 * HKDF-SHA256 (RFC 5869), both OpenSSL's. Any thread.
 *
 * Sealed: head | nonce 12 | ciphertext | tag 16. The caller puts the head into the AAD.
 */
#pragma once
#include <glib.h>

#define SEALING_KEY 32
#define SEALING_NONCE 12
#define SEALING_TAG 16
#define SEALING_OVERHEAD (SEALING_NONCE + SEALING_TAG)
/* Bound of one plaintext; far below GCM's 2^36 and any int of the EVP calls. */
#define SEALING_MAX (64 * 1024 * 1024)

/* out = HKDF-SHA256(key, salt, info), 32 bytes. salt may be NULL. A failure here is a broken
 * libcrypto (no provider), not bad input: it aborts. */
void sealing_derive (const guint8 *key, gsize key_size, const guint8 *salt, gsize salt_size,
                     const char *info, guint8 out[32]);

/* Appends u32 BE length and the bytes: one part of a canonical AAD or MAC input. */
void sealing_add_part (GByteArray *parts, gconstpointer data, gsize size);

/* HMAC-SHA256 (RFC 2104); aborts as sealing_derive(). */
void sealing_mac (const guint8 key[32], const guint8 *data, gsize size, guint8 ret_mac[32]);

/* (transfer full) */
GBytes *sealing_seal (const guint8 key[SEALING_KEY], const guint8 *head, gsize head_size,
                      GBytes *aad, GBytes *plain, GError **error);
/* Plaintext is in memory that is wiped when freed. RECORDS_ERROR_TAMPERED when the tag does not
 * fit. */
GBytes *sealing_open (const guint8 key[SEALING_KEY], gsize head_size, GBytes *aad, GBytes *sealed,
                      GError **error);
