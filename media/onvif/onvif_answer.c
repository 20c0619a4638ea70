#include "media/onvif/onvif_answer.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <math.h>
#include <string.h>

#define WORDS_MAX 120 /* characters of a fault's reason or a preset's name */
#define PATH_MAX_BYTES 512

struct OnvifAnswer {
  xmlDoc *doc;
};

/* ---- The tree ----------------------------------------------------------------------------------
 */

static gboolean
is_named (const xmlNode *node, const char *name)
{
  return node->type == XML_ELEMENT_NODE && g_strcmp0 ((const char *)node->name, name) == 0;
}

/* Of this parent's elements the first with the name after `after` (NULL: the first of all). */
static xmlNode *
next_child (const xmlNode *parent, const xmlNode *after, const char *name)
{
  xmlNode *node = after != NULL ? after->next : parent != NULL ? parent->children : NULL;
  while (node != NULL && !is_named (node, name))
    node = node->next;
  return node;
}

/* "Date/Year": one child in another. */
static xmlNode *
child (const xmlNode *parent, const char *path)
{
  g_auto (GStrv) names = g_strsplit (path, "/", -1);
  xmlNode *node = (xmlNode *)parent;
  for (guint i = 0; names[i] != NULL && node != NULL; i++)
    node = next_child (node, NULL, names[i]);
  return node;
}

/* (transfer full) without white space around; NULL: no such element. */
static char *
text_of (const xmlNode *parent, const char *path)
{
  const xmlNode *node = child (parent, path);
  xmlChar *content = node != NULL ? xmlNodeGetContent (node) : NULL;
  char *text = content != NULL ? g_strstrip (g_strdup ((const char *)content)) : NULL;
  xmlFree (content);
  return text;
}

static char *
attribute_of (const xmlNode *node, const char *name)
{
  xmlChar *value = xmlGetNoNsProp (node, (const xmlChar *)name);
  char *text = g_strdup ((const char *)value);
  xmlFree (value);
  return text;
}

static gboolean
take_attribute_number (const xmlNode *node, const char *name, double *ret)
{
  g_autofree char *text = node != NULL ? attribute_of (node, name) : NULL;
  char *end = NULL;
  double value = text != NULL ? g_ascii_strtod (text, &end) : NAN;
  if (text == NULL || end == text || *end != '\0' || !isfinite (value))
    return FALSE;
  *ret = value;
  return TRUE;
}

static gboolean
take_whole (const xmlNode *parent, const char *path, int *ret)
{
  g_autofree char *text = text_of (parent, path);
  guint64 value;
  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 0, 9999, &value, NULL))
    return FALSE;
  *ret = (int)value;
  return TRUE;
}

/* One clean line for people; NULL: nothing is left of it. (transfer full) */
static char *
words_of (const char *text)
{
  GString *clean = g_string_new (NULL);
  for (const char *c = text; c != NULL && *c != '\0' && clean->len < 4 * WORDS_MAX;
       c = g_utf8_next_char (c)) {
    gunichar one = g_utf8_get_char (c);
    g_string_append_unichar (clean, g_unichar_isprint (one) ? one : ' ');
  }
  g_autofree char *all = g_strstrip (g_string_free (clean, FALSE));
  return *all == '\0' ? NULL : g_utf8_substring (all, 0, MIN (g_utf8_strlen (all, -1), WORDS_MAX));
}

/* ---- Parsing -----------------------------------------------------------------------------------
 */

/* A camera has no use for a document type; who sends one wants entities expanded. */
static void
refuse_type (void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
  xmlStopParser (context);
}

static xmlDoc *
parse (const void *data, gsize size)
{
  xmlParserCtxt *context = xmlNewParserCtxt ();
  if (context == NULL)
    return NULL;
  context->sax->internalSubset = refuse_type;
  xmlDoc *doc
      = xmlCtxtReadMemory (context, data, (int)size, NULL, NULL,
                           XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING
                               | XML_PARSE_NOBLANKS | XML_PARSE_NOCDATA | XML_PARSE_COMPACT);
  xmlFreeParserCtxt (context);
  return doc;
}

/* By the codes of the fault (ONVIF Core 5.8.2), for which cameras choose names as they like. */
static MediaError
judge_fault (const char *codes)
{
  static const char *const denied[]
      = { "NotAuthorized", "FailedAuthentication", "FailedCheck", "InvalidSecurity" };
  static const char *const unknown[]
      = { "ActionNotSupported", "NotSupported", "NoSuchService", "OptionalActionNotImplemented" };
  for (guint i = 0; i < G_N_ELEMENTS (denied); i++)
    if (strstr (codes, denied[i]) != NULL)
      return MEDIA_ERROR_REFUSED;
  for (guint i = 0; i < G_N_ELEMENTS (unknown); i++)
    if (strstr (codes, unknown[i]) != NULL)
      return MEDIA_ERROR_UNSUPPORTED;
  return MEDIA_ERROR_FAILED;
}

static void
set_fault (const xmlNode *fault, GError **error)
{
  g_autofree char *codes = text_of (fault, "Code"), *old = text_of (fault, "faultcode");
  g_autofree char *reason = text_of (fault, "Reason"), *old_reason = text_of (fault, "faultstring");
  g_autofree char *all = g_strconcat (codes ? codes : "", old ? old : "", NULL);
  g_autofree char *words = words_of (reason != NULL ? reason : old_reason);
  g_set_error (error, MEDIA_ERROR, judge_fault (all), "the camera says: %s",
               words != NULL ? words : "a fault without words");
}

OnvifAnswer *
onvif_answer_parse (const void *data, gsize size, GError **error)
{
  if (size > ONVIF_ANSWER_MAX) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_LIMIT, "an answer of more than %d bytes",
                 ONVIF_ANSWER_MAX);
    return NULL;
  }
  xmlDoc *doc = size > 0 ? parse (data, size) : NULL;
  const xmlNode *root = doc != NULL ? xmlDocGetRootElement (doc) : NULL;
  const xmlNode *body = root != NULL && is_named (root, "Envelope") ? child (root, "Body") : NULL;
  if (body == NULL) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                 "the answer is no SOAP envelope: is this the address of an ONVIF device service?");
    xmlFreeDoc (doc);
    return NULL;
  }
  const xmlNode *fault = child (body, "Fault");
  if (fault != NULL) {
    set_fault (fault, error);
    xmlFreeDoc (doc);
    return NULL;
  }
  OnvifAnswer *answer = g_new0 (OnvifAnswer, 1);
  answer->doc = doc;
  return answer;
}

void
onvif_answer_free (OnvifAnswer *answer)
{
  if (answer == NULL)
    return;
  xmlFreeDoc (answer->doc);
  g_free (answer);
}

static xmlNode *
response (const OnvifAnswer *answer, const char *path)
{
  return child (child (xmlDocGetRootElement (answer->doc), "Body"), path);
}

/* ---- Answers -----------------------------------------------------------------------------------
 */

gboolean
onvif_answer_date (const OnvifAnswer *answer, gint64 *ret_utc_us)
{
  const xmlNode *utc
      = response (answer, "GetSystemDateAndTimeResponse/SystemDateAndTime/UTCDateTime");
  int year, month, day, hour, minute, second;
  if (!take_whole (utc, "Date/Year", &year) || !take_whole (utc, "Date/Month", &month)
      || !take_whole (utc, "Date/Day", &day) || !take_whole (utc, "Time/Hour", &hour)
      || !take_whole (utc, "Time/Minute", &minute) || !take_whole (utc, "Time/Second", &second))
    return FALSE;
  g_autoptr (GDateTime) date
      = g_date_time_new_utc (year, month, day, hour, minute, MIN (second, 59));
  if (date == NULL)
    return FALSE;
  *ret_utc_us = g_date_time_to_unix (date) * G_USEC_PER_SEC;
  return TRUE;
}

/* "http://10.0.0.9:8080/onvif/ptz?x" → "/onvif/ptz?x"; NULL: no address of HTTP. */
static char *
path_of (const char *address)
{
  g_autoptr (GUri) uri = address != NULL && strlen (address) <= PATH_MAX_BYTES
                             ? g_uri_parse (address, G_URI_FLAGS_ENCODED, NULL)
                             : NULL;
  if (uri == NULL || !g_str_has_prefix (g_uri_get_scheme (uri), "http"))
    return NULL;
  const char *path = g_uri_get_path (uri), *query = g_uri_get_query (uri);
  return g_strconcat (*path == '/' ? "" : "/", path, query != NULL ? "?" : "",
                      query != NULL ? query : "", NULL);
}

static void
set_path (char **target, const char *address)
{
  if (*target == NULL)
    *target = path_of (address);
}

void
onvif_answer_services (const OnvifAnswer *answer, OnvifServices *ret)
{
  const xmlNode *list = response (answer, "GetServicesResponse");
  const xmlNode *old = response (answer, "GetCapabilitiesResponse/Capabilities");
  *ret = (OnvifServices){ 0 };
  for (const xmlNode *one = next_child (list, NULL, "Service"); one != NULL;
       one = next_child (list, one, "Service")) {
    g_autofree char *space = text_of (one, "Namespace"), *address = text_of (one, "XAddr");
    if (g_strcmp0 (space, "http://www.onvif.org/ver10/media/wsdl") == 0)
      set_path (&ret->media, address);
    else if (g_strcmp0 (space, "http://www.onvif.org/ver20/media/wsdl") == 0)
      set_path (&ret->media2, address);
    else if (g_strcmp0 (space, "http://www.onvif.org/ver20/ptz/wsdl") == 0)
      set_path (&ret->ptz, address);
  }
  g_autofree char *media = text_of (old, "Media/XAddr"), *ptz = text_of (old, "PTZ/XAddr");
  set_path (&ret->media, media);
  set_path (&ret->ptz, ptz);
}

void
onvif_services_clear (OnvifServices *services)
{
  g_clear_pointer (&services->media, g_free);
  g_clear_pointer (&services->media2, g_free);
  g_clear_pointer (&services->ptz, g_free);
}

/* A name that goes back as it came; NULL: none, or a longer one than ONVIF allows. */
static char *
token_of (const xmlNode *node)
{
  char *token = attribute_of (node, "token");
  if (token == NULL || *token == '\0' || g_utf8_strlen (token, -1) > ONVIF_TOKEN_MAX)
    g_clear_pointer (&token, g_free);
  return token;
}

char *
onvif_answer_profile (const OnvifAnswer *answer)
{
  const xmlNode *list = response (answer, "GetProfilesResponse");
  for (const xmlNode *one = next_child (list, NULL, "Profiles"); one != NULL;
       one = next_child (list, one, "Profiles")) {
    char *token = token_of (one);
    if (token != NULL
        && (child (one, "PTZConfiguration") != NULL || child (one, "Configurations/PTZ") != NULL))
      return token;
    g_free (token);
  }
  return NULL;
}

static void
preset_free (void *data)
{
  OnvifPreset *preset = data;
  g_free (preset->token);
  g_free (preset->name);
  g_free (preset);
}

GPtrArray *
onvif_answer_presets (const OnvifAnswer *answer)
{
  GPtrArray *presets = g_ptr_array_new_with_free_func (preset_free);
  const xmlNode *list = response (answer, "GetPresetsResponse");
  for (const xmlNode *one = next_child (list, NULL, "Preset");
       one != NULL && presets->len < ONVIF_PRESETS_MAX; one = next_child (list, one, "Preset")) {
    g_autofree char *token = token_of (one), *name = text_of (one, "Name");
    if (token == NULL)
      continue;
    OnvifPreset *preset = g_new0 (OnvifPreset, 1);
    preset->name = words_of (name);
    if (preset->name == NULL)
      preset->name = words_of (token);
    if (preset->name == NULL)
      preset->name = g_strdup ("?");
    preset->token = g_steal_pointer (&token);
    g_ptr_array_add (presets, preset);
  }
  return presets;
}

gboolean
onvif_answer_status (const OnvifAnswer *answer, OnvifVector *ret_position, gboolean *ret_moving)
{
  const xmlNode *status = response (answer, "GetStatusResponse/PTZStatus");
  g_autofree char *pan_tilt = text_of (status, "MoveStatus/PanTilt");
  g_autofree char *zoom = text_of (status, "MoveStatus/Zoom");
  OnvifVector at = { 0 };
  *ret_moving = g_strcmp0 (pan_tilt, "MOVING") == 0 || g_strcmp0 (zoom, "MOVING") == 0;
  const xmlNode *turned = child (status, "Position/PanTilt");
  gboolean known = take_attribute_number (turned, "x", &at.pan)
                   && take_attribute_number (turned, "y", &at.tilt);
  if (!take_attribute_number (child (status, "Position/Zoom"), "x", &at.zoom) && !known)
    return FALSE;
  *ret_position = at;
  return TRUE;
}
