#include "records/icd10.h"
#include "records/fold.h"
#include "records/store_db.h"

#include <gio/gio.h>
#include <string.h>

#define CANDIDATES_MAX 400
#define QUERY_WORDS_MAX 12

struct Icd10 {
  sqlite3 *db;
  sqlite3_stmt *put, *find, *by_code;
  guint count;
};

gboolean
icd10_is_code (const char *text)
{
  gsize length = strlen (text);
  if (length < 3 || length > 7 || !g_ascii_isalpha (text[0]) || !g_ascii_isdigit (text[1])
      || !g_ascii_isdigit (text[2]))
    return FALSE;
  if (length == 3)
    return TRUE;
  if (text[3] != '.' || length == 4)
    return FALSE;
  for (const char *at = text + 4; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at))
      return FALSE;
  return TRUE;
}

/* ---- Filling ------------------------------------------------------------------------------ */

static gboolean
put (Icd10 *icd10, const GPtrArray *fields, GError **error)
{
  g_autofree char *code = g_ascii_strup (fields->pdata[0], -1);
  g_autoptr (GString) all = g_string_new (NULL);
  for (guint i = 0; i < fields->len; i++)
    g_string_append_printf (all, "%s ", (const char *)fields->pdata[i]);
  g_autofree char *words = fold_text (all->str);
  store_db_bind_text (icd10->put, 1, code);
  store_db_bind_text (icd10->put, 2, fields->pdata[1]);
  store_db_bind_text (icd10->put, 3, fields->len > 2 ? fields->pdata[2] : "");
  store_db_bind_text (icd10->put, 4, words != NULL ? words : "");
  icd10->count++;
  return store_db_run (icd10->put, error);
}

/* One line: fields into an array of char*. *at goes behind the line's end. FALSE: a quote that is
 * not closed. */
static gboolean
split_line (const char **at, char separator, GPtrArray *fields)
{
  const char *c = *at;
  GString *field = g_string_new (NULL);
  gboolean quoted = FALSE;
  for (; *c != '\0' && (quoted || *c != '\n'); c++) {
    if (quoted && *c == '"' && c[1] == '"')
      g_string_append_c (field, *c++);
    else if (separator == ',' && *c == '"')
      quoted = !quoted;
    else if (!quoted && *c == separator) {
      g_ptr_array_add (fields, g_strstrip (g_string_free (field, FALSE)));
      field = g_string_new (NULL);
    } else
      g_string_append_c (field, *c);
  }
  g_ptr_array_add (fields, g_strstrip (g_string_free (field, FALSE)));
  *at = *c != '\0' ? c + 1 : c;
  return !quoted;
}

static gboolean
bad_line (const char *name, guint line, const char *what, GError **error)
{
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "%s: line %u: %s", name, line, what);
  return FALSE;
}

static gboolean
take_lines (Icd10 *icd10, const char *name, const char *text, GError **error)
{
  const char *end = strchr (text, '\n');
  char separator
      = memchr (text, '\t', end != NULL ? (gsize)(end - text) : strlen (text)) ? '\t' : ',';
  guint line = 0;
  while (*text != '\0') {
    g_autoptr (GPtrArray) fields = g_ptr_array_new_with_free_func (g_free);
    line++;
    if (!split_line (&text, separator, fields))
      return bad_line (name, line, "a quote is not closed", error);
    const char *code = fields->pdata[0];
    if (*code == '\0' || (line == 1 && !icd10_is_code (code)))
      continue;
    if (!icd10_is_code (code) || fields->len < 2)
      return bad_line (name, line, "wants a code such as I10 or J45.9 and its name", error);
    if (line > ICD10_ROWS_MAX)
      return bad_line (name, line, "too many lines", error);
    if (!put (icd10, fields, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
take_file (Icd10 *icd10, const char *file, GError **error)
{
  g_autofree char *text = NULL;
  gsize size;
  if (!g_file_get_contents (file, &text, &size, error))
    return FALSE;
  const char *start = g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text;
  if (size > ICD10_FILE_MAX || strlen (text) != size || !g_utf8_validate (start, -1, NULL)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "%s: wants a text file in UTF-8 of at most %d MiB", file,
                 ICD10_FILE_MAX / 1024 / 1024);
    return FALSE;
  }
  return take_lines (icd10, file, start, error);
}

static gboolean
prepare (Icd10 *icd10, GError **error)
{
  if (sqlite3_open (":memory:", &icd10->db) != SQLITE_OK)
    return store_db_fail (icd10->db, "open", error);
  if (!store_db_exec (icd10->db,
                      "CREATE TABLE code(code TEXT PRIMARY KEY, vi TEXT, en TEXT, words TEXT);"
                      "CREATE VIRTUAL TABLE found USING fts5(words, content='code', "
                      "tokenize='unicode61 remove_diacritics 0', prefix='1 2 3 4');",
                      error))
    return FALSE;
  icd10->put = store_db_prepare (icd10->db,
                                 "INSERT OR REPLACE INTO code(code, vi, en, words) "
                                 "VALUES(?, ?, ?, ?)",
                                 error);
  return icd10->put != NULL;
}

static gboolean
finish (Icd10 *icd10, GError **error)
{
  if (!store_db_exec (icd10->db, "INSERT INTO found(found) VALUES('rebuild')", error))
    return FALSE;
  icd10->find = store_db_prepare (icd10->db,
                                  "SELECT code, vi, en FROM found JOIN code ON code.rowid = "
                                  "found.rowid WHERE found MATCH ?1 ORDER BY bm25(found) LIMIT ?2",
                                  error);
  icd10->by_code = icd10->find == NULL
                       ? NULL
                       : store_db_prepare (icd10->db,
                                           "SELECT code, vi, en FROM code WHERE code >= ?1 AND "
                                           "code < ?1 || '~' ORDER BY code LIMIT ?2",
                                           error);
  return icd10->by_code != NULL;
}

Icd10 *
icd10_load (const char *file, GError **error)
{
  g_autoptr (Icd10) icd10 = g_new0 (Icd10, 1);
  if (!prepare (icd10, error) || !store_db_exec (icd10->db, "BEGIN", error)
      || !take_lines (icd10, "built-in list", icd10_builtin, error)
      || (file != NULL && !take_file (icd10, file, error))
      || !store_db_exec (icd10->db, "COMMIT", error) || !finish (icd10, error))
    return NULL;
  return g_steal_pointer (&icd10);
}

void
icd10_free (Icd10 *icd10)
{
  if (icd10 == NULL)
    return;
  sqlite3_finalize (icd10->put);
  sqlite3_finalize (icd10->find);
  sqlite3_finalize (icd10->by_code);
  sqlite3_close_v2 (icd10->db);
  g_free (icd10);
}

guint
icd10_count (const Icd10 *icd10)
{
  return icd10->count;
}

/* ---- Finding ------------------------------------------------------------------------------ */

typedef struct {
  char *code, *vi, *en;
  guint rank, place;
} Hit;

static void
hit_clear (void *data)
{
  Hit *hit = data;
  g_free (hit->code);
  g_free (hit->vi);
  g_free (hit->en);
}

/* "tok"* for each word; a folded word has letters and digits only. NULL: no word. */
static char *
match_of (const char *folded)
{
  g_auto (GStrv) words = g_strsplit (folded, " ", QUERY_WORDS_MAX + 1);
  g_autoptr (GString) match = g_string_new (NULL);
  for (guint i = 0; words[i] != NULL && i < QUERY_WORDS_MAX; i++)
    if (*words[i] != '\0')
      g_string_append_printf (match, "\"%s\"* ", words[i]);
  return match->len > 0 ? g_string_free (g_steal_pointer (&match), FALSE) : NULL;
}

/* How well a title fits what was typed: as it was typed, then without diacritics. */
static guint
rank_of (const char *title, const char *cased, const char *folded)
{
  g_autofree char *title_cased = fold_case (title), *title_folded = fold_text (title);
  if (title_cased == NULL || title_folded == NULL)
    return 9;
  if (g_str_equal (title_cased, cased))
    return 1;
  if (g_str_equal (title_folded, folded))
    return 2;
  if (g_str_has_prefix (title_cased, cased))
    return 3;
  if (strstr (title_cased, cased) != NULL)
    return 4;
  if (g_str_has_prefix (title_folded, folded))
    return 5;
  return strstr (title_folded, folded) != NULL ? 6 : 7;
}

static void
collect (sqlite3_stmt *statement, GArray *hits, const char *cased, const char *folded)
{
  while (sqlite3_step (statement) == SQLITE_ROW) {
    Hit hit = { .code = g_strdup (store_db_text (statement, 0)),
                .vi = g_strdup (store_db_text (statement, 1)),
                .en = g_strdup (store_db_text (statement, 2)),
                .place = hits->len };
    if (cased != NULL)
      hit.rank = MIN (rank_of (hit.vi, cased, folded), rank_of (hit.en, cased, folded));
    g_array_append_val (hits, hit);
  }
  sqlite3_reset (statement);
}

static int
compare (const void *one, const void *two)
{
  const Hit *a = one, *b = two;
  if (a->rank != b->rank)
    return a->rank < b->rank ? -1 : 1;
  return a->place < b->place ? -1 : a->place > b->place;
}

static gboolean
looks_like_code (const char *text)
{
  return g_ascii_isalpha (text[0]) && g_ascii_isdigit (text[1]) && strlen (text) <= 7;
}

json_t *
icd10_find (Icd10 *icd10, const char *text, guint limit)
{
  json_t *items = json_array ();
  g_autofree char *folded = fold_text (text), *cased = fold_case (text);
  g_autofree char *match = folded != NULL ? match_of (folded) : NULL;
  g_autoptr (GArray) hits = g_array_new (FALSE, FALSE, sizeof (Hit));
  g_array_set_clear_func (hits, hit_clear);
  if (match == NULL)
    return items;
  g_autofree char *trimmed = g_strstrip (g_ascii_strup (text, -1));
  if (looks_like_code (trimmed)) {
    store_db_bind_text (icd10->by_code, 1, trimmed);
    sqlite3_bind_int64 (icd10->by_code, 2, limit);
    collect (icd10->by_code, hits, NULL, NULL);
  } else {
    store_db_bind_text (icd10->find, 1, match);
    sqlite3_bind_int64 (icd10->find, 2, CANDIDATES_MAX);
    collect (icd10->find, hits, cased, folded);
    g_array_sort (hits, compare);
  }
  for (guint i = 0; i < hits->len && i < limit; i++) {
    const Hit *hit = &g_array_index (hits, Hit, i);
    json_array_append_new (
        items, json_pack ("{s:s, s:s, s:s}", "code", hit->code, "vi", hit->vi, "en", hit->en));
  }
  return items;
}
