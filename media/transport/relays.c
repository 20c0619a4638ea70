#include "media/transport/relays.h"
#include "media/transport/relay_bridge.h"
#include "media/transport/relay_probe.h"
#include "media/transport/timer.h"

enum { GOOD_S = 300, BAD_S = 30 };

typedef struct {
  Relays *relays;
  Relay *relay;
  RelayBridge *bridge; /* NULL: UDP */
  RelayProbe *probe;   /* under way */
  Timer *next;         /* when it is asked again */
  gboolean known;
  RelayOutcome outcome;
} Entry;

struct Relays {
  GPtrArray *entries; /* Entry */
  RelaysReport report;
  gpointer data;
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  timer_free (entry->next);
  relay_probe_free (entry->probe);
  relay_bridge_free (entry->bridge);
  relay_free (entry->relay);
  g_free (entry);
}

static void
on_probed (const Relay *relay, const RelayReport *report, gpointer data)
{
  Entry *entry = data;
  gboolean changed = !entry->known || entry->outcome != report->outcome;
  g_clear_pointer (&entry->probe, relay_probe_free);
  entry->known = TRUE;
  entry->outcome = report->outcome;
  gint64 wait_us = (report->outcome == RELAY_GOOD ? GOOD_S : BAD_S) * G_USEC_PER_SEC;
  timer_at (entry->next, g_get_monotonic_time () + wait_us);
  if (changed)
    entry->relays->report (relay, report, entry->relays->data);
}

static void
probe (gpointer data)
{
  Entry *entry = data;
  if (entry->probe == NULL && entry->relays->report != NULL)
    entry->probe = relay_probe_new (entry->relay, on_probed, entry);
}

Relays *
relays_new (const GPtrArray *list, RelaysReport report, gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  Relays *relays = g_new0 (Relays, 1);
  relays->entries = g_ptr_array_new_with_free_func (entry_free);
  relays->report = report;
  relays->data = data;
  for (guint i = 0; list != NULL && i < MIN (list->len, RELAY_MAX); i++) {
    Entry *entry = g_new0 (Entry, 1);
    entry->relays = relays;
    entry->relay = relay_copy (list->pdata[i]);
    entry->next = timer_new (context, probe, entry);
    if (entry->relay->transport != RELAY_UDP)
      entry->bridge = relay_bridge_new (entry->relay);
    g_ptr_array_add (relays->entries, entry);
    probe (entry);
  }
  return relays;
}

void
relays_free (Relays *relays)
{
  if (relays == NULL)
    return;
  g_ptr_array_unref (relays->entries);
  g_free (relays);
}

static void
door_free (gpointer data)
{
  RelayDoor *door = data;
  g_free (door->host);
  g_free (door->user);
  g_free (door->password);
  g_free (door);
}

/* libnice goes to a relay from each of its own addresses of the relay's family. */
static gboolean
find_door (const Entry *entry, gboolean ipv4, RelayDoor *door)
{
  if (entry->bridge == NULL) {
    door->host = g_strdup (entry->relay->host);
    door->port = entry->relay->port;
    return TRUE;
  }
  door->host = g_strdup (ipv4 ? "127.0.0.1" : "::1");
  door->port
      = relay_bridge_port (entry->bridge, ipv4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
  door->stream = TRUE;
  return door->port != 0;
}

GPtrArray *
relays_doors (Relays *relays, gboolean ipv4)
{
  GPtrArray *doors = g_ptr_array_new_with_free_func (door_free);
  for (guint i = 0; i < relays->entries->len; i++) {
    const Entry *entry = relays->entries->pdata[i];
    RelayDoor *door = g_new0 (RelayDoor, 1);
    if (find_door (entry, ipv4, door)) {
      relay_credentials (entry->relay, g_get_real_time () / G_USEC_PER_SEC, &door->user,
                         &door->password);
      g_ptr_array_add (doors, door);
    } else {
      door_free (door);
    }
  }
  return doors;
}

void
relays_check (Relays *relays)
{
  for (guint i = 0; i < relays->entries->len; i++) {
    Entry *entry = relays->entries->pdata[i];
    if (!entry->known || entry->outcome != RELAY_GOOD)
      probe (entry);
  }
}
