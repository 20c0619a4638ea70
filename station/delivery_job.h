/* One item of the outbox, read from the record and delivered to its destination, in a thread that
 * may wait. */
#pragma once
#include "certs/identity.h"
#include "records/outbox.h"
#include "station/config.h"

typedef struct {
  Store *store;
  Identity *identity; /* NULL: no witness is met */
  const Config *config;
  OutboxItem *item;
  gint *stop; /* atomic: 1 ends it */
  /* Atomic: KiB of a package that are there, and of all of it; 0: no package. */
  gint done_kib, total_kib;
  gboolean delivered; /* or withdrawn: nothing more is to be done */
  gboolean waits;     /* for a sign-in, a signature, the end of a call: no try that failed */
  char sha256[65];
} DeliveryJob;

/* Does it, and tells the outbox what came of it. */
void delivery_job_run (DeliveryJob *job);
/* Of station.conf; NULL: it is there no more. */
const ConfigDeliver *deliveries_destination (const Config *config, const char *name);
