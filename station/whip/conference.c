#include "station/whip/conference.h"
#include "station/whip/conference_leg.h"

#include <string.h>

struct Conference {
  Station *station;
  char *consult;     /* that goes through the server, or is about to; NULL: none */
  gboolean starting; /* the event is being written */
  ConferenceLeg *publish, *read;
  const WhipWords *problem, *reading_problem; /* NULL: none */
  guint cleaning;
};

static const ConfigConference *
config_of (const Conference *self)
{
  return &self->station->config->conference;
}

static const char *
operator_of (const Conference *self)
{
  const char *name = config_of (self)->operator_name;
  return name != NULL ? name : "";
}

/* ---- Begin and end ----------------------------------------------------------------------------
 */

static void
end (Conference *self, const char *user, const char *why)
{
  if (self->consult == NULL)
    return;
  g_autofree char *consult = g_steal_pointer (&self->consult);
  gboolean told = !self->starting; /* else what writes the begin writes the end */
  self->starting = FALSE;
  g_clear_pointer (&self->publish, conference_leg_free);
  g_clear_pointer (&self->read, conference_leg_free);
  if (told)
    station_event (self->station, consult, user, "sfu-ended", why);
  station_changed (self->station);
}

static void begin_reading (Conference *self);

static void
on_changed (ConferenceLeg *leg, void *arg)
{
  Conference *self = arg;
  if (leg == self->publish && conference_leg_state (leg) == LEG_LIVE)
    begin_reading (self);
  station_changed (self->station);
}

/* A leg is not freed from within its own event. */
static gboolean
clean (gpointer data)
{
  Conference *self = data;
  self->cleaning = 0;
  if (self->problem != NULL && self->publish != NULL)
    end (self, "station", self->problem->code);
  else if (self->reading_problem != NULL)
    g_clear_pointer (&self->read, conference_leg_free);
  station_changed (self->station);
  return G_SOURCE_REMOVE;
}

static void
on_failed (ConferenceLeg *leg, const WhipWords *why, void *arg)
{
  Conference *self = arg;
  if (leg == self->read)
    self->reading_problem = why;
  else
    self->problem = why;
  if (self->cleaning == 0)
    self->cleaning = g_idle_add (clean, self);
}

static const LegEvents leg_events = { .changed = on_changed, .failed = on_failed };

static gboolean
may_go_on (const Conference *self)
{
  const Consult *screen = self->station->screen;
  return screen != NULL && g_strcmp0 (screen->id, self->consult) == 0
         && (screen->state == CONSULT_LIVE || screen->state == CONSULT_INTERRUPTED);
}

/* Once it publishes: a server that has nobody has nothing to read. */
static void
begin_reading (Conference *self)
{
  if (config_of (self)->read.url != NULL && self->read == NULL && self->reading_problem == NULL)
    self->read
        = conference_leg_new (self->station, HUB_WAY_READ, operator_of (self), &leg_events, self);
}

/* The record says so before anything goes to the server. */
static void
begun (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  Conference *self = station->conference;
  gboolean wanted = self != NULL && self->starting && consult != NULL
                    && g_strcmp0 (self->consult, consult->id) == 0;
  if (error == NULL && wanted && may_go_on (self)) {
    self->starting = FALSE;
    self->publish
        = conference_leg_new (station, HUB_WAY_PUBLISH, operator_of (self), &leg_events, self);
    request_ok (request, NULL);
    return;
  }
  if (error == NULL && consult != NULL)
    station_event (station, consult->id, "station", "sfu-ended", "stopped");
  if (wanted) {
    self->starting = FALSE;
    g_clear_pointer (&self->consult, g_free);
  }
  request_refuse (request, error != NULL ? "disk" : "out-of-place");
}

/* ---- Messages ---------------------------------------------------------------------------------
 */

static gboolean
is_configured (Request *request)
{
  const Conference *self = request->station->conference;
  if (self != NULL && config_of (self)->publish.url != NULL)
    return TRUE;
  request_refuse_with (request, "not-configured",
                       "Trạm chưa có máy chủ hội nghị: hãy ghi [conference] publish vào "
                       "station.conf.",
                       "The station has no conference server: put [conference] publish into "
                       "station.conf.",
                       NULL);
  return FALSE;
}

void
conference_start (Request *request)
{
  gboolean confirmed;
  Station *station = request->station;
  Conference *self = station->conference;
  if (!request_flag (request, "confirmed", &confirmed) || !is_configured (request))
    return;
  if (!confirmed) {
    request_bad (request, "confirmed", "wants true: end-to-end encryption ends at the server");
    return;
  }
  if (station->room == NULL || self->consult != NULL) {
    request_refuse (request, self->consult != NULL ? "busy" : "not-ready");
    return;
  }
  self->consult = g_strdup (station->screen->id);
  self->starting = TRUE;
  self->problem = self->reading_problem = NULL;
  json_t *body = json_pack ("{s:s, s:s}", "what", "sfu-begun", "detail", operator_of (self));
  station_write (station, self->consult, "event", request->user, body, begun,
                 request_ref (request));
  station_changed (station);
}

void
conference_stop (Request *request)
{
  Conference *self = request->station->conference;
  if (self == NULL || self->consult == NULL) {
    request_refuse (request, "out-of-place");
    return;
  }
  end (self, request->user, NULL);
  request_ok (request, NULL);
}

void
conference_seen (Request *request)
{
  Conference *self = request->station->conference;
  if (self != NULL && self->cleaning == 0)
    self->problem = self->reading_problem = NULL;
  station_changed (request->station);
  request_ok (request, NULL);
}

/* ---- What pages see ---------------------------------------------------------------------------
 */

static const char *
word_of (const Conference *self, const ConferenceLeg *leg)
{
  static const char *const words[] = { "starting", "live", "lost" };
  if (leg != NULL)
    return words[conference_leg_state (leg)];
  return self->starting ? "starting" : "off";
}

static json_t *
problem_of (const WhipWords *problem)
{
  return problem != NULL ? json_pack ("{s:s, s:o}", "code", problem->code, "text",
                                      text_json (problem->text.vi, problem->text.en))
                         : json_null ();
}

json_t *
conference_view (Conference *self)
{
  const ConfigConference *config = config_of (self);
  return json_pack ("{s:b, s:b, s:s, s:s, s:s, s:o, s:o}", "configured",
                    config->publish.url != NULL, "reads", config->read.url != NULL, "operator",
                    operator_of (self), "state", word_of (self, self->publish), "reading",
                    word_of (self, self->read), "problem", problem_of (self->problem),
                    "reading_problem", problem_of (self->reading_problem));
}

const char *
conference_operator (Conference *self)
{
  return self != NULL && self->consult != NULL ? operator_of (self) : NULL;
}

/* ---- Life -------------------------------------------------------------------------------------
 */

void
conference_follow (Conference *self)
{
  if (self != NULL && self->consult != NULL && !may_go_on (self))
    end (self, "station", "consultation");
}

Conference *
conference_new (Station *station)
{
  Conference *self = g_new0 (Conference, 1);
  self->station = station;
  for (guint i = 0; i < station->consults->len; i++) {
    const Consult *consult = station->consults->pdata[i];
    if (consult->sfu)
      station_event (station, consult->id, "station", "sfu-ended", "restart");
  }
  return self;
}

void
conference_free (Conference *self)
{
  end (self, "station", "stopped");
  g_clear_handle_id (&self->cleaning, g_source_remove);
  g_free (self);
}
