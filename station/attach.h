/* Whole files that come with a consultation: kept (records/attachment.h), then known to it and to
 * its pages. Main thread. */
#pragma once
#include "records/attachment.h"
#include "station/station.h"

/* attachment NULL: it was not kept, error says why. The consultation may be gone by then. */
typedef void (*AttachDone) (Station *station, const Attachment *attachment, const GError *error,
                            void *arg);
/* consult: its id, or "station" until somebody claims it. user NULL: the station itself. What was
 * there already is not told twice. done may be NULL. */
void station_attach (Station *station, const char *consult, const char *user,
                     const AttachmentInfo *info, GBytes *content, AttachDone done, void *arg);
