#include "media/transport/hub_private.h"

typedef struct Event Event;
struct Event {
  void (*run) (Hub *hub, Event *event);
  char *peer, *text, *mid; /* text: sdp, candidate, reason, label, source, relay */
  int number;
  guint code;
  gboolean flag;
  MediaCodec codec;
  guint rung;
  GBytes *data;
};

void
hub_free_event (gpointer data)
{
  Event *event = data;
  g_free (event->peer);
  g_free (event->text);
  g_free (event->mid);
  g_clear_pointer (&event->data, g_bytes_unref);
  g_free (event);
}

void
hub_read_event (gpointer letter, gpointer owner)
{
  Event *event = letter;
  event->run (owner, event);
  hub_free_event (event);
}

static Event *
event_new (void (*run) (Hub *hub, Event *event), const char *peer, const char *text)
{
  Event *event = g_new0 (Event, 1);
  event->run = run;
  event->peer = g_strdup (peer);
  event->text = g_strdup (text);
  return event;
}

static void
run_offer (Hub *hub, Event *e)
{
  if (hub->events.offer != NULL)
    hub->events.offer (hub, e->peer, e->text, hub->arg);
}

void
hub_emit_offer (HubPeer *peer, const char *sdp)
{
  mailbox_post (peer->hub->events_box, event_new (run_offer, peer->id, sdp));
}

static void
run_candidate (Hub *hub, Event *e)
{
  if (hub->events.candidate != NULL)
    hub->events.candidate (hub, e->peer, e->mid, e->text, hub->arg);
}

void
hub_emit_candidate (HubPeer *peer, const char *mid, const char *line)
{
  Event *event = event_new (run_candidate, peer->id, line);
  event->mid = g_strdup (mid);
  mailbox_post (peer->hub->events_box, event);
}

static void
run_state (Hub *hub, Event *e)
{
  if (hub->events.state != NULL)
    hub->events.state (hub, e->peer, e->number, e->text, hub->arg);
}

void
hub_emit_state (HubPeer *peer, const char *reason)
{
  Event *event = event_new (run_state, peer->id, reason);
  event->number = peer->state;
  mailbox_post (peer->hub->events_box, event);
}

static void
run_channel (Hub *hub, Event *e)
{
  if (hub->events.channel != NULL)
    hub->events.channel (hub, e->peer, e->text, e->flag, hub->arg);
}

void
hub_emit_channel (HubPeer *peer, const char *label, gboolean open)
{
  Event *event = event_new (run_channel, peer->id, label);
  event->flag = open;
  mailbox_post (peer->hub->events_box, event);
}

static void
run_message (Hub *hub, Event *e)
{
  if (hub->events.message != NULL)
    hub->events.message (hub, e->peer, e->text, e->flag, e->data, hub->arg);
}

void
hub_emit_message (HubPeer *peer, const char *label, gboolean text, GBytes *data)
{
  Event *event = event_new (run_message, peer->id, label);
  event->flag = text;
  event->data = g_bytes_ref (data);
  mailbox_post (peer->hub->events_box, event);
}

static void
run_track (Hub *hub, Event *e)
{
  if (hub->events.track != NULL)
    hub->events.track (hub, e->peer, e->number, e->flag, hub->arg);
}

void
hub_emit_track (HubPeer *peer, MediaKind kind, gboolean on)
{
  Event *event = event_new (run_track, peer->id, NULL);
  event->number = kind;
  event->flag = on;
  mailbox_post (peer->hub->events_box, event);
}

static Event *
outlet_event (HubOutlet *outlet, void (*run) (Hub *hub, Event *event))
{
  Event *event = event_new (run, NULL, outlet->source->name);
  event->codec = outlet->codec;
  event->rung = outlet->rung;
  return event;
}

static void
run_want_live (Hub *hub, Event *e)
{
  if (hub->events.want_live != NULL)
    hub->events.want_live (hub, e->text, e->codec, e->rung, e->flag, hub->arg);
}

void
hub_emit_want_live (HubOutlet *outlet)
{
  Event *event = outlet_event (outlet, run_want_live);
  event->flag = outlet->live;
  mailbox_post (outlet->source->hub->events_box, event);
}

static void
run_want_keyframe (Hub *hub, Event *e)
{
  if (hub->events.want_keyframe != NULL)
    hub->events.want_keyframe (hub, e->text, e->codec, e->rung, hub->arg);
}

void
hub_emit_want_keyframe (HubOutlet *outlet)
{
  mailbox_post (outlet->source->hub->events_box, outlet_event (outlet, run_want_keyframe));
}

static void
run_want_bitrate (Hub *hub, Event *e)
{
  if (hub->events.want_bitrate != NULL)
    hub->events.want_bitrate (hub, e->text, e->codec, e->rung, (guint)e->number, hub->arg);
}

void
hub_emit_want_bitrate (HubOutlet *outlet)
{
  Event *event = outlet_event (outlet, run_want_bitrate);
  event->number = (int)outlet->bitrate;
  mailbox_post (outlet->source->hub->events_box, event);
}

static void
run_relay (Hub *hub, Event *e)
{
  const RelayReport report = { (RelayOutcome)e->number, e->code, e->mid };
  if (hub->events.relay != NULL)
    hub->events.relay (hub, e->text, &report, hub->arg);
}

void
hub_emit_relay (Hub *hub, const char *url, const RelayReport *report)
{
  Event *event = event_new (run_relay, NULL, url);
  event->number = (int)report->outcome;
  event->code = report->code;
  event->mid = g_strdup (report->detail);
  mailbox_post (hub->events_box, event);
}

static void
run_sight (Hub *hub, Event *e)
{
  if (hub->events.sight != NULL)
    hub->events.sight (hub, e->peer, e->number, hub->arg);
}

void
hub_emit_sight (HubPeer *peer)
{
  Event *event = event_new (run_sight, peer->id, NULL);
  event->number = peer->sight;
  mailbox_post (peer->hub->events_box, event);
}

static void
run_waves (Hub *hub, Event *e)
{
  if (hub->events.waves != NULL)
    hub->events.waves (hub, e->peer, e->number, hub->arg);
}

void
hub_emit_waves (HubPeer *peer)
{
  Event *event = event_new (run_waves, peer->id, NULL);
  event->number = (int)peer->wave_steps - 1;
  mailbox_post (peer->hub->events_box, event);
}

static void
run_want_loss (Hub *hub, Event *e)
{
  if (hub->events.want_loss != NULL)
    hub->events.want_loss (hub, e->text, e->codec, e->rung, (guint)e->number, hub->arg);
}

void
hub_emit_want_loss (HubOutlet *outlet)
{
  Event *event = outlet_event (outlet, run_want_loss);
  event->number = (int)outlet->loss;
  mailbox_post (outlet->source->hub->events_box, event);
}

void
hub_emit_refused (Hub *hub, const char *id, const char *reason)
{
  g_warning ("event=peer-refused peer=%s reason=%s", id, reason);
  Event *event = event_new (run_state, id, reason);
  event->number = HUB_PEER_FAILED;
  mailbox_post (hub->events_box, event);
}
