/* The state of a source, told in the GMainContext of its owner, and silenced for certain. */
#pragma once
#include "media/capture/source.h"

typedef struct Status Status;
typedef void (*StatusTell) (SourceState state, const char *reason, void *arg);

/* Tells in the thread's default context. name: for the log. tell may be NULL. */
Status *status_new (const char *name, StatusTell tell, void *arg);
void status_free (Status *status); /* silences first */

/* Any thread. Tells when it differs from the last. */
void status_set (Status *status, SourceState state, const char *reason);
SourceState status_get (Status *status);
/* Sets SOURCE_STOPPED without telling, drops what is on its way, and waits until no tell() is
 * running, unless that is the one calling. */
void status_silence (Status *status);
