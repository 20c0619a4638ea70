#include "media/transport/hub_private.h"
#include "media/error.h"
#include "media/transport/ice.h"
#include <string.h>

enum {
  CERTS_AHEAD = 2,
  STATS_MS = 500,
  CLOSE_MS = 1500, /* for what is given back at the end */
  UNANSWERED_US = 30 * G_USEC_PER_SEC,
  MAX_WAITING = 4096, /* commands, before live frames are dropped */
};

/* Commands: letters to the loop */

typedef struct Command Command;
struct Command {
  void (*run) (Hub *hub, Command *command);
  char *peer, *text, *answer;
  char *voice, *camera, *stun;
  GPtrArray *relays;
  char **names;
  gboolean flag, lost;
  HubPeerConfig config; /* its label is text */
  MediaKind kind;
  RungPrefer prefer;
  GBytes *data;
  Frame *frame;
  guint8 file_id[FILE_ID_BYTES];
  FileParts *parts;
};

static void
command_free (gpointer data)
{
  Command *command = data;
  g_free (command->peer);
  g_free (command->text);
  g_free (command->answer);
  g_free (command->voice);
  g_free (command->camera);
  g_free (command->stun);
  g_clear_pointer (&command->relays, g_ptr_array_unref);
  g_strfreev (command->names);
  g_clear_pointer (&command->data, g_bytes_unref);
  g_clear_pointer (&command->frame, frame_unref);
  g_clear_pointer (&command->parts, file_parts_free);
  g_free (command);
}

static void
read_command (gpointer letter, gpointer owner)
{
  Command *command = letter;
  command->run (owner, command);
  command_free (command);
}

static Command *
command_new (void (*run) (Hub *hub, Command *command), const char *peer, const char *text)
{
  Command *command = g_new0 (Command, 1);
  command->run = run;
  command->peer = g_strdup (peer);
  command->text = g_strdup (text);
  return command;
}

static void
post_flag (Hub *hub, Command *command, gboolean flag)
{
  command->flag = flag;
  mailbox_post (hub->commands, command);
}

static HubSource *
find_source (Hub *hub, const char *name)
{
  for (guint i = 0; i < hub->sources->len; i++) {
    HubSource *source = hub->sources->pdata[i];
    if (strcmp (source->name, name) == 0)
      return source;
  }
  return NULL;
}

static HubPeer *
find_peer (Hub *hub, const char *id)
{
  return g_hash_table_lookup (hub->peers, id);
}

static void
run_add_source (Hub *hub, Command *c)
{
  if (find_source (hub, c->text) == NULL)
    g_ptr_array_add (hub->sources, hub_source_new (hub, c->text, c->kind));
}

void
hub_add_source (Hub *hub, const char *source, MediaKind kind)
{
  Command *command = command_new (run_add_source, NULL, source);
  command->kind = kind;
  mailbox_post (hub->commands, command);
}

static void
run_add_voice (Hub *hub, Command *c)
{
  if (find_source (hub, c->text) != NULL)
    return;
  HubSource *source = hub_source_new (hub, c->text, MEDIA_AUDIO);
  source->voice = TRUE;
  g_ptr_array_add (hub->sources, source);
}

void
hub_add_voice (Hub *hub, const char *source)
{
  mailbox_post (hub->commands, command_new (run_add_voice, NULL, source));
}

static void
run_keep_live (Hub *hub, Command *c)
{
  HubSource *source = find_source (hub, c->text);
  if (source != NULL)
    hub_source_keep (source, c->flag);
}

void
hub_keep_live (Hub *hub, const char *source, gboolean on)
{
  post_flag (hub, command_new (run_keep_live, NULL, source), on);
}

static void
run_mute_source (Hub *hub, Command *c)
{
  HubSource *source = find_source (hub, c->text);
  if (source != NULL)
    hub_source_mute (source, c->flag);
}

void
hub_mute_source (Hub *hub, const char *source, gboolean muted)
{
  post_flag (hub, command_new (run_mute_source, NULL, source), muted);
}

static void
run_prefer (Hub *hub, Command *c)
{
  HubSource *source = find_source (hub, c->text);
  if (source != NULL)
    hub_source_prefer (source, c->prefer);
}

void
hub_prefer (Hub *hub, const char *source, RungPrefer prefer)
{
  Command *command = command_new (run_prefer, NULL, source);
  command->prefer = prefer;
  mailbox_post (hub->commands, command);
}

static void
run_mute_peer (Hub *hub, Command *c)
{
  HubPeer *peer = find_peer (hub, c->peer);
  if (peer != NULL)
    hub_forward_mute (peer, c->flag);
}

void
hub_mute_peer (Hub *hub, const char *peer, gboolean muted)
{
  post_flag (hub, command_new (run_mute_peer, peer, NULL), muted);
}

static void
run_push_frame (Hub *hub, Command *c)
{
  HubSource *source = find_source (hub, c->text);
  if (source != NULL && (guint)c->frame->codec < N_CODECS)
    hub_source_frame (source, c->frame);
}

void
hub_push_frame (Hub *hub, const char *source, Frame *frame)
{
  if (mailbox_length (hub->commands) > MAX_WAITING)
    return;
  Command *command = command_new (run_push_frame, NULL, source);
  command->frame = frame_ref (frame);
  mailbox_post (hub->commands, command);
}

static gboolean
is_peer_id (const char *id)
{
  gsize length = strlen (id);
  if (length < 1 || length > 64)
    return FALSE;
  for (const char *c = id; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && *c != '_' && *c != '-')
      return FALSE;
  return TRUE;
}

static void
run_remove_peer (Hub *hub, Command *c)
{
  HubPeer *peer = find_peer (hub, c->peer);
  if (peer == NULL)
    return;
  g_hash_table_steal (hub->peers, c->peer);
  hub_peer_free (peer);
  hub_stats_remove (hub, c->peer);
  hub_forward_update (hub);
  hub_allocate_soon (hub);
}

static void
run_add_peer (Hub *hub, Command *c)
{
  run_remove_peer (hub, c);
  g_autoptr (GError) error = NULL;
  HubPeer *peer = hub_peer_new (hub, c->peer, &c->config, &error);
  if (peer == NULL) {
    hub_emit_refused (hub, c->peer, error->message);
    return;
  }
  g_hash_table_insert (hub->peers, peer->id, peer);
  hub_allocate (hub);
  hub_peer_prepare_views (peer);
  hub_forward_update (hub);
  hub_offer_later (peer);
  hub_figures_update (hub);
  hub_stats_update (hub);
}

static GPtrArray *
copy_relays (const GPtrArray *relays)
{
  if (relays == NULL)
    return NULL;
  GPtrArray *copy = g_ptr_array_new_with_free_func ((GDestroyNotify)relay_free);
  for (guint i = 0; i < relays->len && i < RELAY_MAX; i++)
    g_ptr_array_add (copy, relay_copy (relays->pdata[i]));
  return copy;
}

void
hub_add_peer (Hub *hub, const char *peer, const HubPeerConfig *config)
{
  if (!is_peer_id (peer)) {
    hub_emit_refused (hub, peer, "config: the id of a peer must match [A-Za-z0-9_-]{1,64}");
    return;
  }
  Command *command = command_new (run_add_peer, peer, config->label);
  command->config = *config;
  command->config.label = command->text;
  command->config.offer = command->answer = g_strdup (config->offer);
  command->config.voice = command->voice = g_strdup (config->voice);
  command->config.camera = command->camera = g_strdup (config->camera);
  command->config.stun_server = command->stun = g_strdup (config->stun_server);
  command->config.relays = command->relays = copy_relays (config->relays);
  mailbox_post (hub->commands, command);
}

static void
run_open_peer (Hub *hub, Command *c)
{
  HubPeer *peer = find_peer (hub, c->peer);
  if (peer != NULL && peer->reserved)
    hub_peer_open (peer, c->text, c->answer);
}

void
hub_open_peer (Hub *hub, const char *peer, const char *label, const char *answer)
{
  Command *command = command_new (run_open_peer, peer, label);
  command->answer = g_strdup (answer);
  mailbox_post (hub->commands, command);
}

static void
run_remove (Hub *hub, Command *c)
{
  run_remove_peer (hub, c);
}

void
hub_remove_peer (Hub *hub, const char *peer)
{
  mailbox_post (hub->commands, command_new (run_remove, peer, NULL));
}

static void
run_request_offer (Hub *hub, Command *c)
{
  HubPeer *peer = find_peer (hub, c->peer);
  if (peer != NULL)
    hub_offer_request (peer, c->flag, c->lost);
}

void
hub_offer (Hub *hub, const char *peer, gboolean ice_restart, gboolean lost)
{
  Command *command = command_new (run_request_offer, peer, NULL);
  command->flag = ice_restart;
  command->lost = lost;
  mailbox_post (hub->commands, command);
}

static void
run_answer (Hub *hub, Command *c)
{
  HubPeer *peer = find_peer (hub, c->peer);
  if (peer != NULL && !peer->reserved)
    hub_offer_answer (peer, c->text);
}

void
hub_answer (Hub *hub, const char *peer, const char *sdp)
{
  mailbox_post (hub->commands, command_new (run_answer, peer, sdp));
}

static void
run_restart (Hub *hub, Command *c)
{
  HubPeer *peer = find_peer (hub, c->peer);
  if (peer != NULL && peer->way == HUB_WAY_ANSWER)
    hub_server_restart (peer, c->text, c->answer);
}

void
hub_restart (Hub *hub, const char *peer, const char *ufrag, const char *pwd)
{
  Command *command = command_new (run_restart, peer, ufrag);
  command->answer = g_strdup (pwd);
  mailbox_post (hub->commands, command);
}

static void
run_add_candidate (Hub *hub, Command *c)
{
  HubPeer *peer = find_peer (hub, c->peer);
  if (peer != NULL)
    hub_offer_candidate (peer, c->text);
}

void
hub_candidate (Hub *hub, const char *peer, const char *mid, const char *line)
{
  mailbox_post (hub->commands, command_new (run_add_candidate, peer, line));
}

static void
run_send (Hub *hub, Command *c)
{
  HubPeer *one = c->peer != NULL ? find_peer (hub, c->peer) : NULL;
  if (c->peer != NULL) {
    if (one != NULL)
      hub_peer_send (one, c->text, c->flag, c->data);
    return;
  }
  GHashTableIter iter;
  gpointer peer;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &peer))
    hub_peer_send (peer, c->text, c->flag, c->data);
}

void
hub_send (Hub *hub, const char *peer, const char *label, gboolean text, GBytes *data)
{
  Command *command = command_new (run_send, peer, label);
  command->flag = text;
  command->data = g_bytes_ref (data);
  mailbox_post (hub->commands, command);
}

static void
request_keyframe (HubPeer *peer)
{
  const HubLine *own = peer->own[MEDIA_VIDEO];
  if (own != NULL && own->receiving && peer->state == HUB_PEER_CONNECTED)
    peer_request_keyframe (peer->peer, own->mid);
}

static void
run_request_keyframe (Hub *hub, Command *c)
{
  HubPeer *one = c->peer != NULL ? find_peer (hub, c->peer) : NULL;
  if (c->peer != NULL) {
    if (one != NULL)
      request_keyframe (one);
    return;
  }
  GHashTableIter iter;
  gpointer peer;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &peer))
    request_keyframe (peer);
}

void
hub_request_keyframe (Hub *hub, const char *peer)
{
  mailbox_post (hub->commands, command_new (run_request_keyframe, peer, NULL));
}

static void
run_send_file (Hub *hub, Command *c)
{
  HubPeer *peer = find_peer (hub, c->peer);
  FileParts *parts = g_steal_pointer (&c->parts);
  if (peer != NULL)
    hub_file_send (peer, c->file_id, c->data, parts);
  else
    g_clear_pointer (&parts, file_parts_free);
}

void
hub_send_file (Hub *hub, const char *peer, const guint8 id[FILE_ID_BYTES], GBytes *data,
               const FilePart *wanted, guint n)
{
  Command *command = command_new (run_send_file, peer, NULL);
  memcpy (command->file_id, id, FILE_ID_BYTES);
  if (data != NULL) {
    gsize size = g_bytes_get_size (data);
    command->data = g_bytes_ref (data);
    command->parts = file_parts_new ((guint32)MIN (size, G_MAXUINT32), wanted, n);
  }
  mailbox_post (hub->commands, command);
}

static void
run_look (Hub *hub, Command *c)
{
  HubPeer *peer = find_peer (hub, c->peer);
  if (peer != NULL)
    hub_look_at (peer, (const char *const *)c->names);
}

void
hub_look (Hub *hub, const char *peer, const char *const *streams)
{
  Command *command = command_new (run_look, peer, NULL);
  command->names = g_strdupv ((char **)streams);
  mailbox_post (hub->commands, command);
}

static void
run_ask_waves (Hub *hub, Command *c)
{
  gsize size;
  const guint *bps = g_bytes_get_data (c->data, &size);
  hub_waves_set (hub, bps, (guint)(size / sizeof *bps));
}

void
hub_ask_waves (Hub *hub, const guint *bps, guint n)
{
  Command *command = command_new (run_ask_waves, NULL, NULL);
  command->data = g_bytes_new (bps, n * sizeof *bps);
  mailbox_post (hub->commands, command);
}

/* Timers and certificates */

GSource *
hub_timer (Hub *hub, guint ms, GSourceFunc callback, gpointer data)
{
  GSource *timer = g_timeout_source_new (ms);
  g_source_set_callback (timer, callback, data, NULL);
  g_source_attach (timer, hub->context);
  g_source_unref (timer);
  return timer;
}

void
hub_timer_clear (GSource **timer)
{
  if (*timer != NULL)
    g_source_destroy (*timer);
  *timer = NULL;
}

static gboolean
make_cert_ahead (gpointer data)
{
  Hub *hub = data;
  g_autoptr (GError) error = NULL;
  SessionCert *cert = session_cert_new (&error);
  if (cert != NULL)
    g_queue_push_tail (&hub->certs, cert);
  else
    g_warning ("event=cert-failed reason=%s", error->message);
  if (cert != NULL && g_queue_get_length (&hub->certs) < CERTS_AHEAD)
    return G_SOURCE_CONTINUE;
  hub->cert_source = NULL;
  return G_SOURCE_REMOVE;
}

SessionCert *
hub_take_cert (Hub *hub, GError **error)
{
  if (hub->cert_source == NULL)
    hub->cert_source = hub_timer (hub, 20, make_cert_ahead, hub);
  SessionCert *cert = g_queue_pop_head (&hub->certs);
  return cert != NULL ? cert : session_cert_new (error);
}

/* Every half second: figures, who gets what, and peers that never answered. */
static gboolean
tick (gpointer data)
{
  Hub *hub = data;
  gint64 now_us = g_get_monotonic_time ();
  hub_figures_update (hub);
  hub_sound_update (hub);
  hub_allocate_measure (hub, now_us);
  hub_allocate (hub);
  hub_stats_update (hub);
  GHashTableIter iter;
  gpointer value;
  HubPeer *silent = NULL;
  g_hash_table_iter_init (&iter, hub->peers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    HubPeer *peer = value;
    hub_direct_look (peer, now_us);
    if (!peer->answered && !peer->reserved && hub_peer_is_alive (peer)
        && now_us - peer->born_us > UNANSWERED_US)
      silent = peer;
  }
  if (silent != NULL)
    hub_peer_give_up (silent, "no-answer");
  return G_SOURCE_CONTINUE;
}

/* The thread */

static void
end_peers (Hub *hub)
{
  g_autoptr (GList) ids = g_hash_table_get_keys (hub->peers);
  g_autoptr (GList) peers = g_hash_table_get_values (hub->peers);
  for (GList *p = peers; p != NULL; p = p->next)
    peer_close (((HubPeer *)p->data)->peer);
  for (GList *p = peers; p != NULL; p = p->next) {
    HubPeer *peer = p->data;
    g_hash_table_steal (hub->peers, peer->id);
    hub_peer_free (peer);
  }
}

static void
on_relay (const Relay *relay, const RelayReport *report, gpointer data)
{
  hub_emit_relay (data, relay->url, report);
}

static gboolean
on_late (gpointer data)
{
  gboolean *late = data;
  *late = TRUE;
  return G_SOURCE_REMOVE;
}

/* Libraries close their sockets from the loop, and addresses at relays are given back. */
static void
end_libraries (Hub *hub)
{
  gboolean late = FALSE;
  GSource *bound = hub_timer (hub, CLOSE_MS, on_late, &late);
  while (!late && ice_closing () > 0)
    g_main_context_iteration (hub->context, TRUE);
  if (!late)
    hub_timer_clear (&bound);
  g_clear_pointer (&hub->relays, relays_free);
  for (guint i = 0; i < 100 && g_main_context_iteration (hub->context, FALSE); i++)
    continue;
}

static gpointer
loop_thread (gpointer data)
{
  Hub *hub = data;
  g_main_context_push_thread_default (hub->context);
  hub->relays = relays_new (hub->relay_config, on_relay, hub);
  hub->cert_source = hub_timer (hub, 0, make_cert_ahead, hub);
  GSource *ticker = hub_timer (hub, STATS_MS, tick, hub);
  hub_network_watch (hub);
  g_main_loop_run (hub->loop);
  hub_timer_clear (&ticker);
  g_clear_pointer (&hub->network, network_monitor_free);
  mailbox_close (hub->commands);
  end_peers (hub);
  hub_timer_clear (&hub->allocate_source);
  hub_timer_clear (&hub->cert_source);
  g_ptr_array_set_size (hub->sources, 0);
  end_libraries (hub);
  g_main_context_pop_thread_default (hub->context);
  return NULL;
}

static gboolean
check_config (const HubConfig *config, GError **error)
{
  if (config->port_min > config->port_max) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_CONFIG,
                 "ports %u to %u: the first must not be above the last", config->port_min,
                 config->port_max);
    return FALSE;
  }
  if (config->relays != NULL && config->relays->len > RELAY_MAX) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_CONFIG, "%u relays: %d at most",
                 config->relays->len, RELAY_MAX);
    return FALSE;
  }
  return TRUE;
}

Hub *
hub_new (const HubConfig *config, GMainContext *events_context, const HubEvents *events, void *arg,
         GError **error)
{
  if (!check_config (config, error))
    return NULL;
  Hub *hub = g_new0 (Hub, 1);
  hub->context = g_main_context_new ();
  hub->loop = g_main_loop_new (hub->context, FALSE);
  hub->commands = mailbox_new (hub->context, read_command, command_free, hub);
  hub->events_box = mailbox_new (events_context, hub_read_event, hub_free_event, hub);
  hub->events = *events;
  hub->arg = arg;
  hub->port_min = config->port_min;
  hub->port_max = config->port_max;
  hub->stun_server = g_strdup (config->stun_server);
  hub->relay_config = g_ptr_array_new_with_free_func ((GDestroyNotify)relay_free);
  for (guint i = 0; config->relays != NULL && i < config->relays->len; i++)
    g_ptr_array_add (hub->relay_config, relay_copy (config->relays->pdata[i]));
  hub->sources = g_ptr_array_new_with_free_func ((GDestroyNotify)hub_source_free);
  hub->peers = g_hash_table_new (g_str_hash, g_str_equal);
  g_queue_init (&hub->certs);
  pthread_mutex_init (&hub->stats_lock, NULL);
  hub->allocation = allocation_new ();
  hub->encoders = config->encoders != 0 ? config->encoders : g_get_num_processors () * 500;
  hub->streams
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
  hub->stats = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  hub->thread = g_thread_new ("hub", loop_thread, hub);
  return hub;
}

static void
run_quit (Hub *hub, Command *c)
{
  g_main_loop_quit (hub->loop);
}

void
hub_free (Hub *hub)
{
  if (hub == NULL)
    return;
  mailbox_post (hub->commands, command_new (run_quit, NULL, NULL));
  g_thread_join (hub->thread);
  mailbox_free (hub->events_box);
  mailbox_free (hub->commands);
  g_ptr_array_unref (hub->sources);
  g_hash_table_unref (hub->peers);
  g_hash_table_unref (hub->stats);
  g_hash_table_unref (hub->streams);
  allocation_free (hub->allocation);
  pthread_mutex_destroy (&hub->stats_lock);
  g_queue_clear_full (&hub->certs, (GDestroyNotify)session_cert_free);
  g_free (hub->stun_server);
  g_ptr_array_unref (hub->relay_config);
  g_main_loop_unref (hub->loop);
  g_main_context_unref (hub->context);
  g_free (hub);
}
