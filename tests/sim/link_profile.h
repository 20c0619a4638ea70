/* The links that the domain knows: fibre, a mountain's 4G, a village's 3G, an overfull buffer. One
 * table for virtual time (virtual_call.h) and for real packets (link.c).
 */
#pragma once
#include "virtual_link.h"

typedef enum {
  LINK_EVENT_CUT,
  LINK_EVENT_RESTORE,
  LINK_EVENT_ADDRESS, /* the clinic's changes */
  LINK_EVENT_HALF,    /* of both capacities */
  LINK_EVENT_WHOLE,
} LinkEventKind;

typedef struct {
  guint at_s; /* of two minutes */
  LinkEventKind kind;
} LinkEvent;

/* up: from the station to the world. Delay and loss are those of each way. */
typedef struct {
  const char *name;
  VirtualLinkConfig up, down;
  guint n_events;
  LinkEvent events[4];
} LinkProfile;

enum { PROFILE_FIBRE, PROFILE_MOUNTAIN_4G, PROFILE_VILLAGE_3G, PROFILE_BUFFERBLOAT, N_PROFILES };
extern const LinkProfile link_profiles[N_PROFILES];

/* NULL: none has that name. */
const LinkProfile *link_profile_by_name (const char *name);
/* "cut", "restore", "address", "half", "whole" */
const char *link_event_name (LinkEventKind kind);
