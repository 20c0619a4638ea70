/* Pieces of which resources are made. */
#include "station/fhir/fhir_private.h"

#include <string.h>

/* ---- Ids ------------------------------------------------------------------------------------ */

static gboolean
uuid_bytes (const char *text, guint8 ret[16])
{
  guint n = 0;
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '-')
      continue;
    if (!g_ascii_isxdigit (p[0]) || !g_ascii_isxdigit (p[1]) || n == 16)
      return FALSE;
    ret[n++] = (guint8)(g_ascii_xdigit_value (p[0]) << 4 | g_ascii_xdigit_value (p[1]));
    p++;
  }
  return n == 16;
}

/* RFC 9562, 5.5 */
char *
fhir_url (const Fhir *fhir, const char *name)
{
  guint8 digest[20], space[16] = { 0 };
  gsize length = sizeof digest;
  g_autoptr (GChecksum) sha1 = g_checksum_new (G_CHECKSUM_SHA1);
  uuid_bytes (fhir->consult, space);
  g_checksum_update (sha1, space, sizeof space);
  g_checksum_update (sha1, (const guchar *)name, (gssize)strlen (name));
  g_checksum_get_digest (sha1, digest, &length);
  digest[6] = (guint8)((digest[6] & 0x0F) | 0x50);
  digest[8] = (guint8)((digest[8] & 0x3F) | 0x80);
  GString *url = g_string_new ("urn:uuid:");
  for (guint i = 0; i < 16; i++)
    g_string_append_printf (url, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                            digest[i]);
  return g_string_free (url, FALSE);
}

json_t *
fhir_reference (const Fhir *fhir, const char *name)
{
  g_autofree char *url = fhir_url (fhir, name);
  return json_pack ("{s:s}", "reference", url);
}

void
fhir_add (Fhir *fhir, const char *name, json_t *resource)
{
  g_autofree char *url = fhir_url (fhir, name);
  json_object_set_new (resource, "id", json_string (url + strlen ("urn:uuid:")));
  json_array_append_new (fhir->entries,
                         json_pack ("{s:s, s:o}", "fullUrl", url, "resource", resource));
}

json_t *
fhir_entries_of (const Fhir *fhir, const char *type)
{
  json_t *references = json_array (), *entry;
  gsize i;
  json_array_foreach (fhir->entries, i, entry)
  {
    const json_t *resource = json_object_get (entry, "resource");
    if (g_str_equal (case_text (resource, "resourceType"), type))
      json_array_append_new (references,
                             json_pack ("{s:s}", "reference", case_text (entry, "fullUrl")));
  }
  return references;
}

/* ---- Data types ----------------------------------------------------------------------------- */

json_t *
fhir_resource (const Fhir *fhir, const char *type, const char *subject)
{
  json_t *resource = json_pack ("{s:s}", "resourceType", type);
  if (*subject != '\0')
    json_object_set_new (resource, subject, fhir_reference (fhir, "patient"));
  return resource;
}

json_t *
fhir_coding (const char *system, const char *code, const char *display)
{
  return json_pack ("{s:s, s:s, s:s*}", "system", system, "code", code, "display", display);
}

json_t *
fhir_concept (const char *system, const char *code, const char *display, const char *text)
{
  json_t *concept = json_object ();
  if (system != NULL)
    json_object_set_new (concept, "coding", fhir_list (fhir_coding (system, code, display)));
  fhir_set (concept, "text", text);
  return concept;
}

json_t *
fhir_quantity (const json_t *value, const char *ucum)
{
  json_t *quantity = json_object ();
  json_object_set (quantity, "value", (json_t *)value);
  if (*ucum != '\0') {
    fhir_set (quantity, "unit", ucum);
    fhir_set (quantity, "system", FHIR_UCUM);
    fhir_set (quantity, "code", ucum);
  }
  return quantity;
}

void
fhir_set (json_t *object, const char *member, const char *text)
{
  if (text != NULL && *text != '\0')
    json_object_set_new (object, member, json_string (text));
}

json_t *
fhir_list (json_t *item)
{
  json_t *list = json_array ();
  json_array_append_new (list, item);
  return list;
}

json_t *
fhir_narrative (const char *text)
{
  GString *div = g_string_new ("<div xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"vi\">");
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_autofree char *line = g_markup_escape_text (g_strstrip (lines[i]), -1);
    if (*line != '\0')
      g_string_append_printf (div, "<p>%s</p>", line);
  }
  g_string_append (div, "</div>");
  json_t *narrative = json_pack ("{s:s, s:s}", "status", "generated", "div", div->str);
  g_string_free (div, TRUE);
  return narrative;
}

/* RFC 6920: a name that is the content's hash, which nobody has to answer for. */
char *
fhir_hash_url (const char *sha256)
{
  guint8 digest[32];
  if (strlen (sha256) != 64)
    return NULL;
  for (guint i = 0; i < sizeof digest; i++) {
    int high = g_ascii_xdigit_value (sha256[2 * i]), low = g_ascii_xdigit_value (sha256[2 * i + 1]);
    if (high < 0 || low < 0)
      return NULL;
    digest[i] = (guint8)(high << 4 | low);
  }
  g_autofree char *text = g_base64_encode (digest, sizeof digest);
  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  g_strdelimit (text, "=", '\0');
  return g_strconcat ("ni:///sha-256;", text, NULL);
}

json_t *
fhir_attachment (const json_t *attachment)
{
  json_t *content = json_object ();
  g_autofree char *url = fhir_hash_url (case_text (attachment, "sha256"));
  const json_t *size = json_object_get (attachment, "size");
  fhir_set (content, "contentType", case_text (attachment, "mime"));
  fhir_set (content, "url", url);
  /* R4's unsignedInt ends here. */
  if (json_is_integer (size) && json_integer_value (size) <= G_MAXINT32)
    json_object_set (content, "size", (json_t *)size);
  fhir_set (content, "title", case_text (attachment, "name"));
  fhir_set (content, "creation", case_text (attachment, "at"));
  return content;
}

gboolean
fhir_is_signed (const Fhir *fhir)
{
  return json_array_size (json_object_get (fhir->view, "signatures")) > 0;
}
