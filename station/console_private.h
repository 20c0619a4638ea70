/* Between the files of the console's protocol. */
#pragma once
#include "station/console.h"
#include "station/session.h"
#include "station/users.h"

/* Answers a PIN that did not do. */
void console_refuse_pin (Request *request, PinVerdict verdict, guint tries_left, guint seconds);

/* Somebody has proven who he is: a session for him on this page, and the answer {session, user,
 * opened}. With way and secret, which then open the vault (vault_way.h), opened is "key"; with
 * joins a vault that is open already becomes his, too, where he has a passphrase, and opened is
 * "joined"; else it is "no". Users who see no patients open nothing. secret: (transfer none). */
typedef struct {
  const char *user, *way;
  GBytes *secret;
  gboolean joins;
} ConsoleEntry;
void console_enter (Request *request, const ConsoleEntry *entry);
/* The same for who is signed in already: done comes with what was opened, in the main thread; error
 * NULL: VK is open, and the session has opened it. */
typedef void (*ConsoleOpened) (Request *request, const GError *error, void *arg);
void console_open_by (Request *request, const char *user, const char *way, GBytes *secret,
                      ConsoleOpened done, void *arg);

/* The user of this session has the vault open. */
void console_session_opened (Station *station, Session *session);

/* Goes on with `proven`, now or later, once the request's user has shown that it is him: by the
 * passphrase where he has one and it was given, else by the PIN. Whatever fails is answered;
 * wanted: what is wrong when neither was given. pin, passphrase: may be NULL; of the message. */
typedef void (*ConsoleProven) (Request *request);
void console_prove (Request *request, const char *pin, const char *passphrase, const char *wanted,
                    ConsoleProven proven);

/* What is on screen is parked, since another takes its place; there has to be one. */
void console_park_screen (Station *station, const char *user);

/* Checks a patient object of a message and drops what is empty in it; FALSE when it has been
 * refused, the field named. */
gboolean console_patient_is_good (Request *request, json_t *patient);
