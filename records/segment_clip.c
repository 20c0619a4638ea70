/* A stretch of one track as a file of its own. */
#include "records/segment.h"

#include <string.h>

typedef struct {
  const char *segment;
  guint64 seq;
} Place;

typedef struct {
  const char *mime;
  Place init;
  GArray *places; /* Place, behind init */
  gint64 start_us;
} Chosen;

static const char *
text_of (const json_t *object, const char *key)
{
  return json_string_value (json_object_get (object, key));
}

/* A clip begins at the last key frame before from_us, so that it can be shown, and never goes over
 * another init: what was chosen before it is left. */
static void
choose_record (Chosen *chosen, const json_t *segment, const json_t *record, gint64 from_us)
{
  const guint flags = (guint)json_integer_value (json_object_get (record, "flags"));
  gint64 pts_us = json_integer_value (json_object_get (record, "pts_us"));
  Place place
      = { text_of (segment, "id"), (guint64)json_integer_value (json_object_get (record, "seq")) };
  if (flags & SEGMENT_INIT) {
    chosen->init = place;
    chosen->mime = text_of (segment, "mime");
    g_array_set_size (chosen->places, 0);
    return;
  }
  if (json_integer_value (json_object_get (record, "size")) == 0)
    return;
  if ((flags & SEGMENT_KEY) && pts_us <= from_us)
    g_array_set_size (chosen->places, 0);
  if (chosen->places->len == 0 && !(flags & SEGMENT_KEY))
    return;
  if (chosen->places->len == 0)
    chosen->start_us = pts_us;
  g_array_append_val (chosen->places, place);
}

static void
choose (Chosen *chosen, const json_t *track, gint64 from_us, gint64 until_us)
{
  gsize i, j;
  json_t *segment, *record;
  json_array_foreach (json_object_get (track, "segments"), i, segment)
      json_array_foreach (json_object_get (segment, "records"), j,
                          record) if (json_integer_value (json_object_get (record, "pts_us"))
                                      <= until_us) choose_record (chosen, segment, record, from_us);
}

static gboolean
append_record (Store *store, const char *consult, const Place *place, guint64 max, GByteArray *all,
               GError **error)
{
  g_autoptr (GBytes) bytes = recording_read (store, consult, place->segment, place->seq, error);
  if (bytes == NULL)
    return FALSE;
  gsize size = g_bytes_get_size (bytes);
  if (all->len + size > max) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "the clip would have more than %" G_GUINT64_FORMAT " bytes", max);
    return FALSE;
  }
  if (size > 0)
    g_byte_array_append (all, g_bytes_get_data (bytes, NULL), (guint)size);
  return TRUE;
}

static const json_t *
track_of (const json_t *index, const char *stream)
{
  gsize i;
  json_t *track;
  json_array_foreach (index, i,
                      track) if (g_strcmp0 (text_of (track, "stream"), stream) == 0) return track;
  return NULL;
}

GBytes *
recording_clip (Store *store, const char *consult, const RecordingClip *clip, char **ret_mime,
                gint64 *ret_start_us, GError **error)
{
  json_auto_t *index = recording_index (store, consult, error);
  if (index == NULL)
    return NULL;
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (Place));
  g_autoptr (GByteArray) all = g_byte_array_new ();
  Chosen chosen = { .places = places };
  choose (&chosen, track_of (index, clip->stream), clip->from_us, clip->until_us);
  if (chosen.init.segment == NULL || places->len == 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
                 "nothing was recorded of %s at that time", clip->stream);
    return NULL;
  }
  if (!append_record (store, consult, &chosen.init, clip->max_bytes, all, error))
    return NULL;
  for (guint i = 0; i < places->len; i++)
    if (!append_record (store, consult, &g_array_index (places, Place, i), clip->max_bytes, all,
                        error))
      return NULL;
  *ret_mime = g_strdup (chosen.mime);
  *ret_start_us = chosen.start_us;
  return g_byte_array_free_to_bytes (g_steal_pointer (&all));
}
