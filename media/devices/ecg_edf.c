#include "media/devices/ecg_edf.h"
#include "media/devices/edf_header.h"
#include "media/error.h"

#include <math.h>
#include <string.h>

typedef struct {
  guint64 first, count; /* data records */
  gint64 start_us;      /* after the begin */
} Run;

typedef struct {
  EcgRecording *recording;
  const EdfHeader *header;
  const guint8 *data; /* of the first record */
  GArray *runs;       /* Run */
} Edf;

static EdfSignal *
signal_of (const EdfHeader *header, guint index)
{
  return &g_array_index (header->signals, EdfSignal, index);
}

static gint32
sample (const EdfHeader *header, const guint8 *record, const EdfSignal *signal, guint index)
{
  if (header->bdf) {
    const guint8 *p = record + signal->at + (gsize)index * 3;
    return (gint32)((p[0] | (guint32)p[1] << 8 | (guint32)p[2] << 16) ^ 0x800000) - 0x800000;
  }
  const guint8 *p = record + signal->at + (gsize)index * 2;
  return (gint16)(p[0] | p[1] << 8);
}

/* ---- Annotations: "+onset[\x15duration]\x14text\x14…\x14\0"
 * -------------------------------------- */

/* µs of a number of seconds that ends at 14 or 15; FALSE when it is none. */
static gboolean
take_seconds (const char **at, gint64 *ret_us)
{
  char *end = NULL;
  double seconds = g_ascii_strtod (*at, &end);
  if (end == *at || !isfinite (seconds) || fabs (seconds) > 1e9)
    return FALSE;
  *at = end;
  *ret_us = (gint64)llround (seconds * 1e6);
  return TRUE;
}

static void
take_texts (EcgRecording *recording, const char *at, gint64 onset, gint64 duration)
{
  while (*at == 0x14) {
    at++;
    gsize length = strcspn (at, "\x14");
    if (at[length] != 0x14)
      return;
    ecg_add_annotation (recording, onset, duration, NULL,
                        ecg_text ((const guint8 *)at, length, "UTF-8"));
    at += length;
  }
}

/* One list, without its zero. The record's own start stands in the first of its first signal. */
static void
take_list (EcgRecording *recording, const char *list, gint64 *ret_start)
{
  gint64 onset = 0, duration = -1;
  if ((*list != '+' && *list != '-') || !take_seconds (&list, &onset))
    return;
  if (*list == 0x15) {
    list++;
    if (!take_seconds (&list, &duration))
      return;
  }
  if (ret_start != NULL)
    *ret_start = onset;
  take_texts (recording, list, onset, duration);
}

/* Returns where the record begins, G_MININT64 when it does not say. */
static gint64
record_annotations (const Edf *edf, const guint8 *record)
{
  gint64 start = G_MININT64;
  gboolean first = TRUE;
  for (guint i = 0; i < edf->header->signals->len; i++) {
    const EdfSignal *signal = signal_of (edf->header, i);
    if (!signal->annotations)
      continue;
    gsize length = (gsize)signal->samples * (edf->header->bdf ? 3 : 2);
    g_autofree char *lists = g_malloc (length + 1);
    memcpy (lists, record + signal->at, length);
    lists[length] = '\0';
    for (gsize at = 0; at < length;) {
      if (lists[at] == '\0') {
        at++;
        continue;
      }
      take_list (edf->recording, lists + at, first ? &start : NULL);
      first = FALSE;
      at += strlen (lists + at) + 1;
    }
    first = FALSE;
  }
  return start;
}

/* ---- Runs of records without a gap
 * ----------------------------------------------------------------- */

static gint64
records_us (const EdfHeader *header, guint64 records)
{
  return (gint64)llround ((double)records * (double)header->duration_num
                          / (double)header->duration_den * 1e6);
}

static gboolean
find_runs (Edf *edf, GError **error)
{
  const EdfHeader *header = edf->header;
  for (guint64 i = 0; i < header->records; i++) {
    gint64 start = record_annotations (edf, edf->data + i * header->record);
    Run *last = edf->runs->len > 0 ? &g_array_index (edf->runs, Run, edf->runs->len - 1) : NULL;
    if (header->discontinuous && start == G_MININT64) {
      g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                   "data record %" G_GUINT64_FORMAT
                   " of a discontinuous file (EDF+D) does not say when it begins",
                   i + 1);
      return FALSE;
    }
    gint64 expected = last != NULL ? last->start_us + records_us (header, last->count) : 0;
    if (!header->discontinuous)
      start = last != NULL ? expected : start == G_MININT64 ? 0 : start;
    /* Times are written with few digits: a microsecond of difference is none. */
    if (last != NULL && ABS (start - expected) <= 1) {
      last->count++;
      continue;
    }
    Run run = { i, 1, start };
    g_array_append_val (edf->runs, run);
  }
  return TRUE;
}

/* ---- Streams
 * --------------------------------------------------------------------------------------- */

static void
fill (const Edf *edf, const Run *run, const EdfSignal *signal, gint32 *samples)
{
  for (guint64 i = 0; i < run->count; i++) {
    const guint8 *record = edf->data + (run->first + i) * edf->header->record;
    for (guint j = 0; j < signal->samples; j++)
      *samples++ = sample (edf->header, record, signal, j);
  }
}

typedef struct {
  guint32 epoch;
  gint64 epoch_us; /* when its sample 0 was taken, after the begin */
  guint64 next;    /* index at which the last run ended */
} Place;

/* The index of a run's first sample, in this epoch when a whole number of samples lies between. */
static guint64
place_run (Place *place, const WaveStream *stream, const Run *run, gboolean first)
{
  double samples
      = (double)(run->start_us - place->epoch_us) * stream->rate_num / stream->rate_den / 1e6;
  double whole = floor (samples + 0.5);
  if (!first && whole >= (double)place->next && fabs (samples - whole) < 1e-3)
    return (guint64)whole;
  place->epoch += first ? 0 : 1;
  place->epoch_us = run->start_us;
  return 0;
}

static gboolean
add_runs (const Edf *edf, WaveStream *stream, const GArray *members, GError **error)
{
  guint per_record = signal_of (edf->header, g_array_index (members, guint, 0))->samples;
  Place place = { 0 };
  for (guint i = 0; i < edf->runs->len; i++) {
    const Run *run = &g_array_index (edf->runs, Run, i);
    guint64 first = place_run (&place, stream, run, i == 0);
    WaveBlock *block = ecg_add_block (edf->recording, stream, place.epoch, first,
                                      run->count * per_record, error);
    if (block == NULL)
      return FALSE;
    place.next = first + block->count;
    if (edf->recording->time_us != 0)
      block->time_us = edf->recording->time_us + run->start_us;
    for (guint j = 0; j < members->len; j++)
      fill (edf, run, signal_of (edf->header, g_array_index (members, guint, j)),
            block->samples + (gsize)j * block->count);
  }
  return TRUE;
}

static gboolean
add_stream (const Edf *edf, const GArray *members, GError **error)
{
  const EdfHeader *header = edf->header;
  guint samples = signal_of (header, g_array_index (members, guint, 0))->samples;
  WaveStream *stream = ecg_stream_new ((guint64)samples * header->duration_den,
                                       header->duration_num, members->len, error);
  if (stream == NULL)
    return FALSE;
  for (guint i = 0; i < members->len; i++) {
    const EdfSignal *signal = signal_of (header, g_array_index (members, guint, i));
    ecg_lead_set (&stream->leads[i], signal->label, signal->unit, signal->scale, signal->offset,
                  header->bdf ? 24 : 16);
    if (signal->scale == 0)
      ecg_add_note (edf->recording, "signal %s is not calibrated: its range is empty",
                    stream->leads[i].name);
  }
  ecg_add_stream (edf->recording, stream);
  return add_runs (edf, stream, members, error);
}

static gboolean
add_streams (const Edf *edf, GError **error)
{
  guint count = edf->header->signals->len;
  g_autofree gboolean *done = g_new0 (gboolean, count);
  for (guint i = 0; i < count; i++) {
    const EdfSignal *first = signal_of (edf->header, i);
    g_autoptr (GArray) members = g_array_new (FALSE, FALSE, sizeof (guint));
    for (guint j = i; j < count && members->len < WAVE_LEADS_MAX; j++) {
      const EdfSignal *signal = signal_of (edf->header, j);
      if (done[j] || signal->annotations || signal->samples == 0
          || signal->samples != first->samples)
        continue;
      done[j] = TRUE;
      g_array_append_val (members, j);
    }
    if (members->len > 0 && !add_stream (edf, members, error))
      return FALSE;
  }
  return TRUE;
}

EcgRecording *
ecg_edf_read (const guint8 *data, gsize length, GError **error)
{
  gboolean bdf = length > 0 && data[0] == 0xFF;
  g_autoptr (EcgRecording) recording = ecg_recording_new (bdf ? "bdf" : "edf");
  g_autoptr (EdfHeader) header = edf_header_parse (data, length, recording, error);
  if (header == NULL)
    return NULL;
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (Run));
  Edf edf = { recording, header, data + header->header, runs };
  if (!find_runs (&edf, error) || !add_streams (&edf, error))
    return NULL;
  return g_steal_pointer (&recording);
}
