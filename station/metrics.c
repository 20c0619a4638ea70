#include "station/metrics.h"
#include "station/rendezvous.h"
#include "station/enrolment.h"
#include "station/expiry.h"
#include "station/room.h"

#include <math.h>
#include <openssl/crypto.h>
#include <string.h>

/* ---- the format ------------------------------------------------------------------------- */

static void
head (GString *out, const char *name, const char *type, const char *help)
{
  g_string_append_printf (out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Label values: \ " and line feed are escaped. */
static void
add_label (GString *out, const char *name, const char *value, gboolean first)
{
  g_string_append_printf (out, "%s%s=\"", first ? "{" : ",", name);
  for (const char *c = value; *c != '\0'; c++)
    if (*c == '\n')
      g_string_append (out, "\\n");
    else if (*c == '"' || *c == '\\')
      g_string_append_printf (out, "\\%c", *c);
    else
      g_string_append_c (out, *c);
  g_string_append_c (out, '"');
}

static void
add_value (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (out, " %s\n", g_ascii_dtostr (text, sizeof text, value));
}

/* labels: name, value, …, NULL */
static void
sample (GString *out, const char *name, const char *const *labels, double value)
{
  g_string_append (out, name);
  for (guint i = 0; labels != NULL && labels[i] != NULL; i += 2)
    add_label (out, labels[i], labels[i + 1], i == 0);
  if (labels != NULL && labels[0] != NULL)
    g_string_append_c (out, '}');
  add_value (out, value);
}

static void
single (GString *out, const char *name, const char *help, double value)
{
  head (out, name, "gauge", help);
  sample (out, name, NULL, value);
}

/* ---- the station ------------------------------------------------------------------------ */

static void
add_station (GString *out, Station *station)
{
  const Consult *screen = station->screen;
  gboolean live = screen != NULL && screen->state == CONSULT_LIVE;
  gboolean recording = screen != NULL && screen->recording_since_us > 0;
  head (out, "nhipcau_build_info", "gauge", "Version of the program.");
  sample (out, "nhipcau_build_info", (const char *const[]){ "version", NHIPCAU_VERSION, NULL }, 1);
  single (out, "nhipcau_ready", "1 when consultations can be started.", station_is_ready (station));
  single (out, "nhipcau_consultations_open", "Consultations that are not finished.",
          station->consults->len);
  single (out, "nhipcau_consultation_live", "1 while a consultation is live.", live);
  single (out, "nhipcau_recording", "1 while a consultation is recorded.", live && recording);
  single (out, "nhipcau_recording_space_seconds", "Time that the disk has room to record for.",
          station->space.hours * 3600);
}

static void
add_list (GString *out, json_t *list, const char *name, const char *help, const char *key,
          const char *field, const char *good)
{
  size_t i;
  json_t *item;
  head (out, name, "gauge", help);
  json_array_foreach (list, i, item)
  {
    const char *value = json_string_value (json_object_get (item, field));
    const char *what = json_string_value (
        json_object_get (item, g_str_equal (key, "source") ? "name" : "relay"));
    sample (out, name, (const char *const[]){ key, what != NULL ? what : "", NULL },
            g_strcmp0 (value, good) == 0);
  }
  json_decref (list);
}

/* ---- peers and streams ------------------------------------------------------------------ */

typedef struct {
  const char *name, *type, *help;
  double (*of) (const HubPeerStats *stats);
} PeerMetric;

#define PEER_METRIC(name, expression)                                                              \
  static double peer_##name (const HubPeerStats *stats)                                            \
  {                                                                                                \
    return (expression);                                                                           \
  }

PEER_METRIC (rtt, stats->rtt_ms < 0 ? NAN : stats->rtt_ms / 1000)
PEER_METRIC (loss, stats->loss)
PEER_METRIC (estimate, stats->estimate_bps / 8.0)
PEER_METRIC (sent, stats->sent_bps / 8.0)
PEER_METRIC (received, stats->received_bps / 8.0)
PEER_METRIC (relayed, stats->relayed)
PEER_METRIC (packets_sent, (double)stats->packets_sent)
PEER_METRIC (packets_received, (double)stats->packets_received)
PEER_METRIC (nacks, (double)stats->nacks)
PEER_METRIC (retransmitted, (double)stats->retransmitted)
PEER_METRIC (plis, (double)stats->plis)
PEER_METRIC (srtp_errors, (double)stats->srtp_errors)

static const PeerMetric peer_metrics[] = {
  { "nhipcau_peer_rtt_seconds", "gauge", "Round trip to the peer.", peer_rtt },
  { "nhipcau_peer_loss_ratio", "gauge", "Share of our packets lost, last report.", peer_loss },
  { "nhipcau_peer_estimate_bytes_per_second", "gauge",
    "What the link to the peer is believed to carry.", peer_estimate },
  { "nhipcau_peer_sent_bytes_per_second", "gauge", "Sent in the last second.", peer_sent },
  { "nhipcau_peer_received_bytes_per_second", "gauge", "Received in the last second.",
    peer_received },
  { "nhipcau_peer_relayed", "gauge", "1 while media goes through a relay.", peer_relayed },
  { "nhipcau_peer_sent_packets_total", "counter", "Datagrams sent.", peer_packets_sent },
  { "nhipcau_peer_received_packets_total", "counter", "Datagrams received.",
    peer_packets_received },
  { "nhipcau_peer_nacks_total", "counter", "Packets that the peer asked for again.", peer_nacks },
  { "nhipcau_peer_retransmitted_packets_total", "counter", "Packets sent again.",
    peer_retransmitted },
  { "nhipcau_peer_key_requests_total", "counter", "Key frames that the peer asked for.",
    peer_plis },
  { "nhipcau_peer_srtp_errors_total", "counter",
    "Packets that did not authenticate or were repeated.", peer_srtp_errors },
};

typedef struct {
  const char *name, *help;
  gboolean video, audio;
  double (*of) (const LinkStream *stream);
} StreamMetric;

#define STREAM_METRIC(name, expression)                                                            \
  static double stream_##name (const LinkStream *stream)                                           \
  {                                                                                                \
    return (expression);                                                                           \
  }

STREAM_METRIC (freezes, (double)stream->freezes)
STREAM_METRIC (frozen, (double)stream->frozen_ms / 1000)
STREAM_METRIC (frames, (double)stream->frames)
STREAM_METRIC (concealed, (double)stream->concealed_ms / 1000)
STREAM_METRIC (sound, (double)stream->sound_ms / 1000)
STREAM_METRIC (lost, (double)stream->lost)
STREAM_METRIC (packets, (double)stream->packets)

static const StreamMetric stream_metrics[] = {
  { "nhipcau_stream_freezes_total", "Freezes of the picture, as the page counts them.", TRUE, FALSE,
    stream_freezes },
  { "nhipcau_stream_frozen_seconds_total", "Time that the picture stood still.", TRUE, FALSE,
    stream_frozen },
  { "nhipcau_stream_frames_total", "Frames decoded by the page.", TRUE, FALSE, stream_frames },
  { "nhipcau_stream_concealed_seconds_total", "Sound that the page had to make up.", FALSE, TRUE,
    stream_concealed },
  { "nhipcau_stream_sound_seconds_total", "Sound played by the page.", FALSE, TRUE, stream_sound },
  { "nhipcau_stream_lost_packets_total", "Packets that did not reach the page.", TRUE, TRUE,
    stream_lost },
  { "nhipcau_stream_packets_total", "Packets that reached the page.", TRUE, TRUE, stream_packets },
};

typedef struct {
  GString *out;
  const PeerMetric *peer;
  const StreamMetric *stream;
} Writing;

static void
write_peer (const LinkView *link, void *arg)
{
  const Writing *writing = arg;
  double value = link->stats != NULL ? writing->peer->of (link->stats) : NAN;
  if (link->stats != NULL && !isnan (value))
    sample (writing->out, writing->peer->name, (const char *const[]){ "peer", link->slot, NULL },
            value);
}

static void
write_connected (const LinkView *link, void *arg)
{
  sample (((Writing *)arg)->out, "nhipcau_peer_connected",
          (const char *const[]){ "peer", link->slot, NULL },
          g_strcmp0 (link->state, "connected") == 0);
}

static void
write_path (const LinkView *link, void *arg)
{
  const HubPeerStats *stats = link->stats;
  if (stats == NULL || !stats->has_path)
    return;
  sample (((Writing *)arg)->out, "nhipcau_peer_path_info",
          (const char *const[]){ "peer", link->slot, "local", links_kind_name (stats->local),
                                 "remote", links_kind_name (stats->remote), "ip",
                                 stats->ipv6 ? "6" : "4", NULL },
          1);
}

static void
write_streams (const LinkView *link, void *arg)
{
  const Writing *writing = arg;
  for (guint i = 0; i < link->n_streams; i++) {
    const LinkStream *stream = &link->streams[i];
    if (stream->video ? writing->stream->video : writing->stream->audio)
      sample (writing->out, writing->stream->name,
              (const char *const[]){ "peer", link->slot, "stream", stream->stream, "kind",
                                     stream->video ? "video" : "audio", NULL },
              writing->stream->of (stream));
  }
}

static void
write_rungs (const LinkView *link, void *arg)
{
  for (guint i = 0; i < link->sent->len; i++) {
    const HubStreamStats *sent = &g_array_index (link->sent, HubStreamStats, i);
    if (sent->kind == MEDIA_VIDEO)
      sample (((Writing *)arg)->out, "nhipcau_sent_stream_rung",
              (const char *const[]){ "peer", link->slot, "stream", sent->name, NULL }, sent->rung);
  }
}

static void
write_allotted (const LinkView *link, void *arg)
{
  for (guint i = 0; i < link->sent->len; i++) {
    const HubStreamStats *sent = &g_array_index (link->sent, HubStreamStats, i);
    sample (((Writing *)arg)->out, "nhipcau_sent_stream_bytes_per_second",
            (const char *const[]){ "peer", link->slot, "stream", sent->name, "kind",
                                   sent->kind == MEDIA_VIDEO ? "video" : "audio", NULL },
            sent->bps / 8.0);
  }
}

static void
add_links (GString *out, Links *links)
{
  Writing writing = { .out = out };
  head (out, "nhipcau_peer_connected", "gauge", "1 while media can flow.");
  links_each (links, write_connected, &writing);
  head (out, "nhipcau_peer_path_info", "gauge",
        "Kinds of the two addresses in use, and the version of IP.");
  links_each (links, write_path, &writing);
  head (out, "nhipcau_sent_stream_rung", "gauge",
        "Step of the picture that goes to the peer, 0 the best; -1: none goes.");
  links_each (links, write_rungs, &writing);
  head (out, "nhipcau_sent_stream_bytes_per_second", "gauge",
        "What the stream is allotted on the way to the peer.");
  links_each (links, write_allotted, &writing);
  for (guint i = 0; i < G_N_ELEMENTS (peer_metrics); i++) {
    writing.peer = &peer_metrics[i];
    head (out, writing.peer->name, writing.peer->type, writing.peer->help);
    links_each (links, write_peer, &writing);
  }
  for (guint i = 0; i < G_N_ELEMENTS (stream_metrics); i++) {
    writing.stream = &stream_metrics[i];
    head (out, writing.stream->name, "counter", writing.stream->help);
    links_each (links, write_streams, &writing);
  }
}

/* ---- rendezvous ------------------------------------------------------------------------- */

static void
add_results (GString *out, const char *name, const char *help, const char *const *results,
             const guint64 *values)
{
  head (out, name, "counter", help);
  for (guint i = 0; results[i] != NULL; i++)
    sample (out, name, (const char *const[]){ "result", results[i], NULL }, (double)values[i]);
}

static void
add_rendezvous (GString *out, const Rendezvous *rendezvous)
{
  static const char *const results[] = { "accepted", "refused", "replayed", "limited", NULL };
  static const char *const frames[] = { "accepted", "refused", "replayed", "unknown", NULL };
  SwitchboardFigures figures;
  const char *why;
  if (rendezvous == NULL)
    return;
  rendezvous_figures (rendezvous, &figures);
  head (out, "nhipcau_rendezvous_connected", "gauge", "1 while the broker is reached.");
  sample (out, "nhipcau_rendezvous_connected", NULL,
          g_str_equal (rendezvous_state (rendezvous, &why), "connected"));
  head (out, "nhipcau_rendezvous_tunnels", "gauge", "Pages that are here through the broker.");
  sample (out, "nhipcau_rendezvous_tunnels", NULL, figures.tunnels);
  add_results (out, "nhipcau_rendezvous_openings_total", "Tunnels that pages wanted to begin.",
               results,
               (const guint64[]){ figures.openings, figures.openings_refused,
                                  figures.openings_replayed, figures.openings_limited });
  add_results (out, "nhipcau_rendezvous_frames_total", "Frames that came for tunnels.", frames,
               (const guint64[]){ figures.frames, figures.frames_refused, figures.frames_replayed,
                                  figures.unknown });
}

/* ---- the web server ---------------------------------------------------------------------- */

static void
add_web (GString *out, const CrowdFigures *web)
{
  static const char *const name = "nhipcau_web_connections";
  static const char *const whys[] = { "full", "address-full", "too-fast", "requests", NULL };
  if (web == NULL)
    return;
  head (out, name, "gauge", "Connections to the web server.");
  sample (out, name, (const char *const[]){ "from", "here", NULL }, web->local);
  sample (out, name, (const char *const[]){ "from", "elsewhere", NULL }, web->elsewhere);
  add_results (out, "nhipcau_web_refused_total", "Connections, and requests, that were refused.",
               whys,
               (const guint64[]){ web->refused[CROWD_FULL], web->refused[CROWD_ADDRESS_FULL],
                                  web->refused[CROWD_TOO_FAST], web->asked_too_much });
  head (out, "nhipcau_web_dropped_total", "counter", "Connections closed so that others had room.");
  sample (out, "nhipcau_web_dropped_total", NULL, (double)web->dropped);
}

/* ---- what expires ------------------------------------------------------------------------ */

static void
add_expiries (GString *out, Enrolment *enrolment)
{
  const GPtrArray *all = enrolment != NULL ? enrolment_expiries (enrolment) : NULL;
  head (out, "nhipcau_expires_seconds", "gauge",
        "When certificates and revocation lists end, in seconds since 1970.");
  for (guint i = 0; all != NULL && i < all->len; i++) {
    const Expiry *expiry = all->pdata[i];
    /* Users' names are no business of Prometheus. */
    const char *name = expiry->kind == EXPIRY_SIGNER ? "" : expiry->name;
    g_autofree char *number = g_strdup_printf ("%u", i);
    sample (out, "nhipcau_expires_seconds",
            (const char *const[]){ "what", expiry_word (expiry->kind), "name", name, "item", number,
                                   NULL },
            (double)expiry->until);
  }
  if (enrolment != NULL)
    single (out, "nhipcau_certificate_good", "1 when this station's certificate may be shown.",
            enrolment_own (enrolment).verdict != PEER_REFUSE);
}

/* ---- public ----------------------------------------------------------------------------- */

char *
metrics_text (Station *station, const CrowdFigures *web)
{
  GString *out = g_string_new (NULL);
  add_station (out, station);
  if (station->room != NULL) {
    add_list (out, room_sources (station->room), "nhipcau_source_running",
              "1 while a camera or microphone runs.", "source", "state", "running");
    add_list (out, room_relays (station->room), "nhipcau_relay_good",
              "1 when the relay gave an address when it was asked last.", "relay", "level", "good");
  }
  add_links (out, station->links);
  add_rendezvous (out, station->rendezvous);
  add_web (out, web);
  add_expiries (out, station->enrolment);
  return g_string_free (out, FALSE);
}

gboolean
metrics_allowed (const Config *config, const char *authorization)
{
  static const char bearer[] = "Bearer ";
  const char *token = config->metrics_token;
  if (token == NULL || authorization == NULL || !g_str_has_prefix (authorization, bearer))
    return FALSE;
  const char *given = authorization + strlen (bearer);
  return strlen (given) == strlen (token) && CRYPTO_memcmp (given, token, strlen (token)) == 0;
}
