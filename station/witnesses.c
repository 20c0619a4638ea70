#include "station/witnesses.h"
#include "records/witness.h"

#include <string.h>

#define HEAD_EVERY_US (10 * G_USEC_PER_SEC)

static void
answer (Request *request, gboolean known, gboolean locked)
{
  if (!known && !locked)
    g_warning ("witness: the state folder was put back: somebody outside knows more than this log");
  request_ok (request, json_pack ("{s:b, s:b}", "known", known, "locked", locked));
}

void
witnesses_check (Request *request)
{
  static const char *const sources[] = { "backup", "browser", "paper", "receipt", NULL };
  const char *paper, *root, *source;
  gboolean known = FALSE, locked = FALSE;
  gint64 size = 0;
  g_autoptr (GError) error = NULL;
  Store *store = request->station->store;

  if (!request_text (request, "paper", OPTIONAL, 64, &paper)
      || !request_text (request, "root", OPTIONAL, 64, &root)
      || !request_word (request, "source", OPTIONAL, sources, &source))
    return;
  if (root != NULL && !request_number (request, "size", 1, G_MAXINT64, &size))
    return;
  if (paper == NULL && (root == NULL || source == NULL)) {
    request_bad (request, "paper", "or source, size and root are wanted");
    return;
  }
  if (paper != NULL ? witness_check_paper (store, paper, &known, &locked, &error)
                    : witness_check (store, source, (guint64)size, root, &known, &error))
    answer (request, known, locked);
  else
    request_bad (request, paper != NULL ? "paper" : "root", error->message);
}

/* ---- Browsers of guests ------------------------------------------------------------------- */

static gboolean
is_let_in (const Request *request)
{
  Consult *consult = station_consult (request->station, request->client->consult);
  const Guest *guest = consult != NULL ? consult_guest (consult, request->client->guest) : NULL;
  return guest != NULL && guest->state != GUEST_LOBBY && guest->state != GUEST_REMOVED;
}

/* A head that is not ours says nothing, whoever holds it up. */
static void
judge_head (Station *station, const json_t *head)
{
  g_autoptr (GError) error = NULL;
  gboolean known = TRUE;
  if (!witness_check_head (station->store, station->identity, "browser", head, &known, &error))
    g_message ("witness: %s", error->message);
  else if (!known) {
    g_warning ("witness: the state folder was put back: a guest's browser knows more than this "
               "log; work goes on, and the log says so (fork)");
    station_changed (station);
  }
}

void
witnesses_head (Request *request)
{
  Station *station = request->station;
  Client *client = request->client;
  gint64 now_us = g_get_monotonic_time ();
  const json_t *kept = json_object_get (request->message, "head");
  g_autoptr (GError) error = NULL;

  if (!is_let_in (request) || station->identity == NULL) {
    request_refuse (request, "out-of-place");
    return;
  }
  if (client->head_us != 0 && now_us - client->head_us < HEAD_EVERY_US) {
    request_refuse (request, "busy");
    return;
  }
  client->head_us = now_us;
  if (json_is_object (kept))
    judge_head (station, kept);
  json_t *head = witness_head (station->store, station->identity, &error);
  if (head != NULL)
    request_ok (request, json_pack ("{s:o}", "head", head));
  else
    request_failed (request, error);
}

/* ---- Others ------------------------------------------------------------------------------- */

void
witnesses_take (Station *station)
{
  g_autoptr (GError) error = NULL;
  guint unknown;
  if (!witness_take (station->store, &unknown, &error))
    g_warning ("witness: %s", error->message);
  else if (unknown > 0)
    g_warning ("witness: the state folder was put back: %u witnesses outside know more than this "
               "log; it goes on, and says so (fork)",
               unknown);
}

void
witnesses_add_problems (Station *station, json_t *list)
{
  g_autoptr (GPtrArray) forks = witness_forks (station->store, NULL);
  if (forks == NULL || forks->len == 0)
    return;
  const char *last = forks->pdata[forks->len - 1];
  g_autofree char *source = g_strndup (last, strcspn (last, " "));
  g_autofree char *vi = g_strdup_printf (
      "Thư mục dữ liệu của trạm đã từng bị đưa về bản cũ (nhân chứng: %s). Hồ sơ mới vẫn được ghi; "
      "hãy báo người quản trị đối chiếu với bản sao lưu.",
      source);
  g_autofree char *en = g_strdup_printf (
      "The station's folder was put back to an older state (witness: %s). Work goes on; have the "
      "administrator compare with the backups.",
      source);
  json_array_append_new (list, json_pack ("{s:s, s:s, s:{s:s, s:s}}", "level", "warn", "code",
                                          "fork", "text", "vi", vi, "en", en));
}
