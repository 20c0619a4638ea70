/* Drafts, the blind index, the consultation's forms: over the protocol of a real station, and what
 * stands on the disk afterwards. */
#include "records/patient_index.h"
#include "station/patient_find.h"
#include "station_place.h"

#include <sqlite3.h>

#define CARD "011162000123||Lò Thị Lan|03041962|Nữ|Bản Mẫu|25122021"
#define SECRET_NAME "Lò Thị Lan"
#define SECRET_NUMBER "011162000123"
#define TYPED "Đau ngực lan ra tay trái từ sáng"

/* The answer to one message; fields as JSON without braces. The page's own. */
static const json_t *
ask (StationPlace *place, Page *page, const char *type, const char *fields)
{
  static int id;
  g_autofree char *text = g_strdup_printf ("{\"type\":\"%s\",\"id\":%d%s%s}", type, ++id,
                                           *fields != '\0' ? "," : "", fields);
  page_give (place, page, text, strlen (text));
  for (guint i = page->frames->len; i > 0; i--) {
    const json_t *frame = page->frames->pdata[i - 1];
    if (json_integer_value (json_object_get (frame, "re")) == id)
      return frame;
  }
  g_error ("no answer to %s", type);
}

static const char *
text_of (const json_t *object, const char *key)
{
  return json_string_value (json_object_get (object, key));
}

static const json_t *
good (const json_t *answer)
{
  if (g_strcmp0 (text_of (answer, "type"), "ok") != 0) {
    char *text = json_dumps (answer, 0);
    g_error ("refused: %s", text);
  }
  return answer;
}

static void
refused (const json_t *answer, const char *code)
{
  g_assert_cmpstr (text_of (answer, "type"), ==, "error");
  g_assert_cmpstr (text_of (answer, "code"), ==, code);
}

static Page *
signed_in (StationPlace *place)
{
  Page *page = page_open (place, CLIENT_CONSOLE);
  good (ask (place, page, "sign-in", "\"user\":\"lan\",\"pin\":\"481516\""));
  return page;
}

static char *
begin (StationPlace *place, Page *page, const char *patient)
{
  g_autofree char *fields
      = g_strdup_printf ("\"mode\":3,\"reason\":\"Đau ngực\",\"patient\":%s", patient);
  return g_strdup (
      text_of (good (ask (place, page, "consultation.start", fields)), "consultation"));
}

#define PATIENT                                                                                    \
  "{\"name\":\"" SECRET_NAME "\",\"birth_year\":1962,\"personal_number\":\"" SECRET_NUMBER         \
  "\",\"insurance\":\"DT2110123456789\",\"phone\":\"0912 345 678\"}"

static void
reopen (StationPlace *place)
{
  station_free (place->station);
  records_close (&place->records);
  records_open (&place->records);
  station_begin (place);
}

static guint
count_rows (StationPlace *place, const char *consult, const char *kind)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = store_read (place->records.store, consult, kind, 0, &error);
  g_assert_no_error (error);
  return rows->len;
}

static void
test_drafts (void)
{
  StationPlace place = { 0 };
  g_autoptr (GError) error = NULL;
  station_up (&place);
  Page *page = signed_in (&place);
  g_autofree char *consult = begin (&place, page, PATIENT);
  for (guint i = 0; i < 5; i++)
    good (ask (&place, page, "note.draft",
               "\"note\":\"n1\",\"kind\":\"summary\",\"text\":\"" TYPED "\""));
  g_assert_cmpuint (count_rows (&place, consult, "note"), ==, 0);
  refused (ask (&place, page, "note.draft", "\"note\":\"n1\",\"kind\":\"poem\",\"text\":\"\""),
           "bad-message");

  /* It outlives the station. */
  page_free (page);
  reopen (&place);
  page = signed_in (&place);
  const json_t *note = json_array_get (place.station->screen->notes, 0);
  g_assert_cmpstr (text_of (note, "text"), ==, TYPED);
  g_assert_true (json_is_true (json_object_get (note, "draft")));

  /* A version takes its place; the next draft leaves the version alone. */
  good (ask (&place, page, "note.save", "\"note\":\"n1\",\"kind\":\"summary\",\"text\":\"một\""));
  g_autoptr (GPtrArray) none = store_read_drafts (place.records.store, consult, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (none->len, ==, 0);
  good (ask (&place, page, "note.draft", "\"note\":\"n1\",\"kind\":\"summary\",\"text\":\"hai\""));
  g_assert_cmpuint (count_rows (&place, consult, "note"), ==, 1);

  /* Signing makes a version of it. */
  good (ask (&place, page, "consultation.conclude", "\"conclusion\":\"\""));
  good (ask (&place, page, "consultation.sign", "\"pin\":\"481516\""));
  vault_unlock (place.records.vault, PLACE_USER, PLACE_PASSPHRASE, &error);
  g_assert_no_error (error);
  g_autoptr (GPtrArray) rows = store_read (place.records.store, consult, "note", 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (rows->len, ==, 2);
  g_assert_cmpstr (text_of (((StoreRow *)rows->pdata[1])->body, "text"), ==, "hai");
  page_free (page);
  station_down (&place);
}

static void
test_rows (void)
{
  StationPlace place = { 0 };
  station_up (&place);
  Page *page = signed_in (&place);
  g_autofree char *consult = begin (&place, page, PATIENT);
  const Consult *screen = place.station->screen;
  g_assert_cmpstr (text_of (json_object_get (screen->facilities, "own"), "name"), ==, "Trạm y tế");
  good (ask (
      &place, page, "problem.save",
      "\"problem\":\"p1\",\"icd10\":\"I10\",\"title\":\"Tăng huyết áp\",\"text\":\"uống thuốc\""));
  good (ask (&place, page, "problem.save", "\"problem\":\"p2\",\"icd10\":null,\"title\":\"Ho\""));
  good (ask (&place, page, "problem.save",
             "\"problem\":\"p2\",\"icd10\":null,\"title\":\"Ho\",\"removed\":true"));
  g_assert_cmpuint (json_array_size (screen->problems), ==, 1);
  g_assert_cmpuint (count_rows (&place, consult, "problem"), ==, 3);
  refused (
      ask (&place, page, "problem.save", "\"problem\":\"p3\",\"icd10\":\"ZZ\",\"title\":\"x\""),
      "bad-message");
  good (ask (
      &place, page, "facilities.save",
      "\"consulted\":[{\"name\":\"Bệnh viện Trung ương\",\"code\":\"01001\"},{\"name\":\"\"}]"));
  g_assert_cmpuint (json_array_size (json_object_get (screen->facilities, "consulted")), ==, 1);
  good (ask (&place, page, "mark.save", "\"text\":\"tiếng thổi\""));
  refused (ask (&place, page, "mark.save", "\"at_us\":1"), "bad-message");
  g_assert_cmpuint (json_array_size (screen->marks), ==, 1);
  good (ask (&place, page, "consultation.save", "\"mode\":4,\"reason\":\"Hội chẩn\""));
  g_assert_cmpint (screen->mode, ==, 4);
  good (ask (
      &place, page, "note.save",
      "\"note\":\"o1\",\"kind\":\"opinion\",\"text\":\"cho thở ôxy\",\"speaker\":\"BS. Minh\""));
  const json_t *opinion = json_array_get (screen->notes, 0);
  g_assert_cmpstr (text_of (opinion, "user"), ==, "BS. Minh");
  g_assert_cmpstr (text_of (opinion, "via"), ==, "telephone");
  g_assert_cmpstr (text_of (opinion, "by"), ==, "lan");

  page_free (page);
  reopen (&place);
  screen = place.station->screen;
  g_assert_cmpuint (json_array_size (screen->problems), ==, 1);
  g_assert_cmpuint (json_array_size (screen->marks), ==, 1);
  g_assert_cmpint (screen->mode, ==, 4);
  station_down (&place);
}

static void
unlock (StationPlace *place, Page *page)
{
  /* The passphrase is of another user of the vault; the session is what the test is about. */
  g_autoptr (GError) error = NULL;
  vault_unlock (place->records.vault, PLACE_USER, PLACE_PASSPHRASE, &error);
  g_assert_no_error (error);
  page->client->session->unlocked = TRUE;
  patient_index_catch_up (place->station);
  station_settle (place);
}

static gsize
found (StationPlace *place, Page *page, const char *text)
{
  g_autofree char *fields = g_strdup_printf ("\"text\":\"%s\"", text);
  const json_t *answer = good (ask (place, page, "patient.find", fields));
  const json_t *patients = json_object_get (answer, "patients");
  g_assert_cmpuint (json_array_size (patients), <=, 1);
  return json_array_size (json_object_get (json_array_get (patients, 0), "consultations"));
}

static void
test_find (void)
{
  StationPlace place = { 0 };
  station_up (&place);
  Page *page = signed_in (&place);
  g_autofree char *one = begin (&place, page, PATIENT);
  good (ask (&place, page, "consultation.park", ""));
  g_autofree char *two = begin (&place, page, "{\"unknown\":true}");
  refused (ask (&place, page, "patient.find", "\"text\":\"" SECRET_NUMBER "\""), "locked");
  unlock (&place, page);
  static const char *const SAYS[]
      = { SECRET_NUMBER, "011 162 000123", "DT2110123456789", "0123456789",       "+84 912 345 678",
          "0912345678",  SECRET_NAME,      "lo thi lan",      "LO  THI LAN 1962", CARD };
  for (guint i = 0; i < G_N_ELEMENTS (SAYS); i++) {
    g_test_message ("%s", SAYS[i]);
    g_assert_cmpuint (found (&place, page, SAYS[i]), ==, 1);
  }
  static const char *const NOBODY[]
      = { "011162000124", "lo thi", "lo thi lan 1963", "x|y|z|u", "." };
  for (guint i = 0; i < G_N_ELEMENTS (NOBODY); i++)
    g_assert_cmpuint (found (&place, page, NOBODY[i]), ==, 0);
  g_assert_cmpuint (count_rows (&place, one, "view"), ==, G_N_ELEMENTS (SAYS));

  /* Who becomes known later is found, and a correction is. */
  good (ask (&place, page, "patient.save", "\"patient\":" PATIENT));
  station_settle (&place);
  store_put_sync (place.records.store, "station", "sync", NULL, json_object (), NULL, NULL);
  g_assert_cmpuint (found (&place, page, SECRET_NUMBER), ==, 2);
  good (ask (&place, page, "patient.save",
             "\"patient\":{\"name\":\"Lò Thị Lân\",\"personal_number\":\"011162000999\"}"));
  store_put_sync (place.records.store, "station", "sync", NULL, json_object (), NULL, NULL);
  g_assert_cmpuint (found (&place, page, SECRET_NUMBER), ==, 1);
  g_assert_cmpuint (found (&place, page, "011162000999"), ==, 1);

  const json_t *card = good (ask (&place, page, "identity.read", "\"text\":\"" CARD "\""));
  g_assert_cmpstr (text_of (json_object_get (card, "patient"), "name"), ==, SECRET_NAME);
  refused (ask (&place, page, "identity.read", "\"text\":\"http://x\""), "bad-message");
  refused (ask (&place, page, "patient.save",
                "\"patient\":{\"name\":\"A\",\"insurance\":\"QQ2110123456789\"}"),
           "bad-message");
  page_free (page);
  station_down (&place);
}

/* ---- An older database --------------------------------------------------------------------------
 */

static void
as_version_1 (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "records.db", NULL);
  sqlite3 *db = NULL;
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db,
                                 "DROP TABLE draft; DROP TABLE patient_bidx; DROP TABLE outbox; "
                                 "PRAGMA user_version=1;"
                                 "PRAGMA wal_checkpoint(TRUNCATE)",
                                 NULL, NULL, NULL),
                   ==, SQLITE_OK);
  sqlite3_close (db);
}

static void
on_finding (VerifyVerdict verdict, const char *code, const char *where, const char *what, void *arg)
{
  if (verdict == VERIFY_BAD)
    g_test_message ("%s %s: %s", code, where, what);
}

static guint
verify_bad (StationPlace *place)
{
  g_autoptr (GError) error = NULL;
  VerifySummary summary;
  g_assert_true (verify_state (place->records.dir, place->records.vault, NULL, on_finding, NULL,
                               &summary, &error));
  return summary.bad;
}

static void
test_older (void)
{
  StationPlace place = { 0 };
  station_up (&place);
  Page *page = signed_in (&place);
  g_autofree char *consult = begin (&place, page, PATIENT);
  page_free (page);
  station_free (place.station);
  records_close (&place.records);
  as_version_1 (place.records.dir);
  /* It verifies as it is, and a station adds what it lacks. */
  place.records.vault = vault_open_read_only (place.records.dir, NULL);
  g_assert_cmpuint (verify_bad (&place), ==, 0);
  g_clear_pointer (&place.records.vault, vault_free);
  records_open (&place.records);
  station_begin (&place);
  page = signed_in (&place);
  unlock (&place, page);
  g_assert_cmpuint (found (&place, page, SECRET_NUMBER), ==, 1);
  g_assert_cmpuint (verify_bad (&place), ==, 0);
  page_free (page);
  station_down (&place);
}

/* ---- What a thief reads -------------------------------------------------------------------------
 */

static void
assert_absent (GBytes *file, const char *name, const char *text)
{
  static const char *const encodings[] = { "UTF-8", "UTF-16LE", "UTF-16BE" };
  static const GNormalizeMode modes[] = { G_NORMALIZE_NFC, G_NORMALIZE_NFD };
  gsize size;
  gconstpointer data = g_bytes_get_data (file, &size);
  for (guint m = 0; m < G_N_ELEMENTS (modes); m++)
    for (guint e = 0; e < G_N_ELEMENTS (encodings); e++) {
      gsize length;
      g_autofree char *form = g_utf8_normalize (text, -1, modes[m]);
      g_autofree char *bytes = g_convert (form, -1, encodings[e], "UTF-8", NULL, &length, NULL);
      if (size >= length && memmem (data, size, bytes, length) != NULL)
        g_error ("%s has “%s” in %s", name, text, encodings[e]);
    }
}

static void
each_file (const char *path, void (*look) (GBytes *file, const char *name))
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *inner = g_build_filename (path, name, NULL);
    char *data = NULL;
    gsize size;
    if (g_file_test (inner, G_FILE_TEST_IS_DIR))
      each_file (inner, look);
    else if (g_file_get_contents (inner, &data, &size, NULL)) {
      g_autoptr (GBytes) file = g_bytes_new_take (data, size);
      look (file, name);
    }
  }
}

static guint files_seen;

static void
look_for_secrets (GBytes *file, const char *name)
{
  static const char *const SECRETS[] = { SECRET_NAME,        "lo thi lan",      SECRET_NUMBER,
                                         "n:" SECRET_NUMBER, "DT2110123456789", "0123456789012",
                                         "912345678",        "0912 345 678",    TYPED };
  files_seen++;
  for (guint i = 0; i < G_N_ELEMENTS (SECRETS); i++)
    assert_absent (file, name, SECRETS[i]);
}

/* Nor may a thief compute an entry: it is no plain hash of the identifier. */
static void
look_for_hash (GBytes *file, const char *name)
{
  static const char *const SAYS[] = { SECRET_NUMBER, "n:" SECRET_NUMBER, "m:lo thi lan" };
  gsize size;
  gconstpointer data = g_bytes_get_data (file, &size);
  for (guint i = 0; i < G_N_ELEMENTS (SAYS); i++) {
    g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
    guint8 hash[32];
    gsize length = sizeof hash;
    g_checksum_update (sum, (const guchar *)SAYS[i], -1);
    g_checksum_get_digest (sum, hash, &length);
    g_assert_null (memmem (data, size, hash, PATIENT_INDEX_SIZE));
  }
}

static void
test_thief (void)
{
  StationPlace place = { 0 };
  station_up (&place);
  Page *page = signed_in (&place);
  g_autofree char *consult = begin (&place, page, PATIENT);
  good (ask (&place, page, "note.draft",
             "\"note\":\"n1\",\"kind\":\"summary\",\"text\":\"" TYPED "\""));
  unlock (&place, page);
  g_assert_cmpuint (found (&place, page, SECRET_NUMBER), ==, 1);
  /* As a kill leaves it, WAL and all. */
  g_autofree char *copy = records_copy (place.records.dir);
  each_file (copy, look_for_secrets);
  each_file (copy, look_for_hash);
  g_assert_cmpuint (files_seen, >, 4);
  records_remove (copy);
  page_free (page);
  station_down (&place);
}

/* ---- Damage -----------------------------------------------------------------------------------
 */

static void
tamper (StationPlace *place, const char *sql)
{
  g_autofree char *path = g_build_filename (place->records.dir, "records.db", NULL);
  sqlite3 *db = NULL;
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_changes (db), >, 0);
  sqlite3_close (db);
}

static void
test_damage (void)
{
  static const char *const DEEDS[] = {
    "UPDATE draft SET sealed = zeroblob(60)",
    "UPDATE draft SET note = 'n2'",
    "UPDATE draft SET sum = zeroblob(32)",
    "UPDATE patient_bidx SET bidx = zeroblob(16) WHERE bidx = (SELECT min(bidx) FROM patient_bidx)",
    "UPDATE patient_bidx SET sum = zeroblob(32)",
  };
  for (guint i = 0; i < G_N_ELEMENTS (DEEDS); i++) {
    StationPlace place = { 0 };
    station_up (&place);
    Page *page = signed_in (&place);
    g_autofree char *consult = begin (&place, page, PATIENT);
    good (ask (&place, page, "note.draft", "\"note\":\"n1\",\"kind\":\"summary\",\"text\":\"x\""));
    page_free (page);
    station_free (place.station);
    records_close (&place.records);
    tamper (&place, DEEDS[i]);
    place.records.vault = vault_open_read_only (place.records.dir, NULL);
    g_assert_cmpuint (verify_bad (&place), >, 0);
    g_clear_pointer (&place.records.vault, vault_free);
    records_open (&place.records);
    station_begin (&place);
    station_down (&place);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/forms/drafts", test_drafts);
  g_test_add_func ("/forms/rows", test_rows);
  g_test_add_func ("/forms/find", test_find);
  g_test_add_func ("/forms/older-database", test_older);
  g_test_add_func ("/forms/thief", test_thief);
  g_test_add_func ("/forms/damage", test_damage);
  return g_test_run ();
}
