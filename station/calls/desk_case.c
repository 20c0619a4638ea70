/* Stills and clips that go with a case: a piece at a time, to who may see the case. */
#include "records/attachment.h"
#include "station/calls/calls.h"
#include "station/calls/desk_private.h"

/* Below what a frame of any carrier holds, in base64. */
#define PIECE_BYTES (48 * 1024)

static gboolean
is_of_case (const Call *call, const char *file)
{
  size_t i;
  json_t *id;
  json_array_foreach (call->files, i, id)
  {
    if (g_str_equal (json_string_value (id), file))
      return TRUE;
  }
  return FALSE;
}

static void
answer_piece (Request *request, const char *consult, const char *file, gint64 from)
{
  Store *store = request->station->store;
  g_autoptr (GError) error = NULL;
  guint64 size;
  if (!attachment_size (store, consult, file, &size, &error)) {
    request_failed (request, error);
    return;
  }
  if ((guint64)from >= size) {
    request_bad (request, "from", "is beyond the end of the file");
    return;
  }
  g_autoptr (GBytes) bytes
      = attachment_read (store, consult, file, (guint64)from, PIECE_BYTES, &error);
  if (bytes == NULL) {
    request_failed (request, error);
    return;
  }
  gsize length;
  const guchar *data = g_bytes_get_data (bytes, &length);
  g_autofree char *text = g_base64_encode (data, length);
  request_ok (request, json_pack ("{s:I, s:I, s:s}", "size", (json_int_t)size, "from",
                                  (json_int_t)from, "data", text));
}

void
desk_case_want (Request *request)
{
  const char *id, *file;
  gint64 from;
  Consult *consult = NULL;
  if (!request_id (request, "call", REQUIRED, &id) || !request_id (request, "file", REQUIRED, &file)
      || !request_number (request, "from", 0, G_MAXINT32, &from))
    return;
  const Call *call
      = calls_of_person (request->station, desk_person (request->client->desk), id, &consult);
  if (call == NULL || call->state != CALL_LATER || !is_of_case (call, file))
    request_refuse (request, "no-such");
  else
    answer_piece (request, consult->id, file, from);
}
