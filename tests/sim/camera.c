/* sim-camera: IP cameras for tests and the demonstration, one RTSP server with one picture per
 * name, H.264 with a key frame every 2 s.
 *
 *   sim-camera --port P --name room --name exam [--user U --password P] [--size 640x360]
 *              [--fps 15] [--bitrate 900] [--b-frames 2] [--codec jpeg|h265] [--udp] [--snow]
 *
 * Prints "ready rtsp://127.0.0.1:P/room rtsp://..." and runs until SIGTERM. Port 0 picks one.
 */
#include <glib-unix.h>
#include <gst/rtsp-server/rtsp-server.h>
#include <stdio.h>
#include "media/capture/camera.h"

typedef struct {
  int port;
  char **names;
  char *user, *password, *size, *codec;
  gboolean udp, snow;
  int fps, bitrate, b_frames;
  guint width, height;
} Options;

static Options options = { .fps = 15, .bitrate = 900 };

static char *
describe_encoder (void)
{
  if (g_strcmp0 (options.codec, "jpeg") == 0)
    return g_strdup ("jpegenc name=encoder quality=70 ! rtpjpegpay name=pay0 pt=26");
  if (g_strcmp0 (options.codec, "h265") == 0)
    return g_strdup_printf ("x265enc name=encoder speed-preset=ultrafast tune=zerolatency "
                            "key-int-max=%d bitrate=%d ! h265parse ! "
                            "rtph265pay name=pay0 pt=96 config-interval=-1",
                            options.fps * 2, options.bitrate);
  return g_strdup_printf (
      "x264enc name=encoder speed-preset=ultrafast threads=1 sliced-threads=false rc-lookahead=0 "
      "sync-lookahead=0 mb-tree=false b-adapt=false bframes=%d key-int-max=%d bitrate=%d "
      "option-string=scenecut=0 ! video/x-h264,profile=main,stream-format=avc ! "
      "rtph264pay name=pay0 pt=96 config-interval=-1 aggregate-mode=zero-latency",
      options.b_frames, options.fps * 2, options.bitrate);
}

/* Noise: a picture that takes many bytes. */
static GstElement *
create_snow (void)
{
  g_autofree char *text = g_strdup_printf ("videotestsrc is-live=true pattern=snow ! capsfilter "
                                           "caps=video/x-raw,format=I420,width=%u,height=%u,"
                                           "framerate=%d/1",
                                           options.width, options.height, options.fps);
  return gst_parse_bin_from_description (text, TRUE, NULL);
}

/* The element of one picture; the factory has its name and takes the payloader named pay0. */
static GstElement *
create_element (GstRTSPMediaFactory *factory, const GstRTSPUrl *url)
{
  const char *name = g_object_get_data (G_OBJECT (factory), "name");
  GstElement *source
      = options.snow ? create_snow ()
                     : camera_test_source (name, options.width, options.height, (guint)options.fps);
  g_autofree char *text = describe_encoder ();
  g_autoptr (GError) error = NULL;
  GstElement *encoder = gst_parse_bin_from_description (text, FALSE, &error);
  if (!source || !encoder) {
    g_printerr ("sim-camera: %s\n", error ? error->message : "videotestsrc is missing");
    return NULL;
  }
  gst_bin_add (GST_BIN (encoder), source);
  g_autoptr (GstElement) first = gst_bin_get_by_name (GST_BIN (encoder), "encoder");
  gst_element_link (source, first);
  return encoder;
}

typedef GstRTSPMediaFactory SimFactory;
typedef GstRTSPMediaFactoryClass SimFactoryClass;
G_DEFINE_TYPE (SimFactory, sim_factory, GST_TYPE_RTSP_MEDIA_FACTORY)

static void
sim_factory_class_init (SimFactoryClass *class)
{
  class->create_element = create_element;
}

static void
sim_factory_init (SimFactory *factory)
{
}

static void
add_camera (GstRTSPMountPoints *mounts, const char *name)
{
  GstRTSPMediaFactory *factory = g_object_new (sim_factory_get_type (), NULL);
  g_object_set_data_full (G_OBJECT (factory), "name", g_strdup (name), g_free);
  gst_rtsp_media_factory_set_shared (factory, TRUE);
  if (options.udp)
    gst_rtsp_media_factory_set_protocols (factory, GST_RTSP_LOWER_TRANS_UDP);
  if (options.user)
    gst_rtsp_media_factory_add_role (factory, "viewer", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS,
                                     G_TYPE_BOOLEAN, TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT,
                                     G_TYPE_BOOLEAN, TRUE, NULL);
  g_autofree char *path = g_strconcat ("/", name, NULL);
  gst_rtsp_mount_points_add_factory (mounts, path, factory);
}

static void
require_login (GstRTSPServer *server)
{
  g_autoptr (GstRTSPAuth) auth = gst_rtsp_auth_new ();
  gst_rtsp_auth_set_supported_methods (auth, GST_RTSP_AUTH_DIGEST);
  g_autoptr (GstRTSPToken) token
      = gst_rtsp_token_new (GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "viewer", NULL);
  gst_rtsp_auth_add_digest (auth, options.user, options.password ? options.password : "", token);
  gst_rtsp_server_set_auth (server, auth);
}

static gboolean
parse (int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "port", 0, 0, G_OPTION_ARG_INT, &options.port, "TCP port, 0 picks one", "P" },
    { "name", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.names, "a camera, once or more", "NAME" },
    { "user", 0, 0, G_OPTION_ARG_STRING, &options.user, "ask for this login (digest)", "U" },
    { "password", 0, 0, G_OPTION_ARG_STRING, &options.password, "and this password", "P" },
    { "size", 0, 0, G_OPTION_ARG_STRING, &options.size, "640x360", "WxH" },
    { "fps", 0, 0, G_OPTION_ARG_INT, &options.fps, "15", "N" },
    { "bitrate", 0, 0, G_OPTION_ARG_INT, &options.bitrate, "kbit/s, 900", "N" },
    { "b-frames", 0, 0, G_OPTION_ARG_INT, &options.b_frames, "0", "N" },
    { "codec", 0, 0, G_OPTION_ARG_STRING, &options.codec, "jpeg or h265 in place of H.264", "C" },
    { "snow", 0, 0, G_OPTION_ARG_NONE, &options.snow, "noise in place of the scene", NULL },
    { "udp", 0, 0, G_OPTION_ARG_NONE, &options.udp, "refuse to send over TCP", NULL },
    { 0 },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (sscanf (options.size ? options.size : "640x360", "%4ux%4u", &options.width, &options.height)
          != 2
      || options.width < 160 || options.height < 120 || options.width % 16 || options.height % 2
      || options.fps < 1 || options.fps > 120 || !options.names) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "--name is needed; --size is a width in steps of 16 from 160 and an even height "
                 "from 120; --fps is 1 to 120");
    return FALSE;
  }
  return TRUE;
}

static gboolean
on_signal (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

static void
announce (GstRTSPServer *server)
{
  GString *line = g_string_new ("ready");
  for (char **name = options.names; *name; name++)
    g_string_append_printf (line, " rtsp://127.0.0.1:%d/%s",
                            gst_rtsp_server_get_bound_port (server), *name);
  puts (line->str);
  fflush (stdout);
  g_string_free (line, TRUE);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  gst_init (NULL, NULL);
  if (!parse (&argc, &argv, &error)) {
    g_printerr ("sim-camera: %s\n", error->message);
    return 2;
  }
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GstRTSPServer) server = gst_rtsp_server_new ();
  g_autofree char *service = g_strdup_printf ("%d", options.port);
  gst_rtsp_server_set_address (server, "127.0.0.1");
  gst_rtsp_server_set_service (server, service);
  if (options.user)
    require_login (server);
  g_autoptr (GstRTSPMountPoints) mounts = gst_rtsp_server_get_mount_points (server);
  for (char **name = options.names; *name; name++)
    add_camera (mounts, *name);
  if (gst_rtsp_server_attach (server, NULL) == 0) {
    g_printerr ("sim-camera: port %d cannot be opened: is it in use?\n", options.port);
    return 1;
  }
  g_unix_signal_add (SIGTERM, on_signal, loop);
  g_unix_signal_add (SIGINT, on_signal, loop);
  announce (server);
  g_main_loop_run (loop);
  return 0;
}
