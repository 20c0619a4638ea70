#include "records/data_key.h"
#include "records/secure_memory.h"
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

static const guint8 DEK[DATA_KEY_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static const RowBinding BINDING = { "rec", "6d8f0c1e-0000-4000-8000-000000000001", "note", 7, 1 };

static void
test_round_trip (void)
{
  g_autoptr (DataKey) key = data_key_new (DEK, 3);
  const gsize sizes[] = { 0, 1, 15, 16, 17, 200, 65536 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree guint8 *data = g_malloc (sizes[i] + 1);
    RAND_bytes (data, (int)sizes[i]);
    g_autoptr (GBytes) plain = g_bytes_new (data, sizes[i]);
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) sealed = data_key_seal_row (key, &BINDING, plain, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (g_bytes_get_size (sealed), ==, sizes[i] + 32);
    g_autoptr (GBytes) again = data_key_seal_row (key, &BINDING, plain, &error);
    g_assert_false (g_bytes_equal (sealed, again)); /* a fresh nonce each time */
    g_autoptr (GBytes) open = data_key_open_row (key, &BINDING, sealed, &error);
    g_assert_no_error (error);
    g_assert_true (g_bytes_equal (plain, open));
  }
}

static void
refuse (DataKey *key, const RowBinding *binding, GBytes *sealed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) open = data_key_open_row (key, binding, sealed, &error);
  g_assert_null (open);
  g_assert_true (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED)
                 || g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_VERSION));
}

static void
test_binding (void)
{
  g_autoptr (DataKey) key = data_key_new (DEK, 3);
  g_autoptr (GBytes) plain = g_bytes_new_static ("text", 4);
  g_autoptr (GBytes) sealed = data_key_seal_row (key, &BINDING, plain, NULL);
  const RowBinding others[] = {
    { "audit", BINDING.consult, "note", 7, 1 },
    { "rec", "6d8f0c1e-0000-4000-8000-000000000002", "note", 7, 1 },
    { "rec", BINDING.consult, "consent", 7, 1 },
    { "rec", BINDING.consult, "note", 8, 1 },
    { "rec", BINDING.consult, "note", 7, 2 },
    { "re", "c6d8f0c1e-0000-4000-8000-000000000001", "note", 7, 1 }, /* same bytes, other parts */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    refuse (key, &others[i], sealed);
  g_autoptr (DataKey) other_epoch = data_key_new (DEK, 4);
  refuse (other_epoch, &BINDING, sealed);
  guint8 bytes[DATA_KEY_SIZE];
  memcpy (bytes, DEK, sizeof bytes);
  bytes[31] ^= 1;
  g_autoptr (DataKey) other_key = data_key_new (bytes, 3);
  refuse (other_key, &BINDING, sealed);
}

static void
test_every_byte_and_length (void)
{
  g_autoptr (DataKey) key = data_key_new (DEK, 3);
  g_autofree char *text = g_strnfill (500, 'x');
  g_autoptr (GBytes) plain = g_bytes_new (text, 500);
  g_autoptr (GBytes) sealed = data_key_seal_row (key, &BINDING, plain, NULL);
  gsize size;
  const guint8 *good = g_bytes_get_data (sealed, &size);

  for (gsize i = 0; i < size; i++) {
    g_autofree guint8 *bad = g_memdup2 (good, size);
    bad[i] ^= (guint8)(1 << (i % 8));
    g_autoptr (GBytes) bytes = g_bytes_new (bad, size);
    refuse (key, &BINDING, bytes);
  }
  for (gsize length = 0; length < size; length++) {
    g_autoptr (GBytes) bytes = g_bytes_new (good, length);
    refuse (key, &BINDING, bytes);
  }
  g_autofree guint8 *longer = g_malloc0 (size + 1);
  memcpy (longer, good, size);
  g_autoptr (GBytes) bytes = g_bytes_new (longer, size + 1);
  refuse (key, &BINDING, bytes);
}

/* Vectors computed with Node's crypto.hkdfSync: what docs/records.md tells others to do. */
static void
test_vectors (void)
{
  const guint8 zero[DATA_KEY_SIZE] = { 0 };
  const guint8 segment[16] = "0123456789abcdef";
  g_autoptr (DataKey) key = data_key_new (zero, 1);
  guint8 commit[32], media[32];
  g_autoptr (GString) hex = g_string_new (NULL);

  data_key_commitment (key, commit);
  data_key_segment (key, segment, media);
  for (gsize i = 0; i < 4; i++)
    g_string_append_printf (hex, "%02x", commit[i]);
  for (gsize i = 0; i < 4; i++)
    g_string_append_printf (hex, "%02x", media[i]);
  g_assert_cmpstr (hex->str, ==, "05568e0ac1b9c4b6");
}

static void
test_secure_memory (void)
{
  guint8 *memory = secure_alloc (32);
  g_assert_true (CRYPTO_secure_allocated (memory));
  secure_free (memory, 32);
  guint8 *inside;
  GBytes *key = secure_bytes_blank (32, &inside);
  g_assert_true (CRYPTO_secure_allocated (inside));
  memset (inside, 0x5a, 32);
  g_bytes_unref (key);
  /* The heap stays mapped, so what is left of the key can be looked at; the allocator itself
   * writes two list pointers into the start of a free block. */
#if !defined(__SANITIZE_ADDRESS__)
  for (gsize i = 16; i < 32; i++)
    g_assert_cmpuint (((volatile guint8 *)inside)[i], !=, 0x5a);
#endif
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  secure_memory_init (NULL);
  g_test_add_func ("/data-key/round-trip", test_round_trip);
  g_test_add_func ("/data-key/binding", test_binding);
  g_test_add_func ("/data-key/every-byte-and-length", test_every_byte_and_length);
  g_test_add_func ("/data-key/vectors", test_vectors);
  g_test_add_func ("/data-key/secure-memory", test_secure_memory);
  return g_test_run ();
}
