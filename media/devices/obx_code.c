/* OBX-3 and OBX-6: what is measured and in which unit. */
#include "media/devices/obx.h"
#include <string.h>

#define TRIPLETS 2

typedef struct {
  char *id, *name, *system;
} Triplet;

static void
set_text (char **place, char *value)
{
  g_free (*place);
  *place = value;
}

static void
triplet_clear (Triplet *triplet)
{
  g_free (triplet->id);
  g_free (triplet->name);
  g_free (triplet->system);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Triplet, triplet_clear)

static void
read_triplet (const Hl7Message *message, guint segment, guint field, guint index, Triplet *ret)
{
  ret->id = hl7_get (message, segment, field, 0, index * 3 + 1, 1);
  ret->name = hl7_get (message, segment, field, 0, index * 3 + 2, 1);
  ret->system = hl7_get (message, segment, field, 0, index * 3 + 3, 1);
}

static gboolean
system_is (const Triplet *triplet, const char *a, const char *b)
{
  return triplet->system != NULL
         && (g_ascii_strcasecmp (triplet->system, a) == 0
             || g_ascii_strcasecmp (triplet->system, b) == 0);
}

static gboolean
is_reference_id (const char *text)
{
  return text != NULL && g_ascii_strncasecmp (text, "MDC_", 4) == 0;
}

/* "0002-4bb8": partition and code in hexadecimal, as Philips' gateways write MDC numbers. */
static gboolean
parse_mdil (const char *id, guint64 *ret_number)
{
  if (strlen (id) != 9 || id[4] != '-')
    return FALSE;
  g_autofree char *hex = g_strdup_printf ("%.4s%s", id, id + 5);
  return g_ascii_string_to_unsigned (hex, 16, 1, G_MAXUINT32, ret_number, NULL);
}

/* The MDC number of a triplet, 0 when it has none. */
static guint32
mdc_number (const Triplet *triplet)
{
  guint64 number = 0;
  if (triplet->id == NULL)
    return 0;
  if (system_is (triplet, "MDIL", "MDIL"))
    return parse_mdil (triplet->id, &number) ? (guint32)number : 0;
  gboolean mdc = system_is (triplet, "MDC", "ISO11073")
                 || (triplet->system == NULL && is_reference_id (triplet->name));
  return mdc && g_ascii_string_to_unsigned (triplet->id, 10, 1, G_MAXUINT32, &number, NULL)
             ? (guint32)number
             : 0;
}

/* ---- What is measured ---------------------------------------------------------------------- */

typedef struct {
  const CodeEntry *entry;
  const char *ucum; /* demanded by the code */
  gboolean conflict;
} Meaning;

/* What the words of a triplet say against its code, or against what another triplet said. */
static void
weigh_words (Meaning *meaning, const Triplet *triplet)
{
  const char *words[] = { triplet->name, triplet->id };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    const CodeEntry *said = words[i] != NULL ? code_by_word (words[i]) : NULL;
    if (said != NULL && meaning->entry != NULL && !code_same_reading (said, meaning->entry))
      meaning->conflict = TRUE;
  }
}

static const CodeEntry *
read_mdc (Meaning *meaning, Observation *o, const Triplet *triplet)
{
  guint32 number = mdc_number (triplet);
  const char *name = is_reference_id (triplet->name) ? triplet->name
                     : is_reference_id (triplet->id) ? triplet->id
                                                     : NULL;
  const CodeEntry *named = name != NULL ? code_by_name (name) : NULL;
  if (number == 0)
    return named;
  const CodeEntry *entry = code_by_mdc (number);
  if (o->mdc == 0)
    o->mdc = number;
  /* Number and name are those of two different things: neither is picked. */
  if ((entry != NULL || named != NULL) && name != NULL && entry != named)
    meaning->conflict = TRUE;
  return entry;
}

static const CodeEntry *
read_loinc (Meaning *meaning, Observation *o, const Triplet *triplet)
{
  const char *ucum = NULL;
  if (triplet->id == NULL || !system_is (triplet, "LN", "LOINC"))
    return NULL;
  if (o->loinc == NULL)
    o->loinc = g_strdup (triplet->id);
  const CodeEntry *entry = code_by_loinc (triplet->id, &ucum);
  if (ucum != NULL)
    meaning->ucum = ucum;
  return entry;
}

static void
weigh_code (Meaning *meaning, const CodeEntry *entry)
{
  if (entry == NULL)
    return;
  if (meaning->entry == NULL)
    meaning->entry = entry;
  else if (!code_same_reading (meaning->entry, entry))
    meaning->conflict = TRUE;
}

/* The code as a person would look it up: the reference id, else the vendor's word. */
static char *
code_text (const Meaning *meaning, const Observation *o, const Triplet *triplets)
{
  for (guint i = 0; i < TRIPLETS; i++)
    if (mdc_number (&triplets[i]) != 0 && is_reference_id (triplets[i].name))
      return g_strdup (triplets[i].name);
  if (meaning->entry != NULL && !meaning->conflict && o->mdc == meaning->entry->mdc)
    return g_strdup (meaning->entry->name);
  if (is_reference_id (triplets[0].id))
    return g_strdup (triplets[0].id);
  return g_strdup (triplets[0].name != NULL ? triplets[0].name : triplets[0].id);
}

/* What the device's profile says of its code. NULL: nothing, or a code beyond our table. */
static const CodeEntry *
by_profile (Observation *o, const Profile *profile, const Triplet *triplet)
{
  guint32 mdc = profile_code (profile, triplet->id, triplet->name, triplet->system);
  const CodeEntry *entry = mdc != 0 ? code_by_mdc (mdc) : NULL;
  if (entry == NULL)
    return NULL;
  o->mdc = mdc;
  set_text (&o->code, g_strdup (entry->name));
  set_text (&o->loinc, g_strdup (entry->loinc));
  set_text (&o->vital, g_strdup (entry->vital));
  observation_add_flag (o, "profile");
  return entry;
}

const CodeEntry *
obx_read_code (Observation *o, const Hl7Message *message, guint segment, const Profile *profile,
               const char **ret_ucum)
{
  g_auto (Triplet) first = { 0 };
  g_auto (Triplet) second = { 0 };
  read_triplet (message, segment, 3, 0, &first);
  const CodeEntry *known = profile != NULL ? by_profile (o, profile, &first) : NULL;
  if (known != NULL)
    return known;
  read_triplet (message, segment, 3, 1, &second);
  Triplet triplets[TRIPLETS] = { first, second };
  Meaning meaning = { 0 };
  for (guint i = 0; i < TRIPLETS; i++) {
    weigh_code (&meaning, read_mdc (&meaning, o, &triplets[i]));
    weigh_code (&meaning, read_loinc (&meaning, o, &triplets[i]));
  }
  for (guint i = 0; i < TRIPLETS; i++)
    weigh_words (&meaning, &triplets[i]);
  /* A reference id without its number is as good as the number. */
  if (o->mdc == 0 && meaning.entry != NULL && o->loinc == NULL)
    o->mdc = meaning.entry->mdc;
  g_free (o->code);
  o->code = code_text (&meaning, o, triplets);
  *ret_ucum = meaning.ucum;
  if (meaning.conflict) {
    observation_add_flag (o, "code-conflict");
    return NULL;
  }
  if (meaning.entry == NULL) {
    observation_add_flag (o, "unmapped");
    return NULL;
  }
  if (o->loinc == NULL)
    o->loinc = g_strdup (meaning.entry->loinc);
  g_free (o->vital);
  o->vital = g_strdup (meaning.entry->vital);
  return meaning.entry;
}

/* ---- In which unit -------------------------------------------------------------------------- */

static const UnitEntry *
find_unit (const Triplet *triplet, gboolean *ret_conflict)
{
  guint64 number = 0;
  const UnitEntry *unit = NULL;
  const UnitEntry *named = is_reference_id (triplet->name) ? unit_by_name (triplet->name) : NULL;
  if (system_is (triplet, "MDIL", "MDIL") && parse_mdil (triplet->id, &number))
    return unit_by_mdc ((guint32)number);
  if (g_ascii_string_to_unsigned (triplet->id, 10, 2, G_MAXUINT32, &number, NULL)) {
    unit = unit_by_mdc ((guint32)number);
    *ret_conflict = is_reference_id (triplet->name) && unit != named
                    && (unit == NULL || named == NULL || !g_str_equal (unit->ucum, named->ucum))
                    && (unit != NULL || named != NULL);
    return unit;
  }
  if (is_reference_id (triplet->id))
    return unit_by_name (triplet->id);
  unit = unit_by_ucum (triplet->id);
  return unit != NULL ? unit : unit_by_word (triplet->id);
}

/* An MDC triplet, a UCUM one, a vendor's, or a bare word. */
const UnitEntry *
obx_read_unit (Observation *o, const Hl7Message *message, guint segment)
{
  g_auto (Triplet) triplet = { 0 };
  gboolean conflict = FALSE;
  read_triplet (message, segment, 6, 0, &triplet);
  if (triplet.id == NULL && triplet.name != NULL)
    triplet.id = g_strdup (triplet.name);
  if (triplet.id == NULL)
    return NULL;
  const UnitEntry *unit = find_unit (&triplet, &conflict);
  g_free (o->unit);
  if (conflict) {
    observation_add_flag (o, "unit-conflict");
    o->unit = g_strconcat (triplet.id, " ", triplet.name, NULL);
    return NULL;
  }
  if (unit != NULL) {
    o->unit = g_strdup (unit->ucum);
    return unit;
  }
  /* Of a number that says nothing the name says more. */
  gboolean digits = strspn (triplet.id, "0123456789-") == strlen (triplet.id);
  o->unit = g_strdup (digits && triplet.name != NULL ? triplet.name : triplet.id);
  if (!system_is (&triplet, "UCUM", "UCUM"))
    observation_add_flag (o, "unit-unmapped");
  return NULL;
}
