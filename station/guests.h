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
/* One guest is told and loses everything. code: removed, revoked, concluded. */
void guest_dismiss (Station *station, Guest *guest, const char *code);
/* An admitted guest's page is here: tells it, or lets it wait while the consultation is parked. */
void guest_welcome (Station *station, Consult *consult, Guest *guest);
/* How many stand before this one in the lobby. */
guint guest_position (Consult *consult, const Guest *guest);
/* A guest's row (transfer full). */
json_t *guest_body (const Guest *guest, const char *state);
/* An invitation's row (transfer full). */
json_t *invite_body (const Invite *invite, const char *state, guint wrong);
/* https://…/join#v1.<invite>.<secret> (transfer full) */
char *invite_link (Station *station, const Invite *invite);

/* The console's messages. */
void guests_invite_create (Request *request);
void guests_invite_revoke (Request *request);
void guests_admit (Request *request);
void guests_refuse (Request *request);
void guests_remove (Request *request);
