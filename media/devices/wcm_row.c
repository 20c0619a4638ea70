#include "media/devices/wcm_row.h"
#include "media/devices/hl7_time.h"
#include "media/devices/obx.h"
#include "media/devices/wave_codes.h"

#include <math.h>
#include <string.h>

#define DECIMALS_MAX 6
#define LEAD_NAME_MAX 40
/* More than any monitor has; the rest stays what it is without waves, an observation. */
#define ROWS_MAX 256

typedef struct {
  Hl7Context context;
  guint order;
  GPtrArray *rows;   /* WcmRow* */
  GPtrArray *facets; /* WcmFacet* */
} Walk;

void
wcm_row_free (WcmRow *row)
{
  g_free (row->place);
  g_free (row->name);
  g_free (row->device);
  g_free (row->patient_id);
  g_strfreev (row->flags);
  g_free (row->samples);
  g_free (row->unit);
  g_free (row->scale_unit);
  g_array_unref (row->none);
  g_free (row);
}

/* ---- Samples ----------------------------------------------------------------------------------
 */

/* One number of the list. *at moves to the separator behind it; whole and places: digits before and
 * behind the point. FALSE: it is none. Exponents are no HL7, and come from programs that print
 * floating-point numbers. */
static gboolean
read_sample (const char **at, double *ret, guint *whole, guint *places)
{
  const char *start = *at + (**at == '-' || **at == '+');
  gsize before = strspn (start, "0123456789");
  gsize behind = start[before] == '.' ? strspn (start + before + 1, "0123456789") : 0;
  char *end = NULL;
  if (before + behind == 0 || before > 10 || behind > 24)
    return FALSE;
  *ret = g_ascii_strtod (*at, &end);
  gsize mantissa = (start - *at) + before + (start[before] == '.' ? 1 + behind : 0);
  gboolean exponent = end > *at + mantissa;
  while (*end == ' ')
    end++;
  if ((*end != '^' && *end != '\0') || !(fabs (*ret) <= G_MAXINT32))
    return FALSE;
  *at = end;
  *whole = (guint)before;
  *places = exponent ? DECIMALS_MAX : (guint)behind;
  return TRUE;
}

/* How many samples text has, and how many places behind the point are kept of them: as many as
 * there are, up to DECIMALS_MAX and what 32 bits hold. FALSE: it is no list of numbers. */
static gboolean
measure_samples (const char *text, guint *ret_count, guint *ret_decimals)
{
  guint count = 1, whole_max = 1, decimals = 0;
  for (const char *at = text;; at++) {
    double value;
    guint whole, places;
    while (*at == ' ')
      at++;
    if (*at != '^' && *at != '\0') {
      if (!read_sample (&at, &value, &whole, &places))
        return FALSE;
      whole_max = MAX (whole_max, whole);
      decimals = MAX (decimals, places);
    }
    if (*at == '\0')
      break;
    count++;
  }
  *ret_count = count;
  *ret_decimals = MIN (MIN (decimals, DECIMALS_MAX), whole_max < 9 ? 9 - whole_max : 0);
  return TRUE;
}

/* Each times 10^decimals, to the nearest; empty places are WAVE_MISSING. */
static void
fill_samples (const char *text, gint32 *samples, guint decimals)
{
  const double factor = pow (10, decimals);
  for (const char *at = text;; at++) {
    double value = 0;
    guint whole, places;
    while (*at == ' ')
      at++;
    gboolean none = *at == '^' || *at == '\0' || !read_sample (&at, &value, &whole, &places);
    *samples++ = none ? WAVE_MISSING : (gint32)lround (value * factor);
    if (*at == '\0')
      break;
  }
}

static gboolean
read_samples (WcmRow *row, const Hl7Message *message)
{
  g_autofree char *text = hl7_get_plain (message, row->segment, 5, 0);
  if (text == NULL || g_str_equal (text, "\"\""))
    return TRUE;
  /* A repetition would be a second dimension: a table, no wave. */
  if (hl7_repetitions (message, row->segment, 5) > 1)
    return FALSE;
  gsize length = strlen (text);
  while (length > 0 && text[length - 1] == '^')
    text[--length] = '\0';
  if (length == 0)
    return TRUE;
  guint count = 0;
  if (!measure_samples (text, &count, &row->decimals))
    return FALSE;
  row->samples = g_new (gint32, count);
  row->count = count;
  fill_samples (text, row->samples, row->decimals);
  return TRUE;
}

/* ---- Which lead, when -------------------------------------------------------------------------
 */

static const WaveCode *
known_wave (const Profile *profile, const char *id, const char *name, const char *system)
{
  guint64 number = 0;
  guint32 mdc = profile != NULL ? profile_code (profile, id, name, system) : 0;
  const WaveCode *code = mdc != 0 ? wave_code_by_mdc (mdc) : NULL;
  if (code == NULL && name != NULL)
    code = wave_code_by_name (name);
  if (code == NULL && id != NULL)
    code = wave_code_by_name (id);
  if (code == NULL && id != NULL && g_strcmp0 (system, "MDC") == 0
      && g_ascii_string_to_unsigned (id, 10, 1, G_MAXUINT32, &number, NULL))
    code = wave_code_by_mdc ((guint32)number);
  return code;
}

static void
read_lead (WcmRow *row, const Hl7Context *context)
{
  const Hl7Message *message = context->message;
  g_autofree char *id = hl7_context_get (message, row->segment, 3, 1);
  g_autofree char *name = hl7_context_get (message, row->segment, 3, 2);
  g_autofree char *system = hl7_context_get (message, row->segment, 3, 3);
  guint64 number = 0;
  const WaveCode *code = known_wave (context->profile, id, name, system);
  if (g_strcmp0 (system, "MDC") == 0 && id != NULL)
    g_ascii_string_to_unsigned (id, 10, 1, G_MAXUINT32, &number, NULL);
  row->mdc = code != NULL && code->mdc != 0 ? code->mdc : (guint32)number;
  row->kind = code != NULL ? code->kind : "wave";
  const char *word = code != NULL ? code->label : name != NULL ? name : id != NULL ? id : "?";
  row->name = g_utf8_substring (word, 0, MIN (g_utf8_strlen (word, -1), LEAD_NAME_MAX));
  /* Number and name of two different leads: it is shown under neither. */
  const WaveCode *said = name != NULL ? wave_code_by_name (name) : NULL;
  const WaveCode *meant = number != 0 ? wave_code_by_mdc ((guint32)number) : NULL;
  if (said != NULL && meant != NULL && said != meant) {
    row->mdc = 0;
    g_free (row->name);
    row->name = g_strdup_printf ("%.20s %.20s", id, name);
  }
}

/* A window between whole seconds may be a second longer or shorter: of a hundred that is nothing.
 */
#define EXACT_WINDOW_US (100 * G_TIME_SPAN_SECOND)

static gboolean
has_fraction (const Hl7Context *context)
{
  return strchr (context->obr_time, '.') != NULL && strchr (context->obr_end, '.') != NULL;
}

static void
read_when (WcmRow *row, const Hl7Context *context)
{
  g_autofree char *own = hl7_get (context->message, row->segment, 14, 0, 1, 1);
  const char *candidates[] = { own, context->obr_time, context->msh_time };
  ObservationTime source;
  gint64 start, end;
  row->start_us = G_MININT64;
  for (guint i = 0; i < G_N_ELEMENTS (candidates); i++)
    if (hl7_context_parse_time (context, candidates[i], &row->start_us, &source)) {
      row->coarse = strchr (candidates[i], '.') == NULL;
      break;
    }
  if (hl7_context_parse_time (context, context->obr_time, &start, &source)
      && hl7_context_parse_time (context, context->obr_end, &end, &source) && end > start
      && end - start < G_TIME_SPAN_HOUR
      && (end - start >= EXACT_WINDOW_US || has_fraction (context)))
    row->window_us = (guint)(end - start);
}

static gboolean
has_flag (GStrv flags, const char *flag)
{
  return g_strv_contains ((const char *const *)flags, flag);
}

static void
read_state (WcmRow *row, const Hl7Context *context)
{
  g_autofree char *status = hl7_get (context->message, row->segment, 11, 0, 1, 1);
  gboolean none = status != NULL && strlen (status) == 1 && strchr ("XNOI", *status) != NULL;
  row->test = context->test;
  row->flags = hl7_context_flags (context, row->segment, &row->test);
  row->off = none || has_flag (row->flags, "NAV") || has_flag (row->flags, "NI");
  row->invalid = row->off || has_flag (row->flags, "INV") || g_strcmp0 (status, "D") == 0
                 || g_strcmp0 (status, "W") == 0;
}

static WcmRow *
read_row (const Walk *walk, guint segment)
{
  const Hl7Context *context = &walk->context;
  WcmRow *row = g_new0 (WcmRow, 1);
  row->segment = segment;
  row->order = walk->order;
  row->none = g_array_new (FALSE, FALSE, sizeof (WcmNone));
  row->place = hl7_context_get (context->message, segment, 4, 1);
  if (!read_samples (row, context->message)) {
    row->flags = g_new0 (char *, 1);
    wcm_row_free (row);
    return NULL;
  }
  read_lead (row, context);
  read_when (row, context);
  read_state (row, context);
  g_autoptr (Observation) unit = observation_new ();
  if (obx_read_unit (unit, context->message, segment) != NULL)
    row->unit = g_steal_pointer (&unit->unit);
  row->device = hl7_context_device (context, segment);
  row->patient_id = g_strdup (context->patient_id);
  return row;
}

/* ---- What neither facet says ------------------------------------------------------------------
 */

static void
take_profile (WcmRow *row, const Profile *profile)
{
  ProfileWaves waves = profile_waves (profile);
  if (row->rate_num == 0 && waves.rate_num != 0) {
    row->rate_num = waves.rate_num;
    row->rate_den = waves.rate_den;
  }
  if (row->scale == 0 && waves.scale != 0 && g_str_equal (row->kind, "ecg")) {
    row->scale = waves.scale;
    row->scale_unit = g_strdup (waves.unit);
  }
  for (guint i = 0; i < waves.sentinel_count; i++)
    wcm_row_add_none (row, waves.sentinels[i], waves.sentinels[i]);
}

/* So many samples in the window of the order. A table of numbers that is no wave has none. */
static void
take_window (WcmRow *row)
{
  if (row->rate_num != 0 || row->window_us == 0 || row->count < 2 || !row->is_wave)
    return;
  double rate = row->count * 1e6 / row->window_us;
  double whole = round (rate);
  g_autofree char *text = whole >= 1 && fabs (rate - whole) < 0.005 * rate
                              ? g_strdup_printf ("%.0f", whole)
                              : g_strdup_printf ("%.3f", rate);
  wave_rate_parse (text, &row->rate_num, &row->rate_den);
}

static gboolean
is_wave_order (const Hl7Context *context)
{
  return g_strcmp0 (context->obr_code, "69121") == 0 || g_strcmp0 (context->obr_code, "69122") == 0
         || (context->obr_code != NULL && g_str_has_prefix (context->obr_code, "MDC_OBS_WAVE"));
}

static void
walk_segment (Walk *walk, guint segment)
{
  const Hl7Message *message = walk->context.message;
  const char *name = hl7_segment_name (message, segment);
  hl7_context_read (&walk->context, segment);
  if (g_str_equal (name, "OBR") || g_str_equal (name, "MSH"))
    walk->order++;
  if (!g_str_equal (name, "OBX"))
    return;
  g_autofree char *type = hl7_get (message, segment, 2, 0, 1, 1);
  if (g_strcmp0 (type, "NA") == 0 && walk->rows->len < ROWS_MAX) {
    WcmRow *row = read_row (walk, segment);
    if (row == NULL)
      return;
    row->is_wave = is_wave_order (&walk->context) || !g_str_equal (row->kind, "wave");
    g_ptr_array_add (walk->rows, row);
    return;
  }
  const WcmRow *last = walk->rows->len > 0 ? walk->rows->pdata[walk->rows->len - 1] : NULL;
  gboolean above = last != NULL && last->order == walk->order;
  WcmFacet *facet
      = wcm_facet_read (message, segment, walk->order, above ? (int)walk->rows->len - 1 : -1);
  if (facet != NULL)
    g_ptr_array_add (walk->facets, facet);
}

GPtrArray *
wcm_rows (const Hl7Message *message, const Profile *profile, gint64 now_us, const char *sender,
          gboolean *taken)
{
  Walk walk = { .rows = g_ptr_array_new_with_free_func ((GDestroyNotify)wcm_row_free),
                .facets = g_ptr_array_new_with_free_func (wcm_facet_free) };
  hl7_context_init (&walk.context, message, profile, now_us, sender);
  for (guint segment = 0; segment < hl7_segments (message); segment++)
    walk_segment (&walk, segment);
  wcm_facets_attach (walk.facets, walk.rows, message, taken);
  for (guint i = 0; i < walk.rows->len;) {
    WcmRow *row = walk.rows->pdata[i];
    if (profile != NULL)
      take_profile (row, profile);
    take_window (row);
    /* An empty row of a known lead tells that the lead is off, whatever its rate. */
    if (row->rate_num == 0 && (row->count > 0 || g_str_equal (row->kind, "wave"))) {
      g_ptr_array_remove_index (walk.rows, i);
      continue;
    }
    taken[row->segment] = TRUE;
    i++;
  }
  hl7_context_clear (&walk.context);
  g_ptr_array_unref (walk.facets);
  return walk.rows;
}
