#include "media/onvif/onvif_request.h"

#include <math.h>
#include <string.h>

#define TDS "http://www.onvif.org/ver10/device/wsdl"
#define TRT "http://www.onvif.org/ver10/media/wsdl"
#define TR2 "http://www.onvif.org/ver20/media/wsdl"
#define TPTZ "http://www.onvif.org/ver20/ptz/wsdl"
#define WSS "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"

static const struct {
  const char *name, *space;
} operations[] = {
  [ONVIF_GET_DATE] = { "GetSystemDateAndTime", TDS },
  [ONVIF_GET_SERVICES] = { "GetServices", TDS },
  [ONVIF_GET_CAPABILITIES] = { "GetCapabilities", TDS },
  [ONVIF_GET_PROFILES] = { "GetProfiles", TRT },
  [ONVIF_GET_PRESETS] = { "GetPresets", TPTZ },
  [ONVIF_GET_STATUS] = { "GetStatus", TPTZ },
  [ONVIF_CONTINUOUS_MOVE] = { "ContinuousMove", TPTZ },
  [ONVIF_RELATIVE_MOVE] = { "RelativeMove", TPTZ },
  [ONVIF_STOP] = { "Stop", TPTZ },
  [ONVIF_GOTO_PRESET] = { "GotoPreset", TPTZ },
};

const char *
onvif_operation_name (OnvifOperation operation)
{
  return operations[operation].name;
}

const char *
onvif_request_action (const OnvifRequest *request)
{
  static const char *const actions[] = {
    [ONVIF_GET_DATE] = TDS "/GetSystemDateAndTime",
    [ONVIF_GET_SERVICES] = TDS "/GetServices",
    [ONVIF_GET_CAPABILITIES] = TDS "/GetCapabilities",
    [ONVIF_GET_PROFILES] = TRT "/GetProfiles",
    [ONVIF_GET_PRESETS] = TPTZ "/GetPresets",
    [ONVIF_GET_STATUS] = TPTZ "/GetStatus",
    [ONVIF_CONTINUOUS_MOVE] = TPTZ "/ContinuousMove",
    [ONVIF_RELATIVE_MOVE] = TPTZ "/RelativeMove",
    [ONVIF_STOP] = TPTZ "/Stop",
    [ONVIF_GOTO_PRESET] = TPTZ "/GotoPreset",
  };
  return request->operation == ONVIF_GET_PROFILES && request->media2 ? TR2 "/GetProfiles"
                                                                     : actions[request->operation];
}

char *
onvif_password_digest (const guint8 *nonce, gsize nonce_size, const char *created,
                       const char *password)
{
  guint8 digest[20];
  gsize size = sizeof digest;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA1);
  g_checksum_update (sum, nonce, (gssize)nonce_size);
  g_checksum_update (sum, (const guchar *)created, (gssize)strlen (created));
  g_checksum_update (sum, (const guchar *)password, (gssize)strlen (password));
  g_checksum_get_digest (sum, digest, &size);
  return g_base64_encode (digest, size);
}

static void
add_token (GString *text, const OnvifToken *token)
{
  g_autoptr (GDateTime) second = g_date_time_new_from_unix_utc (token->utc_us / G_USEC_PER_SEC);
  g_autofree char *date = g_date_time_format (second, "%Y-%m-%dT%H:%M:%S");
  g_autofree char *created
      = g_strdup_printf ("%s.%03uZ", date, (guint)(token->utc_us % G_USEC_PER_SEC / 1000));
  g_autofree char *nonce = g_base64_encode (token->nonce, sizeof token->nonce);
  g_autofree char *digest
      = onvif_password_digest (token->nonce, sizeof token->nonce, created, token->password);
  g_autofree char *user = g_markup_escape_text (token->user, -1);
  g_string_append_printf (
      text,
      "<s:Header><w:Security s:mustUnderstand=\"1\" xmlns:w=\"" WSS "wssecurity-secext-1.0.xsd\" "
      "xmlns:u=\"" WSS "wssecurity-utility-1.0.xsd\"><w:UsernameToken><w:Username>%s</w:Username>"
      "<w:Password Type=\"" WSS "username-token-profile-1.0#PasswordDigest\">%s</w:Password>"
      "<w:Nonce EncodingType=\"" WSS "soap-message-security-1.0#Base64Binary\">%s</w:Nonce>"
      "<u:Created>%s</u:Created></w:UsernameToken></w:Security></s:Header>",
      user, digest, nonce, created);
}

static void
add_text (GString *text, const char *name, const char *value)
{
  g_autofree char *escaped = g_markup_escape_text (value != NULL ? value : "", -1);
  g_string_append_printf (text, "<o:%s>%s</o:%s>", name, escaped, name);
}

/* A decimal point whatever the locale. */
static const char *
number (char buffer[G_ASCII_DTOSTR_BUF_SIZE], double value)
{
  return g_ascii_formatd (buffer, G_ASCII_DTOSTR_BUF_SIZE, "%.3f", CLAMP (value, -1, 1));
}

/* A camera without zoom refuses a move that speaks of it; one that only zooms, the other. */
static void
add_vector (GString *text, const char *name, const OnvifVector *move)
{
  char x[G_ASCII_DTOSTR_BUF_SIZE], y[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (text, "<o:%s>", name);
  if (fabs (move->pan) > 0 || fabs (move->tilt) > 0)
    g_string_append_printf (text, "<t:PanTilt x=\"%s\" y=\"%s\"/>", number (x, move->pan),
                            number (y, move->tilt));
  if (fabs (move->zoom) > 0)
    g_string_append_printf (text, "<t:Zoom x=\"%s\"/>", number (x, move->zoom));
  g_string_append_printf (text, "</o:%s>", name);
}

static void
add_arguments (GString *text, const OnvifRequest *request)
{
  if (request->operation >= ONVIF_GET_PRESETS)
    add_text (text, "ProfileToken", request->profile);
  if (request->operation == ONVIF_GET_SERVICES)
    add_text (text, "IncludeCapability", "false");
  if (request->operation == ONVIF_GET_CAPABILITIES)
    add_text (text, "Category", "All");
  if (request->operation == ONVIF_GET_PROFILES && request->media2)
    add_text (text, "Type", "PTZ");
  if (request->operation == ONVIF_CONTINUOUS_MOVE) {
    add_vector (text, "Velocity", &request->move);
    g_string_append_printf (text, "<o:Timeout>PT%u.%03uS</o:Timeout>", request->timeout_ms / 1000,
                            request->timeout_ms % 1000);
  }
  if (request->operation == ONVIF_RELATIVE_MOVE)
    add_vector (text, "Translation", &request->move);
  if (request->operation == ONVIF_STOP)
    g_string_append (text, "<o:PanTilt>true</o:PanTilt><o:Zoom>true</o:Zoom>");
  if (request->operation == ONVIF_GOTO_PRESET)
    add_text (text, "PresetToken", request->preset);
}

char *
onvif_request_text (const OnvifRequest *request, const OnvifToken *token)
{
  const char *name = operations[request->operation].name;
  const char *space = request->operation == ONVIF_GET_PROFILES && request->media2
                          ? TR2
                          : operations[request->operation].space;
  GString *text = g_string_new ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
                                "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">");
  if (token != NULL)
    add_token (text, token);
  g_string_append_printf (text,
                          "<s:Body><o:%s xmlns:o=\"%s\" "
                          "xmlns:t=\"http://www.onvif.org/ver10/schema\">",
                          name, space);
  add_arguments (text, request);
  g_string_append_printf (text, "</o:%s></s:Body></s:Envelope>", name);
  return g_string_free (text, FALSE);
}
