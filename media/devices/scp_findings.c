/* What an SCP-ECG record says about its samples: measurements and statements. */
#include "media/devices/scp_sections.h"

/* 29999: not computed; 29998: lead rejected; 19999: lead not recorded; 999: axis undefined. */
static char *
number (gint value, gboolean axis)
{
  if (value == 29999 || value == 29998 || value == 19999 || (axis && value == 999))
    return NULL;
  return g_strdup_printf ("%d", value);
}

static void
read_global (EcgBytes section, EcgRecording *recording)
{
  guint beats = ecg_bytes_u8 (&section);
  guint spikes = ecg_bytes_u8 (&section);
  static const char *intervals[] = { "RR interval", "PP interval" };
  for (guint i = 0; i < G_N_ELEMENTS (intervals) && ecg_bytes_left (&section) >= 2; i++)
    ecg_add_measurement (recording, intervals[i], NULL, "ms",
                         number (ecg_bytes_u16 (&section), FALSE));
  /* Of several beats the first is the reference beat. */
  static const struct {
    const char *name, *unit;
  } OF_BEAT[]
      = { { "P onset", "ms" },  { "P offset", "ms" }, { "QRS onset", "ms" }, { "QRS offset", "ms" },
          { "T offset", "ms" }, { "P axis", "deg" },  { "QRS axis", "deg" }, { "T axis", "deg" } };
  EcgBytes beat = section;
  for (guint i = 0; beats > 0 && i < G_N_ELEMENTS (OF_BEAT) && ecg_bytes_left (&beat) >= 2; i++)
    ecg_add_measurement (recording, OF_BEAT[i].name, NULL, OF_BEAT[i].unit,
                         number (ecg_bytes_i16 (&beat), i >= 5));
  /* Then spikes, and types of all QRS; behind them the rates and the corrected QT. */
  ecg_bytes_take (&section, beats * 16u + spikes * 10u);
  guint complexes = ecg_bytes_u16 (&section);
  ecg_bytes_take (&section, complexes);
  static const char *rates[] = { "Ventricular rate", "Atrial rate", "QTc" };
  for (guint i = 0; i < G_N_ELEMENTS (rates) && ecg_bytes_left (&section) >= 2; i++)
    ecg_add_measurement (recording, rates[i], NULL, i == 2 ? "ms" : "/min",
                         number (ecg_bytes_u16 (&section), FALSE));
}

static void
read_lead (EcgBytes values, const char *lead, EcgRecording *recording)
{
  static const struct {
    const char *name, *unit;
  } OF_LEAD[] = {
    { "P duration", "ms" },   { "PR interval", "ms" },  { "QRS duration", "ms" },
    { "QT interval", "ms" },  { "Q duration", "ms" },   { "R duration", "ms" },
    { "S duration", "ms" },   { "R' duration", "ms" },  { "S' duration", "ms" },
    { "Q amplitude", "uV" },  { "R amplitude", "uV" },  { "S amplitude", "uV" },
    { "R' amplitude", "uV" }, { "S' amplitude", "uV" }, { "J amplitude", "uV" },
    { "P+ amplitude", "uV" }, { "P- amplitude", "uV" }, { "T+ amplitude", "uV" },
    { "T- amplitude", "uV" }, { "ST slope", "uV/s" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (OF_LEAD) && ecg_bytes_left (&values) >= 2; i++)
    ecg_add_measurement (recording, OF_LEAD[i].name, g_strdup (lead), OF_LEAD[i].unit,
                         number (ecg_bytes_i16 (&values), FALSE));
}

static void
read_leads (EcgBytes section, EcgRecording *recording)
{
  guint leads = ecg_bytes_u16 (&section);
  ecg_bytes_u16 (&section);
  for (guint i = 0; i < leads && ecg_bytes_left (&section) >= 4; i++) {
    guint id = ecg_bytes_u16 (&section);
    guint length = ecg_bytes_u16 (&section);
    const guint8 *values = ecg_bytes_take (&section, length);
    const char *lead = ecg_lead_name (id);
    if (values != NULL && lead != NULL)
      read_lead (ecg_bytes (values, length), lead, recording);
  }
}

void
scp_read_measurements (const ScpRecord *record, EcgRecording *recording)
{
  if (scp_has (record, 7))
    read_global (record->section[7], recording);
  if (scp_has (record, 10))
    read_leads (record->section[10], recording);
}

/* Section 8 has texts; section 11 says of each what it is, and parts it by zeros. */
static void
read_statements (EcgBytes section, gboolean typed, EcgRecording *recording)
{
  ecg_bytes_take (&section, 8); /* confirmed or not, and when */
  guint count = ecg_bytes_u8 (&section);
  for (guint i = 0; i < count && ecg_bytes_left (&section) >= 3; i++) {
    ecg_bytes_u8 (&section);
    guint length = ecg_bytes_u16 (&section);
    const guint8 *text = ecg_bytes_take (&section, length);
    if (text == NULL || length < (typed ? 1 : 0))
      return;
    g_autofree guint8 *plain = g_memdup2 (text + (typed ? 1 : 0), length - (typed ? 1 : 0));
    gsize left = length - (typed ? 1 : 0);
    while (left > 0 && plain[left - 1] == 0)
      left--;
    for (gsize j = 0; j < left; j++)
      plain[j] = plain[j] == 0 ? ' ' : plain[j];
    ecg_add_interpretation (recording, ecg_text (plain, left, NULL));
  }
}

void
scp_read_statements (const ScpRecord *record, EcgRecording *recording)
{
  if (scp_has (record, 8))
    read_statements (record->section[8], FALSE, recording);
  if (scp_has (record, 11))
    read_statements (record->section[11], TRUE, recording);
}
