/* Between case_view.c and case_people.c: a view while rows are taken into it. */
#pragma once
#include "station/case_view.h"
#include "station/users.h"

typedef struct {
  json_t *view;
  json_t *latest;            /* {vital: observation} */
  json_t *open;              /* {what: index of the outage that has not ended} */
  Users *users;              /* NULL: the station's rows do not open */
  gint64 began_us, ended_us; /* 0: not */
} Building;

/* What people call who wrote a row; "" for the station itself. */
const char *case_name_of (const Building *building, const char *user);

void case_take_guest (Building *building, const StoreRow *row);
void case_take_event (Building *building, const StoreRow *row);
void case_take_recording (Building *building, const StoreRow *row);
/* The doctor before the others; who had not left, left at the end (NULL: goes on). */
void case_finish_people (Building *building, const char *ended);
/* All texts: NFC, without controls and marks of direction. */
void case_clean_all (json_t *view);
