/* A state folder with a vault and its recovery keys, for the tests of the vault. */
#pragma once
#include "certs/issue.h"
#include "records/vault.h"
#include <glib/gstdio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <string.h>

#define PLACE_USER "bs.lan"
#define PLACE_PASSPHRASE "bốn từ dễ nhớ"
#define PLACE_LABEL "Trạm y tế xã Mường Lống"

typedef struct {
  char *dir;
  EVP_PKEY *keys[2];
  X509 *certificates[2];
  GPtrArray *recovery; /* of the certificates */
  GBytes *boot;
} Place;

/* Under sanitizers and valgrind (NHIPCAU_SLOW) exhaustive loops take samples. */
static inline gboolean
place_is_slow (void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return TRUE;
#else
  return g_getenv ("NHIPCAU_SLOW") != NULL;
#endif
}

static inline X509 *
place_certificate (EVP_PKEY *key, const char *name, gint64 from, gint64 to)
{
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  const IssueRequest request = { .key = key,
                                 .common_name = name,
                                 .basic = "critical,CA:FALSE",
                                 .usage = "critical,keyAgreement,keyEncipherment",
                                 .not_before = now + from,
                                 .not_after = now + to };
  g_autoptr (GError) error = NULL;
  X509 *certificate = issue_certificate (&request, &error);
  g_assert_no_error (error);
  return certificate;
}

static inline void
place_init (Place *place)
{
  static const char boot[] = "0123456789abcdef0123456789abcdef";

  place->dir = g_dir_make_tmp ("nhipcau-vault-XXXXXX", NULL);
  place->recovery = g_ptr_array_new ();
  for (gsize i = 0; i < 2; i++) {
    place->keys[i] = EVP_EC_gen ("P-384");
    place->certificates[i] = place_certificate (place->keys[i], i == 0 ? "Khóa tỉnh" : "Khóa viện",
                                                -86400, 86400 * 365);
    g_ptr_array_add (place->recovery, place->certificates[i]);
  }
  place->boot = g_bytes_new_static (boot, 32);
}

static inline VaultSetup
place_setup (Place *place)
{
  return (VaultSetup){ .state_dir = place->dir,
                       .label = PLACE_LABEL,
                       .recovery = place->recovery,
                       .user = PLACE_USER,
                       .passphrase = PLACE_PASSPHRASE,
                       .boot = place->boot };
}

static inline void
place_create (Place *place)
{
  const VaultSetup setup = place_setup (place);
  g_autoptr (GError) error = NULL;
  gboolean good = vault_create (&setup, &error);
  g_assert_no_error (error);
  g_assert_true (good);
}

static inline Vault *
place_open (Place *place)
{
  g_autoptr (GError) error = NULL;
  Vault *vault = vault_open (place->dir, &error);
  g_assert_no_error (error);
  return vault;
}

static inline void
place_write (Place *place, const char *name, GBytes *bytes)
{
  g_autofree char *path = g_build_filename (place->dir, name, NULL);
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  g_assert_true (g_file_set_contents (path, data, (gssize)size, NULL));
}

/* NULL when the file is not there. */
static inline GBytes *
place_read (Place *place, const char *name)
{
  g_autofree char *path = g_build_filename (place->dir, name, NULL);
  char *data = NULL;
  gsize size = 0;
  return g_file_get_contents (path, &data, &size, NULL) ? g_bytes_new_take (data, size) : NULL;
}

/* Text that `openssl cms -decrypt` finds with recovery key i. */
static inline char *
place_openssl_decrypt (Place *place, guint i, GBytes *der)
{
  g_autofree char *in = g_build_filename (place->dir, "in.der", NULL);
  g_autofree char *key = g_build_filename (place->dir, "rk.key", NULL);
  g_autofree char *certificate = g_build_filename (place->dir, "rk.crt", NULL);
  const char *argv[] = { "openssl", "cms",    "-decrypt", "-inform", "DER",       "-in",
                         in,        "-inkey", key,        "-recip",  certificate, NULL };
  char *text = NULL;
  int status = -1;
  g_autoptr (GError) error = NULL;

  place_write (place, "in.der", der);
  FILE *file = fopen (key, "w");
  PEM_write_PrivateKey (file, place->keys[i], NULL, NULL, 0, NULL, NULL);
  fclose (file);
  file = fopen (certificate, "w");
  PEM_write_X509 (file, place->certificates[i]);
  fclose (file);
  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &text, NULL, &status,
                &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
  g_unlink (in);
  g_unlink (key);
  g_unlink (certificate);
  return text;
}

static inline void
place_confirm (Place *place, Vault *vault, guint i)
{
  g_autoptr (GBytes) challenge = vault_challenge (vault, i, NULL);
  g_autofree char *text = place_openssl_decrypt (place, i, challenge);
  g_autoptr (GError) error = NULL;
  guint which = 99;
  g_auto (GStrv) parts = g_strsplit (text, "recovery key: ", 2);

  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  g_autofree char *typed = g_strndup (parts[1], 19);
  gboolean good = vault_confirm (vault, typed, &which, &error);
  g_assert_no_error (error);
  g_assert_true (good);
  g_assert_cmpuint (which, ==, i);
}

/* A vault in use: one recipient confirmed, BOOT open. */
static inline Vault *
place_start (Place *place)
{
  g_autoptr (GError) error = NULL;
  Vault *vault = place_open (place);
  place_confirm (place, vault, 0);
  vault_unlock_boot (vault, place->boot, &error);
  g_assert_no_error (error);
  return vault;
}

static inline void
place_clear (Place *place)
{
  g_autoptr (GDir) dir = g_dir_open (place->dir, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (place->dir, name, NULL);
    g_unlink (path);
  }
  g_assert_cmpint (g_rmdir (place->dir), ==, 0);
  for (gsize i = 0; i < 2; i++) {
    EVP_PKEY_free (place->keys[i]);
    X509_free (place->certificates[i]);
  }
  g_ptr_array_unref (place->recovery);
  g_bytes_unref (place->boot);
  g_free (place->dir);
}
