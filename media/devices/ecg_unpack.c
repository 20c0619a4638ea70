#include "media/devices/ecg_pack.h"
#include "media/error.h"

#include <gio/gio.h>
#include <string.h>

#define PLAIN_MAX (64u << 20) /* bytes, unpacked */
#define STREAMS_MAX 64

static gboolean
bad (GError **error, const char *what)
{
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED, "packed ECG: %s", what);
  return FALSE;
}

/* ---- Bytes ------------------------------------------------------------------------------------
 */

static GByteArray *
inflate (GBytes *packed, GError **error)
{
  g_autoptr (GZlibDecompressor) zlib = g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_ZLIB);
  g_autoptr (GInputStream) memory = g_memory_input_stream_new_from_bytes (packed);
  g_autoptr (GInputStream) through = g_converter_input_stream_new (memory, G_CONVERTER (zlib));
  g_autoptr (GByteArray) plain = g_byte_array_new ();
  guint8 piece[16384];
  gssize n;
  while ((n = g_input_stream_read (through, piece, sizeof piece, NULL, error)) > 0) {
    if (plain->len + (gsize)n > PLAIN_MAX) {
      bad (error, "it is too long");
      return NULL;
    }
    g_byte_array_append (plain, piece, (guint)n);
  }
  return n == 0 ? g_steal_pointer (&plain) : NULL;
}

typedef struct {
  const guint8 *at, *end;
} Bytes;

static gboolean
take_varint (Bytes *bytes, guint64 *ret)
{
  guint64 value = 0;
  for (guint shift = 0; shift < 64 && bytes->at < bytes->end; shift += 7) {
    guint8 byte = *bytes->at++;
    value |= (guint64)(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) {
      *ret = value;
      return TRUE;
    }
  }
  return FALSE;
}

/* The inverse of put_lead() in ecg_pack.c; arithmetic wraps. */
static gboolean
take_lead (Bytes *bytes, gint32 *samples, guint count)
{
  guint64 before = 0, before_that = 0;
  for (guint i = 0; i < count; i++) {
    guint64 word;
    if (!take_varint (bytes, &word))
      return FALSE;
    if (word == 0) {
      samples[i] = WAVE_MISSING;
      continue;
    }
    guint64 zigzag = word - 1;
    guint64 rest = (zigzag >> 1) ^ (0 - (zigzag & 1));
    guint64 sample = rest + 2 * before - before_that;
    before_that = before;
    before = sample;
    samples[i] = (gint32)(guint32)sample;
  }
  return TRUE;
}

/* ---- What they are ----------------------------------------------------------------------------
 */

static gint64
whole (const json_t *object, const char *member, gint64 low, gint64 high)
{
  const json_t *value = json_object_get (object, member);
  gint64 number = json_is_integer (value) ? json_integer_value (value) : low - 1;
  return number >= low && number <= high ? number : low - 1;
}

static gboolean
take_stream (EcgRecording *recording, const json_t *about, GError **error)
{
  const json_t *rate = json_object_get (about, "rate"), *leads = json_object_get (about, "leads");
  json_int_t num = json_integer_value (json_array_get (rate, 0));
  json_int_t den = json_integer_value (json_array_get (rate, 1));
  json_t *lead;
  gsize i, count = json_array_size (leads);
  if (num < 1 || den < 1 || num > G_MAXINT32 || den > G_MAXINT32 || count < 1
      || count > WAVE_LEADS_MAX)
    return bad (error, "a stream has no rate or no leads");
  WaveStream *stream = ecg_stream_new ((guint64)num, (guint64)den, (guint)count, error);
  if (stream == NULL)
    return FALSE;
  json_array_foreach (leads, i, lead)
  {
    const char *name = json_string_value (json_object_get (lead, "name"));
    const char *unit = json_string_value (json_object_get (lead, "unit"));
    stream->leads[i].name = g_strdup (name != NULL ? name : "");
    stream->leads[i].unit = g_strdup (unit);
    stream->leads[i].mdc = (guint32)MAX (whole (lead, "mdc", 0, G_MAXINT32), 0);
    stream->leads[i].scale = json_number_value (json_object_get (lead, "scale"));
    stream->leads[i].offset = json_number_value (json_object_get (lead, "offset"));
  }
  ecg_add_stream (recording, stream);
  return TRUE;
}

static gboolean
take_block (EcgRecording *recording, const json_t *about, Bytes *bytes, GError **error)
{
  gint64 index = whole (about, "stream", 0, (gint64)recording->streams->len - 1);
  gint64 epoch = whole (about, "epoch", 0, G_MAXINT32);
  gint64 first = whole (about, "first", 0, G_MAXINT64 / 2);
  gint64 count = whole (about, "count", 1, G_MAXINT32);
  if (index < 0 || epoch < 0 || first < 0 || count < 1)
    return bad (error, "a block is of no stream");
  WaveStream *stream = g_ptr_array_index (recording->streams, index);
  /* A sample is a byte at least. */
  if ((guint64)count * stream->lead_count > (guint64)(bytes->end - bytes->at))
    return bad (error, "a block ends too early");
  WaveBlock *block
      = ecg_add_block (recording, stream, (guint32)epoch, (guint64)first, (guint64)count, error);
  if (block == NULL)
    return FALSE;
  block->lead_off = (guint32)MAX (whole (about, "off", 0, G_MAXINT32), 0);
  for (guint lead = 0; lead < stream->lead_count; lead++)
    if (!take_lead (bytes, block->samples + (gsize)lead * block->count, block->count))
      return bad (error, "a block ends too early");
  return TRUE;
}

static gboolean
take_all (EcgRecording *recording, const json_t *head, Bytes *bytes, GError **error)
{
  const json_t *streams = json_object_get (head, "streams");
  const json_t *blocks = json_object_get (head, "blocks");
  const json_t *sentences = json_object_get (head, "interpretation");
  json_t *item;
  gsize i;
  if (json_array_size (streams) > STREAMS_MAX)
    return bad (error, "it has too many streams");
  json_array_foreach (streams, i, item)
  {
    if (!take_stream (recording, item, error))
      return FALSE;
  }
  json_array_foreach (blocks, i, item)
  {
    if (i >= ECG_ITEMS_MAX || !take_block (recording, item, bytes, error))
      return i < ECG_ITEMS_MAX ? FALSE : bad (error, "it has too many blocks");
  }
  json_array_foreach (sentences, i, item)
  {
    if (json_is_string (item))
      ecg_add_interpretation (recording, g_strdup (json_string_value (item)));
  }
  return TRUE;
}

EcgRecording *
ecg_unpack (GBytes *packed, GError **error)
{
  g_autoptr (GByteArray) plain = inflate (packed, error);
  guint32 length = 0;
  if (plain == NULL)
    return NULL;
  if (plain->len >= 4)
    memcpy (&length, plain->data, 4);
  length = GUINT32_FROM_LE (length);
  if (plain->len < 4 || length > plain->len - 4) {
    bad (error, "its head is cut off");
    return NULL;
  }
  json_error_t said;
  json_auto_t *head
      = json_loadb ((const char *)plain->data + 4, length, JSON_REJECT_DUPLICATES, &said);
  if (head == NULL) {
    bad (error, said.text);
    return NULL;
  }
  g_autoptr (EcgRecording) recording = ecg_recording_new ("packed");
  Bytes bytes = { plain->data + 4 + length, plain->data + plain->len };
  return take_all (recording, head, &bytes, error) ? g_steal_pointer (&recording) : NULL;
}
