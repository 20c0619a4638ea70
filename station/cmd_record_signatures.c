#include "station/cmd_record_signatures.h"
#include "records/signatures.h"
#include "station/opening.h"
#include "station/signature_words.h"
#include "station/signing.h"

#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <stdio.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)

/* The station's certificate, by whose key its seals count; NULL when it is not there. */
static X509 *
station_certificate (const Config *config)
{
  g_autofree char *path = config->certificate != NULL
                              ? g_strdup (config->certificate)
                              : g_build_filename (config->state, "certs", "station.crt", NULL);
  BIO *bio = BIO_new_file (path, "r");
  X509 *certificate = bio != NULL ? PEM_read_bio_X509 (bio, NULL, NULL, NULL) : NULL;
  BIO_free (bio);
  return certificate;
}

static json_t *
report_of (Store *store, const Config *config, const char *id, X509 *seal, GError **error)
{
  g_autoptr (CadesTrust) trust = signing_trust (config, error);
  json_t *report = trust != NULL ? signatures_report (store, id, trust, seal,
                                                      g_get_real_time () / G_USEC_PER_SEC, error)
                                 : NULL;
  if (report != NULL)
    signature_words_add (report);
  return report;
}

json_t *
cmd_record_signatures_all (const Config *config, Vault *vault, const char *id, guint *ret_bad)
{
  json_t *reports = json_array ();
  g_autoptr (Store) store
      = vault != NULL ? store_open (config->state, vault, NULL, STORE_READ_ONLY, NULL) : NULL;
  g_autoptr (GPtrArray) ids = store != NULL ? store_list_consults (store, NULL) : NULL;
  g_autoptr (X509) seal = station_certificate (config);
  *ret_bad = 0;
  for (guint i = 0; ids != NULL && i < ids->len; i++) {
    const char *consult = ids->pdata[i];
    /* What no key opens was checked by its hashes, and said. */
    json_t *report = id == NULL || g_str_equal (id, consult)
                         ? report_of (store, config, consult, seal, NULL)
                         : NULL;
    if (report == NULL)
      continue;
    *ret_bad += g_strcmp0 (json_string_value (json_object_get (report, "verdict")), "bad") == 0;
    json_array_append_new (reports, report);
  }
  return reports;
}

void
cmd_record_signatures_print (const json_t *reports)
{
  gsize i;
  const json_t *report;
  json_array_foreach (reports, i, report)
  {
    g_autofree char *text = json_is_object (json_object_get (report, "manifest"))
                                ? signature_words_tell (report)
                                : NULL;
    if (text != NULL)
      fputs (text, stdout);
  }
}

static gboolean
write_file (const char *out, const char *name, GBytes *bytes, GError **error)
{
  gsize size;
  g_autofree char *path = g_build_filename (out, name, NULL);
  const char *data = g_bytes_get_data (bytes, &size);
  return g_file_set_contents (path, data, (gssize)size, error);
}

static gboolean
export_one (const char *out, const Signature *signature, GError **error)
{
  const char *role = json_string_value (json_object_get (signature->body, "role"));
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT "-%s.p7s", signature->seq,
                                           role != NULL ? role : "station");
  return signature->whole == NULL || write_file (out, name, signature->whole, error);
}

static gboolean
export_all (Store *store, const char *id, const char *out, GError **error)
{
  g_autoptr (GBytes) manifest = NULL;
  g_autoptr (GPtrArray) list = signatures_read (store, id, &manifest, error);
  if (list == NULL)
    return FALSE;
  if (manifest == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
                 SAY ("hồ sơ %s chưa được ký", "record %s was not signed yet"), id);
    return FALSE;
  }
  if (g_mkdir_with_parents (out, 0700) != 0 || !write_file (out, "manifest.json", manifest, error))
    return FALSE;
  for (guint i = 0; i < list->len; i++)
    if (!export_one (out, list->pdata[i], error))
      return FALSE;
  return TRUE;
}

int
cmd_record_signatures (const CliOptions *options, const Config *config, const char *out,
                       const char *id)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (X509) seal = station_certificate (config);
  if (!opening_read_only (&opening, options, config, &error))
    return cli_fail (error);
  json_auto_t *report = report_of (opening.store, config, id, seal, &error);
  if (report == NULL || (out != NULL && !export_all (opening.store, id, out, &error)))
    return cli_fail (error);
  if (options->json)
    cli_print_json (report);
  else {
    g_autofree char *text = signature_words_tell (report);
    fputs (text, stdout);
  }
  return g_strcmp0 (json_string_value (json_object_get (report, "verdict")), "bad") == 0
             ? CLI_FAILED
             : CLI_OK;
}
