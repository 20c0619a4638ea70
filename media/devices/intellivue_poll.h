/* What a Philips IntelliVue monitor answers to polls (Data Export Interface, "Poll Profile"):
 * numerics and waves of its objects, alarms that stand, the patient it was told of. Sans-IO. */
#pragma once
#include "media/devices/intellivue_alarm.h"
#include "media/devices/intellivue_bytes.h"
#include "media/devices/intellivue_wave.h"
#include "media/devices/line_device.h"

typedef struct IvPoll IvPoll;

/* output outlives it. */
IvPoll *iv_poll_new (const LineOutput *output);
void iv_poll_free (IvPoll *poll);
/* PollMdibDataReply, or PollMdibDataReplyExt when extended: readings and wave blocks go to the
 * sink. Numerics come once a second at most; one with a time stamp of its own (NIBP) when it is a
 * new one. What does not parse is left out. */
void iv_poll_take (IvPoll *poll, IvReader *reply, gboolean extended, LineTime now);
/* The monitor has said whose values these are, be it nobody's. */
gboolean iv_poll_knows_patient (const IvPoll *poll);
/* The association ended: waves begin new epochs, the patient has to be asked for again. */
void iv_poll_lost (IvPoll *poll);
