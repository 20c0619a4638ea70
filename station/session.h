/* Sessions of the console: who is signed in on which page.
 *
 * A session is a random token that only the page has; the station keeps its SHA-256 in a sealed
 * row, so that the page returns after a restart without a PIN, for 12 hours at most. One
 * session is on one page at a time. Main thread.
 */
#pragma once
#include "records/store.h"
#include "station/client.h"

typedef struct Sessions Sessions;

struct Session {
  guint8 hash[32];
  char *user;
  gint64 expires_us;  /* UTC */
  Client *client;     /* the page it is on; NULL: none now */
  char *label;        /* of its page's media; users who follow each other on a page share it */
  gint64 active_us;   /* monotonic: when a person last did something on its page */
  gboolean unlocked;  /* this user opened the vault */
  GHashTable *viewed; /* consultations whose recording was looked at: logged once */
  json_t *about;      /* of a desk: the proof of who sits there (calls/desk.h); NULL: a PIN */
};

Sessions *sessions_load (Store *store, GError **error);
void sessions_free (Sessions *sessions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Sessions, sessions_free)

/* Called when the session is durable, or not (session NULL). */
typedef void (*SessionDone) (Session *session, const char *token, void *arg);
/* about: see Session (transfer none), or NULL. */
void sessions_issue (Sessions *sessions, const char *user, json_t *about, SessionDone done,
                     void *arg);
/* NULL when there is none, or it is over. */
Session *sessions_find (Sessions *sessions, const char *token);
/* Forgets it, in memory at once and on disk; done (may be NULL) when that is durable. */
void sessions_end (Sessions *sessions, Session *session, StoreDone done, void *arg);
/* A session whose page is gone may not keep the vault open: after so long it no longer counts. */
void sessions_lock_idle (Sessions *sessions, guint seconds);
/* Has any session opened the vault? */
gboolean sessions_any_unlocked (Sessions *sessions);

/* Random bytes as base64url (transfer full). */
char *session_random_text (guint bytes);
