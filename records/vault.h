/* The vault: every key of the station's records, in STATE/keys.db (and its second copy
 * STATE/keys-copy.db, compared at start).
 *
 *   VK     P-256 key pair. Private half: one encrypted PKCS#8 (scrypt N=16384 r=8 p=5) per user
 *          with a passphrase. Public half (self-signed certificate) wraps while it is closed.
 *   BOOT   secret of at least 32 B from a file outside the state folder (systemd credential):
 *          opens the station's own key and the keys of unfinished consultations only
 *   DEK    one per consultation and purpose; wrapped three ways:
 *            vk_cms    CMS to VK's certificate
 *            boot      AES-256-GCM under HKDF(BOOT); destroyed by vault_finish()
 *            recovery  one CMS to all recovery certificates of the JSON
 *                      {label, consultation, purpose, epoch, dek (base64)}; never parsed here
 *
 * A key is durable on disk (both files) before vault_create_key() returns. Any thread; a
 * mutex inside. Secrets live in OPENSSL_secure_malloc memory.
 */
#pragma once
#include "records/data_key.h"
#include <openssl/x509.h>

typedef struct Vault Vault;

typedef enum { PURPOSE_CLINICAL, PURPOSE_RECORDING, PURPOSE_TEACHING, PURPOSE_STATION } Purpose;
const char *purpose_name (Purpose purpose); /* "clinical" "recording" "teaching" "station" */
gboolean purpose_parse (const char *name, Purpose *ret_purpose); /* FALSE: no such name */

typedef struct {
  const char *state_dir; /* exists, 0700 */
  const char *label;     /* station's name, for people who hold a recovery key */
  GPtrArray *recovery;   /* X509*, at least two unless allow_single */
  gboolean allow_single;
  const char *user;       /* first user's id */
  const char *passphrase; /* at least 10 characters */
  GBytes *boot;           /* NULL: the station will not start unattended */
} VaultSetup;

/* Writes keys.db with VK, the station's own key and one CMS challenge per recovery recipient.
 * No consultation key can be made before a recipient's answer is confirmed. */
gboolean vault_create (const VaultSetup *setup, GError **error);
/* For writing: one process at a time (RECORDS_ERROR_EXISTS), the folder itself is locked. Makes
 * both files the same where one covers the other (docs/records.md); refuses where not. When nobody
 * has written to them since they were last checked the keys' rows are not read again:
 * vault_is_checked() is FALSE then. */
Vault *vault_open (const char *state_dir, GError **error);
/* Whether every row of both files was looked at since it was opened. Any thread. */
gboolean vault_is_checked (Vault *vault);
/* The whole check, as at a start, of a vault that is open: what one file lacks or has damaged is
 * repaired from the other. Where that cannot be, FALSE with error, and nothing is changed any more:
 * keys that are there are still given out, each checked by itself. Seconds at 50,000
 * consultations; keeps nobody waiting while all is well. Any thread, one at a time. */
gboolean vault_check (Vault *vault, GError **error);
/* What stands on the disk now, read into memory: no lock, no write, also beside a running
 * station. Damaged files are opened as far as they go; vault_verify() tells. */
Vault *vault_open_read_only (const char *state_dir, GError **error);
GBytes *vault_id (Vault *vault); /* 16 B, made at set-up, no secret (transfer none); any thread */
void vault_free (Vault *vault);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Vault, vault_free)

/* Recovery set-up (records.md): the CMS (DER) that recipient i opens with stock openssl; inside
 * stands a code, which somebody types back. */
guint vault_recipients (Vault *vault);
X509 *vault_recipient (Vault *vault, guint i); /* (transfer none) */
GBytes *vault_challenge (Vault *vault, guint i, GError **error);
gboolean vault_confirm (Vault *vault, const char *code, guint *ret_recipient, GError **error);
gboolean vault_recipient_confirmed (Vault *vault, guint i);

/* The number that stays with recipient i as long as it is one: challenge files bear it, plus 1. */
guint vault_recipient_place (Vault *vault, guint i);

/* For a drill (drill.h): another challenge in the same form, of which the vault keeps nothing;
 * ret_hash: by which its code is known. And the hash of what somebody typed; FALSE: it is no code.
 */
GBytes *vault_drill_challenge (Vault *vault, guint i, guint8 ret_hash[32], GError **error);
gboolean vault_drill_hash (Vault *vault, guint i, const char *code, guint8 ret_hash[32]);

/* Other recovery recipients: certificates (X509*) are all that are to be, those that stay among
 * them. Every key is escrowed anew to exactly these, in one change of both files; those that stay
 * keep their answer, the others get a challenge. At least one that stays must have answered, so
 * add first, confirm, then remove. VK must be open (LOCKED); a key that VK does not open stops it
 * (TAMPERED) before anything is changed. Then call store_log_escrows(). 2.4 ms a key. */
gboolean vault_set_recovery (Vault *vault, GPtrArray *certificates, gboolean allow_single,
                             GError **error);
/* Another boot credential in place of one that is lost or was seen, or the first: the station's key
 * and those of unfinished consultations are wrapped under it, and under no other. boot NULL: none
 * from now on. VK must be open (LOCKED). */
gboolean vault_set_boot (Vault *vault, GBytes *boot, GError **error);

/* Opening and closing. Both kinds can be open at once; closing wipes. */
gboolean vault_unlock (Vault *vault, const char *user, const char *passphrase, GError **error);
gboolean vault_unlock_boot (Vault *vault, GBytes *boot, GError **error);
void vault_lock (Vault *vault);        /* VK only; BOOT and keys in use stay */
gboolean vault_is_open (Vault *vault); /* VK */
/* Adds or changes the passphrase of a user; VK must be open. */
gboolean vault_set_passphrase (Vault *vault, const char *user, const char *passphrase,
                               GError **error);
gboolean vault_has_passphrase (Vault *vault, const char *user);
/* Ids of all users who have one (transfer full); empty, not NULL, when nobody has. */
GStrv vault_users (Vault *vault, GError **error);
/* PIN verifier for the screen: scrypt text to keep in a sealed row; and its check. */
char *vault_hash_pin (const char *pin, GError **error);
gboolean vault_check_pin (const char *hash, const char *pin);

/* Changes (keys, passphrases) want BOOT or VK open, else RECORDS_ERROR_LOCKED: their rows are
 * authenticated under the station's own key.
 *
 * Keys. vault_get_key tries the cache, then BOOT, then VK; RECORDS_ERROR_LOCKED when neither
 * is open. consult "station" with PURPOSE_STATION is the station's own key, made at set-up. */
DataKey *vault_create_key (Vault *vault, const char *consult, Purpose purpose, GError **error);
DataKey *vault_get_key (Vault *vault, const char *consult, Purpose purpose, GError **error);
/* At signing: the boot wraps of a consultation are destroyed (secure_delete, WAL truncated). */
gboolean vault_finish (Vault *vault, const char *consult, GError **error);
/* The clinical and recording keys of a consultation stay in memory once they are there,
 * vault_lock() or not, until they are released: something of it is still to be delivered. Nothing
 * of this is on the disk. */
void vault_hold (Vault *vault, const char *consult);
void vault_release (Vault *vault, const char *consult);
/* Shreds one purpose: every wrap and escrow. */
gboolean vault_destroy_key (Vault *vault, const char *consult, Purpose purpose, GError **error);

/* One row of the key table, for audit, verify and recover. */
typedef struct {
  char *consult;
  Purpose purpose;
  guint16 epoch;
  GBytes *commit;          /* 32 B */
  GBytes *recovery_cms;    /* DER */
  GBytes *recovery_sha256; /* of it */
  gboolean has_boot;
  gboolean authentic; /* its mac was checked and is good: something was open */
} VaultKeyRow;
void vault_key_row_free (VaultKeyRow *row);
/* All, of VaultKeyRow* (transfer full): seconds at 50,000 consultations. */
GPtrArray *vault_list_keys (Vault *vault, GError **error);
GPtrArray *vault_keys_of (Vault *vault, const char *consult, GError **error);
/* Those written last, the newest first, a page at a time: before begins as G_MAXINT64 and stands
 * where the next page goes on. A key that was wrapped anew counts as written then. An empty page:
 * there are no more. */
GPtrArray *vault_newest_keys (Vault *vault, gint64 *before, guint limit, GError **error);
/* A row is there; whether it is damaged is not asked. */
gboolean vault_has_key (Vault *vault, const char *consult, Purpose purpose);
/* Names of all keys, or of those that have a boot wrap, without reading their rows. The vault is
 * locked meanwhile: name must not call it. */
typedef void (*VaultKeyName) (const char *consult, Purpose purpose, void *arg);
gboolean vault_each_name (Vault *vault, VaultKeyName name, void *arg, GError **error);
gboolean vault_each_with_boot (Vault *vault, VaultKeyName name, void *arg, GError **error);
/* One of them: NOT_FOUND, TAMPERED. */
VaultKeyRow *vault_key_row (Vault *vault, const char *consult, Purpose purpose, GError **error);

/* Problems of the key files: texts, empty when sound. Compares both copies, checks hashes,
 * commitments of all keys that can be opened now, sqlite's integrity and schema. */
GPtrArray *vault_verify (Vault *vault, GError **error);
/* The same of files that no vault can be opened from: what each of them says of itself. At least
 * one text. */
GPtrArray *vault_verify_files (const char *state_dir);

/* Opens one escrow with a recovery key (`record recover`), independent of VK and BOOT. The
 * caller compares data_key_commitment() with the row's. CREDENTIAL: key is no recipient. */
DataKey *vault_recover_key (GBytes *recovery_cms, EVP_PKEY *key, X509 *certificate,
                            const char *consult, Purpose purpose, GError **error);
