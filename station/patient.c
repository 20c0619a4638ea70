/* The form of a patient's data (docs/protocol.md). */
#include "station/cccd.h"
#include "station/console_private.h"

#include <stdio.h>
#include <string.h>

static gboolean
text_is (const json_t *value, gsize max)
{
  const char *text = json_string_value (value);
  return text != NULL && text_is_clean (text, max);
}

static gboolean
is_flag (const json_t *value)
{
  return json_is_boolean (value);
}

static gboolean
is_name (const json_t *value)
{
  return text_is (value, 200);
}

static gboolean
is_address (const json_t *value)
{
  return text_is (value, 500);
}

static gboolean
is_year (const json_t *value)
{
  return json_is_integer (value) && json_integer_value (value) >= 1880
         && json_integer_value (value) <= 2200;
}

static gboolean
is_date (const json_t *value)
{
  const char *text = json_string_value (value);
  guint year, month, day;
  if (text == NULL || strlen (text) != 10 || text[4] != '-' || text[7] != '-'
      || strspn (text, "0123456789-") != 10
      || sscanf (text, "%4u-%2u-%2u", &year, &month, &day) != 3)
    return FALSE;
  return year >= 1880 && year <= 2200
         && g_date_valid_dmy ((GDateDay)day, (GDateMonth)month, (GDateYear)year);
}

static gboolean
is_sex (const json_t *value)
{
  static const char *const words[] = { "male", "female", "other", NULL };
  return json_is_string (value) && g_strv_contains (words, json_string_value (value));
}

static gboolean
is_digits (const char *text, gsize length)
{
  return strlen (text) == length && strspn (text, "0123456789") == length;
}

/* Số định danh cá nhân */
static gboolean
is_personal_number (const json_t *value)
{
  return json_is_string (value) && is_digits (json_string_value (value), 12);
}

/* Thẻ BHYT: 10 digits, or 2 letters and 13 digits. */
static gboolean
is_insurance (const json_t *value)
{
  const char *text = json_string_value (value);
  return text != NULL && bhyt_wrong (text) == NULL;
}

static gboolean
is_phone (const json_t *value)
{
  const char *text = json_string_value (value);
  return text != NULL && strlen (text) <= 20 && strspn (text, "+0123456789 .-()") == strlen (text);
}

static gboolean
is_device_ids (const json_t *value)
{
  gsize i;
  json_t *id;
  if (!json_is_array (value) || json_array_size (value) > 20)
    return FALSE;
  json_array_foreach (value, i, id)
  {
    if (!text_is (id, 64))
      return FALSE;
  }
  return TRUE;
}

static const struct {
  const char *name;
  gboolean (*is_good) (const json_t *value);
} fields[] = {
  { "unknown", is_flag },          { "name", is_name },   { "birth_year", is_year },
  { "birth_date", is_date },       { "sex", is_sex },     { "personal_number", is_personal_number },
  { "insurance", is_insurance },   { "phone", is_phone }, { "address", is_address },
  { "device_ids", is_device_ids },
};

/* Empty and null fields of a form count as absent: they are taken out. Fields nobody knows too. */
static void
drop_what_is_empty (json_t *patient)
{
  const char *name;
  json_t *value;
  void *next;
  json_object_foreach_safe (patient, next, name, value)
  {
    gboolean known = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
      known |= g_str_equal (fields[i].name, name);
    if (!known || json_is_null (value)
        || (json_is_string (value) && json_string_length (value) == 0))
      json_object_del (patient, name);
  }
}

gboolean
console_patient_is_good (Request *request, json_t *patient)
{
  if (!json_is_object (patient)) {
    request_bad (request, "patient", "wants an object");
    return FALSE;
  }
  drop_what_is_empty (patient);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    const json_t *value = json_object_get (patient, fields[i].name);
    if (value != NULL && !fields[i].is_good (value)) {
      const Text *text = g_str_equal (fields[i].name, "insurance") && json_is_string (value)
                             ? bhyt_wrong (json_string_value (value))
                             : NULL;
      if (text != NULL) {
        request_refuse_with (request, "bad-message", text->vi, text->en,
                             json_pack ("{s:s}", "field", "insurance"));
        return FALSE;
      }
      request_bad (request, fields[i].name, "has not the right form");
      return FALSE;
    }
  }
  return TRUE;
}
