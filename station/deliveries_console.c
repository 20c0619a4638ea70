/* What pages see of deliveries. */
#include "station/deliveries.h"
#include "station/deliver.h"

#define PATIENCE 3 /* tries that failed before people are told */

void
deliveries_list (Request *request)
{
  Station *station = request->station;
  g_autoptr (GError) error = NULL;
  json_t *outbox = deliveries_json (station->deliveries, station->store, station->config, &error);
  if (outbox != NULL)
    request_ok (request, outbox);
  else
    request_failed (request, error);
}

void
deliveries_send (Request *request)
{
  deliveries_send_now (request->station->deliveries);
  request_ok (request, NULL);
}

static void
add_problem (const OutboxItem *item, guint n, const Config *config, json_t *list)
{
  const Text *words = deliver_words (item->problem);
  const char *title = item->target;

  for (guint i = 0; i < config->delivers->len; i++) {
    const ConfigDeliver *to = config->delivers->pdata[i];
    if (g_str_equal (to->name, item->target) && to->title != NULL)
      title = to->title;
  }
  g_autofree char *vi = g_strdup_printf (
      "%u hồ sơ đã ký chưa gửi được tới %s: %s. Trạm sẽ tự gửi lại.", n, title, words->vi);
  g_autofree char *en
      = g_strdup_printf ("%u signed items have not reached %s yet: %s. The station tries again "
                         "by itself.",
                         n, title, words->en);
  json_array_append_new (list, json_pack ("{s:s, s:s, s:{s:s, s:s}}", "level", "warn", "code",
                                          "delivery", "text", "vi", vi, "en", en));
}

/* One for each destination, in the words of the last that failed there. */
void
deliveries_add_problems (Station *station, json_t *list)
{
  g_autoptr (GPtrArray) items = outbox_list (station->store, FALSE, NULL);

  for (guint t = 0; items != NULL && t < station->config->delivers->len; t++) {
    const ConfigDeliver *to = station->config->delivers->pdata[t];
    const OutboxItem *last = NULL;
    guint n = 0;
    for (guint i = 0; i < items->len; i++) {
      const OutboxItem *item = items->pdata[i];
      if (!g_str_equal (item->target, to->name) || item->tries < PATIENCE
          || deliver_words (item->problem) == NULL)
        continue;
      last = item;
      n++;
    }
    if (last != NULL)
      add_problem (last, n, station->config, list);
  }
}
