/* Setting a station up: what `nhipcau setup` does, apart from its options and prompts. */
#pragma once
#include "station/cli.h"

#define SETUP_ERROR (setup_error_quark ())
GQuark setup_error_quark (void);
typedef enum { SETUP_ERROR_REFUSED, SETUP_ERROR_FILE } SetupError;

typedef struct {
  char *id, *name, *role;
  char *pin, *passphrase; /* passphrase NULL: none */
} SetupUser;
void setup_user_clear (SetupUser *user);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SetupUser, setup_user_clear)

/* "lan:BS. Lò Thị Lan:doctor" */
gboolean setup_parse_user (const char *text, SetupUser *ret_user, GError **error);
/* Refuses weak secrets in clear words. passphrase may be NULL unless it must be. */
gboolean setup_check_secrets (const SetupUser *user, gboolean passphrase_needed, GError **error);

/* A new station in config->state: folder, keys, identity, first user, challenges, station.conf
 * when there is none. recovery: X509*. */
gboolean setup_create (Config *config, const SetupUser *first, GPtrArray *recovery,
                       gboolean allow_single, GBytes *boot, GError **error);
/* STATE/recovery/challenge-N.cms of the recipient at that place (transfer full) */
char *setup_challenge_file (const Config *config, guint place);

/* The boot credential in file; made with 32 random bytes, 0600, when absent. It must not lie in
 * the state folder. */
GBytes *setup_boot_credential (const char *file, const char *state, GError **error);

/* A user of an open station: a new one, or another PIN and passphrase. */
gboolean setup_save_user (Store *store, const SetupUser *user, GError **error);

/* A recovery pair for those who have none: made in memory, written to dir (recovery.key
 * encrypted with the passphrase, recovery.crt, recovery.pdf with the encrypted key as a QR code),
 * read back and compared. dir must not lie in the state folder. */
gboolean setup_make_recovery (const char *dir, const char *state, const char *passphrase,
                              const char *label, GError **error);

/* Other recovery recipients (vault_set_recovery): add (X509*) come, those at the places in remove
 * go; every key is escrowed anew, the log told, challenges written. */
gboolean setup_change_recovery (const Config *config, Vault *vault, Store *store, GPtrArray *add,
                                GArray *remove, gboolean allow_single, GError **error);
/* A new boot credential in file; what was there is kept beside it as FILE.old, and opens nothing
 * any more. VK is open. */
gboolean setup_replace_boot (const Config *config, Vault *vault, const char *file, GError **error);
