#include "station/log_heads.h"
#include "records/witness.h"
#include "station/deliver.h"
#include "station/fhir_rest.h"

#include <string.h>

#define MOST (64 * 1024) /* bytes of a head */
#define SYSTEM "urn:nhipcau:log"
#define HEAD SYSTEM "-head"
#define SIGNATURE SYSTEM "-signature"

/* The station's id as a UUID: also the FHIR id (transfer full). */
static char *
station_uuid (Store *store)
{
  gsize size;
  const guint8 *id = g_bytes_get_data (vault_id (store_vault (store)), &size);
  GString *text = g_string_new (NULL);
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                            id[i]);
  return g_string_free (text, FALSE);
}

/* ---- As FHIR ------------------------------------------------------------------------------ */

static json_t *
to_basic (const char *id, const json_t *head)
{
  g_autofree char *words = g_strdup_printf ("%" JSON_INTEGER_FORMAT " %s",
                                            json_integer_value (json_object_get (head, "size")),
                                            json_string_value (json_object_get (head, "root")));
  return json_pack ("{s:s, s:s, s:{s:[{s:s, s:s}], s:s}, s:[{s:s, s:s}, {s:s, s:O}]}",
                    "resourceType", "Basic", "id", id, "code", "coding", "system", SYSTEM, "code",
                    "head", "text", "Đầu nhật ký hồ sơ của trạm", "extension", "url", HEAD,
                    "valueString", words, "url", SIGNATURE, "valueBase64Binary",
                    json_object_get (head, "signature"));
}

/* NULL: it has no head. Hostile: only looked at, judged by records/witness.h. */
static json_t *
of_basic (const json_t *basic)
{
  const json_t *extension, *signature = NULL;
  const char *words = NULL;
  gsize i;
  json_array_foreach (json_object_get (basic, "extension"), i, extension)
  {
    const char *url = json_string_value (json_object_get (extension, "url"));
    if (g_strcmp0 (url, HEAD) == 0)
      words = json_string_value (json_object_get (extension, "valueString"));
    else if (g_strcmp0 (url, SIGNATURE) == 0)
      signature = json_object_get (extension, "valueBase64Binary");
  }
  char *end = NULL;
  gint64 size = words != NULL ? g_ascii_strtoll (words, &end, 10) : 0;
  if (size < 1 || *end != ' ' || !json_is_string (signature))
    return NULL;
  return json_pack ("{s:I, s:s, s:O}", "size", (json_int_t)size, "root", end + 1, "signature",
                    signature);
}

/* ---- The two ways ------------------------------------------------------------------------- */

typedef struct {
  Store *store;
  Identity *identity;
  const ConfigDeliver *to;
  char *place;    /* path at the server, or of the file */
  char *id;       /* of the station */
  FhirRest *rest; /* NULL: a folder */
  char *version, *at;
} Exchange;

static void
exchange_clear (Exchange *exchange)
{
  g_free (exchange->place);
  g_free (exchange->id);
  g_free (exchange->version);
  g_free (exchange->at);
  fhir_rest_free (exchange->rest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Exchange, exchange_clear)

static json_t *
parse (GBytes *bytes)
{
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  return json_loadb (text, size, JSON_REJECT_DUPLICATES, NULL);
}

static void
take_text (char **target, const json_t *text)
{
  const char *value = json_string_value (text);
  g_free (*target);
  *target = value != NULL && strlen (value) <= 64 ? g_strdup (value) : NULL;
}

/* FALSE with error: it cannot be asked. *ret_head NULL: it keeps none. */
static gboolean
fetch (Exchange *exchange, json_t **ret_head, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = NULL;
  *ret_head = NULL;
  if (exchange->rest == NULL) {
    char *text;
    gsize size;
    if (!g_file_get_contents (exchange->place, &text, &size, &local)) {
      if (g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    bytes = g_bytes_new_take (text, size);
    *ret_head = size <= MOST ? parse (bytes) : NULL;
    return TRUE;
  }
  bytes = fhir_rest_get (exchange->rest, exchange->place, FHIR_JSON, MOST, &local);
  if (bytes == NULL && g_error_matches (local, DELIVER_ERROR, DELIVER_ERROR_LOST))
    return TRUE;
  if (bytes == NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  json_auto_t *basic = parse (bytes);
  const json_t *meta = json_object_get (basic, "meta");
  take_text (&exchange->version, json_object_get (meta, "versionId"));
  take_text (&exchange->at, json_object_get (meta, "lastUpdated"));
  *ret_head = of_basic (basic);
  return TRUE;
}

static gboolean
leave (Exchange *exchange, const json_t *head, GError **error)
{
  json_auto_t *basic = exchange->rest != NULL ? to_basic (exchange->id, head) : NULL;
  char *text = json_dumps (basic != NULL ? basic : head, JSON_COMPACT);
  g_autoptr (GBytes) bytes = g_bytes_new_with_free_func (text, strlen (text), free, text);
  if (exchange->rest != NULL)
    return fhir_rest_put (exchange->rest, exchange->place, FHIR_JSON, bytes, error);
  return g_file_set_contents_full (exchange->place, text, -1,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   0600, error);
}

/* ---- Judging ------------------------------------------------------------------------------ */

static void
judge (const Exchange *exchange, const json_t *head)
{
  g_autoptr (GError) error = NULL;
  gboolean known = TRUE;
  if (!witness_check_head (exchange->store, exchange->identity, "receipt", head, &known, &error))
    g_warning ("witness %s: %s", exchange->to->name, error->message);
  else if (!known)
    g_warning ("witness %s: the state folder was put back: it knows more than this log; work goes "
               "on, and the log says so (fork)",
               exchange->to->name);
}

char *
log_heads_kind (const ConfigDeliver *to)
{
  return g_strconcat ("receipt-", to->name, NULL);
}

/* Kept once per head that was taken and given back. */
static gboolean
keep_receipt (const Exchange *exchange, const json_t *head, GError **error)
{
  json_auto_t *body
      = json_pack ("{s:s, s:O, s:O, s:s*, s:s*}", "target", exchange->to->name, "size",
                   json_object_get (head, "size"), "root", json_object_get (head, "root"),
                   "version", exchange->version, "at", exchange->at);
  g_autofree char *kind = log_heads_kind (exchange->to);
  return store_put_sync (exchange->store, "station", kind, NULL, body, NULL, error);
}

static gboolean
exchange_heads (Exchange *exchange, GError **error)
{
  json_t *kept = NULL, *taken = NULL;
  if (!fetch (exchange, &kept, error))
    return FALSE;
  if (kept != NULL)
    judge (exchange, kept);
  json_decref (kept);
  json_auto_t *head = witness_head (exchange->store, exchange->identity, error);
  if (head == NULL || !leave (exchange, head, error) || !fetch (exchange, &taken, error))
    return FALSE;
  gboolean same = json_equal (taken, head) == 1;
  json_decref (taken);
  if (same)
    return keep_receipt (exchange, head, error);
  g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_DIFFERENT,
               "the head of the log does not read back as it was left");
  return FALSE;
}

gboolean
log_heads_exchange (Store *store, Identity *identity, const ConfigDeliver *to, const gint *stop)
{
  g_autoptr (GError) error = NULL;
  g_auto (Exchange) exchange = { .store = store, .identity = identity, .to = to };

  if (identity == NULL || to == NULL || to->kind == DELIVER_DICOM)
    return TRUE;
  exchange.id = station_uuid (store);
  if (to->kind == DELIVER_FHIR) {
    exchange.rest = fhir_rest_open (to, stop, &error);
    exchange.place = g_strdup_printf ("Basic/%s", exchange.id);
  } else {
    g_autofree char *name = g_strdup_printf ("log-%s.json", exchange.id);
    exchange.place = g_build_filename (to->to, name, NULL);
  }
  if ((to->kind != DELIVER_FHIR || exchange.rest != NULL) && exchange_heads (&exchange, &error))
    return TRUE;
  g_message ("witness %s: %s", to->name, error->message);
  return FALSE;
}
