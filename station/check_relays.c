/* `check`: each relay of the configuration is asked for an address, all at the same time. */
#include "media/transport/relay_probe.h"
#include "station/check_private.h"
#include "station/relay_words.h"

typedef struct {
  GPtrArray *findings;
  guint pending;
} Asked;

/* Not to be reached may be the network of the day; a wrong secret mends itself never. */
static CheckLevel
level_of (RelayOutcome outcome)
{
  switch (outcome) {
  case RELAY_GOOD:
    return CHECK_GOOD;
  case RELAY_NO_NAME:
  case RELAY_UNREACHABLE:
  case RELAY_SILENT:
  case RELAY_QUOTA:
  case RELAY_FULL:
    return CHECK_WARN;
  default:
    return CHECK_BAD;
  }
}

static void
on_probed (const Relay *relay, const RelayReport *report, gpointer data)
{
  Asked *asked = data;
  char *vi, *en;
  relay_words (relay->url, report, &vi, &en);
  check_add (asked->findings, level_of (report->outcome),
             report->outcome == RELAY_GOOD ? "relay" : "relay-failed", vi, en);
  asked->pending--;
}

/* A context of its own: the caller's may be in use, and `check` runs in any thread. */
void
check_relays (const Config *config, GPtrArray *findings)
{
  Asked asked = { findings, config->relays->len };
  if (config->relays->len == 0)
    return;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GPtrArray) probes = g_ptr_array_new_with_free_func ((GDestroyNotify)relay_probe_free);
  g_main_context_push_thread_default (context);
  for (guint i = 0; i < config->relays->len; i++)
    g_ptr_array_add (probes, relay_probe_new (config->relays->pdata[i], on_probed, &asked));
  while (asked.pending > 0)
    g_main_context_iteration (context, TRUE);
  g_ptr_array_set_size (probes, 0);
  while (g_main_context_iteration (context, FALSE))
    continue;
  g_main_context_pop_thread_default (context);
}
