#include "station/enrolment_private.h"
#include "certs/est.h"
#include "station/certify.h"
#include "station/expiry.h"
#include "station/opening.h"

#define LOOK_S 60             /* what is due is looked at so often */
#define LISTS_S (6 * 60 * 60) /* a list is fetched again so often, or at a quarter of its life */
#define RETRY_FIRST_S 60
#define RETRY_LAST_S 3600

/* ---- What is
 * ------------------------------------------------------------------------------------ */

static void
look (Enrolment *enrolment)
{
  Station *station = enrolment->station;
  enrolment_learn_time (enrolment);
  enrolment_judge_own (enrolment);
  g_clear_pointer (&enrolment->expiries, g_ptr_array_unref);
  enrolment->expiries = expiry_collect (station->config, station->vault, enrolment->trust);
  station_changed (station);
}

static void
reload (Enrolment *enrolment)
{
  g_autoptr (GError) error = NULL;
  gboolean changed = FALSE;
  Station *station = enrolment->station;
  issuers_reload_lists (station->config, enrolment->trust);
  if (station->identity != NULL && !identity_reload (station->identity, &changed, &error))
    g_warning ("enrolment: %s", error->message);
  if (changed) {
    g_message ("enrolment: sessions from now on get the new certificate");
    if (!opening_register_files (station->store, station->config, &error))
      g_warning ("enrolment: %s", error->message);
    for (guint i = 0; i < enrolment->n_handlers; i++)
      enrolment->handlers[i].changed (enrolment->handlers[i].arg);
  }
  look (enrolment);
}

/* ---- Worker
 * ------------------------------------------------------------------------------------- */

typedef struct {
  const Config *config;
  PeerTrust *trust;
  Identity *identity;
  PeerTime time;
  const ConfigIssuer *renew_from; /* NULL: nothing is due */
  const ConfigIssuer *ask;        /* with the lists; NULL: it has no server */
  gboolean replaced;              /* its server gives another certificate than the pinned one */
  gboolean local, lists;
  GBytes *secret; /* opens the local authority's key */
  gint64 date;
  char *renew_problem, *list_problem;
} Round;

static void
round_free (void *data)
{
  Round *round = data;
  peer_trust_unref (round->trust);
  g_clear_pointer (&round->secret, g_bytes_unref);
  g_free (round->renew_problem);
  g_free (round->list_problem);
  g_free (round);
}

static void
fetch_lists (Round *round)
{
  for (guint i = 0; i < round->config->issuers->len; i++) {
    g_autoptr (GError) error = NULL;
    const ConfigIssuer *issuer = round->config->issuers->pdata[i];
    if (certify_fetch_list (round->config, round->trust, issuer, &error))
      continue;
    g_free (round->list_problem);
    round->list_problem = g_strdup (error->message);
  }
}

static void
ask_hour (Round *round)
{
  g_autoptr (GError) error = NULL;
  gboolean pinned = FALSE;
  if (!certify_ask (round->ask, round->trust, &round->date, &pinned, &error)) {
    g_info ("enrolment: %s", error->message);
    return;
  }
  round->replaced = !pinned;
  gint64 off = round->date != 0 ? g_get_real_time () / G_USEC_PER_SEC - round->date : 0;
  round->time.trusted = round->time.trusted && ABS (off) < ENROLMENT_CLOCK_OFF_S;
}

static void
renew_local (Round *round)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = config_certificate_names (round->config);
  IdentityPlace place = opening_identity_place (round->config, round->secret);
  if (!identity_renew_local (&place, (const char *const *)names, NULL, &error))
    g_warning ("enrolment: %s", error->message);
}

static void
round_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Round *round = data;
  g_autoptr (GError) error = NULL;
  if (round->local)
    renew_local (round);
  if (round->lists)
    fetch_lists (round);
  if (round->lists && round->ask != NULL)
    ask_hour (round);
  if (round->renew_from != NULL
      && !certify_renew (round->config, round->trust, round->renew_from, round->identity,
                         round->time, &round->date, &error))
    round->renew_problem = g_strdup (error->message);
  g_task_return_boolean (task, TRUE);
}

/* ---- Rounds
 * ------------------------------------------------------------------------------------- */

static void
take_date (Enrolment *enrolment, gint64 date)
{
  if (date == 0)
    return;
  gint64 off = g_get_real_time () / G_USEC_PER_SEC - date;
  enrolment->clock_off = ABS (off) >= ENROLMENT_CLOCK_OFF_S ? off : 0;
  enrolment->at_least = MAX (enrolment->at_least, date);
}

static gint64
in_seconds (gint64 seconds)
{
  return g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
}

/* When lists are to be fetched again: well before the first is out of date. */
static gint64
lists_again_in (Enrolment *enrolment)
{
  const Config *config = enrolment->station->config;
  gint64 wait = LISTS_S, made, until;
  for (guint i = 0; i < config->issuers->len; i++)
    if (peer_trust_crl_times (enrolment->trust, ((ConfigIssuer *)config->issuers->pdata[i])->name,
                              &made, &until))
      wait = MIN (wait, (until - made) / 4);
  return MAX (wait, RETRY_FIRST_S);
}

static void
round_done (GObject *object, GAsyncResult *result, void *data)
{
  Enrolment *enrolment = data;
  Round *round = g_task_get_task_data (G_TASK (result));
  enrolment->station->pending--;
  enrolment->busy = FALSE;
  if (enrolment->station->stopping)
    return;
  take_date (enrolment, round->date);
  gboolean failed = round->renew_problem != NULL || round->list_problem != NULL;
  if (failed)
    g_message ("enrolment: %s; the next try is in %u s",
               round->renew_problem != NULL ? round->renew_problem : round->list_problem,
               enrolment->delay_s);
  if (round->renew_from != NULL) {
    g_free (enrolment->problem);
    enrolment->problem = g_steal_pointer (&round->renew_problem);
    enrolment->try_us = enrolment->problem != NULL ? in_seconds (enrolment->delay_s) : 0;
  }
  if (round->lists && round->ask != NULL)
    enrolment->replaced = round->replaced;
  if (round->lists)
    enrolment->lists_us = in_seconds (round->list_problem != NULL ? enrolment->delay_s
                                                                  : lists_again_in (enrolment));
  enrolment->delay_s = failed ? MIN (2 * enrolment->delay_s, RETRY_LAST_S) : RETRY_FIRST_S;
  reload (enrolment);
  if (enrolment->again)
    enrolment_wake (enrolment);
}

static const ConfigIssuer *
own_issuer (Enrolment *enrolment, X509 *leaf)
{
  const ConfigIssuer *own = issuers_own (enrolment->station->config, enrolment->trust, leaf);
  return own != NULL && own->est != NULL ? own : NULL;
}

/* The issuer to ask, when the station's certificate is due; NULL: it is not, or nobody can be. */
static const ConfigIssuer *
renewal (Enrolment *enrolment)
{
  Station *station = enrolment->station;
  STACK_OF (X509) *chain = station->identity != NULL ? identity_chain (station->identity) : NULL;
  X509 *leaf = chain != NULL ? sk_X509_value (chain, 0) : NULL;
  const ConfigIssuer *own = station->identity != NULL ? own_issuer (enrolment, leaf) : NULL;
  gint64 now = g_get_real_time () / G_USEC_PER_SEC - enrolment->clock_off;
  gboolean due = own != NULL && (leaf == NULL ? own->est_user != NULL : est_is_due (leaf, now));
  sk_X509_pop_free (chain, X509_free);
  return due ? own : NULL;
}

static const ConfigIssuer *
asked_issuer (Enrolment *enrolment)
{
  Identity *identity = enrolment->station->identity;
  STACK_OF (X509) *chain = identity != NULL ? identity_chain (identity) : NULL;
  const ConfigIssuer *own = own_issuer (enrolment, chain != NULL ? sk_X509_value (chain, 0) : NULL);
  sk_X509_pop_free (chain, X509_free);
  return own;
}

static gboolean
local_is_due (Enrolment *enrolment)
{
  Station *station = enrolment->station;
  return station->identity != NULL && station->config->certificate == NULL
         && est_is_due (identity_certificate (station->identity),
                        g_get_real_time () / G_USEC_PER_SEC);
}

static void
start_round (Enrolment *enrolment)
{
  Station *station = enrolment->station;
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  Round *round = g_new0 (Round, 1);
  round->config = station->config;
  round->trust = peer_trust_ref (enrolment->trust);
  round->identity = station->identity;
  round->time = enrolment_time (enrolment);
  round->renew_from = now >= enrolment->try_us ? renewal (enrolment) : NULL;
  round->lists = station->config->issuers->len > 0 && now >= enrolment->lists_us;
  round->ask = asked_issuer (enrolment);
  if (now >= enrolment->local_us && local_is_due (enrolment)) {
    enrolment->local_us = in_seconds (RETRY_LAST_S);
    round->secret = cli_identity_secret (station->vault, &error);
  }
  round->local = round->secret != NULL;
  if (round->renew_from == NULL && !round->lists && !round->local) {
    round_free (round);
    return;
  }
  enrolment->busy = TRUE;
  enrolment->again = FALSE;
  station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, round_done, enrolment);
  g_task_set_task_data (task, round, round_free);
  g_task_run_in_thread (task, round_thread);
}

static gboolean
timer_due (void *data)
{
  Enrolment *enrolment = data;
  if (!enrolment->busy) {
    look (enrolment);
    start_round (enrolment);
  }
  return G_SOURCE_CONTINUE;
}

void
enrolment_wake (Enrolment *enrolment)
{
  if (enrolment->busy) {
    enrolment->again = TRUE;
    return;
  }
  enrolment->try_us = enrolment->lists_us = 0;
  reload (enrolment);
  start_round (enrolment);
}

/* ---- Life
 * -------------------------------------------------------------------------------------- */

void
enrolment_on_change (Enrolment *enrolment, EnrolmentChanged changed, void *arg)
{
  g_return_if_fail (enrolment->n_handlers < ENROLMENT_HANDLERS_MOST);
  enrolment->handlers[enrolment->n_handlers].changed = changed;
  enrolment->handlers[enrolment->n_handlers++].arg = arg;
}

Enrolment *
enrolment_new (Station *station, GError **error)
{
  PeerTrust *trust = issuers_trust (station->config, error);
  if (trust == NULL)
    return NULL;
  Enrolment *enrolment = g_new0 (Enrolment, 1);
  enrolment->station = station;
  enrolment->trust = trust;
  enrolment->delay_s = RETRY_FIRST_S;
  enrolment->timer = g_timeout_add_seconds (LOOK_S, timer_due, enrolment);
  look (enrolment);
  start_round (enrolment);
  return enrolment;
}

void
enrolment_free (Enrolment *enrolment)
{
  if (enrolment == NULL)
    return;
  g_clear_handle_id (&enrolment->timer, g_source_remove);
  peer_trust_unref (enrolment->trust);
  g_clear_pointer (&enrolment->expiries, g_ptr_array_unref);
  g_free (enrolment->problem);
  g_free (enrolment);
}
