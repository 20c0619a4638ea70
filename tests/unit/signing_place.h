/* Signatures over a text, with authorities that stock openssl made: a folder, what signs there and
 * what trusts it. One for a program. */
#pragma once
#include "certs/cades.h"
#include <gio/gio.h>
#include <string.h>

#define TEXT "{\"consult\":\"6d8f\",\"size\":17}"

static char *dir;
static CadesTrust *trust;
static gint64 now;

static inline char *
in_dir (const char *name)
{
  return g_build_filename (dir, name, NULL);
}

/* FALSE: it ended with another number than 0. What it said goes into the test's output. */
static inline gboolean
runs (const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *errors = NULL;
  int status = -1;
  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &errors, &status,
                &error);
  g_assert_no_error (error);
  if (status != 0)
    g_test_message ("%s: %s", argv[0], errors);
  return status == 0;
}

static inline void
run (const char *const *argv)
{
  if (!runs (argv))
    g_error ("%s failed", argv[0]);
}

static inline GBytes *
text (void)
{
  return g_bytes_new_static (TEXT, strlen (TEXT));
}

static inline CadesTrust *
load_trust (const char *people, const char *authorities, const char *crls)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *a = in_dir (people), *b = authorities != NULL ? in_dir (authorities) : NULL,
                  *c = crls != NULL ? in_dir (crls) : NULL;
  CadesTrust *loaded = cades_trust_load (a, b, c, &error);
  g_assert_no_error (error);
  return loaded;
}

static inline GBytes *
sign_as (const char *who)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *key_name = g_strconcat (who, ".key", NULL);
  g_autofree char *chain_name = g_strconcat (who, "-chain.crt", NULL);
  g_autofree char *key = in_dir (key_name), *chain = in_dir (chain_name);
  g_autoptr (CadesSigner) signer = cades_signer_open (key, chain, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) content = text ();
  GBytes *cms = cades_sign (signer, trust->crls, content, &error);
  g_assert_no_error (error);
  return cms;
}

static inline void
signing_place_up (const char *pattern)
{
  dir = g_dir_make_tmp (pattern, NULL);
  const char *const make[] = { "tests/sim/signing-pki", dir, NULL };
  run (make);
}

static inline void
signing_place_down (void)
{
  cades_trust_free (trust);
  const char *const clean[] = { "rm", "-r", dir, NULL };
  run (clean);
  g_free (dir);
}
