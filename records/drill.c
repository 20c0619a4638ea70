#include "records/drill.h"
#include "records/store_private.h"
#include <string.h>

#define CHALLENGE "drill-challenge"
#define DRILL "drill"
#define DAY_US (G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC)

/* ---- Rows --------------------------------------------------------------------------------- */

static gint64
number_of (Vault *vault, guint i)
{
  return (gint64)vault_recipient_place (vault, i) + 1;
}

static gint64
recipient_of (const StoreRow *row)
{
  return json_integer_value (json_object_get (row->body, "recipient"));
}

static gboolean
put (Store *store, guint i, const char *how, guint opened, const char *user, GError **error)
{
  json_auto_t *body
      = json_pack ("{s:I, s:s, s:i}", "recipient", (json_int_t)number_of (store->vault, i), "how",
                   how, "opened", (int)opened);
  return store_put_sync (store, STORE_STATION, DRILL, user, body, NULL, error);
}

/* ---- By challenge ------------------------------------------------------------------------- */

GBytes *
drill_challenge (Store *store, guint i, const char *user, GError **error)
{
  guint8 hash[32];
  g_autoptr (GBytes) challenge = vault_drill_challenge (store->vault, i, hash, error);
  if (challenge == NULL)
    return NULL;
  char hex[STORE_HEX];
  store_hex (hash, hex);
  json_auto_t *body = json_pack ("{s:I, s:s}", "recipient", (json_int_t)number_of (store->vault, i),
                                 "sha256", hex);
  if (!store_put_sync (store, STORE_STATION, CHALLENGE, user, body, NULL, error))
    return NULL;
  return g_steal_pointer (&challenge);
}

/* The newest challenge of a recipient that no drill has answered since; NULL: there is none
 * (transfer none, of rows). */
static const StoreRow *
open_challenge (const GPtrArray *challenges, const GPtrArray *drills, gint64 number)
{
  const StoreRow *newest = NULL;
  for (guint k = 0; k < challenges->len; k++)
    if (recipient_of (challenges->pdata[k]) == number)
      newest = challenges->pdata[k];
  for (guint k = 0; newest != NULL && k < drills->len; k++) {
    const StoreRow *drill = drills->pdata[k];
    if (recipient_of (drill) == number && drill->utc_us >= newest->utc_us)
      newest = NULL;
  }
  return newest;
}

static gboolean
fits (Vault *vault, guint i, const char *code, const StoreRow *challenge)
{
  const char *known = json_string_value (json_object_get (challenge->body, "sha256"));
  guint8 hash[32];
  char hex[STORE_HEX];
  if (!vault_drill_hash (vault, i, code, hash))
    return FALSE;
  store_hex (hash, hex);
  return g_strcmp0 (known, hex) == 0;
}

gboolean
drill_confirm (Store *store, const char *code, const char *user, guint *ret_recipient,
               GError **error)
{
  g_autoptr (GPtrArray) challenges = store_read (store, STORE_STATION, CHALLENGE, 0, error);
  g_autoptr (GPtrArray) drills
      = challenges != NULL ? store_read (store, STORE_STATION, DRILL, 0, error) : NULL;
  if (drills == NULL)
    return FALSE;
  for (guint i = 0; i < vault_recipients (store->vault); i++) {
    const StoreRow *challenge = open_challenge (challenges, drills, number_of (store->vault, i));
    if (challenge == NULL || !fits (store->vault, i, code, challenge))
      continue;
    if (ret_recipient != NULL)
      *ret_recipient = i;
    return put (store, i, "challenge", 0, user, error);
  }
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
               "this code is of no drill that is open: each has 16 letters and digits, as shown "
               "when the newest challenge is opened, and counts once");
  return FALSE;
}

/* ---- By the escrows themselves ------------------------------------------------------------ */

void
drill_report_clear (DrillReport *report)
{
  g_clear_pointer (&report->problem, g_free);
}

static gboolean
opens (const VaultKeyRow *row, EVP_PKEY *key, X509 *certificate, GError **error)
{
  guint8 commit[32];
  g_autoptr (DataKey) found
      = vault_recover_key (row->recovery_cms, key, certificate, row->consult, row->purpose, error);
  if (found == NULL)
    return FALSE;
  data_key_commitment (found, commit);
  if (g_bytes_get_size (row->commit) == sizeof commit
      && memcmp (commit, g_bytes_get_data (row->commit, NULL), sizeof commit) == 0)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
               "its escrow holds another key than the one in use");
  return FALSE;
}

static gboolean
find_recipient (Vault *vault, X509 *certificate, guint *ret_recipient, GError **error)
{
  for (guint i = 0; i < vault_recipients (vault); i++)
    if (X509_cmp (vault_recipient (vault, i), certificate) == 0) {
      *ret_recipient = i;
      return TRUE;
    }
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
               "this certificate is none of the station's recovery certificates (cert show lists "
               "them)");
  return FALSE;
}

gboolean
drill_escrows (Vault *vault, EVP_PKEY *key, X509 *certificate, guint *ret_recipient,
               DrillReport *ret_report, GError **error)
{
  g_autoptr (GPtrArray) rows = find_recipient (vault, certificate, ret_recipient, error)
                                   ? vault_list_keys (vault, error)
                                   : NULL;
  if (rows == NULL)
    return FALSE;
  *ret_report = (DrillReport){ .keys = rows->len };
  for (guint i = 0; i < rows->len; i++) {
    const VaultKeyRow *row = rows->pdata[i];
    g_autoptr (GError) why = NULL;
    if (opens (row, key, certificate, &why))
      ret_report->opened++;
    else if (ret_report->problem == NULL)
      ret_report->problem = g_strdup_printf ("%s (%s): %s", row->consult,
                                             purpose_name (row->purpose), why->message);
  }
  return TRUE;
}

gboolean
drill_log_escrows (Store *store, guint recipient, guint opened, const char *user, GError **error)
{
  return put (store, recipient, "escrows", opened, user, error);
}

/* ---- When --------------------------------------------------------------------------------- */

GArray *
drill_times (Store *store, gint64 *ret_set_up_us, GError **error)
{
  g_autoptr (GPtrArray) drills = store_read (store, STORE_STATION, DRILL, 0, error);
  g_autoptr (GPtrArray) first
      = drills != NULL ? store_read_some (store, STORE_STATION, "user", 0, 1, error) : NULL;
  if (first == NULL)
    return NULL;
  GArray *times = g_array_new (FALSE, TRUE, sizeof (gint64));
  g_array_set_size (times, vault_recipients (store->vault));
  for (guint k = 0; k < drills->len; k++)
    for (guint i = 0; i < times->len; i++)
      if (recipient_of (drills->pdata[k]) == number_of (store->vault, i))
        g_array_index (times, gint64, i) = ((const StoreRow *)drills->pdata[k])->utc_us;
  *ret_set_up_us = first->len > 0 ? ((const StoreRow *)first->pdata[0])->utc_us : 0;
  return times;
}

gboolean
drill_is_due (gint64 last_us, gint64 set_up_us, gint64 now_us)
{
  return now_us - MAX (last_us, set_up_us) > DRILL_DAYS * DAY_US;
}
