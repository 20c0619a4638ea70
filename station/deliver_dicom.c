/* To a PACS: C-STORE by a confined child, which alone talks with it. */
#include "media/dicom/child.h"
#include "station/deliver.h"

#include <gio/gio.h>

#define WHOLE_S (15 * 60)
#define LOOK_MS 200

typedef struct {
  const Delivery *delivery;
  GMainLoop *loop;
  gint64 deadline_us;
  GError *error; /* NULL with done: it was kept */
  gboolean done;
} Sending;

static void
finish (Sending *sending, gint code, const char *why)
{
  if (!sending->done && why != NULL)
    sending->error = g_error_new (DELIVER_ERROR, code, "%s: %s", sending->delivery->to->to, why);
  sending->done = TRUE;
  g_main_loop_quit (sending->loop);
}

/* PS3.4 §B.2.3: 0 and the warnings B000, B006, B007 mean kept; A7xx is out of resources. */
static void
take_status (Sending *sending, json_int_t status)
{
  g_autofree char *text = g_strdup_printf ("C-STORE status %04x", (guint)status & 0xffff);
  if (status == 0 || status == 0xb000 || status == 0xb006 || status == 0xb007)
    finish (sending, 0, NULL);
  else
    finish (sending, (status & 0xff00) == 0xa700 ? DELIVER_ERROR_TROUBLE : DELIVER_ERROR_REFUSED,
            text);
}

static void
on_message (DicomChild *child, json_t *message, GBytes *bytes, void *arg)
{
  Sending *sending = arg;
  json_t *status = json_object_get (message, "status");
  const char *wrong = json_string_value (json_object_get (message, "error"));

  if (json_is_integer (status))
    take_status (sending, json_integer_value (status));
  else if (g_strcmp0 (wrong, "rejected") == 0)
    finish (sending, DELIVER_ERROR_REFUSED, "the association was rejected: check both AE titles");
  else if (g_strcmp0 (wrong, "unsupported") == 0)
    finish (sending, DELIVER_ERROR_REFUSED, "it takes no objects of this kind");
  else if (g_strcmp0 (wrong, "unreadable") == 0)
    finish (sending, DELIVER_ERROR_RECORD, "the object cannot be read");
  else
    finish (sending, DELIVER_ERROR_UNREACHABLE, "no association");
}

static void
on_gone (DicomChild *child, const char *why, void *arg)
{
  finish (arg, DELIVER_ERROR_UNREACHABLE, why != NULL ? why : "the sender ended");
}

static const DicomChildEvents events = { on_message, on_gone };

static gboolean
look (void *data)
{
  Sending *sending = data;
  if (g_atomic_int_get (sending->delivery->stop))
    finish (sending, DELIVER_ERROR_STOPPED, "stopped");
  else if (g_get_monotonic_time () > sending->deadline_us)
    finish (sending, DELIVER_ERROR_UNREACHABLE, "no answer in 15 minutes");
  return G_SOURCE_CONTINUE;
}

/* (transfer full) a number: the child cannot ask for names. */
static char *
resolve (const char *host, GError **error)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  g_autoptr (GError) local = NULL;
  GList *addresses = g_resolver_lookup_by_name (resolver, host, NULL, &local);
  char *number = NULL;

  for (GList *one = addresses; one != NULL && number == NULL; one = one->next)
    if (g_inet_address_get_family (one->data) == G_SOCKET_FAMILY_IPV4)
      number = g_inet_address_to_string (one->data);
  g_resolver_free_addresses (addresses);
  if (number == NULL)
    g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_UNREACHABLE, "%s: %s", host,
                 local != NULL ? local->message : "it has no IPv4 address");
  return number;
}

static gboolean
run (Sending *sending, const char *address, GError **error)
{
  const Delivery *delivery = sending->delivery;
  int fd = dicom_memory_file (delivery->bytes, error);
  if (fd < 0)
    return FALSE;
  DicomChild *child = dicom_child_new ("send", fd, 0, &events, sending, error);
  if (child == NULL)
    return FALSE;
  g_autoptr (GSource) timer = g_timeout_source_new (LOOK_MS);
  g_source_set_callback (timer, look, sending, NULL);
  g_source_attach (timer, g_main_context_get_thread_default ());
  dicom_child_send (child, json_pack ("{s:s, s:i, s:s, s:s}", "address", address, "port",
                                      (int)delivery->to->port, "calling", delivery->own_title,
                                      "called", delivery->to->called));
  while (!sending->done)
    g_main_loop_run (sending->loop);
  g_source_destroy (timer);
  dicom_child_free (child);
  if (sending->error != NULL)
    g_propagate_error (error, g_steal_pointer (&sending->error));
  return error == NULL || *error == NULL;
}

gboolean
deliver_dicom (const Delivery *delivery, GError **error)
{
  g_autofree char *address = resolve (delivery->to->host, error);
  if (address == NULL || !delivery->advance (OUTBOX_SENT, delivery->arg, error))
    return FALSE;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  Sending sending = { .delivery = delivery,
                      .loop = g_main_loop_new (context, FALSE),
                      .deadline_us = g_get_monotonic_time () + WHOLE_S * G_TIME_SPAN_SECOND };
  GError *local = NULL;
  gboolean ok = run (&sending, address, &local);
  g_main_loop_unref (sending.loop);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  if (!ok) {
    g_propagate_error (error, local);
    return FALSE;
  }
  return delivery->advance (OUTBOX_CONFIRMED, delivery->arg, error);
}
