#include "records/proven.h"
#include "records/signatures_private.h"
#include <string.h>

static const char *const VERDICTS[] = { "good", "note", "bad" };

static json_t *
time_text (gint64 seconds)
{
  g_autoptr (GDateTime) time = seconds != 0 ? g_date_time_new_from_unix_utc (seconds) : NULL;
  g_autofree char *text = time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
  return text != NULL ? json_string (text) : NULL;
}

static void
put_time (json_t *object, const char *key, gint64 seconds)
{
  json_t *text = time_text (seconds);
  if (text != NULL)
    json_object_set_new (object, key, text);
}

static void
add_finding (json_t *findings, CadesVerdict *worst, CadesVerdict verdict, const char *code)
{
  json_array_append_new (findings,
                         json_pack ("{s:s, s:s}", "verdict", VERDICTS[verdict], "code", code));
  *worst = MAX (*worst, verdict);
}

/* ---- The manifest
 * ------------------------------------------------------------------------------ */

/* What was signed must be there still, unchanged; what came later may stand beside it. */
static gboolean
holds_all (const json_t *signed_then, const json_t *now, const char *list, const char *const *keys)
{
  g_autoptr (GHashTable) present = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const json_t *entry;
  gsize i;
  for (guint pass = 0; pass < 2; pass++)
    json_array_foreach (json_object_get (pass == 0 ? now : signed_then, list), i, entry)
    {
      GString *name = g_string_new (NULL);
      for (guint k = 0; keys[k] != NULL; k++) {
        const json_t *value = json_object_get (entry, keys[k]);
        if (json_is_integer (value))
          g_string_append_printf (name, "%" JSON_INTEGER_FORMAT " ", json_integer_value (value));
        else
          g_string_append_printf (name, "%s ",
                                  json_is_string (value) ? json_string_value (value) : "-");
      }
      g_autofree char *text = g_string_free (name, FALSE);
      if (pass == 0)
        g_hash_table_add (present, g_steal_pointer (&text));
      else if (!g_hash_table_contains (present, text))
        return FALSE;
    }
  return TRUE;
}

static json_t *
parse (GBytes *text)
{
  gsize size;
  const char *data = g_bytes_get_data (text, &size);
  return json_loadb (data, size, JSON_REJECT_DUPLICATES, NULL);
}

static const char *
judge_manifest (Store *store, const char *consult, GBytes *manifest)
{
  static const char *const RECORD[] = { "kind", "seq", "sha256", NULL };
  static const char *const SEGMENT[] = { "id", "sha256", NULL };
  g_autoptr (GBytes) now_text = store_manifest (store, consult, NULL);
  json_auto_t *then = parse (manifest);
  json_auto_t *now = now_text != NULL ? parse (now_text) : NULL;
  if (then == NULL || now == NULL)
    return "manifest-unreadable";
  if (g_strcmp0 (json_string_value (json_object_get (then, "consult")), consult) != 0)
    return "manifest-other";
  return holds_all (then, now, "records", RECORD) && holds_all (then, now, "segments", SEGMENT)
             ? NULL
             : "manifest-differs";
}

static json_t *
manifest_report (Store *store, const char *consult, GBytes *manifest, CadesVerdict *worst)
{
  json_t *findings = json_array ();
  CadesVerdict verdict = CADES_GOOD;
  const char *wrong
      = manifest != NULL ? judge_manifest (store, consult, manifest) : "manifest-missing";
  if (wrong != NULL)
    add_finding (findings, &verdict, CADES_BAD, wrong);
  *worst = MAX (*worst, verdict);
  g_autofree char *sha256
      = manifest != NULL ? g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, manifest) : NULL;
  return json_pack ("{s:s*, s:s, s:o}", "sha256", sha256, "verdict", VERDICTS[verdict], "findings",
                    findings);
}

/* ---- One signature
 * ----------------------------------------------------------------------------- */

typedef struct {
  const CadesTrust *trust;
  X509 *seal;
  GBytes *manifest;
  const char *sha256; /* of it, hex */
  gint64 now;
} Judge;

static const char *
text_of (const Signature *signature, const char *key)
{
  return json_string_value (json_object_get (signature->body, key));
}

static gboolean
is_seal (const Signature *signature)
{
  return json_object_get (signature->body, "seal") != NULL;
}

/* The station's seal counts by its key, whatever became of the certificate (certs/identity.h). */
static gboolean
seal_excuses (const Signature *signature, const Judge *judge, const char *code)
{
  static const char *const CODES[] = { "certificate-expired", "certificate-unknown",
                                       "revocation-unknown", "certificate-expired-later" };
  gboolean about = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (CODES); i++)
    about |= g_str_equal (code, CODES[i]);
  return about && is_seal (signature) && judge->seal != NULL
         && identity_verify (judge->seal, judge->manifest, signature->cms, NULL);
}

static void
put_certificate (json_t *object, const CadesReport *report)
{
  if (report->signer == NULL)
    return;
  json_t *certificate
      = json_pack ("{s:s, s:s, s:s, s:s}", "subject", report->signer, "issuer", report->issuer,
                   "serial", report->serial, "sha256", report->certificate);
  put_time (certificate, "from", report->valid_from);
  put_time (certificate, "until", report->valid_until);
  json_object_set_new (object, "certificate", certificate);
}

static void
judge_cms (json_t *object, json_t *findings, CadesVerdict *worst, const Signature *signature,
           const Judge *judge)
{
  g_autoptr (CadesReport) report
      = cades_check (signature->whole, judge->manifest, judge->trust, judge->now);
  for (guint i = 0; i < report->findings->len; i++) {
    const CadesFinding *finding = &g_array_index (report->findings, CadesFinding, i);
    if (!seal_excuses (signature, judge, finding->code))
      add_finding (findings, worst, finding->verdict, finding->code);
  }
  if (signature->token_broken && !cades_report_has (report, "timestamp-broken"))
    add_finding (findings, worst, CADES_BAD, "timestamp-broken");
  put_certificate (object, report);
  put_time (object, "claimed", report->claimed);
  put_time (object, "stamped", report->stamped);
  put_time (object, "renew_before", report->renew_before);
  json_t *by = json_array ();
  if (report->by_crl)
    json_array_append_new (by, json_string ("crl"));
  if (report->by_ocsp)
    json_array_append_new (by, json_string ("ocsp"));
  json_object_set_new (object, "revocation", by);
  if (report->stamped_by != NULL && report->stamped != 0)
    json_object_set_new (object, "stamped_by", json_string (report->stamped_by));
  json_object_set_new (object, "tokens", json_integer (report->tokens));
}

static json_t *
signature_report (const Signature *signature, const Judge *judge, CadesVerdict *worst)
{
  CadesVerdict verdict = CADES_GOOD;
  json_t *findings = json_array ();
  const char *role = text_of (signature, "role"), *name = text_of (signature, "name");
  json_t *object
      = json_pack ("{s:I, s:s, s:s, s:s*, s:s?, s:s*, s:s*}", "seq", (json_int_t)signature->seq,
                   "method", is_seal (signature) ? "seal" : text_of (signature, "method"), "role",
                   role != NULL ? role : "station", "name", name, "user", signature->user, "clock",
                   signature->trust, "statement", text_of (signature, "statement"));
  if (json_object_get (signature->body, "drawing") != NULL)
    json_object_set (object, "drawing", json_object_get (signature->body, "drawing"));
  put_time (object, "at", signature->utc_us / G_USEC_PER_SEC);
  if (g_strcmp0 (text_of (signature, "sha256"), judge->sha256) != 0)
    add_finding (findings, &verdict, CADES_BAD, "wrong-content");
  else if (signature->whole != NULL)
    judge_cms (object, findings, &verdict, signature, judge);
  else
    add_finding (findings, &verdict, CADES_NOTE, "confirmed-only");
  json_object_set_new (object, "findings", findings);
  json_object_set_new (object, "verdict", json_string (VERDICTS[verdict]));
  *worst = MAX (*worst, verdict);
  return object;
}

/* ---- Roles
 * ------------------------------------------------------------------------------------- */

/* Who signs by mode (1 to the patient, 2 through a facility, 3 between facilities, 4 hội chẩn).
 * Who confirms with PIN or passphrase while the station seals is the doctor. */
static json_t *
roles_report (json_int_t mode, const GPtrArray *list)
{
  static const struct {
    const char *role;
    guint modes; /* bit n: mode n wants it */
  } ROLES[] = { { "doctor", 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 },
                { "specialist", 1 << 2 | 1 << 3 | 1 << 4 },
                { "chair", 1 << 4 },
                { "secretary", 1 << 4 },
                { "patient", 0 } };
  json_t *roles = json_array ();
  for (guint i = 0; i < G_N_ELEMENTS (ROLES); i++) {
    guint done = 0;
    for (guint k = 0; k < list->len; k++) {
      const Signature *signature = list->pdata[k];
      const char *role = text_of (signature, "role");
      done += g_strcmp0 (role, ROLES[i].role) == 0 || (role == NULL && i == 0)
              || (i == 4 && g_strcmp0 (role, "representative") == 0);
    }
    gboolean wanted = mode >= 1 && mode <= 4 && (ROLES[i].modes & 1u << mode) != 0;
    json_array_append_new (roles, json_pack ("{s:s, s:b, s:b}", "role", ROLES[i].role, "required",
                                             wanted, "done", done > 0));
  }
  return roles;
}

static json_int_t
mode_of (Store *store, const char *consult)
{
  StoreRow *row = store_latest (store, consult, "consultation", NULL);
  json_int_t mode = row != NULL ? json_integer_value (json_object_get (row->body, "mode")) : 0;
  g_clear_pointer (&row, store_row_free);
  return mode;
}

json_t *
signatures_report (Store *store, const char *consult, const CadesTrust *trust, X509 *seal,
                   gint64 now, GError **error)
{
  g_autoptr (GBytes) manifest = NULL;
  g_autoptr (GPtrArray) list = signatures_read (store, consult, &manifest, error);
  if (list == NULL)
    return NULL;
  json_auto_t *people = proven_report (store, consult, error);
  if (people == NULL)
    return NULL;
  CadesVerdict worst = CADES_GOOD;
  if (g_strcmp0 (json_string_value (json_object_get (people, "verdict")), "bad") == 0)
    worst = CADES_BAD;
  json_t *signatures = json_array ();
  json_t *about = list->len > 0 ? manifest_report (store, consult, manifest, &worst) : json_null ();
  g_autofree char *sha256
      = manifest != NULL ? g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, manifest) : NULL;
  const Judge judge = { trust, seal, manifest, sha256, now };
  for (guint i = 0; manifest != NULL && i < list->len; i++)
    json_array_append_new (signatures, signature_report (list->pdata[i], &judge, &worst));
  return json_pack ("{s:s, s:o, s:o, s:o, s:O, s:O, s:s}", "consultation", consult, "manifest",
                    about, "signatures", signatures, "roles",
                    roles_report (mode_of (store, consult), list), "identities",
                    json_object_get (people, "identities"), "confirmations",
                    json_object_get (people, "confirmations"), "verdict", VERDICTS[worst]);
}
