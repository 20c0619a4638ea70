#include "station/witnesses.h"
#include "records/witness.h"

#include <string.h>

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
