#include "station/links.h"

#include <math.h>
#include <string.h>

enum { MAX_LINKS = 64, MAX_NAME = 80 };
/* Ten years in milliseconds: beyond that it is no sum of a connection. */
#define MAX_COUNT G_GINT64_CONSTANT (315360000000)

typedef struct {
  char *label, *slot;
  char *state;
  gboolean measured;
  HubPeerStats stats;
  LinkStream streams[LINKS_MAX_STREAMS]; /* names are ours */
  guint n_streams;
  GArray *sent; /* HubStreamStats; NULL: none */
  gint64 reported_us;
  /* the record */
  gint64 row_us; /* 0: none yet */
  char *told;    /* the path of the last row */
} Link;

struct Links {
  GPtrArray *links; /* Link */
};

/* ---- life ------------------------------------------------------------------------------- */

static void
clear_streams (Link *link)
{
  for (guint i = 0; i < link->n_streams; i++)
    g_free ((char *)link->streams[i].stream);
  link->n_streams = 0;
}

static void
link_free (gpointer data)
{
  Link *link = data;
  clear_streams (link);
  g_clear_pointer (&link->sent, g_array_unref);
  g_free (link->label);
  g_free (link->slot);
  g_free (link->state);
  g_free (link->told);
  g_free (link);
}

Links *
links_new (void)
{
  Links *links = g_new0 (Links, 1);
  links->links = g_ptr_array_new_with_free_func (link_free);
  return links;
}

void
links_free (Links *links)
{
  if (links == NULL)
    return;
  g_ptr_array_unref (links->links);
  g_free (links);
}

static Link *
find (Links *links, const char *label)
{
  for (guint i = 0; i < links->links->len; i++)
    if (g_strcmp0 (((Link *)links->links->pdata[i])->label, label) == 0)
      return links->links->pdata[i];
  return NULL;
}

static gboolean
slot_taken (Links *links, const char *slot)
{
  for (guint i = 0; i < links->links->len; i++)
    if (g_str_equal (((Link *)links->links->pdata[i])->slot, slot))
      return TRUE;
  return FALSE;
}

static char *
free_slot (Links *links, const char *label)
{
  const char *kind = g_str_has_prefix (label, "console") ? "console" : "guest";
  for (guint i = 1;; i++) {
    g_autofree char *slot = g_strdup_printf ("%s%u", kind, i);
    if (!slot_taken (links, slot))
      return g_steal_pointer (&slot);
  }
}

static Link *
get (Links *links, const char *label)
{
  Link *link = find (links, label);
  if (link != NULL || links->links->len >= MAX_LINKS)
    return link;
  link = g_new0 (Link, 1);
  link->slot = free_slot (links, label);
  link->label = g_strdup (label);
  g_ptr_array_add (links->links, link);
  return link;
}

void
links_measure (Links *links, const char *label, const char *state, const HubPeerStats *stats,
               GArray *sent)
{
  Link *link = get (links, label);
  g_autoptr (GArray) given = sent;
  if (link == NULL)
    return;
  g_clear_pointer (&link->sent, g_array_unref);
  link->sent = g_steal_pointer (&given);
  g_free (link->state);
  link->state = g_strdup (state);
  link->measured = stats != NULL;
  if (stats != NULL)
    link->stats = *stats;
}

void
links_forget (Links *links, const char *label)
{
  Link *link = find (links, label);
  if (link != NULL)
    g_ptr_array_remove (links->links, link);
}

/* ---- reports of pages ------------------------------------------------------------------- */

static gboolean
name_is_good (const char *name)
{
  gsize length = name != NULL ? strlen (name) : 0;
  return length >= 1 && length <= MAX_NAME
         && (g_str_has_prefix (name, "source-") || g_str_has_prefix (name, "peer-"))
         && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

/* Absent is 0: not every browser counts everything. */
static gboolean
take_count (const json_t *item, const char *field, guint64 *ret)
{
  const json_t *value = json_object_get (item, field);
  *ret = 0;
  if (value == NULL || json_is_null (value))
    return TRUE;
  if (!json_is_integer (value) || json_integer_value (value) < 0
      || json_integer_value (value) > MAX_COUNT)
    return FALSE;
  *ret = (guint64)json_integer_value (value);
  return TRUE;
}

static gboolean
take_stream (const json_t *item, LinkStream *stream, const char **ret_wrong)
{
  const char *kind = json_string_value (json_object_get (item, "kind"));
  struct {
    const char *field;
    guint64 *count;
  } counts[] = {
    { "freezes", &stream->freezes },   { "frozen_ms", &stream->frozen_ms },
    { "frames", &stream->frames },     { "concealed_ms", &stream->concealed_ms },
    { "sound_ms", &stream->sound_ms }, { "lost", &stream->lost },
    { "packets", &stream->packets },
  };
  stream->stream = json_string_value (json_object_get (item, "stream"));
  stream->video = g_strcmp0 (kind, "video") == 0;
  *ret_wrong = !name_is_good (stream->stream)                     ? "stream"
               : !stream->video && g_strcmp0 (kind, "audio") != 0 ? "kind"
                                                                  : NULL;
  for (guint i = 0; *ret_wrong == NULL && i < G_N_ELEMENTS (counts); i++)
    if (!take_count (item, counts[i].field, counts[i].count))
      *ret_wrong = counts[i].field;
  return *ret_wrong == NULL;
}

gboolean
links_report (Links *links, const char *label, const json_t *message, gint64 now_us,
              const char **ret_wrong)
{
  LinkStream streams[LINKS_MAX_STREAMS];
  const json_t *list = json_object_get (message, "streams");
  gsize n = json_array_size (list);
  *ret_wrong = "streams";
  if (!json_is_array (list) || n > LINKS_MAX_STREAMS)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (!take_stream (json_array_get (list, i), &streams[i], ret_wrong))
      return FALSE;
  *ret_wrong = NULL;
  Link *link = get (links, label);
  if (link == NULL
      || (link->reported_us != 0
          && now_us - link->reported_us < LINKS_REPORT_EVERY_S * G_USEC_PER_SEC))
    return TRUE;
  link->reported_us = now_us;
  clear_streams (link);
  for (gsize i = 0; i < n; i++) {
    link->streams[i] = streams[i];
    link->streams[i].stream = g_strdup (streams[i].stream);
  }
  link->n_streams = (guint)n;
  return TRUE;
}

/* ---- for pages and the record ----------------------------------------------------------- */

const char *
links_kind_name (CandidateType type)
{
  static const char *const names[] = {
    [CANDIDATE_HOST] = "host",
    [CANDIDATE_SERVER_REFLEXIVE] = "srflx",
    [CANDIDATE_PEER_REFLEXIVE] = "prflx",
    [CANDIDATE_RELAYED] = "relay",
  };
  return names[type];
}

static json_t *
path_json (const HubPeerStats *stats)
{
  if (!stats->has_path)
    return json_null ();
  return json_pack ("{s:s, s:s, s:i}", "local", links_kind_name (stats->local), "remote",
                    links_kind_name (stats->remote), "ip", stats->ipv6 ? 6 : 4);
}

static json_t *
stream_json (const LinkStream *stream)
{
  json_t *json = json_pack ("{s:s, s:s, s:I, s:I}", "stream", stream->stream, "kind",
                            stream->video ? "video" : "audio", "lost", (json_int_t)stream->lost,
                            "packets", (json_int_t)stream->packets);
  json_t *more
      = stream->video
            ? json_pack ("{s:I, s:I, s:I}", "freezes", (json_int_t)stream->freezes, "frozen_ms",
                         (json_int_t)stream->frozen_ms, "frames", (json_int_t)stream->frames)
            : json_pack ("{s:I, s:I}", "concealed_ms", (json_int_t)stream->concealed_ms, "sound_ms",
                         (json_int_t)stream->sound_ms);
  json_object_update (json, more);
  json_decref (more);
  return json;
}

static const char *
sight_name (HubSight sight)
{
  static const char *const names[] = { "full", "smaller", "stills" };
  return names[sight];
}

/* What goes to the peer: of each stream its rung, which is -1 while it rests. */
static json_t *
sent_json (const Link *link)
{
  json_t *list = json_array ();
  for (guint i = 0; link->sent != NULL && i < link->sent->len; i++) {
    const HubStreamStats *sent = &g_array_index (link->sent, HubStreamStats, i);
    json_array_append_new (list,
                           json_pack ("{s:s, s:s, s:i, s:I, s:i, s:i}", "stream", sent->name,
                                      "kind", sent->kind == MEDIA_VIDEO ? "video" : "audio", "rung",
                                      sent->rung, "bps", (json_int_t)sent->bps, "width",
                                      (int)sent->width, "height", (int)sent->height));
  }
  return list;
}

static json_t *
link_json (const Link *link)
{
  json_t *json = json_object ();
  if (link->measured) {
    const HubPeerStats *stats = &link->stats;
    json_decref (json);
    json = json_pack ("{s:f, s:f, s:I, s:I, s:I, s:b, s:o, s:s, s:b, s:i, s:b}", "rtt_ms",
                      round (stats->rtt_ms * 10) / 10, "loss", round (stats->loss * 1e4) / 1e4,
                      "estimate_bps", (json_int_t)stats->estimate_bps, "sent_bps",
                      (json_int_t)stats->sent_bps, "received_bps", (json_int_t)stats->received_bps,
                      "relayed", stats->relayed, "path", path_json (stats), "sight",
                      sight_name (stats->sight), "machine", stats->machine, "layers",
                      (int)stats->layers, "lean", stats->lean);
    json_object_set_new (json, "sent", sent_json (link));
  }
  json_t *streams = json_array ();
  for (guint i = 0; i < link->n_streams; i++)
    json_array_append_new (streams, stream_json (&link->streams[i]));
  json_object_set_new (json, "state", json_string (link->state != NULL ? link->state : "new"));
  json_object_set_new (json, "streams", streams);
  return json;
}

json_t *
links_json (Links *links, const char *label)
{
  const Link *link = find (links, label);
  return link != NULL ? link_json (link) : json_null ();
}

static char *
path_text (const HubPeerStats *stats)
{
  return g_strdup_printf ("%s %s %d", links_kind_name (stats->local),
                          links_kind_name (stats->remote), stats->ipv6 ? 6 : 4);
}

json_t *
links_row (Links *links, const char *label, gint64 now_us)
{
  Link *link = find (links, label);
  if (link == NULL || !link->measured || !link->stats.has_path
      || g_strcmp0 (link->state, "connected") != 0)
    return NULL;
  g_autofree char *path = path_text (&link->stats);
  gboolean changed = g_strcmp0 (path, link->told) != 0;
  gint64 wait_us = (gint64)(changed ? LINKS_CHANGE_EVERY_S : LINKS_ROW_EVERY_S) * G_USEC_PER_SEC;
  if (link->row_us != 0 && now_us - link->row_us < wait_us)
    return NULL;
  link->row_us = now_us;
  g_free (link->told);
  link->told = g_steal_pointer (&path);
  json_t *row = link_json (link);
  json_object_del (row, "state");
  json_object_set_new (row, "label", json_string (label));
  json_object_set_new (row, "why", json_string (changed ? "path" : "minute"));
  return row;
}

/* ---- for /metrics ----------------------------------------------------------------------- */

/* "peer-<label>" names somebody; his slot does not. NULL: he is gone. (transfer full) */
static char *
nameless (Links *links, const char *stream)
{
  if (!g_str_has_prefix (stream, "peer-"))
    return g_strdup (stream);
  const Link *other = find (links, stream + strlen ("peer-"));
  return other != NULL ? g_strconcat ("peer-", other->slot, NULL) : NULL;
}

static GArray *
sent_nameless (Links *links, const Link *link)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (HubStreamStats));
  for (guint i = 0; link->sent != NULL && i < link->sent->len; i++) {
    HubStreamStats sent = g_array_index (link->sent, HubStreamStats, i);
    g_autofree char *name = nameless (links, sent.name);
    if (name == NULL)
      continue;
    g_strlcpy (sent.name, name, sizeof sent.name);
    g_array_append_val (list, sent);
  }
  return list;
}

void
links_each (Links *links, void (*each) (const LinkView *link, void *arg), void *arg)
{
  for (guint i = 0; i < links->links->len; i++) {
    const Link *link = links->links->pdata[i];
    LinkStream streams[LINKS_MAX_STREAMS];
    guint n = 0;
    for (guint j = 0; j < link->n_streams; j++) {
      streams[n] = link->streams[j];
      streams[n].stream = nameless (links, link->streams[j].stream);
      n += streams[n].stream != NULL;
    }
    g_autoptr (GArray) sent = sent_nameless (links, link);
    const LinkView view
        = { link->slot, link->state, link->measured ? &link->stats : NULL, streams, n, sent };
    each (&view, arg);
    for (guint j = 0; j < n; j++)
      g_free ((char *)streams[j].stream);
  }
}
