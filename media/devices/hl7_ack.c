#include "media/devices/hl7_ack.h"
#include "media/devices/hl7_time.h"
#include <string.h>

static const char *
outcome (const GError *error)
{
  if (error == NULL)
    return "A";
  return error->domain == HL7_ERROR ? "R" : "E";
}

/* MSH-15 and MSH-16 (table 0155): always, never, on error or refusal, on success. */
static gboolean
wanted (const char *condition, gboolean good)
{
  if (condition == NULL || g_str_equal (condition, "NE"))
    return FALSE;
  if (g_str_equal (condition, "ER"))
    return !good;
  if (g_str_equal (condition, "SU"))
    return good;
  return TRUE;
}

static char *
header_field (const Hl7Message *message, guint field)
{
  char *text = hl7_get (message, 0, field, 0, 0, 0);
  return text != NULL ? text : g_strdup ("");
}

/* ERR (2.15.5): table 0357 of what is wrong; understood since version 2.5. (transfer full) */
static char *
error_segment (const Hl7Message *message, const GError *error, const char *why)
{
  static const struct {
    const char *code, *text;
  } CONDITIONS[] = {
    [HL7_ERROR_NO_MSH] = { "100", "Segment sequence error" },
    [HL7_ERROR_TOO_LONG] = { "207", "Application internal error" },
    [HL7_ERROR_CHARSET] = { "102", "Data type error" },
    [HL7_ERROR_TYPE] = { "200", "Unsupported message type" },
  };
  g_autofree char *version = hl7_get (message, 0, 12, 0, 1, 1);
  if (error == NULL || version == NULL || g_ascii_strtod (version, NULL) < 2.5)
    return g_strdup ("");
  guint condition = error->domain == HL7_ERROR ? (guint)error->code : HL7_ERROR_TOO_LONG;
  const char f = hl7_delimiter (message, HL7_FIELD), c = hl7_delimiter (message, HL7_COMPONENT);
  return g_strdup_printf ("ERR%c%c%c%s%c%s%cHL70357%cE%c%c%c%c%s\r", f, f, f,
                          CONDITIONS[condition].code, c, CONDITIONS[condition].text, c, f, f, f, f,
                          f, why);
}

/* Only what cannot be mistaken for a delimiter. */
static char *
plain (const char *text, const char *delimiters)
{
  char *copy = g_strdup (text);
  for (char *at = copy; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at) || strchr (delimiters, *at) != NULL
        || strchr ("|^~\\&#", *at) != NULL)
      *at = ' ';
  return copy;
}

static GBytes *
encode (const Hl7Message *message, const char *text)
{
  gsize length = 0;
  if (g_str_equal (hl7_charset (message, NULL), "UTF-8"))
    return g_bytes_new (text, strlen (text));
  char *bytes = g_convert_with_fallback (text, -1, hl7_charset (message, NULL), "UTF-8", "?", NULL,
                                         &length, NULL);
  return bytes != NULL ? g_bytes_new_take (bytes, length) : g_bytes_new (text, strlen (text));
}

static GBytes *
build (const Hl7Message *message, const char *code, const GError *error, gint64 now_us)
{
  g_autofree char *delimiters = header_field (message, 2);
  g_autofree char *sender = header_field (message, 3), *facility = header_field (message, 4);
  g_autofree char *receiver = header_field (message, 5), *receiving = header_field (message, 6);
  g_autofree char *control = header_field (message, 10), *processing = header_field (message, 11);
  g_autofree char *version = header_field (message, 12), *charset = header_field (message, 18);
  g_autofree char *event = hl7_get (message, 0, 9, 0, 2, 1);
  g_autofree char *time = hl7_time_format (now_us);
  g_autofree char *id = g_uuid_string_random ();
  const char f[2] = { hl7_delimiter (message, HL7_FIELD), '\0' };
  const char c[2] = { hl7_delimiter (message, HL7_COMPONENT), '\0' };
  g_autofree char *all = g_strconcat (f, c, delimiters, NULL);
  g_autofree char *why = error != NULL ? plain (error->message, all) : g_strdup ("");
  g_autofree char *trouble = error_segment (message, error, why);

  g_autofree char *type
      = event != NULL ? g_strconcat ("ACK", c, event, c, "ACK", NULL) : g_strdup ("ACK");
  id[20] = '\0'; /* MSH-10 holds 20 characters before version 2.7 */
  g_autofree char *reply
      = g_strconcat ("MSH", f, delimiters, f, receiver, f, receiving, f, sender, f, facility, f,
                     time, f, f, type, f, id, f, processing, f, version, f, f, f, f, f, f, charset,
                     "\rMSA", f, code, f, control, *why != '\0' ? f : "", why, "\r", trouble, NULL);
  return encode (message, reply);
}

GPtrArray *
hl7_acknowledge (const Hl7Message *message, const Profile *profile, const GError *error,
                 gint64 now_us)
{
  GPtrArray *replies = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autofree char *accept = hl7_get (message, 0, 15, 0, 1, 1);
  g_autofree char *application = hl7_get (message, 0, 16, 0, 1, 1);
  gboolean original = profile != NULL && profile_acknowledge (profile) == PROFILE_ACK_ORIGINAL;
  gboolean enhanced = !original && (accept != NULL || application != NULL);
  if (enhanced && wanted (accept, error == NULL)) {
    char code[] = { 'C', outcome (error)[0], '\0' };
    g_ptr_array_add (replies, build (message, code, error, now_us));
    /* What was not accepted never reaches an application (2.9.3.2). */
    if (error != NULL)
      return replies;
  }
  if (!enhanced || wanted (application, error == NULL)) {
    char code[] = { 'A', outcome (error)[0], '\0' };
    g_ptr_array_add (replies, build (message, code, error, now_us));
  }
  return replies;
}

GPtrArray *
hl7_acknowledge_with (const Hl7Message *message, const Profile *profile, GBytes *answer,
                      gint64 now_us)
{
  GPtrArray *replies = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autofree char *accept = hl7_get (message, 0, 15, 0, 1, 1);
  gboolean original = profile != NULL && profile_acknowledge (profile) == PROFILE_ACK_ORIGINAL;
  if (!original && wanted (accept, TRUE))
    g_ptr_array_add (replies, build (message, "CA", NULL, now_us));
  g_ptr_array_add (replies, g_bytes_ref (answer));
  return replies;
}

gboolean
hl7_is_acknowledged (const Hl7Message *message, const Profile *profile)
{
  g_autofree char *accept = hl7_get (message, 0, 15, 0, 1, 1);
  g_autofree char *application = hl7_get (message, 0, 16, 0, 1, 1);
  gboolean original = profile != NULL && profile_acknowledge (profile) == PROFILE_ACK_ORIGINAL;
  if (original || (accept == NULL && application == NULL))
    return TRUE;
  return wanted (accept, TRUE) || wanted (application, TRUE);
}

GPtrArray *
hl7_reject (const guint8 *data, gsize length, const GError *error, gint64 now_us)
{
  g_autoptr (Hl7Message) header = hl7_parse_header (data, length);
  if (header != NULL)
    return hl7_acknowledge (header, NULL, error, now_us);
  GPtrArray *replies = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autofree char *time = hl7_time_format (now_us);
  g_autofree char *why = plain (error->message, "");
  g_autofree char *id = g_uuid_string_random ();
  char *text = g_strdup_printf ("MSH|^~\\&|||||%s||ACK|%.20s|P|2.6\rMSA|AR||%s\r", time, id, why);
  g_ptr_array_add (replies, g_bytes_new_take (text, strlen (text)));
  return replies;
}
