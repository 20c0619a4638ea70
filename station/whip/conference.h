/* A large case conference: the consultation on screen, published once to an existing conference
 * server (SFU), and read back from it ([conference] of station.conf). Main thread.
 *
 * From its begin to its end media is no longer encrypted end to end: the server sees and hears it.
 * The record has the events `sfu-begun` (durable before anything is sent) and `sfu-ended`; every
 * page says it meanwhile. It ends by the doctor, when the consultation leaves the screen or is no
 * longer live, and when the server cannot be kept; a restart of the station ends it too.
 */
#pragma once
#include "station/request.h"
#include "station/station.h"

/* The consultations have been restored: what a restart cut off is ended in the record. */
Conference *conference_new (Station *station);
/* Sessions are deleted at the server: requests under way count in station->pending. */
void conference_free (Conference *conference);
/* The consultation on screen, or its state, may have changed. NULL is ignored. */
void conference_follow (Conference *conference);
/* {configured, reads, operator, state, reading, problem, reading_problem} (transfer full) */
json_t *conference_view (Conference *conference);
/* Who operates the server while something goes through it; NULL: nothing does. */
const char *conference_operator (Conference *conference);

/* "conference.start" with confirmed: true, "conference.stop", "conference.seen" (what went wrong is
 * read). */
void conference_start (Request *request);
void conference_stop (Request *request);
void conference_seen (Request *request);
