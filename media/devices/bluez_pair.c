/* Pairing: org.bluez.Agent1 and one Device1.Pair at a time. */
#include "media/devices/bluez_private.h"

#define AGENT_PATH "/vn/nhipcau/agent"
#define PAIR_TIMEOUT_MS 60000
#define CAPABILITY "KeyboardDisplay"

struct BluezPairing {
  Bluez *bluez;
  guint agent_id;
  GDBusConnection *exported_on;

  char *address, *path; /* being paired; NULL: none */
  BluezPaired done;
  void *arg;
  gint64 hear_until_us; /* the old bond went: BlueZ has to hear the device again until then */
  guint wait;

  BluezQuestion question;
  guint32 passkey;
  GDBusMethodInvocation *asking; /* what waits for a person; NULL: none */
};

static const char AGENT_XML[]
    = "<node><interface name='org.bluez.Agent1'>"
      "<method name='Release'/><method name='Cancel'/>"
      "<method name='RequestPinCode'><arg type='o' direction='in'/>"
      "<arg type='s' direction='out'/></method>"
      "<method name='DisplayPinCode'><arg type='o' direction='in'/>"
      "<arg type='s' direction='in'/></method>"
      "<method name='RequestPasskey'><arg type='o' direction='in'/>"
      "<arg type='u' direction='out'/></method>"
      "<method name='DisplayPasskey'><arg type='o' direction='in'/>"
      "<arg type='u' direction='in'/><arg type='q' direction='in'/></method>"
      "<method name='RequestConfirmation'><arg type='o' direction='in'/>"
      "<arg type='u' direction='in'/></method>"
      "<method name='RequestAuthorization'><arg type='o' direction='in'/></method>"
      "<method name='AuthorizeService'><arg type='o' direction='in'/>"
      "<arg type='s' direction='in'/></method>"
      "</interface></node>";

/* ---- Questions ----------------------------------------------------------------------------- */

static void
reject (GDBusMethodInvocation *call)
{
  g_dbus_method_invocation_return_dbus_error (call, "org.bluez.Error.Rejected", "no");
}

static void
ask (BluezPairing *pairing, BluezQuestion question, guint32 passkey, GDBusMethodInvocation *call)
{
  if (pairing->asking != NULL)
    reject (pairing->asking);
  pairing->asking = call;
  pairing->question = question;
  pairing->passkey = passkey;
  bluez_changed (pairing->bluez);
}

static void
ask_no_more (BluezPairing *pairing)
{
  if (pairing->asking != NULL)
    reject (pairing->asking);
  pairing->asking = NULL;
  pairing->question = BLUEZ_ASKS_NOTHING;
  bluez_changed (pairing->bluez);
}

BluezQuestion
bluez_question (const Bluez *bluez, guint32 *ret_passkey)
{
  *ret_passkey = bluez->pairing->passkey;
  return bluez->pairing->question;
}

void
bluez_answer (Bluez *bluez, gboolean agreed, guint32 passkey)
{
  BluezPairing *pairing = bluez->pairing;
  GDBusMethodInvocation *call = g_steal_pointer (&pairing->asking);
  BluezQuestion question = pairing->question;
  pairing->question = BLUEZ_ASKS_NOTHING;
  bluez_changed (bluez);
  if (call == NULL)
    return;
  if (!agreed)
    reject (call);
  else if (question == BLUEZ_WANTS_PASSKEY)
    g_dbus_method_invocation_return_value (call, g_variant_new ("(u)", passkey));
  else
    g_dbus_method_invocation_return_value (call, NULL);
}

/* About the device that is being paired: nobody else gets a bond or a passkey. */
static gboolean
is_about_ours (const BluezPairing *pairing, GVariant *parameters)
{
  g_autoptr (GVariant) first
      = g_variant_n_children (parameters) > 0 ? g_variant_get_child_value (parameters, 0) : NULL;
  return first != NULL && pairing->path != NULL
         && g_str_equal (g_variant_get_string (first, NULL), pairing->path);
}

static void
answer_ours (BluezPairing *pairing, const char *method, GVariant *parameters,
             GDBusMethodInvocation *call)
{
  guint32 passkey = 0;
  if (g_variant_n_children (parameters) > 1) {
    g_autoptr (GVariant) second = g_variant_get_child_value (parameters, 1);
    if (g_variant_is_of_type (second, G_VARIANT_TYPE_UINT32))
      passkey = g_variant_get_uint32 (second) % 1000000;
  }
  if (g_str_equal (method, "RequestPasskey"))
    ask (pairing, BLUEZ_WANTS_PASSKEY, 0, call);
  else if (g_str_equal (method, "RequestConfirmation"))
    ask (pairing, BLUEZ_WANTS_AGREEMENT, passkey, call);
  else if (g_str_equal (method, "DisplayPasskey")) {
    ask (pairing, BLUEZ_SHOWS_PASSKEY, passkey, NULL);
    g_dbus_method_invocation_return_value (call, NULL);
  } else if (g_str_equal (method, "RequestAuthorization")
             || g_str_equal (method, "AuthorizeService"))
    g_dbus_method_invocation_return_value (call, NULL);
  else
    reject (call); /* PIN codes: no health device of Bluetooth LE has one */
}

static void
agent_called (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
              const char *method, GVariant *parameters, GDBusMethodInvocation *call, void *data)
{
  BluezPairing *pairing = data;
  if (g_strcmp0 (sender, pairing->bluez->owner) != 0) {
    reject (call);
  } else if (g_str_equal (method, "Release") || g_str_equal (method, "Cancel")) {
    ask_no_more (pairing);
    g_dbus_method_invocation_return_value (call, NULL);
  } else if (is_about_ours (pairing, parameters)) {
    answer_ours (pairing, method, parameters, call);
  } else
    reject (call);
}

static void
export_agent (BluezPairing *pairing)
{
  static const GDBusInterfaceVTable table = { .method_call = agent_called };
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (AGENT_XML, NULL);
  if (pairing->exported_on == pairing->bluez->bus)
    return;
  g_set_object (&pairing->exported_on, pairing->bluez->bus);
  pairing->agent_id = g_dbus_connection_register_object (
      pairing->bluez->bus, AGENT_PATH, node->interfaces[0], &table, pairing, NULL, NULL);
}

/* ---- Pairing ------------------------------------------------------------------------------- */

static void
finish (BluezPairing *pairing, const char *error)
{
  g_autofree char *address = g_steal_pointer (&pairing->address);
  BluezPaired done = pairing->done;
  g_clear_pointer (&pairing->path, g_free);
  g_clear_handle_id (&pairing->wait, g_source_remove);
  pairing->done = NULL;
  ask_no_more (pairing);
  if (done != NULL)
    done (address, error, pairing->arg);
  bluez_update (pairing->bluez);
}

static void
pair_finished (GObject *source, GAsyncResult *result, void *data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  BluezPairing *pairing = data;
  Bluez *bluez = pairing->bluez;
  g_autofree char *name = error != NULL ? bluez_error_name (error) : NULL;
  if (pairing->path == NULL)
    return;
  if (error == NULL || g_strcmp0 (name, "AlreadyExists") == 0) {
    bluez_call (bluez, pairing->path, "org.freedesktop.DBus.Properties", "Set",
                g_variant_new ("(ssv)", BLUEZ_DEVICE, "Trusted", g_variant_new_boolean (TRUE)),
                5000, bluez->owner_life, NULL, NULL);
    finish (pairing, NULL);
  } else
    finish (pairing, name != NULL ? name : "AuthenticationTimeout");
}

static void
pair_now (BluezPairing *pairing)
{
  bluez_call (pairing->bluez, pairing->path, BLUEZ_DEVICE, "Pair", NULL, PAIR_TIMEOUT_MS,
              pairing->bluez->owner_life, pair_finished, pairing);
}

/* After its old bond went, the device is another object, once it is heard again. */
#define HEAR_AGAIN_US (30 * G_USEC_PER_SEC)
#define HEAR_STEP_MS 200

static gboolean
hear_again (void *data)
{
  BluezPairing *pairing = data;
  g_autofree char *path = bluez_device_path (pairing->bluez, pairing->address);
  if (path != NULL && !bluez_flag (pairing->bluez, path, BLUEZ_DEVICE, "Paired"))
    pairing->path = g_steal_pointer (&path);
  if (pairing->path == NULL && g_get_monotonic_time () < pairing->hear_until_us)
    return G_SOURCE_CONTINUE;
  pairing->wait = 0;
  if (pairing->path != NULL)
    pair_now (pairing);
  else
    finish (pairing, "no-such");
  return G_SOURCE_REMOVE;
}

typedef struct {
  char *address;
  const char *error;
  BluezPaired done;
  void *arg;
} Refusal;

static gboolean
refuse (void *data)
{
  Refusal *refusal = data;
  refusal->done (refusal->address, refusal->error, refusal->arg);
  g_free (refusal->address);
  g_free (refusal);
  return G_SOURCE_REMOVE;
}

void
bluez_remove (Bluez *bluez, const char *address)
{
  g_autofree char *path = bluez_device_path (bluez, address);
  if (path != NULL && bluez->adapter != NULL)
    bluez_call (bluez, bluez->adapter, BLUEZ_ADAPTER, "RemoveDevice", g_variant_new ("(o)", path),
                5000, bluez->owner_life, NULL, NULL);
}

void
bluez_pair (Bluez *bluez, const char *address, BluezPaired done, void *arg)
{
  BluezPairing *pairing = bluez->pairing;
  g_autofree char *path = bluez_device_path (bluez, address);
  const char *error = pairing->address != NULL      ? "busy"
                      : path == NULL                ? "no-such"
                      : bluez->state != BLUEZ_READY ? "gone"
                                                    : NULL;
  if (error != NULL) {
    Refusal *refusal = g_new0 (Refusal, 1);
    *refusal = (Refusal){ g_strdup (address), error, done, arg };
    g_idle_add (refuse, refusal);
    return;
  }
  pairing->address = g_strdup (address);
  pairing->done = done;
  pairing->arg = arg;
  if (bluez_flag (bluez, path, BLUEZ_DEVICE, "Paired")) {
    bluez_remove (bluez, address);
    bluez_search (bluez, TRUE);
    pairing->hear_until_us = g_get_monotonic_time () + HEAR_AGAIN_US;
    pairing->wait = g_timeout_add (HEAR_STEP_MS, hear_again, pairing);
    return;
  }
  pairing->path = g_steal_pointer (&path);
  pair_now (pairing);
}

void
bluez_pairing_reset (BluezPairing *pairing, gboolean register_agent)
{
  Bluez *bluez = pairing->bluez;
  if (pairing->address != NULL)
    finish (pairing, "gone");
  if (!register_agent)
    return;
  export_agent (pairing);
  bluez_call (bluez, "/org/bluez", "org.bluez.AgentManager1", "RegisterAgent",
              g_variant_new ("(os)", AGENT_PATH, CAPABILITY), 5000, bluez->owner_life, NULL, NULL);
}

BluezPairing *
bluez_pairing_new (Bluez *bluez)
{
  BluezPairing *pairing = g_new0 (BluezPairing, 1);
  pairing->bluez = bluez;
  return pairing;
}

void
bluez_pairing_free (BluezPairing *pairing)
{
  if (pairing->asking != NULL)
    reject (pairing->asking);
  if (pairing->done != NULL)
    pairing->done (pairing->address, "gone", pairing->arg);
  if (pairing->exported_on != NULL)
    g_dbus_connection_unregister_object (pairing->exported_on, pairing->agent_id);
  g_clear_object (&pairing->exported_on);
  g_clear_handle_id (&pairing->wait, g_source_remove);
  g_free (pairing->address);
  g_free (pairing->path);
  g_free (pairing);
}
