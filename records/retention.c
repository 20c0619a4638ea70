#include "records/retention.h"
#include <stdio.h>
#include <string.h>

#define ROW "retention"
#define STATION "station"
#define CLINICAL (1u << PURPOSE_CLINICAL)

static const struct {
  const char *name;
  guint years;
} CLASSES[] = {
  { "ordinary", 10 },
  { "accident", 20 },
  { "psychiatric", 20 },
  { "death", 30 },
};

const char *
retention_class_name (RetentionClass class)
{
  return CLASSES[class].name;
}

gboolean
retention_class_parse (const char *name, RetentionClass *ret_class)
{
  for (guint i = 0; i < G_N_ELEMENTS (CLASSES); i++)
    if (g_str_equal (CLASSES[i].name, name)) {
      *ret_class = i;
      return TRUE;
    }
  return FALSE;
}

guint
retention_years (RetentionClass class)
{
  return CLASSES[class].years;
}

RetentionClass
retention_class_of_code (const char *icd10)
{
  if (icd10 == NULL || strlen (icd10) < 3 || !g_ascii_isdigit (icd10[1])
      || !g_ascii_isdigit (icd10[2]))
    return RETENTION_ORDINARY;
  int number = g_ascii_digit_value (icd10[1]) * 10 + g_ascii_digit_value (icd10[2]);
  switch (g_ascii_toupper (icd10[0])) {
  case 'F':
    return RETENTION_PSYCHIATRIC;
  case 'R':
    return number >= 95 ? RETENTION_DEATH : RETENTION_ORDINARY;
  case 'S':
  case 'T':
  case 'V':
  case 'W':
  case 'X':
  case 'Y':
    return RETENTION_ACCIDENT;
  default:
    return RETENTION_ORDINARY;
  }
}

RetentionClass
retention_longer (RetentionClass a, RetentionClass b)
{
  return retention_years (b) > retention_years (a) ? b : a;
}

void
retention_line_free (RetentionLine *line)
{
  if (line == NULL)
    return;
  g_free (line->consult);
  g_free (line->day);
  g_free (line->due);
  g_free (line->reason);
  g_free (line);
}

/* ---- The rows ----------------------------------------------------------------------------- */

typedef struct {
  RetentionClass class;
  gboolean hold;
  char *reason;
} Rule;

static void
rule_free (gpointer data)
{
  Rule *rule = data;
  g_free (rule->reason);
  g_free (rule);
}

/* consult → Rule* */
static GHashTable *
read_rules (Store *store, GError **error)
{
  g_autoptr (GPtrArray) rows = store_read (store, STATION, ROW, 0, error);
  if (rows == NULL)
    return NULL;
  GHashTable *rules = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, rule_free);
  for (guint i = 0; i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    const char *consult, *class, *reason = NULL;
    int hold;
    g_autofree Rule *rule = g_new0 (Rule, 1);
    if (json_unpack (row->body, "{s:s, s:s, s:b, s?s}", "consultation", &consult, "class", &class,
                     "hold", &hold, "reason", &reason)
            != 0
        || !retention_class_parse (class, &rule->class))
      continue;
    rule->hold = hold != 0;
    rule->reason = g_strdup (reason);
    g_hash_table_replace (rules, g_strdup (consult), g_steal_pointer (&rule));
  }
  return rules;
}

static gboolean
write_rule (Store *store, const RetentionLine *line, const char *user, const char *reason,
            GError **error)
{
  json_auto_t *body
      = json_pack ("{s:s, s:s, s:b, s:s*}", "consultation", line->consult, "class",
                   retention_class_name (line->class), "hold", (int)line->hold, "reason", reason);
  if (body == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "the reason is not UTF-8");
    return FALSE;
  }
  return store_put_sync (store, STATION, ROW, user, body, NULL, error);
}

/* ---- The list ----------------------------------------------------------------------------- */

/* The same day so many years later; 29 February becomes 1 March, never earlier. */
static void
set_due (RetentionLine *line, const RetentionClock *clock)
{
  int year, month, day;
  if (line->day == NULL || sscanf (line->day, "%4d-%2d-%2d", &year, &month, &day) != 3)
    return;
  year += (int)retention_years (line->class);
  if (month == 2 && day == 29 && !g_date_is_leap_year ((GDateYear)year)) {
    month = 3;
    day = 1;
  }
  line->due = g_strdup_printf ("%04d-%02d-%02d", year, month, day);
  g_autoptr (GDateTime) now = g_date_time_new_from_unix_utc (clock->utc_us / G_USEC_PER_SEC);
  g_autofree char *today = now != NULL ? g_date_time_format (now, "%Y-%m-%d") : NULL;
  line->is_due = clock->trusted && !line->hold && today != NULL && strcmp (today, line->due) > 0;
}

static RetentionLine *
line_of (Store *store, const char *consult, guint purposes, GHashTable *rules,
         const RetentionClock *clock)
{
  RetentionLine *line = g_new0 (RetentionLine, 1);
  const Rule *rule = g_hash_table_lookup (rules, consult);

  line->consult = g_strdup (consult);
  line->day = store_consult_day (store, consult, NULL);
  line->purposes = purposes;
  if (rule != NULL) {
    line->class = rule->class;
    line->hold = rule->hold;
    line->reason = g_strdup (rule->reason);
  }
  set_due (line, clock);
  return line;
}

static void
add_purpose (const char *consult, Purpose purpose, void *found)
{
  if (purpose == PURPOSE_STATION)
    return;
  guint bits = GPOINTER_TO_UINT (g_hash_table_lookup (found, consult));
  g_hash_table_replace (found, g_strdup (consult), GUINT_TO_POINTER (bits | 1u << purpose));
}

/* consult → bits of purposes that have a key. */
static GHashTable *
read_purposes (Store *store, GError **error)
{
  g_autoptr (GHashTable) found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return vault_each_name (store_vault (store), add_purpose, found, error) ? g_steal_pointer (&found)
                                                                          : NULL;
}

GPtrArray *
retention_list (Store *store, const RetentionClock *clock, GError **error)
{
  g_autoptr (GHashTable) rules = read_rules (store, error);
  g_autoptr (GHashTable) purposes = rules != NULL ? read_purposes (store, error) : NULL;
  g_autoptr (GPtrArray) consults = purposes != NULL ? store_list_consults (store, error) : NULL;
  if (consults == NULL)
    return NULL;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify)retention_line_free);
  for (guint i = consults->len; i > 0; i--) {
    const char *consult = consults->pdata[i - 1];
    guint bits = GPOINTER_TO_UINT (g_hash_table_lookup (purposes, consult));
    if (bits != 0)
      g_ptr_array_add (list, line_of (store, consult, bits, rules, clock));
  }
  return list;
}

RetentionLine *
retention_of (Store *store, const char *consult, const RetentionClock *clock, GError **error)
{
  g_autoptr (GHashTable) rules = read_rules (store, error);
  g_autoptr (GHashTable) purposes = rules != NULL ? read_purposes (store, error) : NULL;
  if (purposes == NULL)
    return NULL;
  guint bits = GPOINTER_TO_UINT (g_hash_table_lookup (purposes, consult));
  if (bits != 0)
    return line_of (store, consult, bits, rules, clock);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
               "there is no consultation “%s” that is not erased", consult);
  return NULL;
}

/* ---- Changes ------------------------------------------------------------------------------ */

static const RetentionClock NO_CLOCK = { 0, FALSE };

gboolean
retention_set_class (Store *store, const char *consult, RetentionClass class, const char *user,
                     const char *reason, GError **error)
{
  RetentionLine *line = retention_of (store, consult, &NO_CLOCK, error);
  if (line == NULL)
    return FALSE;
  line->class = class;
  gboolean good = write_rule (store, line, user, reason != NULL ? reason : line->reason, error);
  retention_line_free (line);
  return good;
}

gboolean
retention_set_hold (Store *store, const char *consult, gboolean hold, const char *user,
                    const char *reason, GError **error)
{
  if (hold && (reason == NULL || *reason == '\0')) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "a hold wants a reason: who asked for it, and for which matter");
    return FALSE;
  }
  RetentionLine *line = retention_of (store, consult, &NO_CLOCK, error);
  if (line == NULL)
    return FALSE;
  line->hold = hold;
  gboolean good = write_rule (store, line, user, reason, error);
  retention_line_free (line);
  return good;
}

/* ---- The rules ---------------------------------------------------------------------------- */

static gboolean refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const char *format, ...)
{
  va_list words;
  va_start (words, format);
  g_autofree char *text = g_strdup_vprintf (format, words);
  va_end (words);
  g_set_error_literal (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, text);
  return FALSE;
}

static gboolean
clinical_allowed (const RetentionLine *line, const Erasure *erasure, const RetentionClock *clock,
                  GError **error)
{
  if (erasure->why != ERASURE_RETENTION)
    return refuse (error,
                   "the clinical record of %s is kept by law until %s: only recording and teaching "
                   "can be erased before",
                   line->consult, line->due);
  if (!clock->trusted)
    return refuse (error,
                   "the clock of this machine is not trusted, so nothing is destroyed: connect it "
                   "to a time server, then try again (%s is due on %s)",
                   line->consult, line->due);
  return line->is_due
         || refuse (error, "%s is kept until %s: too early to erase it", line->consult, line->due);
}

gboolean
retention_allows (Store *store, const Erasure *erasure, const RetentionClock *clock, GError **error)
{
  RetentionLine *line = retention_of (store, erasure->consult, clock, error);
  gboolean allowed = line != NULL;

  if (allowed && line->hold)
    allowed = refuse (error, "consultation %s is on hold (%s): release it first", line->consult,
                      line->reason != NULL ? line->reason : "–");
  else if (allowed && (erasure->purposes & CLINICAL))
    allowed = clinical_allowed (line, erasure, clock, error);
  else if (allowed && erasure->why == ERASURE_RETENTION && !line->is_due)
    allowed = refuse (error, "%s is kept until %s: erase its recording for another reason, or wait",
                      line->consult, line->due);
  retention_line_free (line);
  return allowed;
}
