/* Between deliveries.c and deliveries_view.c. */
#pragma once
#include "records/outbox.h"
#include "station/deliveries.h"
#include "station/delivery_job.h"

struct Deliveries {
  Station *station;
  GHashTable *due;  /* uuid → gint64* µs of CLOCK_MONOTONIC: not before */
  GHashTable *held; /* consultation → gint64* µs of CLOCK_MONOTONIC: its key is held since */
  guint timer;
  gboolean sending, asked;
  const DeliveryJob *job; /* under way; NULL: none, or witnesses are asked */
  gint64 heads_us;        /* CLOCK_MONOTONIC: when witnesses are asked next */
  gint stop;              /* atomic */
};

/* Small and urgent before large: 0 a record, 1 files, 2 a recording. */
guint deliveries_rank (const OutboxItem *item);
/* A guest of the consultation on screen is there. */
gboolean deliveries_is_call (const Station *station);
