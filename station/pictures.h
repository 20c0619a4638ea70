/* Pictures that are taken of a camera at its sensor's size: who may, kept in the record before
 * anybody sees them, sent to who asks for them (docs/protocol.md, Pictures). Main thread.
 */
#pragma once
#include "station/station.h"

typedef struct Pictures Pictures;

Pictures *pictures_new (Station *station);
/* After the room: nothing is being taken any more. */
void pictures_free (Pictures *pictures);

/* A message of a peer whose type begins with "picture.", hostile. console: who is signed in at its
 * page is a user of the station. */
void pictures_receive (Pictures *pictures, const char *label, const json_t *message);
/* What there is, and who asks for more. label NULL: to all who examine. */
void pictures_send (Pictures *pictures, const char *label);
