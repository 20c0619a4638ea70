/* Guests of a consultation: where they are, and what they are told. Main thread. */
#pragma once
#include "station/request.h"
#include "station/station.h"

/* Picture and sound of somebody came or went: states of the guests follow. */
void guests_media_changed (Station *station);
/* The consultation leaves the screen: its guests wait, without picture and sound. */
void guests_leave_room (Station *station, Consult *consult);
/* It comes to the screen: those admitted may start. */
void guests_enter_room (Station *station, Consult *consult);
/* The consultation is over for them: "concluded". */
void guests_dismiss_all (Station *station, Consult *consult, const char *code);
/* One guest is told and loses everything. code: removed, revoked, concluded, moved, code-differs.
 */
void guest_dismiss (Station *station, Guest *guest, const char *code);
/* An admitted guest's page is here: tells it, or lets it wait while the consultation is parked. */
void guest_welcome (Station *station, Consult *consult, Guest *guest);
/* Tells who waits how many stand before them, and whether somebody who can admit them sits there.
 */
void guest_tell_lobby (Station *station, Guest *guest, guint position);
/* Somebody came to the console, or left it: those who wait hear of it. */
void guests_follow_console (Station *station);
/* The doctor lets in who waits: binds the invitation to this browser, in the place of another, and
 * records consent and how the identity is proven. done: as of station_write(). */
void guest_let_in (Station *station, Consult *consult, Guest *guest, const char *user,
                   WriteDone done, void *arg);
/* How many stand before this one in the lobby. */
guint guest_position (Consult *consult, const Guest *guest);
/* A guest's row (transfer full). */
json_t *guest_body (const Guest *guest, const char *state);
/* An invitation's row (transfer full). */
json_t *invite_body (const Invite *invite, const char *state, guint wrong);
/* https://…/join#v1.<invite>.<secret>, or rendezvous_link() (transfer full). The one place where
 * links are made. */
char *invite_link (Station *station, const Invite *invite);

/* A random id of an invitation; one with a PIN begins with "pin-", by which the page knows that it
 * has to ask for it, whatever carries the link (transfer full). */
char *invite_new_id (gboolean with_pin);

/* The console's messages. */
void guests_invite_create (Request *request);
void guests_invite_revoke (Request *request);
void guests_admit (Request *request);
void guests_refuse (Request *request);
void guests_remove (Request *request);
