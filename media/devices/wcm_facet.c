/* What the facets of a WCM message say about its rows of samples. */
#include "media/devices/obx.h"
#include "media/devices/wave_codes.h"
#include "media/devices/wcm_row.h"

#include <math.h>
#include <string.h>

#define NONE_MAX 32

typedef enum { RATE, PERIOD, RESOLUTION, RANGE, NONE } FacetKind;

struct WcmFacet {
  FacetKind kind;
  guint segment, order;
  char *place; /* without ".0" at its end; NULL: none */
  int above;   /* index of the row above it, of the same OBR; -1: none */
};

void
wcm_facet_free (void *data)
{
  WcmFacet *facet = data;
  g_free (facet->place);
  g_free (facet);
}

gboolean
wcm_row_is_none (const WcmRow *row, gint64 sample)
{
  for (guint i = 0; i < row->none->len; i++) {
    const WcmNone *none = &g_array_index (row->none, WcmNone, i);
    if (sample >= none->low && sample <= none->high)
      return TRUE;
  }
  return FALSE;
}

void
wcm_row_add_none (WcmRow *row, gint64 low, gint64 high)
{
  const WcmNone none = { low, high };
  if (row->none->len < NONE_MAX)
    g_array_append_val (row->none, none);
}

static gboolean
facet_kind (const Hl7Message *message, guint segment, FacetKind *ret_kind)
{
  static const struct {
    const char *id, *name;
    FacetKind kind;
  } FACETS[] = {
    { "68320", "MDC_ATTR_SAMP_RATE", RATE },
    { "-", "MDC_ATTR_TIME_PD_SAMP", PERIOD },
    { "67945", "MDC_ATTR_NU_MSMT_RES", RESOLUTION },
    { "-", "MDC_ATTR_SA_MSMT_RES", RESOLUTION },
    { "2327", "MDC_ATTR_NU_MSMT_RES", RESOLUTION }, /* the number as Mindray writes it */
    { "68323", "MDC_ATTR_DATA_RANGE", RANGE },
    { "197376", "MDC_EVT_DATA_INVALID", NONE },
    { "197378", "MDC_EVT_DATA_MISSING", NONE },
    { "262196", "MDC_EVT_INOP", NONE }, /* so does Mindray, for the number that is none */
  };
  g_autofree char *id = hl7_context_get (message, segment, 3, 1);
  g_autofree char *name = hl7_context_get (message, segment, 3, 2);
  for (guint i = 0; i < G_N_ELEMENTS (FACETS); i++)
    if (g_strcmp0 (name, FACETS[i].name) == 0 || g_strcmp0 (id, FACETS[i].name) == 0
        || (g_strcmp0 (id, FACETS[i].id) == 0 && name == NULL)) {
      *ret_kind = FACETS[i].kind;
      return TRUE;
    }
  return FALSE;
}

static char *
facet_place (const Hl7Message *message, guint segment)
{
  char *place = hl7_context_get (message, segment, 4, 1);
  while (place != NULL && g_str_has_suffix (place, ".0"))
    place[strlen (place) - 2] = '\0';
  return place;
}

WcmFacet *
wcm_facet_read (const Hl7Message *message, guint segment, guint order, int above)
{
  FacetKind kind;
  if (!facet_kind (message, segment, &kind))
    return NULL;
  WcmFacet *facet = g_new0 (WcmFacet, 1);
  facet->kind = kind;
  facet->segment = segment;
  facet->order = order;
  facet->place = facet_place (message, segment);
  facet->above = above;
  return facet;
}

static gboolean
is_below (const char *place, const char *above)
{
  gsize n = strlen (above);
  return strncmp (place, above, n) == 0 && (place[n] == '.' || place[n] == '\0');
}

/* 2: of this row alone; 1: of its channel or device; 0: not of it. */
static guint
belongs (const WcmFacet *facet, guint index, const WcmRow *row)
{
  if (facet->order != row->order)
    return 0;
  if (facet->place == NULL || row->place == NULL)
    return facet->above == (int)index ? 2 : 0;
  if (is_below (facet->place, row->place))
    return 2;
  return is_below (row->place, facet->place) ? 1 : 0;
}

static double
number_at (const Hl7Message *message, guint segment, guint repetition, guint component)
{
  g_autofree char *text = hl7_get (message, segment, 5, repetition, component, 1);
  char *end = NULL;
  double value = text != NULL ? g_ascii_strtod (text, &end) : NAN;
  return text != NULL && *end == '\0' && fabs (value) <= 4294967296.0 ? value : NAN;
}

static void
take_none (WcmRow *row, const Hl7Message *message, guint segment)
{
  g_autofree char *type = hl7_get (message, segment, 2, 0, 1, 1);
  gboolean range = g_strcmp0 (type, "NR") == 0;
  guint repetitions = MIN (hl7_repetitions (message, segment, 5), 16);
  for (guint r = 0; r < repetitions; r++) {
    double low = number_at (message, segment, r, 1), high = number_at (message, segment, r, 2);
    if (range && isfinite (low) && isfinite (high))
      wcm_row_add_none (row, (gint64)low, (gint64)high);
    for (guint c = 1; !range && c <= 16; c++) {
      double value = number_at (message, segment, r, c);
      if (isfinite (value))
        wcm_row_add_none (row, (gint64)value, (gint64)value);
    }
  }
}

static void
take_range (WcmRow *row, const Hl7Message *message, guint segment)
{
  double low = number_at (message, segment, 0, 1), high = number_at (message, segment, 0, 2);
  /* Of decimals it says nothing about bits. */
  if (row->decimals == 0 && isfinite (low) && isfinite (high) && high > low + 1)
    row->bits = (guint)ceil (log2 (high - low + 1));
}

/* A period in the unit of OBX-6, ms when that has none. */
static void
take_period (WcmRow *row, const Hl7Message *message, guint segment)
{
  double period = number_at (message, segment, 0, 1);
  g_autofree char *unit = hl7_get (message, segment, 6, 0, 2, 1);
  g_autofree char *word = hl7_get (message, segment, 6, 0, 1, 1);
  const char *name = unit != NULL ? unit : word;
  double a_second = name != NULL && strstr (name, "MICRO") != NULL ? 1e6 : 1e3;
  if (!(period > 0 && period < 1e7))
    return;
  g_autofree char *rate = g_strdup_printf ("%.6f", a_second / period);
  wave_rate_parse (rate, &row->rate_num, &row->rate_den);
}

static void
take_resolution (WcmRow *row, const Hl7Message *message, guint segment)
{
  double scale = number_at (message, segment, 0, 1);
  g_autoptr (Observation) unit = observation_new ();
  if (!isfinite (scale) || scale <= 0)
    return;
  row->scale = scale;
  g_clear_pointer (&row->scale_unit, g_free);
  if (obx_read_unit (unit, message, segment) != NULL)
    row->scale_unit = g_steal_pointer (&unit->unit);
}

static void
take_facet (WcmRow *row, const Hl7Message *message, const WcmFacet *facet)
{
  g_autofree char *value = hl7_get (message, facet->segment, 5, 0, 1, 1);
  switch (facet->kind) {
  case RATE:
    if (value != NULL)
      wave_rate_parse (value, &row->rate_num, &row->rate_den);
    break;
  case PERIOD:
    take_period (row, message, facet->segment);
    break;
  case RESOLUTION:
    take_resolution (row, message, facet->segment);
    break;
  case RANGE:
    take_range (row, message, facet->segment);
    break;
  case NONE:
    take_none (row, message, facet->segment);
    break;
  }
}

/* Facets of a channel first, so that the row's own say the last word. */
void
wcm_facets_attach (const GPtrArray *facets, const GPtrArray *rows, const Hl7Message *message,
                   gboolean *taken)
{
  for (guint level = 1; level <= 2; level++)
    for (guint i = 0; i < facets->len; i++)
      for (guint r = 0; r < rows->len; r++) {
        const WcmFacet *facet = facets->pdata[i];
        if (belongs (facet, r, rows->pdata[r]) != level)
          continue;
        take_facet (rows->pdata[r], message, facet);
        taken[facet->segment] = TRUE;
      }
}
