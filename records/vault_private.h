/* What the files of the vault share. Functions with a Vault want its lock held unless they say
 * otherwise. */
#pragma once
#include "records/vault.h"
#include "records/vault_file.h"

#define STATION_CONSULT "station"
#define KEY_EPOCH 1 /* of keys made now */
#define KEYS_DAMAGE_NOTE "keys-damage.txt"

struct Vault {
  GMutex lock;
  char *state_dir;
  gboolean read_only;
  int folder;           /* locked (flock) while open for writing; -1 otherwise */
  sqlite3 *main, *copy; /* read-write; NULL when read-only */
  KeyFile *snapshot;    /* read-only: what db belongs to */
  sqlite3 *db;          /* to read from: main or snapshot->db */
  gboolean is_checked;  /* every row of both files was looked at since it was opened */
  gint64 seal_us;       /* monotonic: when the files are to be sealed as checked; 0: they are */
  char *refused;        /* why nothing may be changed any more; NULL: it may */
  gboolean copy_behind; /* a write reached main only; no key is given out before it is mended */

  GBytes *id; /* 16 B */
  char *label;
  X509 *certificate;     /* of VK */
  GPtrArray *recipients; /* X509* */
  GArray *places;        /* guint: idx of each in table recipient, which never changes */

  EVP_PKEY *vk;      /* NULL: closed */
  guint8 *boot_key;  /* 32 B, secure; NULL: closed */
  guint8 *mac_key;   /* 32 B, secure; NULL until something was open */
  GHashTable *cache; /* "consult/purpose" → CachedKey* */
  GHashTable *held;  /* "consult/purpose": stays in cache */
};

typedef struct {
  DataKey *key;
  gboolean finished;
} CachedKey;

/* ---- Rows (vault_keys.c) ------------------------------------------------------------------ */

typedef struct {
  char *consult;
  Purpose purpose;
  guint16 epoch;
  gboolean finished;
  GBytes *commit, *vk_cms, *boot, *recovery_cms; /* boot may be NULL */
} KeyRow;
void key_row_free (KeyRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KeyRow, key_row_free)
/* Present row of "SELECT * FROM consult_key"; NULL when a value is not of its kind. */
KeyRow *key_row_read (sqlite3_stmt *row);
gboolean key_row_write (sqlite3 *db, const KeyRow *row, const guint8 *mac_key, GError **error);

/* A fresh key with all its wraps. boot_key NULL: no boot wrap. */
typedef struct {
  const char *label;
  GBytes *vault_id;
  X509 *vk_certificate;
  GPtrArray *recipients;
  const guint8 *boot_key;
} KeyMaking;
KeyRow *key_make (const KeyMaking *making, const char *consult, Purpose purpose, DataKey **ret_key,
                  GError **error);
/* Unwraps by BOOT when boot_key is given and the row has that wrap, else by vk; checks the
 * commitment. */
DataKey *key_unwrap (const KeyRow *row, GBytes *vault_id, const guint8 *boot_key, EVP_PKEY *vk,
                     X509 *vk_certificate, GError **error);
/* A key that exists, opened by VK's wrap: one of its other wraps is replaced by that of making
 * (BOOT without a boot_key: removed). */
typedef enum { WRAP_BOOT, WRAP_RECOVERY } KeyWrap;
gboolean key_rewrap (const KeyMaking *making, KeyRow *row, EVP_PKEY *vk, KeyWrap which,
                     GError **error);
KeyRow *vault_find_key (Vault *vault, const char *consult, Purpose purpose, GError **error);

gboolean vault_may_change (Vault *vault, GError **error);
/* Certificates and places of all recipients, from the database. */
gboolean vault_load_recipients (Vault *vault);
/* TRUE when one of them has answered its challenge. */
gboolean vault_some_confirmed (Vault *vault);

/* HKDF of the boot credential, 32 B in secure memory, for secure_free() (vault.c). */
guint8 *vault_boot_key (GBytes *vault_id, GBytes *boot, GError **error);

/* ---- Changes (vault_change.c) ------------------------------------------------------------- */

/* Changes one database; ret_keys: how many keys more (less) there are afterwards. Called for
 * both files with the same outcome. */
typedef gboolean (*VaultChange) (Vault *vault, sqlite3 *db, gpointer arg, int *ret_keys,
                                 GError **error);
/* One transaction in each file, main first, both durable, generation one up. */
gboolean vault_change (Vault *vault, VaultChange change, gpointer arg, GError **error);
/* Mends the copy after a write that did not reach it. */
gboolean vault_mend_copy (Vault *vault, GError **error);

/* FALSE with error when it is read-only, or refuses changes. */
gboolean vault_writable (Vault *vault, GError **error);

/* ---- Opening (vault.c) --------------------------------------------------------------------- */

/* Both files for writing, and what the settings say. FALSE: close what is open. */
gboolean vault_open_files (Vault *vault, GError **error);
void vault_close_files (Vault *vault);

/* ---- The seal (vault_seal.c) --------------------------------------------------------------- */

#define KEYS_SEAL "keys-checked"
/* Whether both files are as they were when they were last known to be sound and the same. */
gboolean keys_seal_good (const char *state_dir);
/* Says so; not when they were written just now. No error: without it the next start reads all. */
void keys_seal_write (const char *state_dir);
/* Called often: seals when it is due. And: it is, after a second. */
void vault_seal_when_due (Vault *vault);
void vault_seal_later (Vault *vault);

/* ---- Settings (vault_change.c) ------------------------------------------------------------ */

GBytes *meta_get (sqlite3 *db, const char *name);
gboolean meta_set (sqlite3 *db, const char *name, gconstpointer data, gsize size,
                   const guint8 *mac_key, GError **error);
typedef struct {
  guint64 recipients, passphrases, keys;
} Counts;
gboolean meta_get_counts (sqlite3 *db, Counts *ret_counts);
gboolean meta_set_counts (sqlite3 *db, const Counts *counts, const guint8 *mac_key, GError **error);
gboolean meta_set_generation (sqlite3 *db, guint64 generation, GError **error);
/* Rows of a small table. */
gboolean table_count (sqlite3 *db, const char *table, guint64 *ret_count, GError **error);
/* Of all three. */
gboolean table_counts (sqlite3 *db, Counts *ret_counts, GError **error);

/* ---- VK (vault_user.c) -------------------------------------------------------------------- */

/* Encrypted PKCS#8 of key under the passphrase (UTF-8, NFC). */
GBytes *user_wrap (EVP_PKEY *vk, const char *passphrase, GError **error);
EVP_PKEY *user_unwrap (GBytes *pkcs8, const char *passphrase, GError **error);
gboolean user_check_passphrase (const char *user, const char *passphrase, GError **error);

/* Table passphrase: row USER is VK under that user's passphrase, USER/WAY is VK under the secret of
 * another way in, USER/WAY/note what belongs to it (vault_way.h). NULL: there is none. */
GBytes *vault_user_row (Vault *vault, const char *row_name);
typedef struct UserRow UserRow;
struct UserRow {
  const char *name;
  GBytes *value;
  const UserRow *next; /* written in the same change; NULL: none */
};
/* Both take the lock themselves, not while scrypt works. CREDENTIAL; LOCKED. */
gboolean vault_unlock_row (Vault *vault, const char *row_name, const char *passphrase,
                           GError **error);
gboolean vault_set_row (Vault *vault, const char *row_name, const char *passphrase,
                        const UserRow *beside, GError **error);

/* VK's signature over what nothing else vouches for before a key is open: the settings, VK's
 * certificate and the station key's commitment. */
GBytes *anchor_sign (EVP_PKEY *vk, GBytes *vault_id, const char *label, X509 *certificate,
                     GBytes *station_commit, GError **error);
gboolean anchor_good (EVP_PKEY *vk, GBytes *vault_id, const char *label, X509 *certificate,
                      GBytes *station_commit, GBytes *signature);
GBytes *certificate_der (X509 *certificate);
/* A new VK and its certificate, both the caller's; no lock (vault_create.c). */
gboolean vault_make_vk (const char *label, EVP_PKEY **ret_vk, X509 **ret_certificate,
                        GError **error);

/* ---- Recovery (vault_recovery.c) ---------------------------------------------------------- */

/* known: those that are recipients already and are not judged again, for their dates go on; NULL:
 * none. */
gboolean recovery_check (GPtrArray *certificates, GPtrArray *known, gboolean allow_single,
                         GError **error);
gboolean recovery_is_among (X509 *certificate, GPtrArray *certificates, guint *ret_at);
/* Row i of table recipient, with a fresh challenge. */
gboolean recovery_write (sqlite3 *db, guint i, X509 *certificate, const char *label,
                         GBytes *vault_id, const guint8 *mac_key, GError **error);
gboolean recovery_confirmed (sqlite3 *db, GBytes *vault_id, guint i);

/* ---- Both files at once (vault_compare.c); no lock ----------------------------------------- */

typedef enum { KEYS_SAME, KEYS_COPY_FROM_MAIN, KEYS_MAIN_FROM_COPY, KEYS_REFUSE } KeysVerdict;
/* ret_why: what is wrong in words; NULL when nothing is, or only a crash came between. */
KeysVerdict keys_judge (const KeyFile *main, const KeyFile *copy, char **ret_why);
/* Makes both files the same where that loses nothing. */
gboolean keys_heal (const char *state_dir, GError **error);
/* Reads both until the copy is not just being written. */
void keys_read (const char *state_dir, KeyFile **ret_main, KeyFile **ret_copy);

/* Problems of authentication in db, added to problems (char*): every mac, the counts. */
void keys_check_macs (sqlite3 *db, const guint8 *mac_key, gboolean with_keys, GPtrArray *problems);
