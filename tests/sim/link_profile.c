#include "link_profile.h"

const LinkProfile link_profiles[N_PROFILES] = {
  { "fibre",
    { .bps = 50000000, .queue_bytes = 625000, .delay_us = 10000 },
    { .bps = 50000000, .queue_bytes = 625000, .delay_us = 10000 } },
  { "mountain-4g",
    { .bps = 384000, .queue_bytes = 24000, .delay_us = 60000, .loss = 0.02 },
    { .bps = 1000000, .queue_bytes = 62500, .delay_us = 60000, .loss = 0.02 },
    3,
    { { 30, LINK_EVENT_CUT }, { 40, LINK_EVENT_RESTORE }, { 70, LINK_EVENT_ADDRESS } } },
  { "village-3g",
    { .bps = 128000, .queue_bytes = 16000, .delay_us = 150000, .loss = 0.05 },
    { .bps = 256000, .queue_bytes = 32000, .delay_us = 150000, .loss = 0.05 },
    2,
    { { 30, LINK_EVENT_CUT }, { 90, LINK_EVENT_RESTORE } } },
  { "bufferbloat",
    { .bps = 500000, .queue_bytes = 62500, .delay_us = 40000 },
    { .bps = 2000000, .queue_bytes = 250000, .delay_us = 40000 },
    2,
    { { 40, LINK_EVENT_HALF }, { 80, LINK_EVENT_WHOLE } } },
};

const LinkProfile *
link_profile_by_name (const char *name)
{
  for (guint i = 0; i < N_PROFILES; i++)
    if (g_strcmp0 (link_profiles[i].name, name) == 0)
      return &link_profiles[i];
  return NULL;
}

const char *
link_event_name (LinkEventKind kind)
{
  static const char *const names[] = {
    [LINK_EVENT_CUT] = "cut",   [LINK_EVENT_RESTORE] = "restore", [LINK_EVENT_ADDRESS] = "address",
    [LINK_EVENT_HALF] = "half", [LINK_EVENT_WHOLE] = "whole",
  };
  return names[kind];
}
