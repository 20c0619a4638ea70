#include "station/session.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

#define SESSION_BYTES 32
#define SESSION_LIFE_US (12 * G_TIME_SPAN_HOUR)

struct Sessions {
  Store *store;
  GPtrArray *list; /* Session* */
};

char *
session_random_text (guint bytes)
{
  guint8 random[64];
  g_assert (bytes <= sizeof random);
  if (RAND_bytes (random, (int)bytes) != 1)
    g_error ("session: the system has no random numbers");
  char *text = g_base64_encode (random, bytes);
  OPENSSL_cleanse (random, sizeof random);
  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  text[strcspn (text, "=")] = '\0';
  return text;
}

static void
session_free (void *data)
{
  Session *session = data;
  g_free (session->user);
  g_free (session->label);
  g_hash_table_unref (session->viewed);
  json_decref (session->about);
  g_free (session);
}

static Session *
session_new (const guint8 hash[32], const char *user, gint64 expires_us, json_t *about)
{
  Session *session = g_new0 (Session, 1);
  memcpy (session->hash, hash, 32);
  session->user = g_strdup (user);
  session->expires_us = expires_us;
  session->about = json_incref (about);
  session->active_us = g_get_monotonic_time ();
  session->label = g_strdup_printf ("console-%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3]);
  session->viewed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return session;
}

/* Rows of a day stand under a kind of their own, so that a start reads two days, not ten years. */
static char *
kind_of_day (gint64 utc_us)
{
  g_autoptr (GDateTime) day = g_date_time_new_from_unix_utc (utc_us / G_USEC_PER_SEC);
  return g_date_time_format (day, "session-%Y%m%d");
}

static Session *
find_hash (Sessions *sessions, const guint8 hash[32])
{
  for (guint i = 0; i < sessions->list->len; i++) {
    Session *session = sessions->list->pdata[i];
    if (CRYPTO_memcmp (session->hash, hash, 32) == 0)
      return session;
  }
  return NULL;
}

static void
load_row (Sessions *sessions, const json_t *body, gint64 now_us)
{
  const char *hash_text = json_string_value (json_object_get (body, "hash"));
  const char *user = json_string_value (json_object_get (body, "user"));
  gint64 expires_us = json_integer_value (json_object_get (body, "expires_us"));
  gsize length = 0;
  g_autofree guint8 *hash = hash_text != NULL ? g_base64_decode (hash_text, &length) : NULL;
  if (length != 32 || user == NULL)
    return;
  if (json_is_true (json_object_get (body, "ended"))) {
    Session *session = find_hash (sessions, hash);
    if (session != NULL)
      g_ptr_array_remove_fast (sessions->list, session);
  } else if (expires_us > now_us && expires_us <= now_us + SESSION_LIFE_US) {
    g_ptr_array_add (sessions->list,
                     session_new (hash, user, expires_us, json_object_get (body, "about")));
  }
}

Sessions *
sessions_load (Store *store, GError **error)
{
  g_autoptr (Sessions) sessions = g_new0 (Sessions, 1);
  gint64 now_us = g_get_real_time ();
  sessions->store = store;
  sessions->list = g_ptr_array_new_with_free_func (session_free);
  for (int day = -1; day <= 0; day++) {
    g_autofree char *kind = kind_of_day (now_us + day * G_TIME_SPAN_DAY);
    g_autoptr (GPtrArray) rows = store_read (store, "station", kind, 0, error);
    if (rows == NULL)
      return NULL;
    for (guint i = 0; i < rows->len; i++)
      load_row (sessions, ((StoreRow *)rows->pdata[i])->body, now_us);
  }
  return g_steal_pointer (&sessions);
}

void
sessions_free (Sessions *sessions)
{
  if (sessions == NULL)
    return;
  g_ptr_array_unref (sessions->list);
  g_free (sessions);
}

static json_t *
session_to_json (const Session *session, gboolean ended)
{
  g_autofree char *hash = g_base64_encode (session->hash, 32);
  return json_pack ("{s:s, s:s, s:I, s:b, s:O*}", "hash", hash, "user", session->user, "expires_us",
                    (json_int_t)session->expires_us, "ended", ended, "about",
                    ended ? NULL : session->about);
}

typedef struct {
  Sessions *sessions;
  Session *session;
  char *token;
  SessionDone done;
  void *arg;
} Issue;

static void
issued (gint64 seq, const GError *error, void *arg)
{
  Issue *issue = arg;
  if (error != NULL) {
    g_warning ("session: not written: %s", error->message);
    session_free (issue->session);
    issue->done (NULL, NULL, issue->arg);
  } else {
    g_ptr_array_add (issue->sessions->list, issue->session);
    issue->done (issue->session, issue->token, issue->arg);
  }
  OPENSSL_cleanse (issue->token, strlen (issue->token));
  g_free (issue->token);
  g_free (issue);
}

void
sessions_issue (Sessions *sessions, const char *user, json_t *about, SessionDone done, void *arg)
{
  Issue *issue = g_new0 (Issue, 1);
  guint8 hash[32];
  gint64 now_us = g_get_real_time ();
  issue->token = session_random_text (SESSION_BYTES);
  SHA256 ((const guint8 *)issue->token, strlen (issue->token), hash);
  issue->sessions = sessions;
  issue->session = session_new (hash, user, now_us + SESSION_LIFE_US, about);
  issue->done = done;
  issue->arg = arg;
  g_autofree char *kind = kind_of_day (now_us);
  json_auto_t *body = session_to_json (issue->session, FALSE);
  store_put (sessions->store, "station", kind, user, body, issued, issue);
}

Session *
sessions_find (Sessions *sessions, const char *token)
{
  guint8 hash[32];
  SHA256 ((const guint8 *)token, strlen (token), hash);
  Session *session = find_hash (sessions, hash);
  if (session != NULL && session->expires_us <= g_get_real_time ())
    return NULL;
  return session;
}

void
sessions_end (Sessions *sessions, Session *session, StoreDone done, void *arg)
{
  g_autofree char *kind = kind_of_day (session->expires_us - SESSION_LIFE_US);
  json_auto_t *body = session_to_json (session, TRUE);
  store_put (sessions->store, "station", kind, session->user, body, done, arg);
  g_ptr_array_remove_fast (sessions->list, session);
}

gboolean
sessions_any_unlocked (Sessions *sessions)
{
  for (guint i = 0; i < sessions->list->len; i++)
    if (((Session *)sessions->list->pdata[i])->unlocked)
      return TRUE;
  return FALSE;
}

void
sessions_lock_idle (Sessions *sessions, guint seconds)
{
  gint64 now_us = g_get_monotonic_time ();
  for (guint i = 0; i < sessions->list->len; i++) {
    Session *session = sessions->list->pdata[i];
    if (now_us - session->active_us >= (gint64)seconds * G_USEC_PER_SEC)
      session->unlocked = FALSE;
  }
}
