/* The work of one message in a thread, where it may wait for the disk; its answer on the main loop.
 */
#pragma once
#include "station/request.h"
#include "station/station.h"

typedef struct {
  Station *station;
  const json_t *message;
  const char *user;  /* who acts */
  gboolean unlocked; /* this user has opened the vault */
  json_t *result;    /* fields of the answer, by the work (transfer full); NULL: none */
} RequestJob;

/* In the thread. FALSE with error: the message is refused. */
typedef gboolean (*RequestWork) (RequestJob *job, GError **error);
/* Answers what went wrong, on the main loop. */
typedef void (*RequestRefuse) (Request *request, const GError *error);

/* refuse NULL: request_failed(). Main thread. */
void request_work (Request *request, RequestWork work, RequestRefuse refuse);
/* A text of the message; NULL: it has none. */
const char *request_job_text (const RequestJob *job, const char *field);
