#include "media/congestion/arrival_group.h"

enum {
  BURST_US = 5000,       /* draft-ietf-rmcat-gcc-02 5.2: burst_time */
  BURST_MAX_US = 100000, /* of arrivals: a link that is slow all the time is no burst */
  TRAIN_HEAD = 4,        /* packets that a token bucket may let through at once */
};

static void
begin (ArrivalGroup *group, const TwccResult *result)
{
  *group = (ArrivalGroup){ .sent_us = result->sent_us,
                           .last_sent_us = result->sent_us,
                           .arrived_us = result->arrived_us,
                           .last_arrived_us = result->arrived_us,
                           .delay_us = result->arrived_us - result->sent_us,
                           .packets = 1,
                           .bytes = result->size };
}

/* The channel held packets back and now delivers them: they come closer together than they left. */
static gboolean
in_burst (const ArrivalGroup *group, const TwccResult *result)
{
  gint64 between = result->arrived_us - group->last_arrived_us;
  gint64 change = between - (result->sent_us - group->last_sent_us);
  return between <= BURST_US && change < 0 && result->arrived_us - group->arrived_us < BURST_MAX_US;
}

static void
add (ArrivalGroup *group, const TwccResult *result)
{
  group->last_sent_us = MAX (group->last_sent_us, result->sent_us);
  group->last_arrived_us = MAX (group->last_arrived_us, result->arrived_us);
  group->delay_us = MIN (group->delay_us, result->arrived_us - result->sent_us);
  group->packets++;
  group->bytes += result->size;
  if (group->packets == TRAIN_HEAD)
    group->tail_from_us = result->arrived_us;
  else if (group->packets > TRAIN_HEAD)
    group->tail_bytes += result->size;
}

gboolean
arrival_groups_add (ArrivalGroups *groups, const TwccResult *result, ArrivalGroup *ret_done)
{
  ArrivalGroup *open = &groups->open;
  if (open->packets == 0) {
    begin (open, result);
    return FALSE;
  }
  if (result->sent_us < open->sent_us)
    return FALSE;
  if (result->sent_us - open->sent_us <= BURST_US || in_burst (open, result)) {
    add (open, result);
    return FALSE;
  }
  *ret_done = *open;
  begin (open, result);
  return TRUE;
}
