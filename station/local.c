#include "station/local.h"
#include "station/device_values.h"
#include "station/feeds.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define CLIENTS_MAX 8
#define LOOK_MS 500

struct Local {
  Station *station;
  char *path;
  GSocketService *service;
  GPtrArray *clients; /* GSocketConnection* */
  guint timer;
  char *told; /* the line that clients have */
};

char *
local_path (const char *state_dir)
{
  return g_build_filename (state_dir, "local.sock", NULL);
}

static char *
line_now (Station *station)
{
  json_auto_t *all = json_pack ("{s:o, s:o}", "feeds", feeds_json (station->feeds), "devices",
                                device_values_json (station->values));
  char *text = json_dumps (all, JSON_COMPACT);
  char *line = g_strconcat (text != NULL ? text : "{}", "\n", NULL);
  free (text);
  return line;
}

/* Whole, or the client is let go: one that does not read must not hold the station up. */
static gboolean
tell (GSocketConnection *client, const char *line)
{
  GSocket *socket = g_socket_connection_get_socket (client);
  gssize length = (gssize)strlen (line);
  return g_socket_send_with_blocking (socket, line, (gsize)length, FALSE, NULL, NULL) == length;
}

static gboolean
look (void *data)
{
  Local *local = data;
  if (local->clients->len == 0) {
    local->timer = 0;
    return G_SOURCE_REMOVE;
  }
  g_autofree char *line = line_now (local->station);
  if (g_strcmp0 (line, local->told) == 0)
    return G_SOURCE_CONTINUE;
  for (guint i = local->clients->len; i > 0; i--)
    if (!tell (local->clients->pdata[i - 1], line))
      g_ptr_array_remove_index_fast (local->clients, i - 1);
  g_free (local->told);
  local->told = g_steal_pointer (&line);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *client, GObject *source, void *data)
{
  Local *local = data;
  g_autofree char *line = line_now (local->station);
  if (local->clients->len >= CLIENTS_MAX)
    g_ptr_array_remove_index (local->clients, 0);
  if (tell (client, line))
    g_ptr_array_add (local->clients, g_object_ref (client));
  if (local->timer == 0)
    local->timer = g_timeout_add (LOOK_MS, look, local);
  return TRUE;
}

Local *
local_new (Station *station)
{
  g_autoptr (GError) error = NULL;
  Local *local = g_new0 (Local, 1);
  local->station = station;
  local->path = local_path (station->config->state);
  local->clients = g_ptr_array_new_with_free_func (g_object_unref);
  local->service = g_socket_service_new ();
  g_signal_connect (local->service, "incoming", G_CALLBACK (on_incoming), local);
  g_unlink (local->path); /* of a run that was killed; the folder is locked by us */
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (local->path);
  mode_t mask = umask (0177);
  gboolean good = g_socket_listener_add_address (G_SOCKET_LISTENER (local->service), address,
                                                 G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
                                                 NULL, NULL, &error);
  umask (mask);
  if (good)
    return local;
  g_warning ("local: %s: %s; nhipcau device list and watch will not find this station", local->path,
             error->message);
  local_free (local);
  return NULL;
}

void
local_free (Local *local)
{
  if (local == NULL)
    return;
  g_clear_handle_id (&local->timer, g_source_remove);
  g_socket_service_stop (local->service);
  g_socket_listener_close (G_SOCKET_LISTENER (local->service));
  g_object_unref (local->service);
  g_unlink (local->path);
  g_ptr_array_unref (local->clients);
  g_free (local->path);
  g_free (local->told);
  g_free (local);
}
