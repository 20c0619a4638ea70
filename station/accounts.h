/* Accounts of specialists on the station itself, for hospitals without a provider: who they are,
 * and passkeys or a password with a code by which they prove it.
 *
 * An account is a sealed row of the station's (kind "account", versions; the newest counts):
 *
 *   {account, name, facility, disabled, password: hash or absent, totp: base32 or absent,
 * totp_step, passkeys: [{id, algorithm, key, count, label, at}], enrol: {hash, until_us} or absent}
 *
 * enrol is a link that was given out, by its SHA-256: with it a person sets up their own secrets,
 * once. Main thread.
 */
#pragma once
#include "certs/passkey.h"
#include "station/request.h"
#include "station/tries.h"

#define ACCOUNTS_MOST 500
#define ACCOUNTS_PASSKEYS_MOST 10
#define ACCOUNTS_LINK_LASTS_US (72 * G_TIME_SPAN_HOUR)

typedef struct Accounts Accounts;

Accounts *accounts_load (Store *store, GError **error);
void accounts_free (Accounts *accounts);
/* Writes and checks under way. */
guint accounts_pending (const Accounts *accounts);
/* Wrong passwords, counted. */
Tries *accounts_tries (Accounts *accounts);

/* NULL: there is none (transfer none, till the next version). */
json_t *accounts_find (const Accounts *accounts, const char *id);
/* The one with this passkey; ret_passkey its object in it (transfer none). */
json_t *accounts_find_passkey (const Accounts *accounts, const char *passkey, json_t **ret_passkey);
/* At a broker a link opens the box accounts_link_box() of its secret's SHA-256 (hex; transfer
 * full); what a tunnel's keys are made of there is that hash. NULL: no link that still holds has
 * this box (transfer none). */
char *accounts_link_box (const char *hash);
const char *accounts_link_of_box (const Accounts *accounts, const char *box);
/* Is there one that could sign in? */
gboolean accounts_any (const Accounts *accounts);
guint accounts_count (const Accounts *accounts);

/* A new version (transfer full); done comes when it is durable and counts, or not (error). */
void accounts_put (Accounts *accounts, json_t *body, const char *by, StoreDone done, void *arg);
/* What is offered to who opens a link, till it is opened again: challenge and code secret. */
typedef struct {
  char *challenge, *totp;
} AccountOffer;
const AccountOffer *accounts_offer (Accounts *accounts, const char *id, gboolean fresh);

/* For the console, without secrets (transfer full). */
json_t *accounts_json (const Accounts *accounts);

/* To which host passkeys of this page belong: the one of its pages, which are the station's own or,
 * through a broker, the hospital's. Owned by the station's configuration. */
const char *accounts_rp (const Client *client);
/* A passkey's answer is for these pages, and about this challenge. Owned by station. */
PasskeyExpected accounts_expected (const Client *client, const char *challenge);

/* The console's messages (accounts_console.c). */
void accounts_list (Request *request);
void accounts_save (Request *request);
void accounts_enrol (Request *request);
void accounts_disable (Request *request);
void accounts_forget (Request *request);

/* A join page's messages, of who opens such a link (enrol.c). */
void enrol_begin (Request *request);
void enrol_passkey (Request *request);
void enrol_password (Request *request);
