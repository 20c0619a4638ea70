/* Witnesses against a state folder that was put back (records/witness.h), as the console has them.
 * Main thread. */
#pragma once
#include "station/request.h"
#include "station/station.h"

/* "witness.check" {paper: "64 hex digits"} or {source, size, root}: answers {"known": true|false,
 * "locked": true when some records are closed}. */
void witnesses_check (Request *request);
/* "log.head" {head: what was given before, or absent} of a guest who was let in: answers {"head"},
 * the log as it is now, signed (records/witness.h), for the browser to keep. What it kept is judged
 * before; every ten seconds at most. */
void witnesses_head (Request *request);
/* Pages are told of each fork that the log has. */
void witnesses_add_problems (Station *station, json_t *list);
/* What other programs have left for this station: at start and when it is woken. */
void witnesses_take (Station *station);
