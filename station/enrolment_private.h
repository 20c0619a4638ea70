/* Between enrolment.c and enrolment_view.c. */
#pragma once
#include "station/enrolment.h"

#define ENROLMENT_CLOCK_OFF_S 86400 /* from the issuer's clock: told to people */
#define ENROLMENT_HANDLERS_MOST 4

struct Enrolment {
  Station *station;
  PeerTrust *trust;
  GPtrArray *expiries; /* Expiry* */
  gint64 at_least;     /* s, UTC: later than this for certain */
  gint64 clock_off;    /* s ahead of the hospital's; 0: not known, or right */
  PeerAnswer own;
  gboolean replaced; /* the issuer gives another certificate than the pinned one */
  char *problem;     /* of the last try to renew; NULL: none */
  guint timer, delay_s;
  gint64 try_us, lists_us, local_us; /* monotonic: not before */
  gboolean busy, again;
  struct {
    EnrolmentChanged changed;
    void *arg;
  } handlers[ENROLMENT_HANDLERS_MOST];
  guint n_handlers;
};

/* What has been signed by an issuer was not signed in the future; what this clock said while it was
 * trusted is over. */
void enrolment_learn_time (Enrolment *enrolment);
void enrolment_judge_own (Enrolment *enrolment);
