/* Secrets that people type, checked slowly and counted.
 *
 * A check runs in a worker thread (scrypt). Each try is counted on disk before it is checked, so
 * that a restart gives nobody a fresh start: five wrong ones lock the name out for 30 s, doubling
 * with every further one up to an hour. Main thread.
 */
#pragma once
#include "records/store.h"

typedef struct Tries Tries;

/* kind: of the station's rows that keep the counts. */
Tries *tries_load (Store *store, const char *kind, GError **error);
void tries_free (Tries *tries); /* no check is under way any more */

typedef enum { PIN_GOOD, PIN_WRONG, PIN_LOCKED_OUT, PIN_BUSY, PIN_FAILED, PIN_UNABLE } PinVerdict;
/* tries_left of PIN_WRONG, seconds of PIN_LOCKED_OUT. */
typedef void (*PinDone) (PinVerdict verdict, guint tries_left, guint seconds, void *arg);
/* A second secret beside the first (a code that changes); called in the main thread, once the first
 * is right. FALSE counts as a wrong one. */
typedef gboolean (*TriesAlso) (void *arg);

/* hash: of vault_hash_pin(); NULL: there is no such name (PIN_FAILED). also may be NULL. done comes
 * once, never before this returns; tries must outlive it. */
void tries_check (Tries *tries, const char *name, const char *hash, const char *secret,
                  TriesAlso also, PinDone done, void *arg);
/* The same with another judge than scrypt. TRIES_UNABLE: it could not be judged (what judges does
 * not answer), which counts as no try: PIN_UNABLE. judge runs in a worker thread; arg is also
 * done's. */
typedef enum { TRIES_WRONG, TRIES_RIGHT, TRIES_UNABLE } TriesResult;
typedef TriesResult (*TriesJudge) (const char *secret, void *arg);
void tries_check_by (Tries *tries, const char *name, TriesJudge judge, const char *secret,
                     PinDone done, void *arg);
/* Forgets wrong ones: the administrator has spoken with the person. */
void tries_forget (Tries *tries, const char *name);
/* Checks under way. */
guint tries_pending (const Tries *tries);
