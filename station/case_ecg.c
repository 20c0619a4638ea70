#include "station/case_ecg.h"
#include "media/devices/ecg_pack.h"
#include "media/devices/wave_codec.h"
#include "records/attachment.h"
#include "station/case_view.h"
#include "station/clock.h"

#include <string.h>

#define PACKED_MAX (16u << 20)
#define WAVE_ROWS 40 /* some two seconds each, of all streams of the monitor */

static void
lead_free (void *data)
{
  CaseEcgLead *lead = data;
  g_free (lead->name);
  g_free (lead->unit);
  g_free (lead->samples);
  g_free (lead);
}

static void
ecg_free (void *data)
{
  CaseEcg *ecg = data;
  g_free (ecg->id);
  g_free (ecg->title);
  g_free (ecg->time);
  g_ptr_array_unref (ecg->leads);
  g_ptr_array_unref (ecg->interpretation);
  g_free (ecg);
}

static CaseEcg *
ecg_new (const char *id, const char *title, const char *time)
{
  CaseEcg *ecg = g_new0 (CaseEcg, 1);
  ecg->id = g_strdup (id);
  ecg->title = g_strdup (title);
  ecg->time = g_strdup (time);
  ecg->leads = g_ptr_array_new_with_free_func (lead_free);
  ecg->interpretation = g_ptr_array_new_with_free_func (g_free);
  return ecg;
}

double
case_ecg_mv (const CaseEcgLead *lead, guint index)
{
  double step = g_str_equal (lead->unit, "uV") ? 0.001 : g_str_equal (lead->unit, "mV") ? 1 : NAN;
  if (index >= lead->count || lead->samples[index] == WAVE_MISSING || lead->scale == 0)
    return NAN;
  return (lead->samples[index] * lead->scale + lead->offset) * step;
}

static CaseEcgLead *
lead_new (const char *name, const char *unit, double rate, guint count)
{
  CaseEcgLead *lead = g_new0 (CaseEcgLead, 1);
  lead->name = case_clean (name != NULL ? name : "");
  lead->unit = g_strdup (unit != NULL ? unit : "");
  lead->rate = rate;
  lead->count = count;
  lead->samples = g_new (gint32, count);
  for (guint i = 0; i < count; i++)
    lead->samples[i] = WAVE_MISSING;
  return lead;
}

/* Samples of CASE_ECG_SECONDS; 0 when the rate is none that an ECG has. */
static guint
samples_of (double rate)
{
  return rate >= 10 && rate <= 20000 ? (guint)(rate * CASE_ECG_SECONDS) : 0;
}

/* ---- Of files ---------------------------------------------------------------------------------
 */

static void
put_block (CaseEcgLead *lead, const WaveBlock *block, guint index, guint64 begin)
{
  for (guint i = 0; i < block->count; i++)
    if (block->first + i >= begin && block->first + i - begin < lead->count)
      lead->samples[block->first + i - begin] = block->samples[(gsize)index * block->count + i];
}

/* From the stream's first block on; another epoch begins elsewhere in time. */
static void
take_stream (CaseEcg *ecg, const EcgRecording *recording, const WaveStream *stream)
{
  const WaveBlock *first = NULL;
  double rate = (double)stream->rate_num / stream->rate_den;
  guint count = samples_of (rate);
  guint64 end = 0;
  for (guint i = 0; i < recording->blocks->len; i++) {
    const WaveBlock *block = recording->blocks->pdata[i];
    if (block->stream != stream)
      continue;
    if (first == NULL)
      first = block;
    if (block->epoch == first->epoch)
      end = MAX (end, block->first + block->count);
  }
  if (first == NULL || count == 0 || end <= first->first)
    return;
  count = (guint)MIN ((guint64)count, end - first->first);
  for (guint l = 0; l < stream->lead_count; l++) {
    const WaveLead *about = &stream->leads[l];
    CaseEcgLead *lead = lead_new (about->name, about->unit, rate, count);
    lead->mdc = about->mdc;
    lead->scale = about->scale;
    lead->offset = about->offset;
    for (guint i = 0; i < recording->blocks->len; i++) {
      const WaveBlock *block = recording->blocks->pdata[i];
      if (block->stream == stream && block->epoch == first->epoch)
        put_block (lead, block, l, first->first);
    }
    g_ptr_array_add (ecg->leads, lead);
  }
}

static CaseEcg *
of_file (Store *store, const char *consult, const json_t *attachment)
{
  const char *id = case_text (attachment, "id");
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) packed = attachment_read (store, consult, id, 0, PACKED_MAX, &error);
  g_autoptr (EcgRecording) recording = packed != NULL ? ecg_unpack (packed, &error) : NULL;
  if (recording == NULL) {
    g_message ("papers: an ECG is left out: %s", error->message);
    return NULL;
  }
  CaseEcg *ecg = ecg_new (id, case_text (attachment, "name"),
                          case_text (json_object_get (attachment, "about"), "time"));
  for (guint i = 0; i < recording->streams->len; i++)
    take_stream (ecg, recording, recording->streams->pdata[i]);
  for (guint i = 0; i < recording->interpretation->len && i < 10; i++)
    g_ptr_array_add (ecg->interpretation, case_clean (recording->interpretation->pdata[i]));
  return ecg;
}

/* ---- Of the monitor ---------------------------------------------------------------------------
 */

static gboolean
is_ecg_row (const StoreRow *row)
{
  return g_str_has_prefix (case_text (row->body, "wave"), "ecg")
         && !json_is_true (json_object_get (row->body, "test"))
         && json_array_size (json_object_get (row->body, "leads")) > 0
         && json_array_size (json_object_get (row->body, "leads")) <= WAVE_LEADS_MAX;
}

static gboolean
same_run (const StoreRow *a, const StoreRow *b)
{
  return json_equal (json_object_get (a->body, "device"), json_object_get (b->body, "device"))
         && json_equal (json_object_get (a->body, "wave"), json_object_get (b->body, "wave"))
         && json_equal (json_object_get (a->body, "epoch"), json_object_get (b->body, "epoch"));
}

static void
put_packet (CaseEcg *ecg, const WavePacket *packet, guint64 begin)
{
  guint at = 0;
  for (guint l = 0; l < WAVE_LEADS_MAX; l++) {
    if ((packet->leads >> l & 1) == 0)
      continue;
    CaseEcgLead *lead = l < ecg->leads->len ? ecg->leads->pdata[l] : NULL;
    for (guint i = 0; lead != NULL && i < packet->count; i++)
      if (packet->first + i >= begin && packet->first + i - begin < lead->count)
        lead->samples[packet->first + i - begin] = packet->samples[(gsize)at * packet->count + i];
    at++;
  }
}

static void
put_row (CaseEcg *ecg, const StoreRow *row, guint64 begin)
{
  const char *data = case_text (row->body, "data");
  gsize size = 0;
  g_autofree guint8 *bytes = *data != '\0' ? g_base64_decode (data, &size) : NULL;
  g_autoptr (GPtrArray) packets = bytes != NULL ? wave_codec_read (bytes, size) : NULL;
  for (guint i = 0; packets != NULL && i < packets->len; i++)
    put_packet (ecg, packets->pdata[i], begin);
}

static CaseEcg *
frame_of (const StoreRow *row, guint64 end, guint64 *ret_begin)
{
  const json_t *rate = json_object_get (row->body, "rate"),
               *leads = json_object_get (row->body, "leads");
  double den = json_number_value (json_array_get (rate, 1));
  double hz = den > 0 ? json_number_value (json_array_get (rate, 0)) / den : 0;
  guint64 count = MIN (samples_of (hz), end);
  g_autofree char *time = clock_text (row->utc_us - CASE_ECG_SECONDS * G_USEC_PER_SEC);
  json_t *about;
  gsize i;
  if (count == 0)
    return NULL;
  CaseEcg *ecg = ecg_new ("live", "", time);
  json_array_foreach (leads, i, about)
  {
    CaseEcgLead *lead
        = lead_new (case_text (about, "name"), case_text (about, "unit"), hz, (guint)count);
    lead->mdc = (guint32)json_integer_value (json_object_get (about, "mdc"));
    lead->scale = json_number_value (json_object_get (about, "scale"));
    lead->offset = json_number_value (json_object_get (about, "offset"));
    g_ptr_array_add (ecg->leads, lead);
  }
  *ret_begin = end - count;
  return ecg;
}

/* The newest seconds: a monitor sends for hours. */
static CaseEcg *
of_monitor (Store *store, const char *consult)
{
  StoreRow *newest = store_latest (store, consult, "wave", NULL);
  const StoreRow *last = NULL;
  guint64 begin = 0;
  if (newest == NULL)
    return NULL;
  g_autoptr (GPtrArray) rows
      = store_read_some (store, consult, "wave", MAX (newest->seq - WAVE_ROWS, 0), WAVE_ROWS, NULL);
  store_row_free (newest);
  for (guint i = rows != NULL ? rows->len : 0; i > 0 && last == NULL; i--)
    if (is_ecg_row (rows->pdata[i - 1]))
      last = rows->pdata[i - 1];
  if (last == NULL)
    return NULL;
  json_int_t end = json_integer_value (json_object_get (last->body, "first"))
                   + json_integer_value (json_object_get (last->body, "count"));
  CaseEcg *ecg = end > 0 ? frame_of (last, (guint64)end, &begin) : NULL;
  for (guint i = 0; ecg != NULL && i < rows->len; i++)
    if (is_ecg_row (rows->pdata[i]) && same_run (rows->pdata[i], last))
      put_row (ecg, rows->pdata[i], begin);
  return ecg;
}

GPtrArray *
case_ecgs (Store *store, const char *consult, const json_t *view)
{
  GPtrArray *ecgs = g_ptr_array_new_with_free_func (ecg_free);
  const json_t *attachments = json_object_get (view, "attachments");
  json_t *attachment;
  gsize i;
  json_array_foreach (attachments, i, attachment)
  {
    CaseEcg *ecg = NULL;
    if (ecgs->len < CASE_ECGS_MAX && g_str_equal (case_text (attachment, "kind"), "ecg"))
      ecg = of_file (store, consult, attachment);
    if (ecg != NULL)
      g_ptr_array_add (ecgs, ecg);
  }
  CaseEcg *live = ecgs->len == 0 ? of_monitor (store, consult) : NULL;
  if (live != NULL)
    g_ptr_array_add (ecgs, live);
  return ecgs;
}
