/* What cameras and microphones this machine has. Read from the kernel's own lists and not from
 * GstDeviceMonitor, whose providers may wait for a sound server that is not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <gst/gst.h>
#include <linux/videodev2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "media/capture/source.h"

enum { MOST_DEVICES = 64 };

static gboolean
is_camera (const char *path)
{
  int fd = open (path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return errno == EACCES || errno == EBUSY; /* there, though not ours to ask */
  struct v4l2_capability capability = { 0 };
  gboolean known = ioctl (fd, VIDIOC_QUERYCAP, &capability) == 0;
  close (fd);
  guint32 flags = capability.capabilities & V4L2_CAP_DEVICE_CAPS ? capability.device_caps
                                                                 : capability.capabilities;
  return known && flags & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE);
}

static void
list_cameras (GPtrArray *list)
{
  for (guint i = 0; i < MOST_DEVICES; i++) {
    g_autofree char *path = g_strdup_printf ("/dev/video%u", i);
    if (g_file_test (path, G_FILE_TEST_EXISTS) && is_camera (path))
      g_ptr_array_add (list, g_strconcat ("v4l2:", path, NULL));
  }
}

/* A card's number changes with the order of plugging, its id does not. */
static char *
card_id (guint card)
{
  g_autofree char *path = g_strdup_printf ("/proc/asound/card%u/id", card);
  char *id = NULL;
  if (!g_file_get_contents (path, &id, NULL, NULL))
    return NULL;
  return g_strstrip (id);
}

/* Lines of /proc/asound/pcm: "00-01: name : name : playback 1 : capture 1". */
static void
list_alsa (GPtrArray *list)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents ("/proc/asound/pcm", &text, NULL, NULL))
    return;
  g_auto (GStrv) lines = g_strsplit (text, "\n", MOST_DEVICES);
  for (guint i = 0; lines[i]; i++) {
    char *rest = NULL;
    guint64 card = g_ascii_strtoull (lines[i], &rest, 10);
    if (rest == lines[i] || *rest != '-' || !strstr (rest, " capture "))
      continue;
    guint64 device = g_ascii_strtoull (rest + 1, NULL, 10);
    g_autofree char *id = card_id ((guint)card);
    if (id)
      g_ptr_array_add (list, g_strdup_printf ("alsa:plughw:CARD=%s,DEV=%u", id, (guint)device));
  }
}

static gboolean
has_pipewire (void)
{
  const char *runtime = g_getenv ("XDG_RUNTIME_DIR");
  g_autofree char *path = g_build_filename (runtime ? runtime : "/run/user/0", "pipewire-0", NULL);
  g_autoptr (GstElementFactory) factory
      = gst_init_check (NULL, NULL, NULL) ? gst_element_factory_find ("pipewiresrc") : NULL;
  return factory && g_file_test (path, G_FILE_TEST_EXISTS);
}

GPtrArray *
source_list_devices (MediaKind kind)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);
  if (kind == MEDIA_VIDEO) {
    list_cameras (list);
    return list;
  }
  if (has_pipewire ())
    g_ptr_array_add (list, g_strdup ("pipewire:"));
  list_alsa (list);
  return list;
}
