/* `check`: cameras, microphones, encoders. */
#include "media/capture/source.h"
#include "station/check_private.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_SECONDS 3

static void
camera_good (const ConfigSource *camera, GPtrArray *findings)
{
  check_add (findings, CHECK_GOOD, "camera", g_strdup_printf ("Camera '%s' có mặt.", camera->name),
             g_strdup_printf ("Camera '%s' is there.", camera->name));
}

static void
check_v4l2 (const ConfigSource *camera, GPtrArray *findings)
{
  const char *device = camera->address + strlen ("v4l2:");
  if (access (device, F_OK) != 0)
    check_add (
        findings, CHECK_BAD, "camera-missing",
        g_strdup_printf ("Không thấy camera '%s' (%s). Hãy cắm lại dây USB.", camera->name, device),
        g_strdup_printf ("Camera '%s' (%s) is not there. Plug its USB cable in again.",
                         camera->name, device));
  else if (access (device, R_OK | W_OK) != 0)
    check_add (findings, CHECK_BAD, "camera-forbidden",
               g_strdup_printf ("Không có quyền dùng camera '%s'. Thêm người dùng của trạm vào "
                                "nhóm video.",
                                camera->name),
               g_strdup_printf ("No permission to use camera '%s'. Add the station's user to "
                                "the group video.",
                                camera->name));
  else
    camera_good (camera, findings);
}

static void
check_rtsp (const ConfigSource *camera, GPtrArray *findings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GUri) uri = g_uri_parse (camera->address, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  int port = uri != NULL && g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : 554;
  g_socket_client_set_timeout (client, CONNECT_SECONDS);
  g_socket_client_set_enable_proxy (client, FALSE);
  g_autoptr (GSocketConnection) connection
      = host != NULL ? g_socket_client_connect_to_host (client, host, (guint16)port, NULL, &error)
                     : NULL;
  if (connection != NULL)
    camera_good (camera, findings);
  else
    check_add (findings, CHECK_BAD, "camera-unreachable",
               g_strdup_printf ("Camera '%s' (%s) không trả lời. Kiểm tra nguồn điện và dây mạng "
                                "của camera.",
                                camera->name, host ? host : camera->address),
               g_strdup_printf ("Camera '%s' (%s) does not answer. Check its power and its "
                                "network cable.",
                                camera->name, host ? host : camera->address));
}

void
check_cameras (const Config *config, GPtrArray *findings)
{
  if (config->cameras->len == 0)
    check_add (findings, CHECK_WARN, "no-camera",
               g_strdup ("station.conf chưa có camera nào ([camera room])."),
               g_strdup ("station.conf names no camera ([camera room])."));
  for (guint i = 0; i < config->cameras->len; i++) {
    const ConfigSource *camera = config->cameras->pdata[i];
    if (g_str_has_prefix (camera->address, "v4l2:"))
      check_v4l2 (camera, findings);
    else if (g_str_has_prefix (camera->address, "rtsp"))
      check_rtsp (camera, findings);
    else
      camera_good (camera, findings);
  }
}

static gboolean
microphone_is_there (const ConfigSource *microphone)
{
  if (g_str_has_prefix (microphone->address, "test:"))
    return TRUE;
  if (g_str_has_prefix (microphone->address, "file:"))
    return access (microphone->address + strlen ("file:"), R_OK) == 0;
  g_autoptr (GPtrArray) devices = source_list_devices (MEDIA_AUDIO);
  return devices != NULL && devices->len > 0;
}

static void
check_sound_sources (GPtrArray *sources, GPtrArray *findings)
{
  for (guint i = 0; i < sources->len; i++) {
    const ConfigSource *microphone = sources->pdata[i];
    if (microphone_is_there (microphone))
      check_add (findings, CHECK_GOOD, "microphone",
                 g_strdup_printf ("Micrô '%s' có mặt.", microphone->name),
                 g_strdup_printf ("Microphone '%s' is there.", microphone->name));
    else
      check_add (findings, CHECK_BAD, "microphone-missing",
                 g_strdup_printf ("Không thấy micrô '%s' (%s). Hãy cắm lại micrô.",
                                  microphone->name, microphone->address),
                 g_strdup_printf ("Microphone '%s' (%s) is not there. Plug it in again.",
                                  microphone->name, microphone->address));
  }
}

void
check_microphones (const Config *config, GPtrArray *findings)
{
  if (config->microphones->len == 0)
    check_add (findings, CHECK_WARN, "no-microphone",
               g_strdup ("station.conf chưa có micrô nào ([microphone microphone])."),
               g_strdup ("station.conf names no microphone ([microphone microphone])."));
  check_sound_sources (config->microphones, findings);
  check_sound_sources (config->stethoscopes, findings);
}

void
check_encoders (const Config *config, GPtrArray *findings)
{
  const char *h264 = source_encoder_name (MEDIA_H264);
  const char *vp8 = source_encoder_name (MEDIA_VP8);
  const char *opus = source_encoder_name (MEDIA_OPUS);
  if (config->stethoscopes->len > 0 && source_encoder_name (MEDIA_FLAC) == NULL)
    check_add (findings, CHECK_BAD, "encoders-missing",
               g_strdup ("Thiếu bộ nén FLAC: ống nghe sẽ không được ghi. Hãy cài lại các gói "
                         "GStreamer."),
               g_strdup ("The encoder for FLAC is missing: the stethoscope will not be recorded. "
                         "Install the GStreamer packages again."));
  if (h264 != NULL && vp8 != NULL && opus != NULL)
    check_add (findings, CHECK_GOOD, "encoders",
               g_strdup_printf ("Bộ nén hình và tiếng: %s, %s, %s.", h264, vp8, opus),
               g_strdup_printf ("Encoders for picture and sound: %s, %s, %s.", h264, vp8, opus));
  else
    check_add (
        findings, h264 == NULL && vp8 == NULL ? CHECK_BAD : CHECK_WARN, "encoders-missing",
        g_strdup_printf ("Thiếu bộ nén:%s%s%s. Hãy cài lại các gói GStreamer.",
                         h264 ? "" : " H.264", vp8 ? "" : " VP8", opus ? "" : " Opus"),
        g_strdup_printf ("Encoders are missing:%s%s%s. Install the GStreamer packages again.",
                         h264 ? "" : " H.264", vp8 ? "" : " VP8", opus ? "" : " Opus"));
}
