/* The console's half of the protocol. */
#pragma once
#include "station/request.h"

/* A parsed message of a console's page. */
void console_receive (Client *client, json_t *message);
/* Its socket is gone: the session stays, for the page that returns. */
void console_gone (Client *client);
/* Nobody has touched the page for long: signed out, the vault closed unless another session works
 * with it. Picture, sound and recording go on. */
void console_lock_idle (Client *client);

/* Groups of messages, each in a file of its own. */
void console_sign_in (Request *request);
void console_resume (Request *request);
void console_sign_out (Request *request);
void console_unlock (Request *request);
void console_lock (Request *request);
void console_active (Request *request);

void console_consultation_start (Request *request);
void console_consultation_park (Request *request);
void console_consultation_open (Request *request);
void console_consultation_conclude (Request *request);
void console_consultation_reopen (Request *request);
void console_consultation_sign (Request *request);
void console_consultation_cancel (Request *request);
void console_patient_save (Request *request);
void console_consent_save (Request *request);
void console_note_save (Request *request);

void console_record_list (Request *request);
void console_record_open (Request *request);
void console_record_waves (Request *request);
void console_check (Request *request);
