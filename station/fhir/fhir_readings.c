/* Vital signs as Observations of the vital-signs profile, and the devices that measured them. */
#include "media/devices/codes.h"
#include "station/fhir/fhir_private.h"

#include <string.h>

/* A monitor sends a reading a second: of each vital sign so many, the extremes among them. */
#define EACH_MAX 60

/* What the profile of a vital sign demands beside the code that the device means (FHIR R4,
 * vitalsigns). */
static const struct {
  const char *vital, *loinc, *display, *title;
} PROFILES[] = { { "spo2", "2708-6", "Oxygen saturation in Arterial blood", "SpO₂" },
                 { "pulse", "8867-4", "Heart rate", "Mạch" },
                 { "hr", "8867-4", "Heart rate", "Nhịp tim" },
                 { "temp", "8310-5", "Body temperature", "Nhiệt độ" },
                 { "resp", "9279-1", "Respiratory rate", "Nhịp thở" },
                 { "weight", "29463-7", "Body weight", "Cân nặng" },
                 { "height", "8302-2", "Body height", "Chiều cao" },
                 { "nibp-sys", "8480-6", "Systolic blood pressure", "Huyết áp tâm thu" },
                 { "nibp-dia", "8462-4", "Diastolic blood pressure", "Huyết áp tâm trương" },
                 { "nibp-mean", "8478-0", "Mean blood pressure", "Huyết áp trung bình" },
                 { "glucose", NULL, NULL, "Đường huyết" } };

/* ---- Which of them -------------------------------------------------------------------------- */

static double
number_of (const json_t *observation)
{
  return json_number_value (json_object_get (observation, "value"));
}

static void
keep_extremes (const GPtrArray *all, gboolean *kept)
{
  guint low = 0, high = 0;
  for (guint i = 1; i < all->len; i++) {
    if (number_of (all->pdata[i]) < number_of (all->pdata[low]))
      low = i;
    if (number_of (all->pdata[i]) > number_of (all->pdata[high]))
      high = i;
  }
  kept[low] = kept[high] = TRUE;
}

/* Evenly spread, the newest, the lowest and the highest always among them. */
static GPtrArray *
thinned (const GPtrArray *all)
{
  GPtrArray *some = g_ptr_array_new ();
  guint step = 1 + (all->len - 1) / EACH_MAX;
  g_autofree gboolean *kept = g_new0 (gboolean, all->len);
  keep_extremes (all, kept);
  for (guint i = 0; i < all->len; i++)
    if (kept[i] || (all->len - 1 - i) % step == 0)
      g_ptr_array_add (some, all->pdata[i]);
  return some;
}

/* ---- One ------------------------------------------------------------------------------------ */

static json_t *
vital_code (const json_t *observation, guint profile)
{
  const char *loinc = case_text (observation, "loinc"), *code = case_text (observation, "code");
  json_t *codings = json_array ();
  if (PROFILES[profile].loinc != NULL)
    json_array_append_new (
        codings, fhir_coding (FHIR_LOINC, PROFILES[profile].loinc, PROFILES[profile].display));
  if (*loinc != '\0' && g_strcmp0 (loinc, PROFILES[profile].loinc) != 0)
    json_array_append_new (codings, fhir_coding (FHIR_LOINC, loinc, NULL));
  const json_t *mdc = json_object_get (observation, "mdc");
  if (json_is_integer (mdc) && json_integer_value (mdc) > 0) {
    g_autofree char *number = g_strdup_printf ("%" JSON_INTEGER_FORMAT, json_integer_value (mdc));
    json_array_append_new (codings, fhir_coding (FHIR_MDC, number, *code != '\0' ? code : NULL));
  }
  json_t *concept = json_object ();
  if (json_array_size (codings) > 0)
    json_object_set (concept, "coding", codings);
  json_decref (codings);
  fhir_set (concept, "text", PROFILES[profile].title);
  return concept;
}

/* The unit as UCUM; a vendor's word that is none stays a word. */
static json_t *
vital_value (const json_t *observation)
{
  const char *unit = case_text (observation, "unit");
  json_t *value = json_object_get (observation, "value");
  if (!json_is_number (value))
    return json_object ();
  if (unit_by_ucum (unit) != NULL)
    return fhir_quantity (value, unit);
  json_t *quantity = fhir_quantity (value, "");
  fhir_set (quantity, "unit", unit);
  return quantity;
}

static char *
device_name (const json_t *observation)
{
  const char *device = case_text (observation, "device");
  return *device != '\0' ? g_strconcat ("device/", device, NULL) : NULL;
}

static json_t *
observation_frame (const Fhir *fhir, const json_t *observation, const char *category)
{
  json_t *resource = fhir_resource (fhir, "Observation", "subject");
  g_autofree char *device = device_name (observation);
  char who[24];
  const char *name = fhir_person_by_name (fhir, case_text (observation, "user"), who);
  fhir_set (resource, "status", "final");
  json_object_set_new (
      resource, "category",
      fhir_list (fhir_concept (FHIR_TERMINOLOGY "observation-category", category, NULL, NULL)));
  json_object_set_new (resource, "encounter", fhir_reference (fhir, "encounter"));
  fhir_set (resource, "effectiveDateTime", case_text (observation, "time"));
  if (name != NULL)
    json_object_set_new (resource, "performer", fhir_list (fhir_reference (fhir, name)));
  if (device != NULL)
    json_object_set_new (resource, "device", fhir_reference (fhir, device));
  return resource;
}

static gboolean
has_flag (const json_t *observation, const char *flag)
{
  const json_t *flags = json_object_get (observation, "flags");
  json_t *item;
  gsize i;
  json_array_foreach (flags, i, item)
  {
    if (g_strcmp0 (json_string_value (item), flag) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
add_vital (Fhir *fhir, const json_t *observation, guint profile, guint index)
{
  const char *vital = PROFILES[profile].vital;
  g_autofree char *name = g_strdup_printf ("observation/%s/%u", vital, index);
  json_t *resource = observation_frame (
      fhir, observation, g_str_equal (vital, "glucose") ? "laboratory" : "vital-signs");
  json_object_set_new (resource, "code", vital_code (observation, profile));
  json_object_set_new (resource, "valueQuantity", vital_value (observation));
  if (has_flag (observation, "implausible"))
    json_object_set_new (resource, "note",
                         fhir_list (json_pack ("{s:s}", "text",
                                               "Giá trị ngoài khoảng có thể có; giữ nguyên như "
                                               "máy đã gửi.")));
  fhir_add (fhir, name, resource);
}

/* ---- Blood pressure ------------------------------------------------------------------------- */

static json_t *
pressure_part (const json_t *observation, guint profile)
{
  return json_pack ("{s:o, s:o}", "code", vital_code (observation, profile), "valueQuantity",
                    vital_value (observation));
}

static const json_t *
same_measurement (const GPtrArray *others, const json_t *systolic)
{
  for (guint i = 0; i < others->len; i++)
    if (g_str_equal (case_text (others->pdata[i], "time"), case_text (systolic, "time"))
        && g_str_equal (case_text (others->pdata[i], "device"), case_text (systolic, "device")))
      return others->pdata[i];
  return NULL;
}

static guint
profile_of (const char *vital)
{
  guint i = 0;
  while (i < G_N_ELEMENTS (PROFILES) && !g_str_equal (PROFILES[i].vital, vital))
    i++;
  return i;
}

/* The profile has the panel as one Observation: systolic, diastolic and mean are its components. */
static void
add_pressure (Fhir *fhir, const json_t *systolic, const GPtrArray *diastolics,
              const GPtrArray *means, guint index)
{
  g_autofree char *name = g_strdup_printf ("observation/nibp/%u", index);
  const json_t *diastolic = same_measurement (diastolics, systolic);
  const json_t *mean = same_measurement (means, systolic);
  json_t *resource = observation_frame (fhir, systolic, "vital-signs");
  json_t *parts = json_array ();
  json_object_set_new (resource, "code",
                       fhir_concept (FHIR_LOINC, "85354-9",
                                     "Blood pressure panel with all children optional",
                                     "Huyết áp"));
  json_array_append_new (parts, pressure_part (systolic, profile_of ("nibp-sys")));
  if (diastolic != NULL)
    json_array_append_new (parts, pressure_part (diastolic, profile_of ("nibp-dia")));
  if (mean != NULL)
    json_array_append_new (parts, pressure_part (mean, profile_of ("nibp-mean")));
  json_object_set_new (resource, "component", parts);
  fhir_add (fhir, name, resource);
}

/* ---- All ------------------------------------------------------------------------------------ */

static void
add_device (Fhir *fhir, const json_t *observation, GHashTable *known)
{
  g_autofree char *name = device_name (observation);
  const char *id = case_text (observation, "device");
  if (name == NULL || !g_hash_table_add (known, g_strdup (name)))
    return;
  json_t *device = fhir_resource (fhir, "Device", "");
  json_object_set_new (
      device, "identifier",
      fhir_list (json_pack ("{s:s, s:s}", "system", FHIR_OWN "thiet-bi", "value", id)));
  fhir_set (device, "status", "active");
  json_object_set_new (device, "patient", fhir_reference (fhir, "patient"));
  fhir_add (fhir, name, device);
}

static GPtrArray *
of_vital (const Fhir *fhir, const char *vital)
{
  const json_t *all = json_object_get (fhir->view, "observations");
  GPtrArray *some = g_ptr_array_new ();
  json_t *one;
  gsize i;
  json_array_foreach (all, i, one)
  {
    if (g_str_equal (case_text (one, "vital"), vital)
        && json_is_number (json_object_get (one, "value"))
        && case_time (case_text (one, "time")) != 0)
      g_ptr_array_add (some, one);
  }
  return some;
}

static void
add_pressures (Fhir *fhir, GHashTable *devices)
{
  g_autoptr (GPtrArray) all = of_vital (fhir, "nibp-sys");
  g_autoptr (GPtrArray) diastolics = of_vital (fhir, "nibp-dia");
  g_autoptr (GPtrArray) means = of_vital (fhir, "nibp-mean");
  if (all->len == 0)
    return;
  g_autoptr (GPtrArray) some = thinned (all);
  for (guint i = 0; i < some->len; i++) {
    add_device (fhir, some->pdata[i], devices);
    add_pressure (fhir, some->pdata[i], diastolics, means, i);
  }
}

void
fhir_add_readings (Fhir *fhir)
{
  g_autoptr (GHashTable) devices = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint p = 0; p < G_N_ELEMENTS (PROFILES); p++) {
    if (g_str_has_prefix (PROFILES[p].vital, "nibp-"))
      continue;
    g_autoptr (GPtrArray) all = of_vital (fhir, PROFILES[p].vital);
    if (all->len == 0)
      continue;
    g_autoptr (GPtrArray) some = thinned (all);
    for (guint i = 0; i < some->len; i++) {
      add_device (fhir, some->pdata[i], devices);
      add_vital (fhir, some->pdata[i], p, i);
    }
  }
  add_pressures (fhir, devices);
}
