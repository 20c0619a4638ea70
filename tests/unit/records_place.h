/* A state folder with vault, identity and store, for the tests of records. */
#pragma once
#include "certs/identity.h"
#include "records/segment.h"
#include "records/store.h"
#include "records/verify.h"
#include "vault_place.h"
#include <sys/stat.h>
#include <unistd.h>

/* Under valgrind and ThreadSanitizer everything takes many times as long: fewer samples. */
static inline gboolean
records_slow (void)
{
#ifdef __SANITIZE_THREAD__
  return TRUE;
#else
  return g_getenv ("NHIPCAU_SLOW") != NULL;
#endif
}

typedef struct {
  Place place;
  const char *dir;
  Vault *vault;
  Identity *identity;
  Store *store;
} Records;

static inline IdentityPlace
records_identity_place (Records *records)
{
  return (IdentityPlace){ .state_dir = records->dir, .secret = records->place.boot };
}

static inline void
records_register (Records *records)
{
  static const char *const files[]
      = { "certs/station.key", "certs/station.crt", "certs/ca.key", "certs/ca.crt" };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autoptr (GError) error = NULL;
    store_register_file (records->store, files[i], &error);
    g_assert_no_error (error);
  }
}

/* A station that starts: BOOT is there, nobody has signed in. */
static inline void
records_open (Records *records)
{
  const IdentityPlace where = records_identity_place (records);
  g_autoptr (GError) error = NULL;

  records->vault = place_open (&records->place);
  vault_unlock_boot (records->vault, records->place.boot, &error);
  g_assert_no_error (error);
  records->identity = identity_open (&where, &error);
  g_assert_no_error (error);
  records->store
      = store_open (records->dir, records->vault, records->identity, STORE_READ_WRITE, &error);
  g_assert_no_error (error);
  g_assert_nonnull (records->store);
}

static inline void
records_close (Records *records)
{
  g_clear_pointer (&records->store, store_free);
  g_clear_pointer (&records->identity, identity_free);
  g_clear_pointer (&records->vault, vault_free);
}

/* The folder as it is now, elsewhere: what a kill would leave. (transfer full) */
static inline char *
records_copy (const char *dir)
{
  char *copy = g_dir_make_tmp ("nhipcau-copy-XXXXXX", NULL);
  g_autofree char *from = g_strconcat (dir, "/.", NULL);
  const char *argv[] = { "cp", "-a", from, copy, NULL };
  int status = -1;

  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status,
                NULL);
  g_assert_cmpint (status, ==, 0);
  return copy;
}

static inline void
records_remove (const char *path)
{
  GStatBuf status;

  if (g_lstat (path, &status) == 0 && S_ISDIR (status.st_mode)) {
    g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
      g_autofree char *inner = g_build_filename (path, name, NULL);
      records_remove (inner);
    }
    g_rmdir (path);
  } else {
    g_unlink (path);
  }
}

static inline void
records_set_up (Records *records)
{
  static const char *const names[] = { "localhost", "127.0.0.1", NULL };
  g_autoptr (GError) error = NULL;

  place_init (&records->place);
  records->dir = records->place.dir;
  place_create (&records->place);
  Vault *vault = place_start (&records->place);
  vault_free (vault);
  const IdentityPlace where = records_identity_place (records);
  identity_create (&where, "Trạm thử", names, &error);
  g_assert_no_error (error);
}

static char *records_template;

static inline void
records_forget_template (void)
{
  records_remove (records_template);
  g_free (records_template);
}

/* Set up, not open. Making keys and passphrases takes a second, so it is done once, and each
 * test gets a copy. */
static inline void
records_create (Records *records)
{
  static Records template;

  if (template.dir == NULL) {
    records_set_up (&template);
    records_template = template.place.dir;
    atexit (records_forget_template);
  }
  memset (records, 0, sizeof *records);
  records->place = template.place;
  records->dir = records->place.dir = records_copy (template.dir);
}

static inline void
records_up (Records *records)
{
  records_create (records);
  records_open (records);
  records_register (records);
}

static inline void
records_down (Records *records)
{
  records_close (records);
  records_remove (records->dir);
  g_free (records->place.dir);
}

static inline char *
records_consult (Records *records)
{
  g_autoptr (GError) error = NULL;
  json_t *body = json_pack ("{s:s, s:i}", "state", "live", "mode", 3);
  char *consult = store_create_consult (records->store, "lan", body, &error);
  g_assert_no_error (error);
  json_decref (body);
  return consult;
}

static inline gint64
records_note (Records *records, const char *consult, const char *text)
{
  g_autoptr (GError) error = NULL;
  gint64 seq = 0;
  json_t *body = json_pack ("{s:s, s:s}", "kind", "note", "text", text);
  store_put_sync (records->store, consult, "note", "lan", body, &seq, &error);
  g_assert_no_error (error);
  json_decref (body);
  return seq;
}

/* ---- What verify says --------------------------------------------------------------------- */

typedef struct {
  GString *text; /* one line for each finding that is not good */
  VerifySummary summary;
} Verdict;

static inline void
verdict_take (VerifyVerdict verdict, const char *code, const char *where, const char *what,
              void *arg)
{
  Verdict *all = arg;
  if (verdict != VERIFY_GOOD)
    g_string_append_printf (all->text, "%s %s: %s: %s\n", verdict == VERIFY_BAD ? "BAD" : "note",
                            code, where, what);
}

static inline void
verdict_of (Verdict *verdict, const char *dir, Vault *vault, const char *consult)
{
  g_autoptr (GError) error = NULL;
  verdict->text = g_string_new (NULL);
  verify_state (dir, vault, consult, verdict_take, verdict, &verdict->summary, &error);
  g_assert_no_error (error);
}

static inline void
verdict_clear (Verdict *verdict)
{
  g_string_free (verdict->text, TRUE);
}

static inline void
assert_good (const char *dir, Vault *vault)
{
  Verdict verdict;
  verdict_of (&verdict, dir, vault, NULL);
  if (verdict.summary.bad > 0)
    g_test_message ("%s", verdict.text->str);
  g_assert_cmpuint (verdict.summary.bad, ==, 0);
  verdict_clear (&verdict);
}

static inline void
assert_bad (const char *dir, Vault *vault, const char *code, const char *where)
{
  Verdict verdict;
  verdict_of (&verdict, dir, vault, NULL);
  g_autofree char *expected = g_strdup_printf ("BAD %s: %s", code, where);
  if (strstr (verdict.text->str, expected) == NULL)
    g_error ("\"%s\" not found in:\n%s", expected, verdict.text->str);
  verdict_clear (&verdict);
}
