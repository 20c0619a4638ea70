#include "records/erasure_private.h"
#include "records/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

#define KIND "nhipcau-erasure"
#define VERSION 1
#define SUFFIX ".json"
#define PAPER_MAX (256 * 1024)

void
erasure_paper_free (ErasurePaper *paper)
{
  if (paper == NULL)
    return;
  g_free (paper->id);
  g_clear_pointer (&paper->file, g_bytes_unref);
  g_clear_pointer (&paper->statement, g_bytes_unref);
  g_clear_pointer (&paper->signature, g_bytes_unref);
  json_decref (paper->said);
  g_free (paper);
}

char *
erasure_paper_name (const ErasurePaper *paper)
{
  return g_strconcat (ERASURE_FOLDER "/", paper->id, SUFFIX, NULL);
}

/* ---- Making ------------------------------------------------------------------------------- */

static json_t *
statement_of (Store *store, const Erasure *erasure, GPtrArray *keys)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *at = g_date_time_format (now, "%Y-%m-%dT%H:%M:%SZ");
  g_autofree char *vault = store_hex_of (vault_id (store->vault));
  json_t *commitments = json_object ();

  for (guint i = 0; i < keys->len; i++) {
    const VaultKeyRow *key = keys->pdata[i];
    g_autofree char *commit = store_hex_of (key->commit);
    json_object_set_new (commitments, purpose_name (key->purpose), json_string (commit));
  }
  json_t *copies = erasure->copies != NULL ? json_deep_copy (erasure->copies) : json_array ();
  return json_pack ("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "kind", KIND, "version",
                    VERSION, "vault", vault, "consultation", erasure->consult, "why",
                    erasure_why_name (erasure->why), "at", at, "clock",
                    (const char *)g_atomic_pointer_get (&store->trust), "commitments", commitments,
                    "copies", copies);
}

static GBytes *
bytes_of_text (char *text)
{
  return g_bytes_new_with_free_func (text, strlen (text), free, text);
}

ErasurePaper *
erasure_paper_new (Store *store, Identity *signer, const Erasure *erasure, GPtrArray *keys,
                   GError **error)
{
  g_autoptr (ErasurePaper) paper = g_new0 (ErasurePaper, 1);
  paper->id = store_uuid_new ();
  paper->said = statement_of (store, erasure, keys);
  char *text = json_dumps (paper->said, JSON_COMPACT | JSON_SORT_KEYS);
  if (text == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "the certificate of destruction cannot be written: copies must be {where, what}");
    return NULL;
  }
  paper->statement = bytes_of_text (text);
  paper->signature = identity_sign (signer, paper->statement, error);
  if (paper->signature == NULL)
    return NULL;
  gsize size;
  const guint8 *der = g_bytes_get_data (paper->signature, &size);
  g_autofree char *signature = g_base64_encode (der, size);
  json_auto_t *file = json_pack ("{s:s, s:s}", "statement", text, "signature", signature);
  paper->file = bytes_of_text (json_dumps (file, JSON_COMPACT | JSON_SORT_KEYS));
  return g_steal_pointer (&paper);
}

/* ---- Reading ------------------------------------------------------------------------------ */

static gboolean
statement_good (json_t *said)
{
  const char *kind, *consult, *why, *at, *clock, *vault;
  json_t *commitments, *copies;
  int version;
  ErasureWhy parsed;
  return json_unpack (said, "{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "kind", &kind,
                      "version", &version, "vault", &vault, "consultation", &consult, "why", &why,
                      "at", &at, "clock", &clock, "commitments", &commitments, "copies", &copies)
             == 0
         && g_str_equal (kind, KIND) && version == VERSION && store_consult_valid (consult)
         && !g_str_equal (consult, STORE_STATION) && erasure_why_parse (why, &parsed)
         && json_is_object (commitments) && json_is_array (copies);
}

ErasurePaper *
erasure_paper_parse (const char *id, GBytes *file, GError **error)
{
  g_autoptr (ErasurePaper) paper = g_new0 (ErasurePaper, 1);
  gsize size, der_size = 0;
  const char *data = g_bytes_get_data (file, &size), *statement, *signature;
  json_auto_t *whole = json_loadb (data, size, JSON_REJECT_DUPLICATES, NULL);

  if (whole != NULL
      && json_unpack (whole, "{s:s, s:s}", "statement", &statement, "signature", &signature) == 0) {
    guint8 *der = g_base64_decode (signature, &der_size);
    paper->signature = g_bytes_new_take (der, der_size);
    paper->statement = g_bytes_new (statement, strlen (statement));
    paper->said = json_loads (statement, JSON_REJECT_DUPLICATES, NULL);
  }
  if (!statement_good (paper->said)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "%s is no certificate of destruction", id != NULL ? id : "the file");
    return NULL;
  }
  paper->id = g_strdup (id);
  paper->file = g_bytes_ref (file);
  return g_steal_pointer (&paper);
}

gboolean
erasure_paper_tells (const ErasurePaper *paper, const VaultKeyRow *key)
{
  g_autofree char *commit = store_hex_of (key->commit);
  json_t *commitments = json_object_get (paper->said, "commitments");
  return g_strcmp0 (json_string_value (json_object_get (paper->said, "consultation")), key->consult)
             == 0
         && g_strcmp0 (
                json_string_value (json_object_get (commitments, purpose_name (key->purpose))),
                commit)
                == 0;
}

gboolean
erasure_paper_is_signed (Store *store, const ErasurePaper *paper)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  return erasure_paper_is_signed_in (store->reader, paper);
}

gboolean
erasure_paper_is_signed_in (sqlite3 *db, const ErasurePaper *paper)
{
  g_autoptr (sqlite3_stmt) all = store_db_prepare (db, "SELECT certificate FROM signer", NULL);
  gboolean good = FALSE;

  while (!good && all != NULL && sqlite3_step (all) == SQLITE_ROW) {
    const guint8 *der = sqlite3_column_blob (all, 0);
    X509 *certificate = d2i_X509 (NULL, &der, sqlite3_column_bytes (all, 0));
    good = certificate != NULL
           && identity_verify (certificate, paper->statement, paper->signature, NULL);
    X509_free (certificate);
  }
  return good;
}

/* ---- On the disk -------------------------------------------------------------------------- */

gboolean
erasure_paper_write (Store *store, const ErasurePaper *paper, GError **error)
{
  g_autofree char *folder = g_build_filename (store->state_dir, ERASURE_FOLDER, NULL);
  g_autofree char *name = erasure_paper_name (paper);
  g_autofree char *path = g_build_filename (store->state_dir, name, NULL);
  gsize size;
  const char *data = g_bytes_get_data (paper->file, &size);

  if (g_mkdir (folder, 0700) != 0 && errno != EEXIST)
    return disk_error (folder, error);
  return g_file_set_contents_full (path, data, (gssize)size,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   0600, error)
         && disk_sync_folder (folder, error) && disk_sync_folder (store->state_dir, error);
}

/* ---- The list ----------------------------------------------------------------------------- */

void
erasure_certificate_free (ErasureCertificate *certificate)
{
  if (certificate == NULL)
    return;
  g_free (certificate->file);
  g_free (certificate->consult);
  g_free (certificate->at);
  g_free (certificate->why);
  g_free (certificate->clock);
  json_decref (certificate->copies);
  g_free (certificate);
}

static char *
text_of (const ErasurePaper *paper, const char *key)
{
  return g_strdup (json_string_value (json_object_get (paper->said, key)));
}

static ErasureCertificate *
certificate_of (Store *store, const ErasurePaper *paper)
{
  ErasureCertificate *certificate = g_new0 (ErasureCertificate, 1);
  json_t *commitments = json_object_get (paper->said, "commitments");

  certificate->file = erasure_paper_name (paper);
  certificate->consult = text_of (paper, "consultation");
  certificate->at = text_of (paper, "at");
  certificate->why = text_of (paper, "why");
  certificate->clock = text_of (paper, "clock");
  certificate->copies = json_incref (json_object_get (paper->said, "copies"));
  certificate->is_signed = erasure_paper_is_signed (store, paper);
  for (Purpose purpose = PURPOSE_CLINICAL; purpose < PURPOSE_STATION; purpose++)
    if (json_object_get (commitments, purpose_name (purpose)) != NULL)
      certificate->purposes |= 1u << purpose;
  return certificate;
}

/* One file of a folder of certificates; NULL when it is none, with a warning where it looks like
 * one. */
static ErasurePaper *
paper_at (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *id
      = g_str_has_suffix (name, SUFFIX) ? g_strndup (name, strlen (name) - strlen (SUFFIX)) : NULL;
  g_autoptr (GError) error = NULL;
  guint8 bytes[16];
  GStatBuf status;
  char *data = NULL;
  gsize size;

  if (id == NULL || !store_uuid_parse (id, bytes) || g_lstat (path, &status) != 0
      || !S_ISREG (status.st_mode) || status.st_size > PAPER_MAX
      || !g_file_get_contents (path, &data, &size, NULL))
    return NULL;
  g_autoptr (GBytes) file = g_bytes_new_take (data, size);
  ErasurePaper *paper = erasure_paper_parse (id, file, &error);
  if (paper == NULL)
    g_warning ("erasure: %s", error->message);
  return paper;
}

GPtrArray *
erasure_papers_in (const char *folder)
{
  GPtrArray *papers = g_ptr_array_new_with_free_func ((GDestroyNotify)erasure_paper_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    ErasurePaper *paper = paper_at (folder, name);
    if (paper != NULL)
      g_ptr_array_add (papers, paper);
  }
  return papers;
}

gboolean
erasure_read (Store *store, const char *file, GBytes **ret_statement, GBytes **ret_signature,
              gboolean *ret_signed, GError **error)
{
  const char *name
      = g_str_has_prefix (file, ERASURE_FOLDER "/") ? file + strlen (ERASURE_FOLDER "/") : "";
  g_autofree char *folder = g_build_filename (store->state_dir, ERASURE_FOLDER, NULL);
  g_autoptr (ErasurePaper) paper = paper_at (folder, name);

  if (paper == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
                 "there is no certificate of destruction of this name");
    return FALSE;
  }
  *ret_statement = g_bytes_ref (paper->statement);
  *ret_signature = g_bytes_ref (paper->signature);
  *ret_signed = erasure_paper_is_signed (store, paper);
  return TRUE;
}

static gint
by_time (gconstpointer a, gconstpointer b)
{
  const ErasureCertificate *const *first = a, *const *second = b;
  int order = g_strcmp0 ((*first)->at, (*second)->at);
  return order != 0 ? order : g_strcmp0 ((*first)->file, (*second)->file);
}

GPtrArray *
erasure_list (Store *store, GError **error)
{
  g_autofree char *folder = g_build_filename (store->state_dir, ERASURE_FOLDER, NULL);
  g_autoptr (GPtrArray) papers = erasure_papers_in (folder);
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify)erasure_certificate_free);

  for (guint i = 0; i < papers->len; i++)
    g_ptr_array_add (list, certificate_of (store, papers->pdata[i]));
  g_ptr_array_sort (list, by_time);
  return list;
}

/* ---- Replay ------------------------------------------------------------------------------- */

static gboolean
replay_one (Store *store, const ErasurePaper *paper, GPtrArray *all, guint *keys_gone,
            GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();

  for (guint i = 0; i < all->len; i++)
    if (erasure_paper_tells (paper, all->pdata[i]))
      g_ptr_array_add (keys, all->pdata[i]);
  if (keys->len == 0)
    return TRUE;
  json_auto_t *row = json_pack ("{s:s, s:s}", "consultation",
                                ((VaultKeyRow *)keys->pdata[0])->consult, "reason", "replayed");
  if (!erasure_paper_write (store, paper, error)
      || !erasure_deed (store, paper, keys, NULL, row, error))
    return FALSE;
  *keys_gone += keys->len;
  return TRUE;
}

gboolean
erasure_replay (Store *store, const char *from, guint *ret_keys, GError **error)
{
  guint keys_gone = 0;

  if (!store_writable (store, error))
    return FALSE;
  g_autoptr (GPtrArray) keys = vault_list_keys (store->vault, error);
  g_autoptr (GPtrArray) papers = erasure_papers_in (from);
  if (keys == NULL)
    return FALSE;
  for (guint i = 0; i < papers->len; i++) {
    const ErasurePaper *paper = papers->pdata[i];
    if (!erasure_paper_is_signed (store, paper))
      g_warning ("erasure: %s/%s" SUFFIX " is not signed by this station: not replayed", from,
                 paper->id);
    else if (!replay_one (store, paper, keys, &keys_gone, error))
      return FALSE;
  }
  *ret_keys = keys_gone;
  return TRUE;
}
