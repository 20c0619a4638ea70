#include "station/setup.h"
#include "records/store.h"
#include "station/opening.h"
#include "station/users.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

G_DEFINE_QUARK (nhipcau - setup - error, setup_error)

#define BOOT_BYTES 32

void
setup_user_clear (SetupUser *user)
{
  g_free (user->id);
  g_free (user->name);
  g_free (user->role);
  cli_secret_free (user->pin);
  cli_secret_free (user->passphrase);
  memset (user, 0, sizeof *user);
}

gboolean
setup_parse_user (const char *text, SetupUser *ret_user, GError **error)
{
  const char *first = strchr (text, ':'), *last = strrchr (text, ':');
  g_autofree char *roles = g_strjoinv (", ", (char **)user_roles);
  if (first == NULL || first == last) {
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
                 "--user '%s': wants ID:NAME:ROLE, as in lan:BS. Lò Thị Lan:doctor", text);
    return FALSE;
  }
  g_autofree char *id = g_strndup (text, first - text);
  g_autofree char *name = g_strndup (first + 1, last - first - 1);
  if (!user_id_is_valid (id) || *name == '\0' || !g_utf8_validate (name, -1, NULL)
      || g_utf8_strlen (name, -1) > 100 || !g_strv_contains (user_roles, last + 1)) {
    g_set_error (
        error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
        "--user '%s': ID is a to z, 0 to 9 and -; NAME up to 100 characters; ROLE one of %s", text,
        roles);
    return FALSE;
  }
  ret_user->id = g_steal_pointer (&id);
  ret_user->name = g_steal_pointer (&name);
  ret_user->role = g_strdup (last + 1);
  return TRUE;
}

gboolean
setup_check_secrets (const SetupUser *user, gboolean passphrase_needed, GError **error)
{
  const char *weak = user->pin != NULL ? user_pin_weakness (user->pin) : "a PIN is missing";
  if (weak == NULL && user->passphrase != NULL)
    weak = user_passphrase_weakness (user->passphrase);
  else if (weak == NULL && passphrase_needed)
    weak = "the first user needs a passphrase: it opens the finished records";
  if (weak != NULL)
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s: %s", user->id, weak);
  return weak == NULL;
}

/* ---- Files
 * ---------------------------------------------------------------------------------------- */

static gboolean
lies_in (const char *path, const char *folder)
{
  g_autofree char *inner = g_canonicalize_filename (path, NULL);
  g_autofree char *outer = g_canonicalize_filename (folder, NULL);
  g_autofree char *prefix = g_strconcat (outer, "/", NULL);
  return g_str_equal (inner, outer) || g_str_has_prefix (inner, prefix);
}

/* A new file that only we can read; never over one that is there. */
static gboolean
write_new (const char *file, const void *data, gsize length, GError **error)
{
  int fd = g_open (file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  gboolean good = fd >= 0 && write (fd, data, length) == (ssize_t)length && fsync (fd) == 0;
  int saved = errno;
  if (fd >= 0)
    close (fd);
  if (!good)
    g_set_error (error, SETUP_ERROR, SETUP_ERROR_FILE, "%s: %s", file, g_strerror (saved));
  return good;
}

GBytes *
setup_boot_credential (const char *file, const char *state, GError **error)
{
  guint8 random[BOOT_BYTES];
  g_autofree char *folder = g_path_get_dirname (file);
  if (lies_in (file, state)) {
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
                 "%s: the boot credential must lie outside the state folder, or who steals the "
                 "one has the other",
                 file);
    return NULL;
  }
  if (g_file_test (file, G_FILE_TEST_EXISTS)) {
    char *bytes = NULL;
    gsize length = 0;
    return g_file_get_contents (file, &bytes, &length, error) ? g_bytes_new_take (bytes, length)
                                                              : NULL;
  }
  if (g_mkdir_with_parents (folder, 0700) != 0 || RAND_bytes (random, sizeof random) != 1) {
    g_set_error (error, SETUP_ERROR, SETUP_ERROR_FILE, "%s: %s", folder, g_strerror (errno));
    return NULL;
  }
  GBytes *boot
      = write_new (file, random, sizeof random, error) ? g_bytes_new (random, sizeof random) : NULL;
  OPENSSL_cleanse (random, sizeof random);
  return boot;
}

char *
setup_challenge_file (const Config *config, guint place)
{
  g_autofree char *name = g_strdup_printf ("challenge-%u.cms", place + 1);
  return g_build_filename (config->state, "recovery", name, NULL);
}

static gboolean
write_challenge (const Config *config, Vault *vault, guint i, Store *store, GError **error)
{
  guint place = vault_recipient_place (vault, i);
  g_autofree char *file = setup_challenge_file (config, place), *there = NULL;
  g_autofree char *relative = g_strdup_printf ("recovery/challenge-%u.cms", place + 1);
  g_autoptr (GBytes) challenge = vault_challenge (vault, i, error);
  gsize length, before = 0;
  if (challenge == NULL)
    return FALSE;
  const void *data = g_bytes_get_data (challenge, &length);
  if (g_file_get_contents (file, &there, &before, NULL) && before == length
      && memcmp (there, data, length) == 0)
    return TRUE;
  return g_file_set_contents_full (file, data, (gssize)length,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   0600, error)
         && store_register_file (store, relative, error);
}

static gboolean
write_challenges (const Config *config, Vault *vault, Store *store, GError **error)
{
  g_autofree char *folder = g_build_filename (config->state, "recovery", NULL);
  if (g_mkdir (folder, 0700) != 0 && errno != EEXIST) {
    g_set_error (error, SETUP_ERROR, SETUP_ERROR_FILE, "%s: %s", folder, g_strerror (errno));
    return FALSE;
  }
  for (guint i = 0; i < vault_recipients (vault); i++)
    if (!write_challenge (config, vault, i, store, error))
      return FALSE;
  return TRUE;
}

/* A first station.conf beside the state folder, for people to go on from. */
static gboolean
write_config (const Config *config, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (config->state);
  g_autofree char *file = g_build_filename (folder, "station.conf", NULL);
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  gsize length;
  if (config->file != NULL || g_file_test (file, G_FILE_TEST_EXISTS))
    return TRUE;
  g_key_file_set_string (keys, "station", "name", config->station_name);
  g_key_file_set_string (keys, "station", "language", config->language);
  g_autofree char *text = g_key_file_to_data (keys, &length, NULL);
  return write_new (file, text, length, error);
}

/* ---- The station
 * ------------------------------------------------------------------------------------- */

static gboolean
make_folder (const char *state, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (state, 0, NULL);
  if (dir != NULL && g_dir_read_name (dir) != NULL) {
    g_set_error (error, SETUP_ERROR, SETUP_ERROR_REFUSED,
                 "%s: is not empty; a station is set up once, in a folder of its own", state);
    return FALSE;
  }
  if (g_mkdir_with_parents (state, 0700) != 0 || g_chmod (state, 0700) != 0) {
    g_set_error (error, SETUP_ERROR, SETUP_ERROR_FILE, "%s: %s", state, g_strerror (errno));
    return FALSE;
  }
  return TRUE;
}

gboolean
setup_save_user (Store *store, const SetupUser *user, GError **error)
{
  g_autoptr (Users) users = users_load (store, error);
  if (users == NULL)
    return FALSE;
  g_autofree char *hash = vault_hash_pin (user->pin, error);
  if (hash == NULL)
    return FALSE;
  User row = { .id = user->id, .name = user->name, .role = user->role, .pin_hash = hash };
  return users_save (users, &row, "station", error);
}

static gboolean
fill_station (Config *config, const SetupUser *first, Vault *vault, GError **error)
{
  g_autoptr (GBytes) secret = cli_identity_secret (vault, error);
  g_auto (GStrv) names = config_certificate_names (config);
  if (secret == NULL)
    return FALSE;
  IdentityPlace place = opening_identity_place (config, secret);
  /* The station's own certificate is always made: a province's may come and go. */
  place.key_uri = NULL;
  place.certificate = NULL;
  if (!identity_create (&place, config->station_name, (const char *const *)names, error))
    return FALSE;
  g_autoptr (Identity) identity = identity_open (&place, error);
  if (identity == NULL)
    return FALSE;
  g_autoptr (Store) store = store_open (config->state, vault, identity, STORE_READ_WRITE, error);
  return store != NULL && setup_save_user (store, first, error)
         && opening_register_files (store, config, error)
         && write_challenges (config, vault, store, error);
}

gboolean
setup_create (Config *config, const SetupUser *first, GPtrArray *recovery, gboolean allow_single,
              GBytes *boot, GError **error)
{
  VaultSetup setup = { .state_dir = config->state,
                       .label = config->station_name,
                       .recovery = recovery,
                       .allow_single = allow_single,
                       .user = first->id,
                       .passphrase = first->passphrase,
                       .boot = boot };
  if (!make_folder (config->state, error) || !vault_create (&setup, error))
    return FALSE;
  g_autoptr (Vault) vault = vault_open (config->state, error);
  return vault != NULL && vault_unlock (vault, first->id, first->passphrase, error)
         && (boot == NULL || vault_unlock_boot (vault, boot, error))
         && fill_station (config, first, vault, error) && write_config (config, error);
}

/* ---- Keys of a station that exists ----------------------------------------------------------- */

static gboolean
is_in (GArray *places, guint place)
{
  for (guint i = 0; i < places->len; i++)
    if (g_array_index (places, guint, i) == place)
      return TRUE;
  return FALSE;
}

static gboolean
all_are_there (Vault *vault, GArray *remove, GError **error)
{
  for (guint i = 0; i < remove->len; i++) {
    guint place = g_array_index (remove, guint, i);
    gboolean found = FALSE;
    for (guint k = 0; k < vault_recipients (vault); k++)
      found |= vault_recipient_place (vault, k) == place;
    if (found)
      continue;
    g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
                 SAY ("không có khóa khôi phục %u; xem: nhipcau cert show",
                      "there is no recovery key %u; see: nhipcau cert show"),
                 place + 1);
    return FALSE;
  }
  return TRUE;
}

gboolean
setup_change_recovery (const Config *config, Vault *vault, Store *store, GPtrArray *add,
                       GArray *remove, gboolean allow_single, GError **error)
{
  g_autoptr (GPtrArray) wanted = g_ptr_array_new ();
  if (!all_are_there (vault, remove, error))
    return FALSE;
  for (guint i = 0; i < vault_recipients (vault); i++)
    if (!is_in (remove, vault_recipient_place (vault, i)))
      g_ptr_array_add (wanted, vault_recipient (vault, i));
  for (guint i = 0; i < add->len; i++)
    g_ptr_array_add (wanted, add->pdata[i]);
  /* The certificates are the vault's own and go with the change. */
  for (guint i = 0; i < wanted->len; i++)
    X509_up_ref (wanted->pdata[i]);
  g_ptr_array_set_free_func (wanted, (GDestroyNotify)X509_free);
  return vault_set_recovery (vault, wanted, allow_single, error) && store_log_escrows (store, error)
         && write_challenges (config, vault, store, error);
}

static gboolean
rename_file (const char *from, const char *to, GError **error)
{
  if (g_rename (from, to) == 0)
    return TRUE;
  g_set_error (error, SETUP_ERROR, SETUP_ERROR_FILE, "%s → %s: %s", from, to, g_strerror (errno));
  return FALSE;
}

/* The new one is on the disk before anything opens with it alone. */
gboolean
setup_replace_boot (const Config *config, Vault *vault, const char *file, GError **error)
{
  g_autofree char *fresh = g_strconcat (file, ".new", NULL),
                  *old = g_strconcat (file, ".old", NULL);
  g_unlink (fresh);
  g_autoptr (GBytes) boot = setup_boot_credential (fresh, config->state, error);
  if (boot == NULL || !vault_set_boot (vault, boot, error)) {
    g_unlink (fresh);
    return FALSE;
  }
  return (!g_file_test (file, G_FILE_TEST_EXISTS) || rename_file (file, old, error))
         && rename_file (fresh, file, error);
}
