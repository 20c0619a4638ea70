#include "media/devices/ecg_wfdb.h"
#include "media/devices/wfdb_annotations.h"
#include "media/devices/wfdb_format.h"
#include "media/devices/wfdb_header.h"
#include "media/error.h"

#include <string.h>

/* Headers of segments may be named again and again. */
#define HEADERS_MAX (16u << 20)

typedef struct {
  EcgRecording *recording;
  EcgFind find;
  void *find_arg;
  gsize headers; /* bytes of headers read */
} Wfdb;

/* The signals that share a file, frame by frame: [from, to). */
typedef struct {
  guint from, to;
  guint per_frame; /* samples of all of them */
  GBytes *bytes;
  const guint8 *data;
  guint64 samples; /* in the file */
} Group;

static WfdbSignal *
signal_of (const WfdbHeader *header, guint index)
{
  return g_ptr_array_index (header->signals, index);
}

static gboolean
open_group (Wfdb *wfdb, const WfdbHeader *header, Group *group, GError **error)
{
  const WfdbSignal *first = signal_of (header, group->from);
  for (guint i = group->from; i < group->to; i++) {
    const WfdbSignal *signal = signal_of (header, i);
    group->per_frame += signal->per_frame;
    if (signal->format != first->format || signal->offset != first->offset) {
      g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                   "%s: its signals have different formats or offsets in the header", first->file);
      return FALSE;
    }
  }
  group->bytes = wfdb->find != NULL ? wfdb->find (first->file, wfdb->find_arg) : NULL;
  if (group->bytes == NULL) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_NOT_FOUND,
                 "%s: the header names this signal file; give it together with the header",
                 first->file);
    return FALSE;
  }
  gsize length = 0;
  group->data = g_bytes_get_data (group->bytes, &length);
  if (first->offset > length) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                 "%s: the header's offset lies behind its end", first->file);
    return FALSE;
  }
  group->data = group->data != NULL ? group->data + first->offset : (const guint8 *)"";
  group->samples = wfdb_format_samples (first->format, length - first->offset);
  return TRUE;
}

/* ---- One signal ------------------------------------------------------------------------------ */

static gboolean
check_signal (const WfdbSignal *signal, guint index, gint32 first, guint16 sum, GError **error)
{
  if (signal->has_initial && first != signal->initial) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                 "%s: signal %u begins with %d, its header says %" G_GINT64_FORMAT
                 ": the files do not belong together, or are damaged",
                 signal->file, index, first, signal->initial);
    return FALSE;
  }
  if (signal->has_checksum && sum != (guint16)signal->checksum) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                 "%s: the checksum of signal %u is %d, its header says %" G_GINT64_FORMAT
                 ": the file is damaged or incomplete, fetch it again",
                 signal->file, index, (gint16)sum, signal->checksum);
    return FALSE;
  }
  return TRUE;
}

/* Into samples[0 .. frames * per_frame), missing where the skew leaves nothing. before: samples of
 * a frame that come before this signal's. */
static gboolean
read_signal (const WfdbSignal *signal, const Group *group, guint index, guint before,
             guint64 frames, gint32 *samples, GError **error)
{
  guint n = signal->per_frame;
  guint64 total = frames * n, skew = (guint64)signal->skew * n;
  gint32 missing = wfdb_format_missing (signal->format);
  gint64 running = signal->initial;
  gint32 first = 0;
  guint16 sum = 0;
  for (guint64 i = 0; i < total; i++) {
    guint64 at = i / n * group->per_frame + before + i % n;
    gint32 value = wfdb_format_sample (signal->format, group->data, at);
    if (signal->format == 8) {
      running = CLAMP (running + value, G_MININT32 + 1, G_MAXINT32);
      value = (gint32)running;
    }
    first = i == 0 ? value : first;
    sum = (guint16)(sum + (guint32)value);
    if (i >= skew)
      samples[i - skew] = missing != 0 && value == missing ? WAVE_MISSING : value;
  }
  for (guint64 i = total > skew ? total - skew : 0; i < total; i++)
    samples[i] = WAVE_MISSING;
  return total == 0 || check_signal (signal, index, first, sum, error);
}

static void
set_lead (WaveLead *lead, const WfdbSignal *signal, guint index)
{
  g_autofree char *number = g_strdup_printf ("%u", index);
  double scale = signal->gain != 0 ? 1 / signal->gain : 0;
  ecg_lead_set (lead, signal->description != NULL ? signal->description : number,
                scale != 0 ? signal->unit : NULL, scale, 0 - signal->baseline * scale,
                signal->bits);
}

/* ---- A segment: streams of equal rate ---------------------------------------------------------
 */

typedef struct {
  const WfdbHeader *header;
  GArray *groups; /* Group */
  guint64 frames, start;
} Segment;

static void
close_groups (Segment *segment)
{
  for (guint i = 0; i < segment->groups->len; i++)
    g_clear_pointer (&g_array_index (segment->groups, Group, i).bytes, g_bytes_unref);
  g_array_unref (segment->groups);
}

static gboolean
open_groups (Wfdb *wfdb, Segment *segment, GError **error)
{
  const WfdbHeader *header = segment->header;
  for (guint i = 0; i < header->signals->len;) {
    Group group = { .from = i, .to = i + 1 };
    while (group.to < header->signals->len
           && g_str_equal (signal_of (header, group.to)->file, signal_of (header, i)->file))
      group.to++;
    i = group.to;
    gboolean open = open_group (wfdb, header, &group, error);
    g_array_append_val (segment->groups, group);
    if (!open)
      return FALSE;
    guint64 frames = group.samples / group.per_frame;
    if (header->samples == 0)
      segment->frames = MIN (segment->frames, frames);
    else if (frames < header->samples) {
      g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                   "%s: holds %" G_GUINT64_FORMAT " of the %" G_GUINT64_FORMAT
                   " samples that the header states: fetch it again",
                   signal_of (header, group.from)->file, frames, header->samples);
      return FALSE;
    }
  }
  return TRUE;
}

static const Group *
group_of (const Segment *segment, guint signal, guint *ret_before)
{
  for (guint i = 0; i < segment->groups->len; i++) {
    const Group *group = &g_array_index (segment->groups, Group, i);
    if (signal < group->from || signal >= group->to)
      continue;
    *ret_before = 0;
    for (guint j = group->from; j < signal; j++)
      *ret_before += signal_of (segment->header, j)->per_frame;
    return group;
  }
  return NULL;
}

/* The signals of one rate, from *from on, at most as many as a stream holds. */
static gboolean
read_stream (Wfdb *wfdb, const Segment *segment, const GArray *members, GError **error)
{
  const WfdbHeader *header = segment->header;
  guint n = signal_of (header, g_array_index (members, guint, 0))->per_frame;
  WaveStream *stream = ecg_stream_new (header->rate_num * n, header->rate_den, members->len, error);
  if (stream == NULL)
    return FALSE;
  for (guint i = 0; i < members->len; i++) {
    guint index = g_array_index (members, guint, i);
    set_lead (&stream->leads[i], signal_of (header, index), index);
  }
  stream = ecg_take_stream (wfdb->recording, stream);
  WaveBlock *block
      = ecg_add_block (wfdb->recording, stream, 0, segment->start * n, segment->frames * n, error);
  for (guint i = 0; block != NULL && i < members->len; i++) {
    guint before = 0, index = g_array_index (members, guint, i);
    const Group *group = group_of (segment, index, &before);
    if (!read_signal (signal_of (header, index), group, index, before, segment->frames,
                      block->samples + (gsize)i * block->count, error))
      return FALSE;
  }
  return block != NULL;
}

static gboolean
read_streams (Wfdb *wfdb, const Segment *segment, GError **error)
{
  guint count = segment->header->signals->len;
  g_autofree gboolean *done = g_new0 (gboolean, count);
  for (guint i = 0; i < count; i++) {
    if (done[i])
      continue;
    g_autoptr (GArray) members = g_array_new (FALSE, FALSE, sizeof (guint));
    for (guint j = i; j < count && members->len < WAVE_LEADS_MAX; j++) {
      if (done[j]
          || signal_of (segment->header, j)->per_frame != signal_of (segment->header, i)->per_frame)
        continue;
      done[j] = TRUE;
      g_array_append_val (members, j);
    }
    if (!read_stream (wfdb, segment, members, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_segment (Wfdb *wfdb, const WfdbHeader *header, guint64 start, GError **error)
{
  Segment segment = { .header = header,
                      .groups = g_array_new (FALSE, TRUE, sizeof (Group)),
                      .frames = header->samples != 0 ? header->samples : G_MAXUINT64,
                      .start = start };
  gboolean ok = header->signals->len > 0;
  if (!ok)
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED, "%s: the record has no signals",
                 header->name);
  ok = ok && open_groups (wfdb, &segment, error) && read_streams (wfdb, &segment, error);
  close_groups (&segment);
  return ok;
}

/* ---- Segments -------------------------------------------------------------------------------- */

static gboolean
read_named (Wfdb *wfdb, const WfdbHeader *whole, const WfdbSegment *named, guint64 start,
            GError **error)
{
  g_autofree char *file = g_strconcat (named->name, ".hea", NULL);
  g_autoptr (GBytes) bytes = wfdb->find != NULL ? wfdb->find (file, wfdb->find_arg) : NULL;
  if (bytes == NULL) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_NOT_FOUND,
                 "%s: the header names this segment; give its header and signal files too", file);
    return FALSE;
  }
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  wfdb->headers += length;
  if (wfdb->headers > HEADERS_MAX) {
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_LIMIT,
                         "more than 16 MiB of headers: cut the record into parts");
    return FALSE;
  }
  g_autoptr (WfdbHeader) header = wfdb_header_parse (data, length, error);
  gboolean ok = header != NULL;
  if (ok && (header->segments->len > 0 || header->samples == 0)) {
    header->samples = header->samples == 0 ? named->samples : header->samples;
    ok = header->segments->len == 0;
  }
  ok = ok && header->rate_num * whole->rate_den == whole->rate_num * header->rate_den
       && header->samples == named->samples;
  if (header != NULL && !ok)
    g_set_error_literal (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                         "has another sampling frequency or length than the record's header says, "
                         "or segments of its own");
  ok = ok && read_segment (wfdb, header, start, error);
  if (!ok)
    g_prefix_error (error, "segment %s: ", named->name);
  return ok;
}

static gboolean
read_segments (Wfdb *wfdb, const WfdbHeader *header, GError **error)
{
  guint64 start = 0;
  for (guint i = 0; i < header->segments->len; i++) {
    const WfdbSegment *named = g_ptr_array_index (header->segments, i);
    /* "~" is a gap; a segment without samples is the layout of records whose segments differ. */
    if (!g_str_equal (named->name, "~") && named->samples > 0
        && !read_named (wfdb, header, named, start, error))
      return FALSE;
    start += named->samples;
  }
  return TRUE;
}

/* ---- What the header says of the patient ------------------------------------------------------
 */

static void
take_comment (EcgRecording *recording, const char *comment)
{
  static const char *sexes[] = { "sex:", "<sex>:", "gender:" };
  for (gsize i = 0; i < G_N_ELEMENTS (sexes); i++)
    if (g_ascii_strncasecmp (comment, sexes[i], strlen (sexes[i])) == 0) {
      const char *word = comment + strlen (sexes[i]);
      word += strspn (word, " ");
      if (g_ascii_tolower (*word) == 'm')
        recording->patient_sex = "male";
      else if (g_ascii_tolower (*word) == 'f')
        recording->patient_sex = "female";
    }
  ecg_add_interpretation (recording, g_strdup (comment));
}

static void
take_head (EcgRecording *recording, const WfdbHeader *header)
{
  for (guint i = 0; i < header->comments->len; i++)
    take_comment (recording, g_ptr_array_index (header->comments, i));
  if (header->date[0] > 0 && header->time[0] >= 0)
    ecg_set_time (recording, header->date[0], header->date[1], header->date[2], header->time[0],
                  header->time[1], header->time[2] + header->fraction, NULL);
  for (guint i = 0; i < header->signals->len; i++)
    if (signal_of (header, i)->gain == 0)
      ecg_add_note (recording, "signal %u is not calibrated: the header has no gain", i);
}

static void
take_annotations (Wfdb *wfdb, const WfdbHeader *header)
{
  g_autofree char *file = g_strconcat (header->name, ".atr", NULL);
  g_autoptr (GBytes) bytes = wfdb->find != NULL ? wfdb->find (file, wfdb->find_arg) : NULL;
  if (bytes == NULL)
    return;
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  wfdb_annotations_read (wfdb->recording, data, length,
                         (double)header->rate_num / (double)header->rate_den);
}

EcgRecording *
ecg_wfdb_read (const guint8 *data, gsize length, EcgFind find, void *find_arg, GError **error)
{
  g_autoptr (WfdbHeader) header = wfdb_header_parse (data, length, error);
  if (header == NULL)
    return NULL;
  g_autoptr (EcgRecording) recording = ecg_recording_new ("wfdb");
  take_head (recording, header);
  Wfdb wfdb = { .recording = recording, .find = find, .find_arg = find_arg };
  gboolean ok = header->segments->len > 0 ? read_segments (&wfdb, header, error)
                                          : read_segment (&wfdb, header, 0, error);
  if (!ok)
    return NULL;
  take_annotations (&wfdb, header);
  return g_steal_pointer (&recording);
}
