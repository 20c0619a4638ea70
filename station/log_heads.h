/* Destinations as witnesses of the log (records/witness.h): each keeps its newest head, signed by
 * the station, and is asked for it: at start, after each delivery, every six hours. A state folder
 * that was put back is so noticed by any of them.
 *
 *   FHIR    Basic/{id of the station}: code {system "urn:nhipcau:log", code "head"}, extensions
 *           "urn:nhipcau:log-head" (valueString "SIZE ROOT") and "urn:nhipcau:log-signature"
 *           (valueBase64Binary: CMS over the checkpoint's words, docs/records.md)
 *   folder  {to}/log-{id of the station}.json: {"root", "signature", "size"}
 *
 * What a destination has taken is kept as a row of kind "receipt-NAME" of the station's: {"target",
 * "size", "root", "version", "at"}; version and at as a FHIR server tells them.
 */
#pragma once
#include "certs/identity.h"
#include "records/store.h"
#include "station/config.h"

/* Kind of the rows that tell what a destination has taken (transfer full). */
char *log_heads_kind (const ConfigDeliver *to);
/* Asks for the head that is kept there, judges it (a fork is written to the log) and leaves the
 * present one. Failures are said in the log of the program alone: a witness is no delivery. TRUE:
 * the destination was asked, and has the present head. NULL identity or to: nothing is done. Waits;
 * any thread. */
gboolean log_heads_exchange (Store *store, Identity *identity, const ConfigDeliver *to,
                             const gint *stop);
