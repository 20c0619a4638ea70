#include "media/capture/camera.h"

#include <errno.h>
#include <unistd.h>
#include "media/capture/address.h"
#include "media/capture/capture.h"
#include "media/capture/moving_scene.h"
#include "media/capture/test_scene.h"
#include "media/error.h"

#define TO_RAW " ! videoconvert n-threads=1 ! capsfilter caps=video/x-raw,format=I420"

enum { USUAL_WIDTH = 1280, USUAL_HEIGHT = 720, USUAL_RATE = 30 };
enum { TEST_WIDTH = 640, TEST_HEIGHT = 360, TEST_RATE = 15 };
/* What the test camera's sensor has, asked for more than it could ever show. */
enum { TEST_SENSOR_WIDTH = 1280, TEST_SENSOR_HEIGHT = 720, TEST_LARGEST = 3840 };

/* The cost of a format beside raw, in the unit of camera_choose_caps(): a fraction of the wanted
 * picture. Negative: not usable. */
static double
format_cost (const GstStructure *structure)
{
  if (gst_structure_has_name (structure, "video/x-raw"))
    return 0;
  if (gst_structure_has_name (structure, "image/jpeg"))
    return 0.05;
  return gst_structure_has_name (structure, "video/x-h264") ? 0.10 : -1;
}

static double
picture_cost (const GstStructure *structure, guint width, guint height, guint rate)
{
  int w = 0, h = 0, num = 0, den = 1;
  gst_structure_get_int (structure, "width", &w);
  gst_structure_get_int (structure, "height", &h);
  gst_structure_get_fraction (structure, "framerate", &num, &den);
  double wanted = (double)width * height;
  double size = ABS ((double)w * h - wanted) / wanted;
  double fps = den > 0 ? (double)num / den : 0;
  return size + (fps < rate ? (rate - fps) / rate : 0);
}

GstCaps *
camera_choose_caps (GstCaps *offered, guint width, guint height, guint rate)
{
  g_autoptr (GstCaps) best = NULL;
  double best_cost = G_MAXDOUBLE;
  for (guint i = 0; i < gst_caps_get_size (offered); i++) {
    double format = format_cost (gst_caps_get_structure (offered, i));
    if (format < 0)
      continue;
    GstStructure *structure = gst_structure_copy (gst_caps_get_structure (offered, i));
    gst_structure_fixate_field_nearest_int (structure, "width", (int)width);
    gst_structure_fixate_field_nearest_int (structure, "height", (int)height);
    gst_structure_fixate_field_nearest_fraction (structure, "framerate", (int)rate, 1);
    double cost = format + picture_cost (structure, width, height, rate);
    g_autoptr (GstCaps) caps = gst_caps_new_full (structure, NULL);
    if (cost < best_cost) {
      gst_caps_replace (&best, caps);
      best_cost = cost;
    }
  }
  return best ? gst_caps_fixate (g_steal_pointer (&best)) : NULL;
}

static gboolean
check_device (const char *path, GError **error)
{
  if (access (path, R_OK | W_OK) == 0)
    return TRUE;
  int why = errno;
  g_set_error (error, MEDIA_ERROR, why == EACCES ? MEDIA_ERROR_REFUSED : MEDIA_ERROR_NOT_FOUND,
               why == EACCES ? "%s cannot be opened (%s): is this user in group video?"
                             : "%s is not there (%s): is the camera plugged in?",
               path, g_strerror (why));
  return FALSE;
}

static GstElement *
add_v4l2_source (Capture *capture, const char *path, GError **error)
{
  GstElement *source = gst_element_factory_make ("v4l2src", NULL);
  if (!source) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                 "v4l2src is missing: install gstreamer1.0-plugins-good");
    return NULL;
  }
  g_object_set (source, "device", path, NULL);
  gst_bin_add (GST_BIN (capture_pipeline (capture)), source);
  return source;
}

static GstCaps *
ask_v4l2_caps (GstElement *source, const SourceConfig *config, const char *path, GError **error)
{
  if (gst_element_set_state (source, GST_STATE_READY) == GST_STATE_CHANGE_FAILURE) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_FAILED,
                 "%s does not open: another program may be using it", path);
    return NULL;
  }
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");
  g_autoptr (GstCaps) offered = gst_pad_query_caps (pad, NULL);
  GstCaps *caps = camera_choose_caps (offered, config->width ? config->width : USUAL_WIDTH,
                                      config->height ? config->height : USUAL_HEIGHT,
                                      config->frame_rate ? config->frame_rate : USUAL_RATE);
  if (!caps)
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                 "%s offers neither raw pictures nor MJPEG nor H.264", path);
  return caps;
}

static const char *
v4l2_decoder (GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  if (gst_structure_has_name (structure, "image/jpeg"))
    return "jpegdec idct-method=ifast ! videoconvert n-threads=1 ! capsfilter "
           "caps=video/x-raw,format=I420";
  if (gst_structure_has_name (structure, "video/x-h264"))
    return "h264parse ! avdec_h264 max-threads=1" TO_RAW;
  return "identity" TO_RAW;
}

static gboolean
build_v4l2 (Capture *capture, const SourceConfig *config, const char *path, GError **error)
{
  if (!check_device (path, error))
    return FALSE;
  GstElement *source = add_v4l2_source (capture, path, error);
  if (!source)
    return FALSE;
  g_autoptr (GstCaps) caps = ask_v4l2_caps (source, config, path, error);
  if (!caps)
    return FALSE;
  GstElement *decoder = capture_add (capture, v4l2_decoder (caps), error);
  if (!decoder)
    return FALSE;
  if (gst_element_link_filtered (source, decoder, caps) && capture_end_raw (capture, decoder))
    return TRUE;
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED, "%s: its format cannot be decoded",
               path);
  return FALSE;
}

/* How a scene draws its next frame. */
typedef void (*Draw) (gpointer scene, guint8 *i420, gsize size);

typedef struct {
  Draw draw;
  gpointer scene;
  GDestroyNotify free;
} Drawing;

static void
drawing_free (gpointer data)
{
  Drawing *drawing = data;
  drawing->free (drawing->scene);
  g_free (drawing);
}

static GstPadProbeReturn
draw_picture (GstPad *pad, GstPadProbeInfo *info, gpointer arg)
{
  Drawing *drawing = arg;
  GstBuffer *buffer = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  GstMapInfo map;
  if (gst_buffer_map (buffer, &map, GST_MAP_WRITE)) {
    drawing->draw (drawing->scene, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
  }
  return GST_PAD_PROBE_OK;
}

/* Takes the drawing. */
static GstElement *
drawn_source (const Drawing *drawing, guint width, guint height, guint rate)
{
  gpointer own = g_memdup2 (drawing, sizeof *drawing);
  g_autofree char *elements = g_strdup_printf (
      "videotestsrc name=source is-live=true pattern=black ! "
      "capsfilter caps=video/x-raw,format=I420,width=%u,height=%u,framerate=%u/1",
      width, height, rate);
  GstElement *bin = gst_parse_bin_from_description (elements, TRUE, NULL);
  if (!bin) {
    drawing_free (own);
    return NULL;
  }
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (bin), "source");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, draw_picture, own, drawing_free);
  return bin;
}

static void
draw_test (gpointer scene, guint8 *i420, gsize size)
{
  test_scene_draw (scene, i420, size);
}

static void
draw_moving (gpointer scene, guint8 *i420, gsize size)
{
  moving_scene_draw (scene, g_get_real_time () / 1000, i420, size);
}

GstElement *
camera_test_source (const char *name, guint width, guint height, guint rate)
{
  return drawn_source (&(Drawing){ draw_test, test_scene_new (name, width, height, rate),
                                   (GDestroyNotify)test_scene_free },
                       width, height, rate);
}

GstElement *
camera_moving_source (guint width, guint height, guint rate)
{
  return drawn_source (&(Drawing){ draw_moving, moving_scene_new (width, height, rate),
                                   (GDestroyNotify)moving_scene_free },
                       width, height, rate);
}

static gboolean
build_test (Capture *capture, const SourceConfig *config, gboolean moving, GError **error)
{
  /* Multiples of 16 keep I420 without padding between the lines. */
  guint width = (config->width ? config->width : TEST_WIDTH) & ~15u;
  guint height = (config->height ? config->height : TEST_HEIGHT) & ~1u;
  guint rate = config->frame_rate ? config->frame_rate : TEST_RATE;
  if (config->width > TEST_LARGEST) {
    width = TEST_SENSOR_WIDTH;
    height = TEST_SENSOR_HEIGHT;
  }
  width = CLAMP (width, 160, TEST_LARGEST);
  height = CLAMP (height, 120, 2160);
  GstElement *source = moving ? camera_moving_source (width, height, rate)
                              : camera_test_source (config->name, width, height, rate);
  if (!source) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                 "videotestsrc is missing: install gstreamer1.0-plugins-base");
    return FALSE;
  }
  gst_bin_add (GST_BIN (capture_pipeline (capture)), source);
  return capture_end_raw (capture, source);
}

gboolean
camera_may_be_larger (const SourceConfig *config)
{
  Address address;
  return address_parse (MEDIA_VIDEO, config->address, &address, NULL)
         && (address.scheme == ADDRESS_V4L2
             || (address.scheme == ADDRESS_TEST && *address.target == '\0'));
}

gboolean
camera_build (Capture *capture, const SourceConfig *config, guint attempt, GError **error)
{
  Address address;
  if (!address_parse (MEDIA_VIDEO, config->address, &address, error))
    return FALSE;
  if (address.scheme == ADDRESS_RTSP)
    return camera_build_rtsp (capture, config, attempt, error);
  if (address.scheme == ADDRESS_V4L2)
    return build_v4l2 (capture, config, address.target, error);
  return build_test (capture, config, *address.target != '\0', error);
}
