/* Between the files of the console's protocol. */
#pragma once
#include "station/console.h"
#include "station/session.h"
#include "station/users.h"

/* Answers a PIN that did not do. */
void console_refuse_pin (Request *request, PinVerdict verdict, guint tries_left, guint seconds);

/* Tries the passphrase of the request's user in a worker thread. open: VK is open now. */
typedef void (*ConsoleUnlocked) (Request *request, gboolean open, const GError *error);
void console_try_passphrase (Request *request, const char *passphrase, ConsoleUnlocked done);
/* The vault was opened only to prove a passphrase: closes it unless somebody works with it. */
void console_vault_used (Request *request);

/* Checks a patient object of a message and drops what is empty in it; FALSE when it has been
 * refused, the field named. */
gboolean console_patient_is_good (Request *request, json_t *patient);
