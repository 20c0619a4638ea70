#include "ecg_files.h"

#include <math.h>
#include <string.h>

const char *const ecg_made_names[ECG_MADE_LEADS]
    = { "I", "II", "V1", "V2", "V3", "V4", "V5", "V6" };

/* ---- A made-up heart ---------------------------------------------------------------------------
 */

static double
bump (double t, double at, double width, double height)
{
  double x = (t - at) / width;
  return fabs (x) < 4 ? height * exp (-x * x / 2) : 0;
}

EcgMade *
ecg_made_new (guint rate, guint count)
{
  static const double r[ECG_MADE_LEADS] = { 320, 480, 100, 220, 380, 560, 500, 360 };
  static const double s[ECG_MADE_LEADS] = { -40, -60, -420, -520, -300, -160, -80, -40 };
  EcgMade *made = g_new0 (EcgMade, 1);
  made->rate = rate;
  made->count = count;
  for (guint lead = 0; lead < ECG_MADE_LEADS; lead++) {
    made->lead[lead] = g_new (gint16, count);
    for (guint i = 0; i < count; i++) {
      double t = fmod ((double)i / rate, 60.0 / 72);
      double value = bump (t, 0.16, 0.022, r[lead] * 0.12) + bump (t, 0.298, 0.008, -r[lead] * 0.1)
                     + bump (t, 0.32, 0.011, r[lead]) + bump (t, 0.345, 0.01, s[lead])
                     + bump (t, 0.56, 0.045, r[lead] * 0.25);
      made->lead[lead][i] = (gint16)lround (value);
    }
  }
  return made;
}

void
ecg_made_free (EcgMade *made)
{
  for (guint lead = 0; lead < ECG_MADE_LEADS; lead++)
    g_free (made->lead[lead]);
  g_free (made);
}

/* ---- Bytes -------------------------------------------------------------------------------------
 */

static void
put (GByteArray *out, guint64 value, guint bytes)
{
  for (guint i = 0; i < bytes; i++) {
    guint8 byte = (guint8)(value >> (8 * i));
    g_byte_array_append (out, &byte, 1);
  }
}

static void
put_text (GByteArray *out, const char *text)
{
  g_byte_array_append (out, (const guint8 *)text, (guint)strlen (text));
}

static void
put_field (GByteArray *out, const char *text, guint length)
{
  for (guint i = 0; i < length; i++)
    put (out, i < strlen (text) ? (guint8)text[i] : ' ', 1);
}

/* ---- SCP-ECG ------------------------------------------------------------------------------------
 */

static guint16
crc (const guint8 *data, gsize length)
{
  guint16 value = 0xFFFF;
  for (gsize i = 0; i < length; i++)
    for (int bit = 7; bit >= 0; bit--) {
      gboolean high = (value >> 15 & 1) != (data[i] >> bit & 1);
      value = (guint16)(value << 1);
      if (high)
        value ^= 0x1021;
    }
  return value;
}

typedef struct {
  GByteArray *bytes;
  guint8 byte;
  guint bits;
} BitsOut;

static void
put_bits (BitsOut *out, guint32 value, guint count)
{
  for (guint i = count; i-- > 0;) {
    out->byte = (guint8)(out->byte << 1 | (value >> i & 1));
    if (++out->bits == 8) {
      g_byte_array_append (out->bytes, &out->byte, 1);
      out->bits = 0;
    }
  }
}

static void
put_default_code (BitsOut *out, gint32 value)
{
  gint32 size = ABS (value);
  if (value == 0)
    put_bits (out, 0, 1);
  else if (size <= 8)
    put_bits (out, ((1u << size) - 1) << 2 | (value < 0), (guint)size + 2);
  else if (value >= -128 && value <= 127)
    put_bits (out, 0x3FEu << 8 | (guint8)value, 18);
  else
    put_bits (out, 0x3FFu << 16 | (guint16)value, 26);
}

/* Two tables: 0; 10 and four bits; 11 to the second: 0 and sixteen bits; 1 back to the first. */
static void
put_own_code (BitsOut *out, gint32 value)
{
  if (value == 0)
    put_bits (out, 0, 1);
  else if (value >= -8 && value <= 7)
    put_bits (out, 2u << 4 | ((guint)value & 0xF), 6);
  else
    put_bits (out, 3u << 18 | (guint32)(guint16)value << 1 | 1, 20);
}

static GByteArray *
own_tables (void)
{
  static const struct {
    guint8 prefix, total, keeps;
    gint16 value;
    guint32 base;
  } codes[2][3] = { { { 1, 1, 1, 0, 0 }, { 2, 6, 1, 0, 1 }, { 2, 2, 0, 2, 3 } },
                    { { 1, 17, 1, 0, 0 }, { 1, 1, 0, 1, 1 } } };
  GByteArray *out = g_byte_array_new ();
  put (out, 2, 2);
  for (guint table = 0; table < 2; table++) {
    put (out, table == 0 ? 3 : 2, 2);
    for (guint i = 0; i < (table == 0 ? 3 : 2); i++) {
      put (out, codes[table][i].prefix, 1);
      put (out, codes[table][i].total, 1);
      put (out, codes[table][i].keeps, 1);
      put (out, (guint16)codes[table][i].value, 2);
      put (out, codes[table][i].base, 4);
    }
  }
  return out;
}

static GByteArray *
encode (const ScpMake *make, const gint32 *values, guint count)
{
  BitsOut out = { .bytes = g_byte_array_new () };
  for (guint i = 0; i < count; i++) {
    gint32 value = values[i];
    if (make->difference == 1 && i >= 1)
      value = values[i] - values[i - 1];
    if (make->difference == 2 && i >= 2)
      value = values[i] - 2 * values[i - 1] + values[i - 2];
    if (make->coding == SCP_PLAIN)
      put (out.bytes, (guint16)value, 2);
    else if (make->coding == SCP_DEFAULT_TABLE)
      put_default_code (&out, value);
    else
      put_own_code (&out, value);
  }
  if (out.bits > 0)
    put_bits (&out, 0, 8 - out.bits);
  if (out.bytes->len % 2 != 0)
    put (out.bytes, 0, 1);
  return out.bytes;
}

/* Beats of the made-up heart, counted from 1: 0.24 to 0.44 s of each, the R at 0.32 s. */
typedef struct {
  guint from, fiducial, to;
} MadeBeat;

static GArray *
beats_of (const EcgMade *made)
{
  GArray *beats = g_array_new (FALSE, FALSE, sizeof (MadeBeat));
  for (double start = 0; (start + 0.44) * made->rate < made->count; start += 60.0 / 72) {
    /* Pieces between the zones are whole fours. */
    guint from = (guint)((start + 0.24) * made->rate) / 4 * 4;
    guint length = (guint)(0.2 * made->rate) / 4 * 4;
    MadeBeat beat = { from + 1, (guint)lround ((start + 0.32) * made->rate) + 1, from + length };
    g_array_append_val (beats, beat);
  }
  return beats;
}

#define REFERENCE_MS 240
#define FIDUCIAL 50

/* A triangle will do: what is taken away comes back. */
static gint32
reference_at (guint lead, gint64 index, guint length)
{
  gint64 far = ABS (index - (FIDUCIAL - 1));
  return index >= 0 && index < length ? (gint32)MAX (0, 300 - 20 * far) + (gint32)lead : 0;
}

static GByteArray *
reduced_lead (const EcgMade *made, const ScpMake *make, guint lead, const GArray *beats)
{
  guint length = REFERENCE_MS * made->rate / 1000, used = 0, at = 1;
  g_autofree gint32 *rest = g_new (gint32, made->count + 2);
  g_autofree gint32 *out = g_new (gint32, made->count + 2);
  for (guint i = 1; i <= made->count; i++)
    rest[i] = made->lead[lead][i - 1];
  for (guint b = 0; b < beats->len; b++) {
    const MadeBeat *beat = &g_array_index (beats, MadeBeat, b);
    for (guint i = beat->from; i <= beat->to; i++)
      rest[i] -= reference_at (lead, (gint64)i - beat->fiducial + FIDUCIAL - 1, length);
  }
  for (guint b = 0; b <= beats->len; b++) {
    const MadeBeat *beat = b < beats->len ? &g_array_index (beats, MadeBeat, b) : NULL;
    guint stop = beat != NULL ? beat->from : made->count + 1;
    for (; at < stop; at += 4)
      out[used++] = (rest[at] + rest[at + 1] + rest[at + 2] + rest[at + 3]) / 4;
    for (at = stop; beat != NULL && at <= beat->to; at++)
      out[used++] = rest[at];
  }
  return encode (make, out, used);
}

static GByteArray *
full_lead (const EcgMade *made, const ScpMake *make, guint lead)
{
  g_autofree gint32 *values = g_new (gint32, made->count);
  for (guint i = 0; i < made->count; i++)
    values[i] = made->lead[lead][i];
  return encode (make, values, made->count);
}

static GByteArray *
lead_section (GPtrArray *leads, guint step, guint interval, const ScpMake *make, gboolean bimodal)
{
  GByteArray *out = g_byte_array_new ();
  put (out, step, 2);
  put (out, interval, 2);
  put (out, make->difference, 1);
  put (out, bimodal, 1);
  for (guint i = 0; i < leads->len; i++)
    put (out, ((GByteArray *)leads->pdata[i])->len, 2);
  for (guint i = 0; i < leads->len; i++) {
    GByteArray *lead = leads->pdata[i];
    g_byte_array_append (out, lead->data, lead->len);
  }
  return out;
}

static GByteArray *
patient_section (const ScpMake *make)
{
  GByteArray *out = g_byte_array_new ();
  const struct {
    guint tag;
    const char *text;
  } texts[] = { { 0, make->family }, { 1, make->given }, { 2, make->patient_id } };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (texts[i].text == NULL)
      continue;
    put (out, texts[i].tag, 1);
    put (out, strlen (texts[i].text) + 1, 2);
    put_text (out, texts[i].text);
    put (out, 0, 1);
  }
  static const guint8 rest[]
      = { 5,  4, 0, 0xA7, 0x07, 5,  8,  8, 1, 0,    2,    25, 4, 0, 0xEA, 0x07, 11, 20,
          26, 3, 0, 9,    3,    12, 34, 5, 0, 0xA4, 0x01, 0,  0, 0, 255,  0,    0 };
  g_byte_array_append (out, rest, sizeof rest);
  return out;
}

static GByteArray *
lead_list (const EcgMade *made, gboolean reduced)
{
  GByteArray *out = g_byte_array_new ();
  put (out, ECG_MADE_LEADS, 1);
  put (out, (reduced ? 1 : 0) | 4 | ECG_MADE_LEADS << 3, 1);
  for (guint i = 0; i < ECG_MADE_LEADS; i++) {
    put (out, 1, 4);
    put (out, made->count, 4);
    put (out, i + 1, 1);
  }
  return out;
}

static GByteArray *
beat_list (const GArray *beats)
{
  GByteArray *out = g_byte_array_new ();
  put (out, REFERENCE_MS, 2);
  put (out, FIDUCIAL, 2);
  put (out, beats->len, 2);
  for (guint i = 0; i < beats->len; i++) {
    const MadeBeat *beat = &g_array_index (beats, MadeBeat, i);
    put (out, 0, 2);
    put (out, beat->from, 4);
    put (out, beat->fiducial, 4);
    put (out, beat->to, 4);
  }
  for (guint i = 0; i < beats->len; i++) {
    put (out, g_array_index (beats, MadeBeat, i).from, 4);
    put (out, g_array_index (beats, MadeBeat, i).to, 4);
  }
  return out;
}

static GByteArray *
text_section (void)
{
  static const guint8 head[] = { 0, 0xEA, 0x07, 11, 20, 9, 4, 0, 1, 1 };
  static const char text[] = "Nh\341\273\213p xoang";
  GByteArray *out = g_byte_array_new ();
  g_byte_array_append (out, head, sizeof head);
  put (out, sizeof text, 2);
  g_byte_array_append (out, (const guint8 *)text, sizeof text);
  return out;
}

static void
put_section (GByteArray *record, guint id, const GByteArray *body)
{
  guint at = record->len, length = body->len + 16;
  put (record, 0, 2);
  put (record, id, 2);
  put (record, length, 4);
  put (record, 0x1313, 2);
  put_text (record, id == 0 ? "SCPECG" : "");
  put (record, 0, id == 0 ? 0 : 6);
  g_byte_array_append (record, body->data, body->len);
  guint16 sum = crc (record->data + at + 2, length - 2);
  memcpy (record->data + at, &(guint16){ GUINT16_TO_LE (sum) }, 2);
}

static GByteArray *
assemble (GByteArray *bodies[12])
{
  GByteArray *record = g_byte_array_new ();
  g_autoptr (GByteArray) pointers = g_byte_array_new ();
  guint at = 6 + 16 + 120 + 1;
  for (guint id = 0; id < 12; id++) {
    guint length = id == 0 ? 16 + 120 : bodies[id] != NULL ? bodies[id]->len + 16 : 0;
    put (pointers, id, 2);
    put (pointers, length, 4);
    put (pointers, id == 0 ? 7 : length > 0 ? at : 0, 4);
    at += id > 0 ? length : 0;
  }
  put (record, 0, 2);
  put (record, at - 1, 4);
  put_section (record, 0, pointers);
  for (guint id = 1; id < 12; id++)
    if (bodies[id] != NULL)
      put_section (record, id, bodies[id]);
  guint16 sum = crc (record->data + 2, record->len - 2);
  memcpy (record->data, &(guint16){ GUINT16_TO_LE (sum) }, 2);
  return record;
}

static void
unref_bytes (void *bytes)
{
  g_byte_array_unref (bytes);
}

static GByteArray *
reference_section (const EcgMade *made, const ScpMake *make)
{
  g_autoptr (GPtrArray) leads = g_ptr_array_new_with_free_func (unref_bytes);
  guint length = REFERENCE_MS * made->rate / 1000;
  g_autofree gint32 *values = g_new (gint32, length);
  for (guint lead = 0; lead < ECG_MADE_LEADS; lead++) {
    for (guint i = 0; i < length; i++)
      values[i] = reference_at (lead, i, length);
    g_ptr_array_add (leads, encode (make, values, length));
  }
  return lead_section (leads, 2500, 1000000 / made->rate, make, FALSE);
}

GByteArray *
ecg_make_scp (const EcgMade *made, const ScpMake *make)
{
  g_autoptr (GArray) beats = beats_of (made);
  g_autoptr (GPtrArray) leads = g_ptr_array_new_with_free_func (unref_bytes);
  for (guint lead = 0; lead < ECG_MADE_LEADS; lead++)
    g_ptr_array_add (leads, make->reduced ? reduced_lead (made, make, lead, beats)
                                          : full_lead (made, make, lead));
  GByteArray *bodies[12] = { NULL };
  bodies[1] = patient_section (make);
  if (make->coding == SCP_DEFAULT_TABLE) {
    bodies[2] = g_byte_array_new ();
    put (bodies[2], 19999, 2);
  } else if (make->coding == SCP_OWN_TABLES)
    bodies[2] = own_tables ();
  bodies[3] = lead_list (made, make->reduced);
  if (make->reduced) {
    bodies[4] = beat_list (beats);
    bodies[5] = reference_section (made, make);
  }
  bodies[6] = lead_section (leads, 2500, 1000000 / made->rate * (make->reduced ? 4 : 1), make,
                            make->reduced);
  bodies[8] = text_section ();
  GByteArray *record = assemble (bodies);
  for (guint i = 0; i < 12; i++)
    if (bodies[i] != NULL)
      g_byte_array_unref (bodies[i]);
  return record;
}

/* ---- aECG ---------------------------------------------------------------------------------------
 */

GByteArray *
ecg_make_aecg (const EcgMade *made, const char *patient_id)
{
  GString *text = g_string_new ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  g_string_append_printf (
      text,
      "<AnnotatedECG xmlns=\"urn:hl7-org:v3\" "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><componentOf><timepointEvent>"
      "<componentOf><subjectAssignment><subject><trialSubject><id root=\"1.2.3\" "
      "extension=\"%s\"/><subjectDemographicPerson><name>Nguy\341\273\205n V\304\203n A</name>"
      "<administrativeGenderCode code=\"M\"/><birthTime value=\"19590508\"/>"
      "</subjectDemographicPerson></trialSubject></subject></subjectAssignment></componentOf>"
      "</timepointEvent></componentOf><component><series><code code=\"RHYTHM\"/><effectiveTime>"
      "<low value=\"20261120090312.5+0700\"/></effectiveTime><component><sequenceSet>"
      "<component><sequence><code code=\"TIME_RELATIVE\"/><value xsi:type=\"GLIST_PQ\">"
      "<head value=\"0\" unit=\"s\"/><increment value=\"%u\" unit=\"us\"/></value></sequence>"
      "</component>",
      patient_id, 1000000 / made->rate);
  for (guint lead = 0; lead < ECG_MADE_LEADS; lead++) {
    g_string_append_printf (text,
                            "<component><sequence><code code=\"MDC_ECG_LEAD_%s\"/><value "
                            "xsi:type=\"SLIST_PQ\"><origin value=\"0\" unit=\"uV\"/><scale "
                            "value=\"2.5\" unit=\"uV\"/><digits>",
                            ecg_made_names[lead]);
    for (guint i = 0; i < made->count; i++)
      g_string_append_printf (text, i % 20 == 19 ? "%d\n" : "%d ", made->lead[lead][i]);
    g_string_append (text, "</digits></value></sequence></component>");
  }
  g_string_append (text, "</sequenceSet></component></series></component></AnnotatedECG>\n");
  gsize length = text->len;
  return g_byte_array_new_take ((guint8 *)g_string_free (text, FALSE), length);
}

/* ---- EDF ----------------------------------------------------------------------------------------
 */

static void
put_signal_fields (GByteArray *out, const EcgMade *made, gboolean bdf, guint annotation_samples)
{
  guint signals = ECG_MADE_LEADS + 1;
  g_autofree char *samples = g_strdup_printf ("%u", made->rate);
  g_autofree char *annotations = g_strdup_printf ("%u", annotation_samples);
  const char *low = bdf ? "-1000000" : "-32768", *high = bdf ? "1000000" : "32767";
  /* 2.5 µV a step, with numbers that fit into eight characters. */
  const struct {
    guint width;
    const char *ecg, *annotation;
  } fields[] = { { 16, NULL, bdf ? "BDF Annotations" : "EDF Annotations" },
                 { 80, "", "" },
                 { 8, "uV", "" },
                 { 8, bdf ? "-2500000" : "-81920", "-1" },
                 { 8, bdf ? "2500000" : "81917.5", "1" },
                 { 8, low, low },
                 { 8, high, high },
                 { 80, "", "" },
                 { 8, samples, annotations },
                 { 32, "", "" } };
  for (guint f = 0; f < G_N_ELEMENTS (fields); f++)
    for (guint i = 0; i < signals; i++) {
      g_autofree char *label
          = i < ECG_MADE_LEADS ? g_strconcat ("ECG ", ecg_made_names[i], NULL) : NULL;
      const char *text = i == ECG_MADE_LEADS ? fields[f].annotation
                         : f == 0            ? label
                                             : fields[f].ecg;
      put_field (out, text, fields[f].width);
    }
}

GByteArray *
ecg_make_edf (const EcgMade *made, gboolean bdf, double gap_s, const char *patient)
{
  GByteArray *out = g_byte_array_new ();
  guint bytes = bdf ? 3 : 2, records = made->count / made->rate, list = 30;
  g_autofree char *header = g_strdup_printf ("%u", 256 * (2 + ECG_MADE_LEADS));
  g_autofree char *count = g_strdup_printf ("%u", records);
  if (bdf)
    put_text (out, "\377BIOSEMI");
  else
    put_field (out, "0", 8);
  put_field (out, patient, 80);
  put_field (out, "Startdate 20-NOV-2026 X X ECG-1200", 80);
  put_field (out, "20.11.26", 8);
  put_field (out, "09.03.12", 8);
  put_field (out, header, 8);
  put_field (out, bdf ? (gap_s > 0 ? "BDF+D" : "BDF+C") : (gap_s > 0 ? "EDF+D" : "EDF+C"), 44);
  put_field (out, count, 8);
  put_field (out, "1", 8);
  put_field (out, "9", 4);
  put_signal_fields (out, made, bdf, list);
  for (guint record = 0; record < records; record++) {
    for (guint lead = 0; lead < ECG_MADE_LEADS; lead++)
      for (guint i = 0; i < made->rate; i++)
        put (out, (guint32)made->lead[lead][record * made->rate + i], bytes);
    char start[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd (start, sizeof start, "%.3f", record + (record >= records / 2 ? gap_s : 0));
    g_autofree char *lists = g_strdup_printf ("+%s%s%s", start, "\x14\x14",
                                              record == 1 ? "\x01+1.5\x15"
                                                            "0.25\x14V\xE1\xBB\x9B"
                                                            "i\x14"
                                                          : "");
    gsize length = strlen (lists);
    for (guint i = 0; i < list * bytes; i++)
      put (out, i < length && lists[i] != 1 ? (guint8)lists[i] : 0, 1);
  }
  return out;
}

/* ---- WFDB ---------------------------------------------------------------------------------------
 */

static void
pack_310 (GByteArray *out, const gint32 *v, guint count)
{
  guint32 a = (guint32)v[0] & 0x3FF, b = count > 1 ? (guint32)v[1] & 0x3FF : 0;
  guint32 c = count > 2 ? (guint32)v[2] & 0x3FF : 0;
  put (out, a << 1 | (c & 0x1F) << 11, 2);
  put (out, b << 1 | (c >> 5) << 11, 2);
}

static void
pack (GByteArray *out, guint format, const gint32 *v, gsize count)
{
  for (gsize i = 0; i < count; i++) {
    guint32 a = (guint32)v[i], b = i + 1 < count ? (guint32)v[i + 1] : 0;
    guint32 c = i + 2 < count ? (guint32)v[i + 2] : 0;
    switch (format) {
    case 61:
      put (out, GUINT16_SWAP_LE_BE (a & 0xFFFF), 2);
      break;
    case 80:
      put (out, (guint8)(v[i] + 128), 1);
      break;
    case 160:
      put (out, (guint16)(v[i] + 32768), 2);
      break;
    case 212:
      put (out, (a & 0xFF) | (a >> 8 & 0xF) << 8 | (b >> 8 & 0xF) << 12 | (b & 0xFF) << 16, 3);
      i++;
      break;
    case 310:
      pack_310 (out, v + i, (guint)MIN (3, count - i));
      i += 2;
      break;
    case 311:
      put (out, (a & 0x3FF) | (b & 0x3FF) << 10 | (c & 0x3FF) << 20, 4);
      i += 2;
      break;
    default:
      put (out, a, format == 24 ? 3 : format == 32 ? 4 : format == 8 ? 1 : 2);
    }
  }
}

GByteArray *
ecg_make_wfdb (const EcgMade *made, const char *name, guint format, GString *ret_header)
{
  GByteArray *out = g_byte_array_new ();
  gsize count = (gsize)made->count * ECG_MADE_LEADS;
  g_autofree gint32 *all = g_new (gint32, count);
  g_string_append_printf (ret_header, "%s %d %u %u 09:03:12 20/11/2026\n", name, ECG_MADE_LEADS,
                          made->rate, made->count);
  for (guint lead = 0; lead < ECG_MADE_LEADS; lead++) {
    guint16 sum = 0;
    for (guint i = 0; i < made->count; i++) {
      gint32 before = i > 0 ? made->lead[lead][i - 1] : made->lead[lead][0];
      sum = (guint16)(sum + made->lead[lead][i]);
      all[(gsize)i * ECG_MADE_LEADS + lead] = made->lead[lead][i] - (format == 8 ? before : 0);
    }
    g_string_append_printf (ret_header, "%s.dat %u 400(0)/mV 16 0 %d %d 0 %s\n", name, format,
                            made->lead[lead][0], (gint16)sum, ecg_made_names[lead]);
  }
  pack (out, format, all, count);
  return out;
}

/* ---- DICOM --------------------------------------------------------------------------------------
 */

typedef struct {
  GByteArray *out;
  gboolean implicit;
} DicomOut;

static void
put_element (const DicomOut *dicom, guint32 tag, const char *vr, const void *value, gsize length)
{
  static const char pad[] = { ' ' };
  gsize padded = length + length % 2;
  gboolean wide
      = strchr ("SQOBOWUN", vr[0]) != NULL
        && (memcmp (vr, "SQ", 2) == 0 || memcmp (vr, "OW", 2) == 0 || memcmp (vr, "OB", 2) == 0);
  put (dicom->out, tag >> 16, 2);
  put (dicom->out, tag & 0xFFFF, 2);
  if (!dicom->implicit) {
    put_text (dicom->out, vr);
    put (dicom->out, wide ? 0 : padded, 2);
  }
  if (dicom->implicit || wide)
    put (dicom->out, padded, 4);
  g_byte_array_append (dicom->out, value, (guint)length);
  if (padded > length)
    g_byte_array_append (dicom->out, (const guint8 *)pad, 1);
}

static void
put_string (const DicomOut *dicom, guint32 tag, const char *vr, const char *text)
{
  put_element (dicom, tag, vr, text, strlen (text));
}

static void
put_u16 (const DicomOut *dicom, guint32 tag, guint16 value)
{
  put_element (dicom, tag, "US", &(guint16){ GUINT16_TO_LE (value) }, 2);
}

/* A sequence whose items are what is in them. */
static void
put_sequence (const DicomOut *dicom, guint32 tag, GByteArray **items, guint count)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  for (guint i = 0; i < count; i++) {
    put (body, 0xE000FFFE, 4);
    put (body, items[i]->len, 4);
    g_byte_array_append (body, items[i]->data, items[i]->len);
    g_byte_array_unref (items[i]);
  }
  put_element (dicom, tag, "SQ", body->data, body->len);
}

static GByteArray *
code_item (gboolean implicit, const char *value, const char *scheme, const char *meaning)
{
  DicomOut dicom = { g_byte_array_new (), implicit };
  put_string (&dicom, 0x00080100, "SH", value);
  put_string (&dicom, 0x00080102, "SH", scheme);
  put_string (&dicom, 0x00080104, "LO", meaning);
  return dicom.out;
}

static GByteArray *
channel_item (gboolean implicit, guint lead)
{
  DicomOut dicom = { g_byte_array_new (), implicit };
  g_autofree char *code = g_strdup_printf ("2:%u", lead + 1);
  GByteArray *source = code_item (implicit, code, "MDC", ecg_made_names[lead]);
  GByteArray *unit = code_item (implicit, "uV", "UCUM", "microvolt");
  put_sequence (&dicom, 0x003A0208, &source, 1);
  put_string (&dicom, 0x003A0210, "DS", "2.5");
  put_sequence (&dicom, 0x003A0211, &unit, 1);
  put_string (&dicom, 0x003A0212, "DS", "1");
  put_string (&dicom, 0x003A0213, "DS", "0");
  put_u16 (&dicom, 0x003A021A, 16);
  return dicom.out;
}

static GByteArray *
group_item (const EcgMade *made, gboolean implicit)
{
  DicomOut dicom = { g_byte_array_new (), implicit };
  GByteArray *channels[ECG_MADE_LEADS];
  g_autofree char *rate = g_strdup_printf ("%u", made->rate);
  put_u16 (&dicom, 0x003A0005, ECG_MADE_LEADS);
  put_element (&dicom, 0x003A0010, "UL", &(guint32){ GUINT32_TO_LE (made->count) }, 4);
  put_string (&dicom, 0x003A001A, "DS", rate);
  for (guint lead = 0; lead < ECG_MADE_LEADS; lead++)
    channels[lead] = channel_item (implicit, lead);
  put_sequence (&dicom, 0x003A0200, channels, ECG_MADE_LEADS);
  put_u16 (&dicom, 0x54001004, 16);
  put_string (&dicom, 0x54001006, "CS", "SS");
  g_autoptr (GByteArray) data = g_byte_array_new ();
  for (guint i = 0; i < made->count; i++)
    for (guint lead = 0; lead < ECG_MADE_LEADS; lead++)
      put (data, (guint16)made->lead[lead][i], 2);
  put_element (&dicom, 0x54001010, "OW", data->data, data->len);
  return dicom.out;
}

GByteArray *
ecg_make_dicom (const EcgMade *made, gboolean implicit, const char *patient_id)
{
  GByteArray *out = g_byte_array_new ();
  DicomOut meta = { out, FALSE }, dicom = { out, implicit };
  for (guint i = 0; i < 128; i++)
    put (out, 0, 1);
  put_text (out, "DICM");
  const char *syntax = implicit ? "1.2.840.10008.1.2" : "1.2.840.10008.1.2.1";
  g_autofree char *padded = g_strndup (syntax, strlen (syntax) + 1);
  put_element (&meta, 0x00020010, "UI", padded, strlen (syntax) + strlen (syntax) % 2);
  put_string (&dicom, 0x00080005, "CS", "ISO_IR 192");
  put_string (&dicom, 0x0008002A, "DT", "20261120090312+0700");
  put_string (&dicom, 0x00100010, "PN", "Nguy\341\273\205n^V\304\203n A");
  put_string (&dicom, 0x00100020, "LO", patient_id);
  put_string (&dicom, 0x00100030, "DA", "19590508");
  put_string (&dicom, 0x00100040, "CS", "M");
  GByteArray *group = group_item (made, implicit);
  put_sequence (&dicom, 0x54000100, &group, 1);
  return out;
}
