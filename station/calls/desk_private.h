/* Between the files of the desk. */
#pragma once
#include "station/calls/desk.h"

/* Signing in (desk_session.c); with a proof of who somebody is (desk_identity.c). */
void desk_sign_in (Request *request);
void desk_sign_in_proven (Request *request);
/* A session for them, and its token to the page. user: DESK_USER_PREFIX and the person's id; about
 * (transfer none) as desk_about(), or NULL. */
void desk_begin_session (Request *request, const char *user, json_t *about);
/* Whose session about came from (transfer full); NULL: they may not sign in any more. id: of the
 * person. */
CallPerson *desk_proven_person (const Station *station, const char *id, const json_t *about);
void desk_resume (Request *request);
void desk_sign_out (Request *request);
/* This page is accepting a call: what it sends to come in is held until that is durable, so that it
 * need not wait for the answer (desk.c). good: then it is let in; else what was held is refused. */
void desk_accepting (Client *client);
void desk_accepted (Client *client, gboolean good);
/* desk_calls.c */
void desk_call_accept (Request *request);
void desk_call_decline (Request *request);
void desk_call_hand_over (Request *request);
void desk_call_end (Request *request);
void desk_case_answer (Request *request);
/* Bytes of a file of a case (desk_case.c). */
void desk_case_want (Request *request);
/* The token of the session by which somebody signed in here, and its proof or NULL (transfer none);
 * token NULL: another carrier said who it is. */
void desk_keep_session (Desk *desk, const char *token, json_t *about);
const char *desk_token (const Desk *desk);
