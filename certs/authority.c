#include "certs/authority_private.h"
#include "certs/cades_private.h"
#include "certs/identity_files.h"
#include "certs/issue.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define DAY_S ((gint64)86400)
#define CRL_DAYS_MOST 400

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_CRL, X509_CRL_free)

/* RFC 5280 §5.3.1, in the words of `openssl ca`. */
const char *const authority_reasons[]
    = { "unspecified", "keyCompromise",        "affiliationChanged",
        "superseded",  "cessationOfOperation", NULL };
static const int reason_codes[] = { 0, 1, 3, 4, 5 };

static int
reason_code (const char *word)
{
  for (guint i = 0; authority_reasons[i] != NULL; i++)
    if (g_ascii_strcasecmp (authority_reasons[i], word) == 0)
      return reason_codes[i];
  return -1;
}

/* ---- What there is
 * ------------------------------------------------------------------------------ */

static void
entry_free (void *data)
{
  AuthorityEntry *entry = data;
  g_free (entry->serial);
  g_free (entry->id);
  g_free (entry->name);
  g_free (entry->key_hash);
  g_free (entry);
}

static X509 *
load_issued (Authority *authority, const char *serial, GError **error)
{
  g_autofree char *name = g_strdup_printf ("issued/%s.pem", serial);
  g_autofree char *path = authority_file (authority, name);
  return identity_load_certificate (path, error);
}

/* For people: a station's O, else the CN (transfer full). */
static char *
authority_name_of (X509 *certificate)
{
  const X509_NAME *subject = X509_get_subject_name (certificate);
  int at = X509_NAME_get_index_by_NID (subject, NID_organizationName, -1);
  unsigned char *utf8 = NULL;
  int length = at >= 0 ? ASN1_STRING_to_UTF8 (
                   &utf8, X509_NAME_ENTRY_get_data (X509_NAME_get_entry (subject, at)))
                       : -1;
  char *name = length >= 0 ? g_utf8_make_valid ((char *)utf8, length) : cades_name (subject);
  OPENSSL_free (utf8);
  return name;
}

static AuthorityEntry *
entry_of (Authority *authority, char **row, GError **error)
{
  if (strspn (row[INDEX_SERIAL], "0123456789ABCDEF") != strlen (row[INDEX_SERIAL])) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "index.txt: “%s” is no serial number",
                 row[INDEX_SERIAL]);
    return NULL;
  }
  g_autoptr (X509) certificate = load_issued (authority, row[INDEX_SERIAL], error);
  if (certificate == NULL)
    return NULL;
  AuthorityEntry *entry = g_new0 (AuthorityEntry, 1);
  entry->serial = g_strdup (row[INDEX_SERIAL]);
  if (!peer_name_of (certificate, &entry->kind, &entry->id))
    entry->id = g_strdup ("");
  entry->name = authority_name_of (certificate);
  entry->key_hash = peer_key_hash (X509_get0_pubkey (certificate));
  entry->from = cades_time (X509_get0_notBefore (certificate));
  entry->until = cades_time (X509_get0_notAfter (certificate));
  if (*row[INDEX_TYPE] == 'R')
    entry->revoked = authority_time_of (row[INDEX_REVOKED]);
  return entry;
}

GPtrArray *
authority_list (Authority *authority, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (entry_free);
  for (int i = 0; i < sk_OPENSSL_PSTRING_num (authority->index->data); i++) {
    AuthorityEntry *entry
        = entry_of (authority, sk_OPENSSL_PSTRING_value (authority->index->data, i), error);
    if (entry == NULL)
      return NULL;
    g_ptr_array_add (list, entry);
  }
  return g_steal_pointer (&list);
}

/* ---- Signing
 * ------------------------------------------------------------------------------------ */

static gboolean
date_is_good (Authority *authority, gint64 now, GError **error)
{
  if (now >= cades_time (X509_get0_notBefore (authority->certificate))
      && now < cades_time (X509_get0_notAfter (authority->certificate)))
    return TRUE;
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_EXPIRED,
               "by this machine's clock the authority's own certificate is not valid: set date and "
               "time, or make a new authority when its years are over");
  return FALSE;
}

/* Whoever asks for an id that somebody has under another key may not be that somebody. */
static gboolean
id_is_free (Authority *authority, const Csr *csr, gint64 now, GError **error)
{
  g_autoptr (GPtrArray) list = authority_list (authority, error);
  g_autofree char *hash = peer_key_hash (csr->key);
  for (guint i = 0; list != NULL && i < list->len; i++) {
    const AuthorityEntry *entry = list->pdata[i];
    if (entry->revoked != 0 || entry->until <= now || entry->kind != csr->kind
        || !g_str_equal (entry->id, csr->id) || g_str_equal (entry->key_hash, hash))
      continue;
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED,
                 "%s has certificate %s under another key. Call them on a number that you know; if "
                 "the key was made anew, revoke that one (nhipcau ca revoke %s), or sign with "
                 "--another-key",
                 csr->id, entry->serial, entry->serial);
    return FALSE;
  }
  return list != NULL;
}

static X509 *
issue (Authority *authority, const Csr *csr, guint days, gint64 now, GError **error)
{
  gboolean station = csr->kind == PEER_STATION;
  g_autofree char *uri = peer_uri (csr->kind, csr->id);
  gint64 end = MIN (now + days * DAY_S, cades_time (X509_get0_notAfter (authority->certificate)));
  const IssueRequest request
      = { .key = csr->key,
          .common_name = station ? csr->id : csr->name,
          .organization = station ? csr->name : NULL,
          .names = (const char *const *)csr->names,
          .uri = uri,
          .basic = "critical,CA:FALSE",
          .usage
          = station ? "critical,digitalSignature" : "critical,digitalSignature,nonRepudiation",
          .extended = station ? "serverAuth,clientAuth" : "clientAuth,emailProtection",
          .crl_url = authority->crl_url,
          .not_before = now - DAY_S,
          .not_after = end,
          .issuer = authority->certificate,
          .issuer_key = authority->key };
  X509 *certificate = issue_certificate (&request, error);
  if (certificate == NULL || issue_permits (authority->certificate, certificate))
    return certificate;
  X509_free (certificate);
  g_set_error (
      error, CERTS_ERROR, CERTS_ERROR_FAILED,
      "this authority may vouch for private addresses, localhost, .local, .lan, .internal, "
      ".home.arpa and the domains of its making only; the request has other host names");
  return NULL;
}

static gboolean
can_sign (Authority *authority, GError **error)
{
  if (authority->key == NULL)
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_KEY, "the authority's passphrase is missing");
  return authority->key != NULL;
}

X509 *
authority_sign (Authority *authority, const Csr *csr, guint days, gboolean another_key, gint64 now,
                GError **error)
{
  guint most = csr->kind == PEER_STATION ? AUTHORITY_DAYS_STATION : AUTHORITY_DAYS_PERSON;
  if (days > most) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "%u days are too many: %u at most", days,
                 most);
    return NULL;
  }
  if (!can_sign (authority, error) || !date_is_good (authority, now, error)
      || (!another_key && !id_is_free (authority, csr, now, error)))
    return NULL;
  g_autoptr (X509) certificate = issue (authority, csr, days > 0 ? days : most, now, error);
  if (certificate == NULL)
    return NULL;
  g_autofree char *serial = authority_serial_of (certificate);
  g_autofree char *name = g_strdup_printf ("issued/%s.pem", serial);
  if (!authority_write_certificate (authority, name, certificate, error))
    return NULL;
  if (!authority_add_row (authority, certificate, serial)) {
    issue_set_error (error, CERTS_ERROR_FAILED, "index.txt takes no further row");
    return NULL;
  }
  return authority_save_index (authority, error) ? g_steal_pointer (&certificate) : NULL;
}

/* ---- Revoking
 * ----------------------------------------------------------------------------------- */

static char **
row_of (Authority *authority, const char *serial)
{
  for (int i = 0; i < sk_OPENSSL_PSTRING_num (authority->index->data); i++) {
    char **row = sk_OPENSSL_PSTRING_value (authority->index->data, i);
    if (g_ascii_strcasecmp (row[INDEX_SERIAL], serial) == 0)
      return row;
  }
  return NULL;
}

gboolean
authority_revoke (Authority *authority, const char *serial, const char *reason, gint64 now,
                  GError **error)
{
  char **row = row_of (authority, serial);
  const char *fault = row == NULL                ? "is none of this authority's serial numbers"
                      : *row[INDEX_TYPE] == 'R'  ? "is revoked already"
                      : reason_code (reason) < 0 ? "is to be revoked for no known reason"
                                                 : NULL;
  if (fault != NULL) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "%s %s; see: nhipcau ca list", serial,
                 fault);
    return FALSE;
  }
  /* The signature of the list says it; that takes the key, and so does this. */
  if (!can_sign (authority, error))
    return FALSE;
  g_autofree char *time = authority_time_text (now);
  g_autofree char *text = g_strdup_printf ("%s,%s", time, reason);
  /* Texts of a row that was read lie in one block with it, whose end stands behind them; those of a
   * new row are freed one by one. */
  *row[INDEX_TYPE] = 'R';
  if (row[INDEX_COLUMNS] == NULL)
    OPENSSL_free (row[INDEX_REVOKED]);
  row[INDEX_REVOKED] = OPENSSL_strdup (text);
  return authority_save_index (authority, error);
}

static gboolean
add_revoked (X509_CRL *crl, char **row)
{
  X509_REVOKED *entry = X509_REVOKED_new ();
  BIGNUM *number = NULL;
  ASN1_INTEGER *serial
      = BN_hex2bn (&number, row[INDEX_SERIAL]) > 0 ? BN_to_ASN1_INTEGER (number, NULL) : NULL;
  ASN1_TIME *when = ASN1_TIME_set (NULL, (time_t)authority_time_of (row[INDEX_REVOKED]));
  const char *comma = strchr (row[INDEX_REVOKED], ',');
  int code = comma != NULL ? reason_code (comma + 1) : 0;
  ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new ();
  gboolean good
      = serial != NULL && X509_REVOKED_set_serialNumber (entry, serial) == 1
        && X509_REVOKED_set_revocationDate (entry, when) == 1
        && ASN1_ENUMERATED_set (reason, MAX (code, 0)) == 1
        && (code <= 0 || X509_REVOKED_add1_ext_i2d (entry, NID_crl_reason, reason, 0, 0) == 1)
        && X509_CRL_add0_revoked (crl, entry) == 1;
  if (!good)
    X509_REVOKED_free (entry);
  ASN1_ENUMERATED_free (reason);
  ASN1_TIME_free (when);
  ASN1_INTEGER_free (serial);
  BN_free (number);
  return good;
}

/* The number of this list; ret_next: the text of the next one. */
static ASN1_INTEGER *
take_number (Authority *authority, char **ret_next, GError **error)
{
  g_autofree char *path = authority_file (authority, "crlnumber"), *text = NULL;
  BIGNUM *number = NULL;
  ASN1_INTEGER *value = NULL;
  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  g_strstrip (text);
  if (strlen (text) > 0 && strlen (text) <= 40 && BN_hex2bn (&number, text) == (int)strlen (text)) {
    value = BN_to_ASN1_INTEGER (number, NULL);
    BN_add_word (number, 1);
    char *hex = BN_bn2hex (number);
    *ret_next = g_strconcat (hex, "\n", NULL);
    OPENSSL_free (hex);
  } else
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "%s: wants a number in hex", path);
  BN_free (number);
  return value;
}

static gboolean
add_key_id (X509_CRL *crl, X509 *issuer)
{
  X509V3_CTX context;
  X509V3_set_ctx_nodb (&context);
  X509V3_set_ctx (&context, issuer, NULL, NULL, crl, 0);
  X509_EXTENSION *extension
      = X509V3_EXT_conf_nid (NULL, &context, NID_authority_key_identifier, "keyid:always");
  gboolean good = extension != NULL && X509_CRL_add_ext (crl, extension, -1) == 1;
  X509_EXTENSION_free (extension);
  return good;
}

static X509_CRL *
make_crl (Authority *authority, ASN1_INTEGER *number, guint days, gint64 now)
{
  g_autoptr (X509_CRL) crl = X509_CRL_new ();
  ASN1_TIME *from = ASN1_TIME_set (NULL, (time_t)now);
  ASN1_TIME *until = ASN1_TIME_set (NULL, (time_t)(now + days * DAY_S));
  gboolean good
      = X509_CRL_set_version (crl, X509_CRL_VERSION_2) == 1
        && X509_CRL_set_issuer_name (crl, X509_get_subject_name (authority->certificate)) == 1
        && X509_CRL_set1_lastUpdate (crl, from) == 1 && X509_CRL_set1_nextUpdate (crl, until) == 1
        && add_key_id (crl, authority->certificate)
        && X509_CRL_add1_ext_i2d (crl, NID_crl_number, number, 0, 0) == 1;
  for (int i = 0; good && i < sk_OPENSSL_PSTRING_num (authority->index->data); i++) {
    char **row = sk_OPENSSL_PSTRING_value (authority->index->data, i);
    good = *row[INDEX_TYPE] != 'R' || add_revoked (crl, row);
  }
  ASN1_TIME_free (from);
  ASN1_TIME_free (until);
  good = good && X509_CRL_sort (crl) == 1
         && X509_CRL_sign (crl, authority->key, issue_digest (authority->key)) > 0;
  return good ? g_steal_pointer (&crl) : NULL;
}

static GBytes *
crl_pem (X509_CRL *crl)
{
  BIO *bio = BIO_new (BIO_s_mem ());
  char *data;
  PEM_write_bio_X509_CRL (bio, crl);
  long length = BIO_get_mem_data (bio, &data);
  GBytes *bytes = g_bytes_new (data, (gsize)length);
  BIO_free (bio);
  return bytes;
}

GBytes *
authority_crl (Authority *authority, guint days, gint64 now, GError **error)
{
  g_autofree char *next = NULL;
  if (days == 0 || days > CRL_DAYS_MOST) {
    g_set_error (error, CERTS_ERROR, CERTS_ERROR_FAILED, "a list is good for 1 to %d days",
                 CRL_DAYS_MOST);
    return NULL;
  }
  if (!can_sign (authority, error) || !date_is_good (authority, now, error))
    return NULL;
  ASN1_INTEGER *number = take_number (authority, &next, error);
  if (number == NULL)
    return NULL;
  ERR_clear_error ();
  g_autoptr (X509_CRL) crl = make_crl (authority, number, days, now);
  ASN1_INTEGER_free (number);
  if (crl == NULL) {
    issue_set_error (error, CERTS_ERROR_FAILED, "the list cannot be made");
    return NULL;
  }
  g_autoptr (GBytes) pem = crl_pem (crl);
  gsize length;
  const void *data = g_bytes_get_data (pem, &length);
  /* The number goes first: two lists of one number must not be. */
  return authority_write (authority, "crlnumber", next, strlen (next), error)
                 && authority_write (authority, "crl.pem", data, length, error)
             ? g_steal_pointer (&pem)
             : NULL;
}
