/* The console's messages about how long records are kept and how they are destroyed
 * (records/retention.h, records/erasure.h); docs/protocol.md has their fields.
 *
 *   retention.list      every record that is not erased, with its term, hold and class
 *   retention.set       another class, with the reason
 *   retention.hold      holds a record, or releases it
 *   retention.erase     destroys keys after PIN or passphrase
 *   erasure.list        the certificates of destruction, newest first
 *   erasure.certificate one of them, word for word
 *
 * Work is done in threads; handlers are called on the main thread.
 */
#pragma once
#include "station/request.h"

void keeping_list (Request *request);
void keeping_set (Request *request);
void keeping_hold (Request *request);
void keeping_erase (Request *request);
void keeping_certificates (Request *request);
void keeping_certificate (Request *request);
