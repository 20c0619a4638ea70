/* What pages see: the `state` message of the console, `consultation` of the data channel. */
#pragma once
#include "station/station.h"

/* To every signed-in console, and to all data channels. */
void view_send (Station *station);
/* To one console, when it has not been told yet of what changed. */
void view_send_pending (Client *client);
/* The `state` message for one user (NULL: signed out) (transfer full). */
json_t *view_state (Station *station, const Session *session);
/* The `consultation` message of the data channel (transfer full). */
json_t *view_live (Station *station);
/* Newest observation of each vital; an empty array without a consultation (transfer full). */
json_t *view_readings (const Consult *consult);
/* The guests of a consultation, as `state` has them (transfer full). */
json_t *view_guests (Station *station, Consult *consult);
/* "end-to-end": between each page and the station; "sfu": a conference server can see and hear what
 * is said. */
const char *view_encryption (const Consult *consult);
