/* One of the two ways of a conference: what is published, or what is read back. It is begun again
 * when it was there and got lost. Main thread. */
#pragma once
#include "station/room.h"
#include "station/whip/whip_client.h"

typedef struct ConferenceLeg ConferenceLeg;

typedef enum { LEG_STARTING, LEG_LIVE, LEG_LOST } LegState;

typedef struct {
  void (*changed) (ConferenceLeg *leg, void *arg);
  /* It could not be begun, or not again. */
  void (*failed) (ConferenceLeg *leg, const WhipWords *why, void *arg);
} LegEvents;

/* way: PUBLISH or READ. name: of the others, for people. The events' struct is kept. */
ConferenceLeg *conference_leg_new (Station *station, HubWay way, const char *name,
                                   const LegEvents *events, void *arg);
/* Ends it at the server too. Not from `failed`. */
void conference_leg_free (ConferenceLeg *leg);
LegState conference_leg_state (const ConferenceLeg *leg);
