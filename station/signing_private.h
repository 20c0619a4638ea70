/* Between signing.c and signing_add.c. */
#pragma once
#include "station/signing.h"
#include "station/station.h"

#include <gio/gio.h>

/* What was refused, in both languages: an error whose message is vi, a line feed, en. */
#define SIGNING_REFUSED (signing_refused_quark ())
GQuark signing_refused_quark (void);
void signing_refuse (GError **error, const char *vi, const char *en);

typedef struct {
  Station *station;
  char *consult, *user;
  json_t *message; /* of the page */
  gboolean unlocked;
  json_t *result;
} SigningJob;

/* Work for a record that is signed and may be read by the request's user. */
void signing_start (Request *request, GTaskThreadFunc work);
/* FALSE with error unless the record is signed and open to the job's user. */
gboolean signing_may (const SigningJob *job, GError **error);
