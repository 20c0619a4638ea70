/* Figures for Prometheus, text format 0.0.4, in base units. Nothing of a patient or a person is in
 * it: peers are "console1" and "guest2", by their place. Main thread. */
#pragma once
#include "station/crowd.h"
#include "station/station.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* web: of the web server; NULL: there is none (transfer full). */
char *metrics_text (Station *station, const CrowdFigures *web);
/* Is this the value of an Authorization header that may read them? In constant time. FALSE when no
 * token is configured. */
gboolean metrics_allowed (const Config *config, const char *authorization);
