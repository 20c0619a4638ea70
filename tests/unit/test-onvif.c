/* ONVIF: what is asked, what is answered, what is refused. The sample token is the one of the ONVIF
 * Application Programmer's Guide. */
#include "media/onvif/onvif_camera.h"

#include <string.h>

#define ENVELOPE(BODY)                                                                             \
  "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" "        \
  "xmlns:t=\"http://www.onvif.org/ver10/schema\" xmlns:p=\"http://www.onvif.org/ver20/ptz/wsdl\" " \
  "xmlns:r=\"http://www.onvif.org/ver10/error\"><e:Body>" BODY "</e:Body></e:Envelope>"

static OnvifAnswer *
parse (const char *text, GError **error)
{
  return onvif_answer_parse (text, strlen (text), error);
}

static OnvifAnswer *
parsed (const char *text)
{
  g_autoptr (GError) error = NULL;
  OnvifAnswer *answer = parse (text, &error);
  g_assert_no_error (error);
  return answer;
}

static void
test_digest (void)
{
  gsize size;
  g_autofree guint8 *nonce = g_base64_decode ("LKqI6G/AikKCQrN0zqZFlg==", &size);
  g_autofree char *digest
      = onvif_password_digest (nonce, size, "2010-09-16T07:50:45Z", "userpassword");
  g_assert_cmpstr (digest, ==, "tuOSpGlFlIXsozq4HFNeeGeFLEI=");
}

static void
test_requests (void)
{
  const OnvifToken token
      = { .user = "a<b>&\"", .password = "geheim", .utc_us = G_GINT64_CONSTANT (1000000123456) };
  g_autofree char *move = onvif_request_text (&(OnvifRequest){ .operation = ONVIF_CONTINUOUS_MOVE,
                                                               .profile = "p&1",
                                                               .move = { .pan = -0.5, .zoom = 7 },
                                                               .timeout_ms = 1500 },
                                              &token);
  g_assert_nonnull (strstr (move, "<w:Username>a&lt;b&gt;&amp;&quot;</w:Username>"));
  g_assert_nonnull (strstr (move, "<u:Created>1970-01-12T13:46:40.123Z</u:Created>"));
  g_assert_null (strstr (move, "geheim"));
  g_assert_nonnull (strstr (move, "<o:ProfileToken>p&amp;1</o:ProfileToken>"));
  g_assert_nonnull (strstr (move, "<t:PanTilt x=\"-0.500\" y=\"0.000\"/><t:Zoom x=\"1.000\"/>"));
  g_assert_nonnull (strstr (move, "<o:Timeout>PT1.500S</o:Timeout>"));
  g_autofree char *zoom = onvif_request_text (
      &(OnvifRequest){ .operation = ONVIF_RELATIVE_MOVE, .profile = "p", .move = { .zoom = 0.1 } },
      NULL);
  g_assert_null (strstr (zoom, "PanTilt")); /* a camera that only zooms */
  g_assert_null (strstr (zoom, "Security"));
}

static void
test_date (void)
{
  gint64 utc_us;
  g_autoptr (OnvifAnswer) good = parsed (ENVELOPE (
      "<d:GetSystemDateAndTimeResponse xmlns:d=\"d\"><d:SystemDateAndTime><t:UTCDateTime><t:Time>"
      "<t:Hour>1</t:Hour><t:Minute>2</t:Minute><t:Second>60</t:Second></t:Time><t:Date><t:Year>2001"
      "</t:Year><t:Month> 2 </t:Month><t:Day>3</t:Day></t:Date></t:UTCDateTime>"
      "</d:SystemDateAndTime></d:GetSystemDateAndTimeResponse>"));
  g_assert_true (onvif_answer_date (good, &utc_us));
  g_assert_cmpint (utc_us, ==, G_GINT64_CONSTANT (981162179000000));
  g_autoptr (OnvifAnswer) bad = parsed (ENVELOPE (
      "<d:GetSystemDateAndTimeResponse xmlns:d=\"d\"><d:SystemDateAndTime><t:UTCDateTime><t:Time>"
      "<t:Hour>1</t:Hour><t:Minute>2</t:Minute><t:Second>3</t:Second></t:Time><t:Date><t:Year>2001"
      "</t:Year><t:Month>2</t:Month><t:Day>31</t:Day></t:Date></t:UTCDateTime>"
      "</d:SystemDateAndTime></d:GetSystemDateAndTimeResponse>"));
  g_assert_false (onvif_answer_date (bad, &utc_us));
}

/* Only paths are taken over: credentials go to the configured host alone. */
static void
test_services (void)
{
  OnvifServices services;
  g_autoptr (OnvifAnswer) answer = parsed (
      ENVELOPE ("<d:GetServicesResponse xmlns:d=\"d\">"
                "<d:Service><d:Namespace>http://www.onvif.org/ver10/media/wsdl</d:Namespace>"
                "<d:XAddr>http://elsewhere.example:99/onvif/media?x=1</d:XAddr></d:Service>"
                "<d:Service><d:Namespace>http://www.onvif.org/ver20/ptz/wsdl</d:Namespace>"
                "<d:XAddr>file:///etc/passwd</d:XAddr></d:Service></d:GetServicesResponse>"));
  onvif_answer_services (answer, &services);
  g_assert_cmpstr (services.media, ==, "/onvif/media?x=1");
  g_assert_null (services.media2);
  g_assert_null (services.ptz);
  onvif_services_clear (&services);
  g_autoptr (OnvifAnswer) old = parsed (
      ENVELOPE ("<d:GetCapabilitiesResponse xmlns:d=\"d\"><d:Capabilities><t:Media><t:XAddr>"
                "http://a/m</t:XAddr></t:Media><t:PTZ><t:XAddr>http://a/p</t:XAddr></t:PTZ>"
                "</d:Capabilities></d:GetCapabilitiesResponse>"));
  onvif_answer_services (old, &services);
  g_assert_cmpstr (services.media, ==, "/m");
  g_assert_cmpstr (services.ptz, ==, "/p");
  onvif_services_clear (&services);
}

static void
test_profiles (void)
{
  g_autoptr (OnvifAnswer) answer = parsed (
      ENVELOPE ("<m:GetProfilesResponse xmlns:m=\"m\"><m:Profiles token=\"still\"/><m:Profiles>"
                "<t:PTZConfiguration/></m:Profiles><m:Profiles token=\"a&amp;b\">"
                "<t:PTZConfiguration/></m:Profiles></m:GetProfilesResponse>"));
  g_autofree char *token = onvif_answer_profile (answer);
  g_assert_cmpstr (token, ==, "a&b");
  g_autoptr (OnvifAnswer) second = parsed (
      ENVELOPE ("<m:GetProfilesResponse xmlns:m=\"m\"><m:Profiles token=\"two\"><m:Configurations>"
                "<m:PTZ/></m:Configurations></m:Profiles></m:GetProfilesResponse>"));
  g_autofree char *other = onvif_answer_profile (second);
  g_assert_cmpstr (other, ==, "two");
}

static void
test_presets (void)
{
  g_autoptr (GString) list = g_string_new (NULL);
  g_string_append (list, "<p:Preset token=\"1\"><t:Name>Giường\n bệnh</t:Name></p:Preset>"
                         "<p:Preset token=\"2\"/><p:Preset><t:Name>none</t:Name></p:Preset>");
  for (guint i = 0; i < 200; i++)
    g_string_append_printf (list, "<p:Preset token=\"x%u\"/>", i);
  g_autofree char *text
      = g_strdup_printf (ENVELOPE ("<p:GetPresetsResponse>%s</p:GetPresetsResponse>"), list->str);
  g_autoptr (OnvifAnswer) answer = parsed (text);
  g_autoptr (GPtrArray) presets = onvif_answer_presets (answer);
  g_assert_cmpuint (presets->len, ==, ONVIF_PRESETS_MAX);
  const OnvifPreset *first = presets->pdata[0], *second = presets->pdata[1];
  g_assert_cmpstr (first->name, ==, "Giường  bệnh");
  g_assert_cmpstr (second->token, ==, "2");
  g_assert_cmpstr (second->name, ==, "2");
}

static void
test_status (void)
{
  OnvifVector at;
  gboolean moving;
  g_autoptr (OnvifAnswer) answer = parsed (
      ENVELOPE ("<p:GetStatusResponse><p:PTZStatus><t:Position><t:PanTilt x=\"-0.25\" y=\"1e-1\"/>"
                "</t:Position><t:MoveStatus><t:PanTilt>MOVING</t:PanTilt></t:MoveStatus>"
                "</p:PTZStatus></p:GetStatusResponse>"));
  g_assert_true (onvif_answer_status (answer, &at, &moving));
  g_assert_true (moving);
  g_assert_cmpfloat (at.pan, ==, -0.25);
  g_assert_cmpfloat (at.tilt, ==, 0.1);
  g_autoptr (OnvifAnswer) none = parsed (
      ENVELOPE ("<p:GetStatusResponse><p:PTZStatus><t:Position><t:PanTilt x=\"nan\" y=\"1\"/>"
                "</t:Position></p:PTZStatus></p:GetStatusResponse>"));
  g_assert_false (onvif_answer_status (none, &at, &moving));
  g_assert_false (moving);
}

static void
test_faults (void)
{
  static const struct {
    const char *code, *words;
    MediaError error;
  } cases[] = { { "r:NotAuthorized", "Sender not authorized", MEDIA_ERROR_REFUSED },
                { "r:ActionNotSupported", "x", MEDIA_ERROR_UNSUPPORTED },
                { "r:InvalidArgVal", "Ngoài\x7f giới hạn", MEDIA_ERROR_FAILED } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *text = g_strdup_printf (
        ENVELOPE ("<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>%s</e:Value>"
                  "</e:Subcode></e:Code><e:Reason><e:Text>%s</e:Text></e:Reason></e:Fault>"),
        cases[i].code, cases[i].words);
    g_assert_null (parse (text, &error));
    g_assert_error (error, MEDIA_ERROR, (int)cases[i].error);
    g_assert_null (strchr (error->message, 0x7f));
  }
}

/* Neither a thousand laughs nor a file of this machine. */
static void
test_entities (void)
{
  static const char *const hostile[] = {
    "<!DOCTYPE e [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
    "<Envelope><Body><X>&b;</X></Body></Envelope>",
    "<!DOCTYPE e SYSTEM \"http://127.0.0.1:1/x.dtd\"><Envelope><Body/></Envelope>",
    "<!DOCTYPE e [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><Envelope><Body>&f;</Body></Envelope>",
    "<Envelope><Body>&f;</Body></Envelope>",
    "<Envelope/>",
    "<Envelope><Body>",
    "{}",
    "",
  };
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (parse (hostile[i], &error));
    g_assert_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED);
  }
  g_autoptr (GError) error = NULL;
  g_autofree char *deep = g_strnfill (ONVIF_ANSWER_MAX + 1, '<');
  g_assert_null (parse (deep, &error));
  g_assert_error (error, MEDIA_ERROR, MEDIA_ERROR_LIMIT);
}

static void
test_addresses (void)
{
  static const char *const bad[] = { "",        "camera",    "rtsp://10.0.0.1/x",
                                     "http://", "http:///x", "http://user:secret@10.0.0.1/x" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (onvif_check_address (bad[i], &error));
    g_assert_error (error, MEDIA_ERROR, MEDIA_ERROR_CONFIG);
  }
  g_assert_true (onvif_check_address ("https://[2001:db8::1]:8443/onvif/device_service", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/onvif/digest", test_digest);
  g_test_add_func ("/onvif/requests", test_requests);
  g_test_add_func ("/onvif/date", test_date);
  g_test_add_func ("/onvif/services", test_services);
  g_test_add_func ("/onvif/profiles", test_profiles);
  g_test_add_func ("/onvif/presets", test_presets);
  g_test_add_func ("/onvif/status", test_status);
  g_test_add_func ("/onvif/faults", test_faults);
  g_test_add_func ("/onvif/entities", test_entities);
  g_test_add_func ("/onvif/addresses", test_addresses);
  return g_test_run ();
}
