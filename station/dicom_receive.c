/* Connections of DICOM devices: each gets a confined child of its own, which gets nothing else. */
#include "station/dicom_private.h"
#include "media/dicom/child.h"
#include "station/request.h"

#include <fcntl.h>
#include <string.h>

#define ASSOCIATION_SECONDS (30 * 60)
#define WAIT_SECONDS 60 /* for its first word */

struct DicomReception {
  Dicom *dicom;
  DicomChild *child;
  char *address, *calling; /* calling NULL: it has not been let in yet */
  DicomJob *job;           /* NULL: none under way */
  guint timer;
};

static void
reception_free (DicomReception *reception)
{
  g_ptr_array_remove_fast (reception->dicom->receptions, reception);
  if (reception->job != NULL)
    reception->job->reception = NULL;
  g_clear_handle_id (&reception->timer, g_source_remove);
  dicom_child_free (reception->child);
  g_free (reception->address);
  g_free (reception->calling);
  g_free (reception);
}

Dicom *
dicom_reception_owner (DicomReception *reception)
{
  return reception->dicom;
}

void
dicom_reception_work (DicomReception *reception, DicomJob *job)
{
  reception->job = job;
}

void
dicom_reception_answer (DicomReception *reception, guint status)
{
  reception->job = NULL;
  dicom_child_send (reception->child, json_pack ("{s:i}", "status", (int)status));
}

/* ---- Who may send ------------------------------------------------------------------------- */

static gboolean
address_is (const char *wanted, const char *address)
{
  g_autoptr (GInetAddress) one = g_inet_address_new_from_string (wanted);
  g_autoptr (GInetAddress) other = g_inet_address_new_from_string (address);
  return one != NULL && other != NULL && g_inet_address_equal (one, other);
}

/* calling NULL: of any name. */
static gboolean
may_send (const Config *config, const char *calling, const char *address)
{
  for (guint i = 0; i < config->dicom_callers->len; i++) {
    const ConfigCaller *caller = config->dicom_callers->pdata[i];
    if ((calling == NULL || g_str_equal (caller->title, calling))
        && (caller->address == NULL || address_is (caller->address, address)))
      return TRUE;
  }
  return FALSE;
}

static void
take_associate (DicomReception *reception, const json_t *message)
{
  const Config *config = reception->dicom->station->config;
  const char *calling = json_string_value (json_object_get (message, "calling"));
  const char *called = json_string_value (json_object_get (message, "called"));
  const char *refuse = NULL;
  if (calling == NULL || !text_is_clean (calling, 16)
      || !may_send (config, calling, reception->address))
    refuse = "calling";
  else if (g_strcmp0 (called, config->dicom_title) != 0)
    refuse = "called";
  if (refuse != NULL) {
    g_message ("dicom: an association from %s was refused: its %s AE title is not one that "
               "station.conf names",
               reception->address, refuse);
    dicom_child_send (reception->child, json_pack ("{s:s}", "refuse", refuse));
    return;
  }
  g_free (reception->calling);
  reception->calling = g_strdup (calling);
  dicom_child_send (reception->child,
                    json_pack ("{s:I}", "object_max", (json_int_t)config->dicom_largest));
}

/* ---- What its child says ------------------------------------------------------------------ */

static void
take_store (DicomReception *reception, const json_t *message, GBytes *bytes)
{
  const char *instance = json_string_value (json_object_get (message, "sop_instance"));
  if (reception->calling == NULL || reception->job != NULL || bytes == NULL || instance == NULL
      || !text_is_clean (instance, 64)) {
    dicom_reception_answer (reception, DICOM_NOT_UNDERSTOOD);
    return;
  }
  dicom_take (reception, reception->calling, instance, bytes);
}

static gboolean
reception_late (gpointer data)
{
  DicomReception *reception = data;
  reception->timer = 0;
  g_message ("dicom: a connection of %s took too long and was ended", reception->address);
  reception_free (reception);
  return G_SOURCE_REMOVE;
}

static void
child_message (DicomChild *child, json_t *message, GBytes *bytes, void *arg)
{
  DicomReception *reception = arg;
  const char *type = json_string_value (json_object_get (message, "type"));
  g_clear_handle_id (&reception->timer, g_source_remove);
  reception->timer = g_timeout_add_seconds (ASSOCIATION_SECONDS, reception_late, reception);
  if (g_strcmp0 (type, "associate") == 0)
    take_associate (reception, message);
  else if (g_strcmp0 (type, "store") == 0)
    take_store (reception, message, bytes);
  else if (g_strcmp0 (type, "echo") == 0)
    g_message ("dicom: C-ECHO of %s", reception->calling != NULL ? reception->calling : "?");
}

static void
child_gone (DicomChild *child, const char *why, void *arg)
{
  DicomReception *reception = arg;
  g_info ("dicom: the connection of %s: %s", reception->address, why);
  reception_free (reception);
}

static const DicomChildEvents child_events = { child_message, child_gone };

/* ---- Connections -------------------------------------------------------------------------- */

static char *
address_of (GSocketConnection *connection)
{
  g_autoptr (GSocketAddress) remote = g_socket_connection_get_remote_address (connection, NULL);
  if (!G_IS_INET_SOCKET_ADDRESS (remote))
    return NULL;
  return g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (remote)));
}

static gboolean
incoming (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
  Dicom *dicom = data;
  g_autofree char *address = address_of (connection);
  g_autoptr (GError) error = NULL;
  if (address == NULL || !may_send (dicom->station->config, NULL, address)) {
    g_message ("dicom: a connection from %s was cut: station.conf names no device there",
               address != NULL ? address : "?");
    return TRUE;
  }
  if (dicom->receptions->len >= DICOM_RECEPTIONS_MAX) {
    g_message ("dicom: a connection from %s was cut: %d are at work", address,
               DICOM_RECEPTIONS_MAX);
    return TRUE;
  }
  int fd
      = fcntl (g_socket_get_fd (g_socket_connection_get_socket (connection)), F_DUPFD_CLOEXEC, 3);
  if (fd < 0)
    return TRUE;
  fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) & ~O_NONBLOCK);
  DicomReception *reception = g_new0 (DicomReception, 1);
  reception->dicom = dicom;
  reception->address = g_steal_pointer (&address);
  g_ptr_array_add (dicom->receptions, reception);
  reception->timer = g_timeout_add_seconds (WAIT_SECONDS, reception_late, reception);
  reception->child = dicom_child_new ("receive", fd, dicom->station->config->dicom_largest + 4096,
                                      &child_events, reception, &error);
  if (reception->child == NULL) {
    g_warning ("dicom: %s", error->message);
    reception_free (reception);
  }
  return TRUE;
}

gboolean
dicom_listen (Dicom *dicom, GError **error)
{
  const Config *config = dicom->station->config;
  if (config->dicom_port == 0)
    return TRUE;
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (config->dicom_listen);
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new (address, config->dicom_port);
  dicom->service = g_socket_service_new ();
  g_socket_listener_set_backlog (G_SOCKET_LISTENER (dicom->service), 8);
  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (dicom->service), where,
                                      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, NULL,
                                      error)) {
    g_prefix_error (error, "[dicom] port %u cannot be opened: ", config->dicom_port);
    return FALSE;
  }
  g_signal_connect (dicom->service, "incoming", G_CALLBACK (incoming), dicom);
  g_socket_service_start (dicom->service);
  return TRUE;
}

void
dicom_stop (Dicom *dicom)
{
  if (dicom->service != NULL) {
    g_socket_service_stop (dicom->service);
    g_socket_listener_close (G_SOCKET_LISTENER (dicom->service));
  }
  g_clear_object (&dicom->service);
  while (dicom->receptions->len > 0)
    reception_free (dicom->receptions->pdata[0]);
}
