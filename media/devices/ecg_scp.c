#include "media/devices/ecg_scp.h"
#include "media/devices/scp_huffman.h"
#include "media/devices/scp_sections.h"
#include "media/error.h"

#define BEATS_MAX 20000
#define REFERENCE_MAX 65536

typedef struct {
  guint32 start, end; /* counted from 1 */
  guint8 id;
} Lead;

typedef struct {
  guint16 type;
  guint32 from, fiducial, to; /* where the reference beat was taken away, counted from 1 */
} Beat;

typedef struct {
  guint32 from, to; /* kept at the full rate, counted from 1 */
} Zone;

typedef struct {
  ScpRecord record;
  ScpTables *tables;
  GArray *leads; /* Lead */
  GArray *beats; /* Beat, in order */
  GArray *zones; /* Zone, in order */
  gboolean reference, bimodal;
  guint32 fiducial;        /* of the reference beat, counted from 1 */
  guint16 step, beat_step; /* nV of one, in rhythm and reference */
  guint32 interval;        /* µs between samples once reconstructed */
  guint factor;            /* of decimation outside of the zones */
  guint difference;
  gint32 **reference_beats; /* of each lead; NULL: none */
  gsize reference_length;
} Scp;

static gboolean
fail (GError **error, guint section, const char *what)
{
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED, "section %u: %s", section, what);
  return FALSE;
}

static void
scp_clear (Scp *scp)
{
  for (guint i = 0; scp->reference_beats != NULL && i < scp->leads->len; i++)
    g_free (scp->reference_beats[i]);
  g_free (scp->reference_beats);
  scp_tables_free (scp->tables);
  g_array_unref (scp->leads);
  g_array_unref (scp->beats);
  g_array_unref (scp->zones);
}

/* ---- Sections 3 and 4 --------------------------------------------------------------------------
 */

static gboolean
read_lead_list (Scp *scp, GError **error)
{
  if (!scp_has (&scp->record, 3) || !scp_has (&scp->record, 6))
    return fail (error, 6, "the file has no rhythm data (sections 3 and 6): nothing to show");
  EcgBytes section = scp->record.section[3];
  guint count = ecg_bytes_u8 (&section);
  scp->reference = (ecg_bytes_u8 (&section) & 1) != 0;
  for (guint i = 0; i < count; i++) {
    Lead lead = { 0 };
    lead.start = ecg_bytes_u32 (&section);
    lead.end = ecg_bytes_u32 (&section);
    lead.id = ecg_bytes_u8 (&section);
    if (section.failed)
      return fail (error, 3, "it ends inside the list of leads");
    if (lead.start == 0 || lead.end < lead.start || lead.end > ECG_SAMPLES_MAX)
      return fail (error, 3, "a lead ends before it begins");
    g_array_append_val (scp->leads, lead);
  }
  return count > 0 || fail (error, 3, "no leads");
}

/* Only those from which the reference beat was taken away are of use: type 0. */
static Beat
take_beat (EcgBytes *section)
{
  Beat beat = { 0 };
  beat.type = ecg_bytes_u16 (section);
  beat.from = ecg_bytes_u32 (section);
  beat.fiducial = ecg_bytes_u32 (section);
  beat.to = ecg_bytes_u32 (section);
  return beat;
}

static gboolean
read_zones (Scp *scp, EcgBytes section, guint count, GError **error)
{
  guint32 before = 0;
  for (guint i = 0; i < count && ecg_bytes_left (&section) >= 8; i++) {
    Zone zone = { 0 };
    zone.from = ecg_bytes_u32 (&section);
    zone.to = ecg_bytes_u32 (&section);
    if (zone.from == 0 && zone.to == 0)
      continue;
    if (zone.from <= before || zone.to < zone.from || zone.to > ECG_SAMPLES_MAX)
      return fail (error, 4, "its protected zones overlap, or are out of order");
    before = zone.to;
    g_array_append_val (scp->zones, zone);
  }
  return TRUE;
}

static gboolean
read_beats (Scp *scp, GError **error)
{
  if (!scp_has (&scp->record, 4))
    return TRUE;
  EcgBytes section = scp->record.section[4];
  ecg_bytes_u16 (&section);
  scp->fiducial = ecg_bytes_u16 (&section);
  guint count = ecg_bytes_u16 (&section);
  if (count > BEATS_MAX)
    return fail (error, 4, "more than 20,000 beats");
  guint32 before = 0;
  for (guint i = 0; i < count; i++) {
    Beat beat = take_beat (&section);
    if (section.failed)
      return fail (error, 4, "it ends inside the list of beats");
    if (beat.type != 0 || beat.from == 0)
      continue;
    if (beat.from <= before || beat.to < beat.from)
      return fail (error, 4, "its beats overlap, or are out of order");
    before = beat.to;
    g_array_append_val (scp->beats, beat);
  }
  return read_zones (scp, section, count, error);
}

/* ---- Section 5 ---------------------------------------------------------------------------------
 */

/* The pieces of sections 5 and 6: lengths of all leads, then their data. */
static gboolean
lead_data (EcgBytes section, guint lead, guint leads, EcgBytes *ret, guint number, GError **error)
{
  gsize before = 0, length = 0;
  for (guint i = 0; i < leads; i++) {
    guint16 bytes = ecg_bytes_u16 (&section);
    before += i < lead ? bytes : 0;
    length = i == lead ? bytes : length;
  }
  *ret = ecg_bytes_part (&section, section.at + before, length);
  return (!section.failed && !ret->failed)
         || fail (error, number, "it ends inside the samples of its leads");
}

static gboolean
read_reference (Scp *scp, GError **error)
{
  EcgBytes section = scp->record.section[5];
  scp->beat_step = ecg_bytes_u16 (&section);
  guint32 interval = ecg_bytes_u16 (&section);
  guint difference = ecg_bytes_u8 (&section);
  ecg_bytes_u8 (&section);
  EcgBytes length = scp->record.section[4];
  guint32 us = scp_has (&scp->record, 4) ? ecg_bytes_u16 (&length) * 1000u : 0;
  if (section.failed || interval == 0 || us == 0 || us / interval > REFERENCE_MAX)
    return fail (error, 5, "the reference beat has no usable length or rate");
  scp->interval = interval;
  if (!scp->reference)
    return TRUE;
  scp->reference_length = us / interval;
  scp->reference_beats = g_new0 (gint32 *, scp->leads->len);
  for (guint i = 0; i < scp->leads->len; i++) {
    EcgBytes data;
    if (!lead_data (section, i, scp->leads->len, &data, 5, error))
      return FALSE;
    scp->reference_beats[i] = g_new0 (gint32, scp->reference_length);
    if (!scp_decode (scp->tables, data.data, data.length, difference, scp->reference_beats[i],
                     scp->reference_length, error)) {
      g_prefix_error (error, "section 5, lead %u: ", i + 1);
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- Section 6 ---------------------------------------------------------------------------------
 */

static gboolean
read_rhythm_head (Scp *scp, EcgBytes *section, GError **error)
{
  scp->step = ecg_bytes_u16 (section);
  guint32 interval = ecg_bytes_u16 (section);
  scp->difference = ecg_bytes_u8 (section);
  scp->bimodal = ecg_bytes_u8 (section) == 1;
  scp->factor = 1;
  if (section->failed || interval == 0 || scp->step == 0 || scp->difference > 2)
    return fail (error, 6, "step, interval or kind of differences make no sense");
  if ((scp->bimodal || scp->reference) && !scp_has (&scp->record, 4))
    return fail (error, 4, "is missing, and section 6 is compressed with it");
  if (scp->reference && !scp_has (&scp->record, 5))
    return fail (error, 5, "is missing, and its reference beat was taken away from the rhythm");
  if (scp_has (&scp->record, 5) && (scp->reference || scp->bimodal) && !read_reference (scp, error))
    return FALSE;
  if (scp->interval == 0)
    scp->interval = interval;
  if (interval % scp->interval != 0 || interval / scp->interval > 16
      || (!scp->bimodal && interval != scp->interval))
    return fail (error, 6,
                 "rhythm and reference beat have rates that are not supported together: export "
                 "without compression");
  scp->factor = interval / scp->interval;
  if (scp->reference && scp->step != scp->beat_step)
    return fail (error, 6,
                 "rhythm and reference beat have different steps, which is not supported: export "
                 "without compression");
  return TRUE;
}

/* Outside of the zones: values are means of `factor` samples. The first and last half are held, in
 * between lies a straight line (EN 1064, annex C.4). */
static void
interpolate (const gint32 *means, gsize count, guint factor, gint32 *out, gsize length)
{
  for (gsize i = 0; i < length; i++) {
    gint64 at = 2 * (gint64)i + 1 - factor; /* in halves of a sample, from the first mean on */
    gint64 index = at < 0 ? 0 : at / (2 * (gint64)factor);
    gint64 rest = at < 0 ? 0 : at % (2 * (gint64)factor);
    if (index + 1 >= (gint64)count)
      out[i] = means[count - 1];
    else
      out[i] = (gint32)(means[index]
                        + (gint64)(means[index + 1] - means[index]) * rest / (2 * (gint64)factor));
  }
}

/* Walks the pieces of a lead: with values, puts them where they belong; without, counts them. */
static gsize
expand (const Scp *scp, const Lead *lead, const gint32 *values, gint32 *out)
{
  gsize used = 0;
  guint32 at = lead->start;
  for (guint i = 0; i <= scp->zones->len && at <= lead->end; i++) {
    const Zone *zone = i < scp->zones->len ? &g_array_index (scp->zones, Zone, i) : NULL;
    guint32 stop = zone != NULL ? CLAMP (zone->from, at, lead->end + 1) : lead->end + 1;
    gsize means = (stop - at + scp->factor - 1) / scp->factor;
    if (values != NULL && means > 0)
      interpolate (values + used, means, scp->factor, out + (at - lead->start), stop - at);
    used += means;
    at = stop;
    guint32 behind = zone != NULL ? CLAMP (zone->to, at - 1, lead->end) + 1 : at;
    if (values != NULL)
      memcpy (out + (at - lead->start), values + used, (behind - at) * sizeof (gint32));
    used += behind - at;
    at = behind;
  }
  return used;
}

static void
add_reference (const Scp *scp, const Lead *lead, const gint32 *reference, gint32 *out)
{
  for (guint i = 0; i < scp->beats->len; i++) {
    const Beat *beat = &g_array_index (scp->beats, Beat, i);
    guint32 from = MAX (beat->from, lead->start), to = MIN (beat->to, lead->end);
    gint64 first = (gint64)scp->fiducial - beat->fiducial - 1; /* index in reference of sample 0 */
    for (guint32 at = from; at <= to; at++) {
      gint64 index = first + at;
      if (index >= (gint64)scp->reference_length)
        break;
      if (index >= 0)
        out[at - lead->start] += reference[index];
    }
  }
}

static gboolean
decode_lead (const Scp *scp, EcgBytes section, guint index, gint32 *out, GError **error)
{
  const Lead *lead = &g_array_index (scp->leads, Lead, index);
  gsize length = lead->end - lead->start + 1;
  EcgBytes data;
  if (!lead_data (section, index, scp->leads->len, &data, 6, error))
    return FALSE;
  gboolean shrunk = scp->factor > 1;
  gsize stored = shrunk ? expand (scp, lead, NULL, NULL) : length;
  g_autofree gint32 *values = shrunk ? g_new (gint32, stored) : NULL;
  if (!scp_decode (scp->tables, data.data, data.length, scp->difference, shrunk ? values : out,
                   stored, error)) {
    g_prefix_error (error, "section 6, lead %u: ", index + 1);
    return FALSE;
  }
  if (shrunk)
    expand (scp, lead, values, out);
  if (scp->reference_beats != NULL)
    add_reference (scp, lead, scp->reference_beats[index], out);
  return TRUE;
}

/* ---- Streams: leads that were recorded at the same time -----------------------------------------
 */

/* Before room is made for them: a sample has one bit at least. */
static gboolean
check_length (const Scp *scp, EcgBytes section, guint index, GError **error)
{
  const Lead *lead = &g_array_index (scp->leads, Lead, index);
  EcgBytes data;
  if (!lead_data (section, index, scp->leads->len, &data, 6, error))
    return FALSE;
  return lead->end - lead->start + 1 <= (guint64)data.length * 8 * scp->factor
         || fail (error, 6, "a lead has less data than section 3 says that it has samples");
}

static gboolean
add_group (const Scp *scp, EcgRecording *recording, EcgBytes section, const GArray *members,
           guint32 earliest, GError **error)
{
  const Lead *first = &g_array_index (scp->leads, Lead, g_array_index (members, guint, 0));
  for (guint i = 0; i < members->len; i++)
    if (!check_length (scp, section, g_array_index (members, guint, i), error))
      return FALSE;
  WaveStream *stream = ecg_stream_new (1000000, scp->interval, members->len, error);
  if (stream == NULL)
    return FALSE;
  for (guint i = 0; i < members->len; i++) {
    guint id = g_array_index (scp->leads, Lead, g_array_index (members, guint, i)).id;
    g_autofree char *number = g_strdup_printf ("SCP %u", id);
    const char *name = ecg_lead_name (id);
    ecg_lead_set (&stream->leads[i], name != NULL ? name : number, "uV", scp->step / 1000.0, 0, 16);
  }
  ecg_add_stream (recording, stream);
  WaveBlock *block = ecg_add_block (recording, stream, 0, first->start - earliest,
                                    first->end - first->start + 1, error);
  for (guint i = 0; block != NULL && i < members->len; i++)
    if (!decode_lead (scp, section, g_array_index (members, guint, i),
                      block->samples + (gsize)i * block->count, error))
      return FALSE;
  return block != NULL;
}

static gboolean
add_streams (const Scp *scp, EcgRecording *recording, EcgBytes section, GError **error)
{
  guint count = scp->leads->len;
  guint32 earliest = G_MAXUINT32;
  for (guint i = 0; i < count; i++)
    earliest = MIN (earliest, g_array_index (scp->leads, Lead, i).start);
  g_autofree gboolean *done = g_new0 (gboolean, count);
  for (guint i = 0; i < count; i++) {
    g_autoptr (GArray) members = g_array_new (FALSE, FALSE, sizeof (guint));
    const Lead *lead = &g_array_index (scp->leads, Lead, i);
    for (guint j = i; j < count && members->len < WAVE_LEADS_MAX; j++) {
      const Lead *other = &g_array_index (scp->leads, Lead, j);
      if (done[j] || other->start != lead->start || other->end != lead->end)
        continue;
      done[j] = TRUE;
      g_array_append_val (members, j);
    }
    if (members->len > 0 && !add_group (scp, recording, section, members, earliest, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_rhythm (Scp *scp, EcgRecording *recording, GError **error)
{
  EcgBytes *tables = scp_has (&scp->record, 2) ? &scp->record.section[2] : NULL;
  scp->tables = scp_tables_parse (tables, error);
  EcgBytes section = scp->record.section[6];
  if (scp->tables == NULL || !read_lead_list (scp, error) || !read_beats (scp, error)
      || !read_rhythm_head (scp, &section, error))
    return FALSE;
  /* The section's rest begins with the lengths of its leads. */
  EcgBytes rest = scp->record.section[6];
  ecg_bytes_take (&rest, 6);
  if (scp->factor > 1)
    ecg_add_note (recording,
                  "outside of the QRS complexes the file keeps one sample of %u: what "
                  "lies between is interpolated",
                  scp->factor);
  return add_streams (scp, recording, rest, error);
}

EcgRecording *
ecg_scp_read (const guint8 *data, gsize length, GError **error)
{
  Scp scp = { 0 };
  if (!scp_record_parse (data, length, &scp.record, error))
    return NULL;
  scp.leads = g_array_new (FALSE, FALSE, sizeof (Lead));
  scp.beats = g_array_new (FALSE, FALSE, sizeof (Beat));
  scp.zones = g_array_new (FALSE, FALSE, sizeof (Zone));
  g_autoptr (EcgRecording) recording = ecg_recording_new ("scp");
  scp_read_patient (&scp.record, recording);
  gboolean ok = read_rhythm (&scp, recording, error);
  scp_clear (&scp);
  if (!ok)
    return NULL;
  scp_read_measurements (&scp.record, recording);
  scp_read_statements (&scp.record, recording);
  return g_steal_pointer (&recording);
}
