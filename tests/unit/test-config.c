/* station.conf: every key, and every way to get one wrong. */
#include "station/calls/call_plan.h"
#include "station/config.h"
#include <glib/gstdio.h>

#include <string.h>

static Config *
parse (const char *text, GError **error)
{
  return config_parse (text, "station.conf", "/etc/nhipcau", error);
}

static void
test_example (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_strdup ("station/station.conf.example");
  g_autofree char *text = NULL;
  g_file_get_contents (file, &text, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (Config) config = parse (text, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (config->station_name, ==, "Trạm y tế xã Mường Mẫu");
  g_assert_cmpuint (config->cameras->len, ==, 1);

  /* What is commented out is a key too: uncommented, the file still holds. */
  g_autoptr (GRegex) commented = g_regex_new ("^#([a-z-]+ = |\\[)", G_REGEX_MULTILINE, 0, NULL);
  g_autofree char *all = g_regex_replace (commented, text, -1, 0, "\\1", 0, NULL);
  g_autoptr (GRegex) absent = g_regex_new (
      "^(user|password-file|ca-file|people-ca|crl(?= = crl\\.pem)|keys|url|onvif-[a-z-]+|"
      "est-(ca-file|user|password-file)) .*$",
      G_REGEX_MULTILINE, 0, NULL);
  g_autofree char *without = g_regex_replace (absent, all, -1, 0, "", 0, NULL);
  g_autoptr (GRegex) secret = g_regex_new ("^(secret|(?:publish-|read-)?token)-file .*$", G_REGEX_MULTILINE, 0, NULL);
  g_autofree char *folder = g_dir_make_tmp ("nhipcau-config-XXXXXX", NULL);
  g_autofree char *readable = g_build_filename (folder, "secret", NULL);
  g_assert_true (g_file_set_contents (readable, "sixteen-or-more-characters\n", -1, NULL));
  g_autofree char *line = g_strconcat ("\\1-file = ", readable, NULL);
  g_autofree char *there = g_regex_replace (secret, without, -1, 0, line, 0, NULL);
  g_autoptr (Config) whole = parse (there, &error);
  g_unlink (readable);
  g_rmdir (folder);
  g_assert_no_error (error);
  g_assert_cmpuint (whole->cameras->len, ==, 2);
  g_assert_cmpuint (whole->devices->len, ==, 1);
  g_assert_cmpuint (whole->serials->len, ==, 1);
  g_assert_cmpuint (whole->issuers->len, ==, 1);
  g_assert_cmpuint (whole->ice_port_min, ==, 50000);
  g_assert_cmpuint (whole->relays->len, ==, 2);
  const Relay *relay = whole->relays->pdata[1];
  g_assert_cmpstr (relay->url, ==, "turns:turn.example.vn:443?transport=tcp");
  g_assert_nonnull (relay->secret);
  g_assert_cmpuint (whole->keep_free, ==, (guint64)2 << 30);
}

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Config) config = parse ("", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (config->listen->len, ==, 2);
  g_assert_cmpuint (config->http_port, ==, 8443);
  g_autofree char *url = config_url (config);
  g_assert_cmpstr (url, ==, "https://localhost:8443");
  g_assert_true (config_host_allowed (config, "localhost:8443"));
  g_assert_true (config_host_allowed (config, "127.0.0.1:8443"));
  g_assert_true (config_host_allowed (config, "[::1]:8443"));
  g_assert_false (config_host_allowed (config, "evil.example"));
  g_assert_false (config_host_allowed (config, "localhost.evil.example"));
  g_assert_false (config_host_allowed (config, ""));
  g_assert_true (config_origin_allowed (config, "https://localhost:8443"));
  g_assert_true (config_origin_allowed (config, "https://[::1]:8443"));
  g_assert_false (config_origin_allowed (config, "https://localhost:1"));
  g_assert_false (config_origin_allowed (config, "http://localhost:8443"));
  g_assert_false (config_origin_allowed (config, "null"));
}

static void
test_values (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Config) config
      = parse ("[station]\nstate=state\n"
               "[http]\nlisten=localhost;192.168.1.5:9443;[fd00::5]:9444\n"
               "port=7443\nnames=station.lan;\n"
               "public-url=https://kham.example.vn/\n"
               "[bluetooth]\nenabled=false\n[mllp]\nport=0\n[room]\nmicrophone-owner=station\n"
               "loudspeaker=alsa:default\necho-microphone=desk\n"
               "[microphone desk]\naddress=test:\n"
               "[rendezvous]\nbroker=mqtts://b1.example.vn; mqtts://[fd00::7]:8884\n"
               "pages=https://kham.example.vn/\n",
               &error);
  g_assert_no_error (error);
  g_assert_cmpstr (config->state, ==, "/etc/nhipcau/state");
  g_assert_cmpuint (config->listen->len, ==, 4);
  const ConfigListen *last = config->listen->pdata[3];
  g_assert_cmpstr (last->address, ==, "fd00::5");
  g_assert_cmpuint (last->port, ==, 9444);
  g_assert_cmpstr (config->public_url, ==, "https://kham.example.vn");
  g_assert_true (config_host_allowed (config, "kham.example.vn"));
  g_assert_true (config_host_allowed (config, "STATION.lan:7443"));
  g_assert_true (config_origin_allowed (config, "https://kham.example.vn"));
  g_assert_false (config_origin_allowed (config, "https://kham.example.vn:444"));
  g_assert_cmpint (config->bluetooth, ==, BLUETOOTH_OFF);
  g_assert_cmpint (config->microphone_owner, ==, MICROPHONE_STATION);
  g_assert_cmpstr (config->loudspeaker, ==, "alsa:default");
  g_assert_cmpstr (config->echo_microphone, ==, "desk");
  g_assert_cmpuint (config->rendezvous.brokers->len, ==, 2);
  const ConfigBroker *broker = config->rendezvous.brokers->pdata[0];
  g_assert_cmpstr (broker->host, ==, "b1.example.vn");
  g_assert_cmpuint (broker->port, ==, 8883);
  broker = config->rendezvous.brokers->pdata[1];
  g_assert_cmpstr (broker->host, ==, "fd00::7");
  g_assert_cmpuint (broker->port, ==, 8884);
  g_assert_true (broker->tls);
  g_auto (GStrv) names = config_certificate_names (config);
  g_assert_true (g_strv_contains ((const char *const *)names, "kham.example.vn"));
  g_assert_true (g_strv_contains ((const char *const *)names, "192.168.1.5"));
}

/* Text → what the message must name: file, line, key, and what is allowed. */
static const struct {
  const char *text, *says;
} wrong[] = {
  { "[statoin]\nname=x\n", "station.conf:1: [statoin] is no known group; allowed: [station]" },
  { "\n[station]\nnmae=x\n",
    "station.conf:3: [station] nmae: is no key of this group; allowed: name" },
  { "[http]\nport=99999\n", "station.conf:2: [http] port: wants a whole number from 1 to 65535" },
  { "[http]\nport=\n", "[http] port: wants a whole number" },
  { "[http]\nlisten=elsewhere\n", "'elsewhere' is no address" },
  { "[http]\nlisten=;\n", "wants at least one address" },
  { "[http]\npublic-url=http://x\n", "wants an address such as https://" },
  { "[http]\npublic-url=https://x/#a\n", "wants an address such as https://" },
  { "[http]\nnames=A b\n", "wants host names" },
  { "[station]\nlanguage=fr\n", "wants vi or en" },
  { "[bluetooth]\nenabled=yes\n", "[bluetooth] enabled: wants auto, true or false" },
  { "[station]\nid=Trạm\n", "wants a to z" },
  { "[station]\nname=\n", "wants a text" },
  { "[ice]\nports=5-6\n", "wants a range" },
  { "[ice]\nports=50000-50001\n", "wants a range" },
  { "[relay a]\naddress=stun:x\n", "[relay a] address: 'stun:x' is no relay: give turn:HOST:PORT" },
  { "[relay a]\naddress=turns:x?transport=udp\n", "is no relay" },
  { "[relay a]\naddress=turn:\n", "is no relay" },
  { "[relay a]\naddress=turn:x\n", "station.conf:1: [relay a] wants either secret-file" },
  { "[relay a]\nuser=x\n", "wants the key address" },
  { "[relay a]\nuser=x:y\n", "wants a name without ':'" },
  { "[relay]\naddress=turn:x\n", "wants a name" },
  { "[relay a]\naddress=;\n", "wants turn:HOST:PORT" },
  { "[relay a]\nca-file=/nonexistent\n", "there is no /nonexistent" },
  { "[ice]\nturn=turn:x\n", "is no key of this group" },
  { "[ice]\nhide-host-candidates=yes\n", "wants true or false" },
  { "[relay a]\npassword-file=/nonexistent\n", "/nonexistent cannot be read" },
  { "[metrics]\ntoken-file=/nonexistent\n", "/nonexistent cannot be read" },
  { "[metrics]\ntoken-file=/proc/self/comm\n", "wants a file with 16 or more" },
  { "[recording]\nkeep-free=lots\n", "wants a size" },
  { "[deliver a]\nrate=1\n", "[deliver a] rate: wants kbit/s" },
  { "[deliver a]\nrecording=yes\n", "[deliver a] recording: wants true or false" },
  { "[timestamp]\nrenew-before=0\n", "[timestamp] renew-before: wants days" },
  { "[recording]\nkeep-free=99999999999T\n", "wants a size" },
  { "[room]\nmicrophone-owner=me\n", "wants auto, station or console" },
  { "[room]\nloudspeaker=file:/x\n", "[room] loudspeaker: a loudspeaker is pipewire:" },
  { "[room]\nloudspeaker=test:\n", "wants the microphone that hears it" },
  { "[room]\necho-microphone=a\n[microphone a]\naddress=test:\n", "wants the loudspeaker" },
  { "[room]\nloudspeaker=test:\necho-microphone=b\n[microphone a]\naddress=test:\n",
    "names no microphone of this file" },
  { "[camera]\naddress=test:\n", "wants a name" },
  { "[camera Room]\naddress=test:\n", "has a bad name" },
  { "[camera room]\nwidth=640\n", "wants the key address" },
  { "[camera room]\naddress=ftp://x\n", "[camera room] address: " },
  { "[camera room]\naddress=test:\nwidth=1\n", "from 160 to 3840" },
  { "[camera a]\naddress=test:\n[microphone a]\naddress=test:\n", "the name of another" },
  { "[device x]\n", "wants the key id" },
  { "[serial x]\nkind=nonin\n", "wants the key port" },
  { "[serial x]\nport=ttyUSB0\n", "[serial x] port: wants a path such as /dev/ttyUSB0" },
  { "[serial x]\nport=usb:10c4-ea60\n", "wants a path such as" },
  { "[serial x]\nport=/dev/x\nkind=cms50\n", "wants auto, contec, nonin, nonin-9560 or intellivue" },
  { "[serial x]\nport=udp:192.168.1.30\n", "wants kind = intellivue" },
  { "[serial x]\nport=udp:monitor\n", "wants a path such as" },
  { "[serial x]\nport=/dev/x\nkind=intellivue-lan\n", "wants auto, contec" },
  { "[serial x]\nport=/dev/x\nspeed=12345\n", "wants a speed that lines have" },
  { "[serial x]\nport=/dev/x\nroom=yes\n", "wants true or false" },
  { "[serial x]\nport=/dev/x\ntitle=\n", "wants a text of 1 to 60 characters" },
  { "[serial x]\nport=/dev/x\n[serial y]\nport=/dev/x\n", "has the port of [serial x]" },
  { "[level]\ncall=*\n", "wants a name" },
  { "[level a]\nring=4\n", "[level a] ring: wants seconds, 5 to 600" },
  { "[level a]\nring-emergency=soon\n", "wants seconds, 5 to 600" },
  { "[level a]\ncall=;\n", "wants 1 to 32 ids of specialists" },
  { "[level a]\nspecialties=cardiology;hearts\n", "knows no specialty 'hearts'; allowed: general" },
  { "[level a]\nspecialties=;\n", "wants specialties" },
  { "[level a]\ndesk=BV\n", "wants the name of a hospital's desk" },
  { "[level a]\nwho=x\n", "is no key of this group; allowed: title" },
  { "[http x]\nport=1\n", "takes no name" },
  { "[http]\nport=1\nport=2\n", "station.conf:3: [http] port is given twice, first in line 2" },
  { "[http]\nport=1\n[station]\nname=x\n[http]\nnames=y\n",
    "station.conf:5: [http] is given twice, first in line 1" },
  { "[http]\nno equals\n", "station.conf:2: 'no equals' is none of [GROUP], KEY = VALUE" },
  { "[http\nport=1\n", "station.conf:1: '[http' is none of [GROUP]" },
  { "=1\n", "station.conf:1: '=1' is none of" },
  { "port=1\n", "station.conf:1: port stands before any [GROUP]" },
  { "[station]\n\nname=\xff\xfe\n", "station.conf:3: is no UTF-8" },
  { "[http]\nkey=/x\n", "station.conf:2: [http] key: wants the certificate" },
  { "[http]\nkey-secret-file=/x\n", "wants the key that it opens" },
  { "[ice]\nhide-host-candidates=true\n", "wants stun or a [relay NAME]" },
  { "[rendezvous]\nbroker=broker\n", "[rendezvous] broker: wants an address such as mqtts://" },
  { "[rendezvous]\nbroker=mqtts://a;\n", "wants an address such as mqtts://" },
  { "[rendezvous]\nbroker=mqtts://a;mqtt://b\n", "wants mqtts://" },
  { "[rendezvous]\nbroker=mqtts://a/x\n", "wants an address such as mqtts://" },
  { "[rendezvous]\nbroker=mqtts://a;mqtts://a;mqtts://a;mqtts://a;mqtts://a;mqtts://a;mqtts://a;"
    "mqtts://a;mqtts://a\n",
    "8 brokers at most" },
  { "[rendezvous]\nbroker=mqtts://a\n", "wants the key pages" },
  { "[rendezvous]\npages=https://a\n", "wants the key broker" },
  { "[ice]\nstun=x:y:z\n", "wants HOST or HOST:PORT" },
  { "[ice]\nstun=:3478\n", "wants HOST or HOST:PORT" },
};

static void
test_wrong (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (Config) config = parse (wrong[i].text, &error);
    g_assert_null (config);
    g_assert_nonnull (error);
    if (strstr (error->message, wrong[i].says) == NULL)
      g_error ("%s\nsays: %s\nwants: %s", wrong[i].text, error->message, wrong[i].says);
  }
}

static void
test_too_many_sources (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < 9; i++)
    g_string_append_printf (text, "[camera c%u]\naddress=test:\n", i);
  g_autoptr (Config) config = parse (text->str, &error);
  g_assert_null (config);
  g_assert_nonnull (strstr (error->message, "[camera c8] is too many"));
}

static void
test_too_many_serials (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < 17; i++)
    g_string_append_printf (text, "[serial s%u]\nport=/dev/ttyUSB%u\n", i, i);
  g_autoptr (Config) config = parse (text->str, &error);
  g_assert_null (config);
  g_assert_nonnull (strstr (error->message, "[serial s16] is too many"));
}

static void
test_levels (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Config) config
      = parse ("[level province]\ntitle=BV tỉnh\ncall= minh ;hoa; *\nring=30\nspecialties=surgery\n"
               "[level central]\ndesk=bv-tw\nring-emergency=10\n",
               &error);
  g_assert_no_error (error);
  g_assert_cmpuint (config->levels->len, ==, 2);
  const CallLevel *first = config->levels->pdata[0], *second = config->levels->pdata[1];
  g_assert_cmpstr (first->title, ==, "BV tỉnh");
  g_assert_cmpuint (g_strv_length (first->call), ==, 3);
  g_assert_cmpstr (first->call[0], ==, "minh");
  g_assert_cmpstr (first->call[2], ==, "*");
  g_assert_cmpuint (first->ring, ==, 30);
  g_assert_cmpstr (second->desk, ==, "bv-tw");
  g_assert_cmpuint (second->ring_emergency, ==, 10);
  g_assert_null (second->call);
  g_autoptr (GString) many = g_string_new (NULL);
  for (guint i = 0; i < 17; i++)
    g_string_append_printf (many, "[level l%u]\nring=30\n", i);
  g_autoptr (Config) none = parse (many->str, &error);
  g_assert_null (none);
  g_assert_nonnull (strstr (error->message, "[level l16] is too many"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/example", test_example);
  g_test_add_func ("/config/defaults", test_defaults);
  g_test_add_func ("/config/values", test_values);
  g_test_add_func ("/config/wrong", test_wrong);
  g_test_add_func ("/config/levels", test_levels);
  g_test_add_func ("/config/too-many-serials", test_too_many_serials);
  g_test_add_func ("/config/too-many-sources", test_too_many_sources);
  return g_test_run ();
}
