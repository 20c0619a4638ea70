/* What the users of the console may do: each message of docs/protocol.md names the roles that may
 * send it (console.c), and the station asks at every one. A page only shows less; it decides
 * nothing.
 *
 *   doctor         everything that is about patients
 *   helper         (nurse, secretary, helper) captures, enters readings, drafts and prepares;
 * concludes nothing, prescribes nothing, signs for no doctor administrator  settings, accounts,
 * devices; nothing of patients
 */
#pragma once
#include "station/request.h"

typedef enum {
  ROLE_DOCTOR = 1 << 0,
  ROLE_HELPER = 1 << 1,
  ROLE_ADMINISTRATOR = 1 << 2,
  ROLE_CLINIC = ROLE_DOCTOR | ROLE_HELPER,       /* who sees patients */
  ROLE_STAFF = ROLE_DOCTOR | ROLE_ADMINISTRATOR, /* who lets others in */
  ROLE_ANY = ROLE_CLINIC | ROLE_ADMINISTRATOR,
} Roles;

/* Of a user's id; 0: nobody, who may nothing. */
Roles roles_of (Station *station, const char *user);
/* May the request's user do this? Else the request has been refused, with `roles` that may. */
gboolean roles_allow (Request *request, Roles allowed);
/* May this author ("guest:…" or a user's id) write a note of this kind? What concludes and decides
 * at the station is a doctor's. */
gboolean roles_may_write (Station *station, const char *author, const json_t *note);
/* The same, refused if not. */
gboolean roles_allow_note (Request *request);
