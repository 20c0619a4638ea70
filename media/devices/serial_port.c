#include "media/devices/serial_port.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <libudev.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* ---- Finding -----------------------------------------------------------------------------------
 */

static gboolean
is_hex (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isxdigit (text[i]))
      return FALSE;
  return TRUE;
}

static gboolean
is_usb (const char *port)
{
  return strlen (port) == 13 && g_str_has_prefix (port, "usb:") && is_hex (port + 4, 4)
         && port[8] == ':' && is_hex (port + 9, 4);
}

gboolean
serial_port_is_valid (const char *port)
{
  return is_usb (port) || g_path_is_absolute (port);
}

static gboolean
has_ids (struct udev_device *device, const char *port)
{
  const char *vendor = udev_device_get_property_value (device, "ID_VENDOR_ID");
  const char *product = udev_device_get_property_value (device, "ID_MODEL_ID");
  return vendor != NULL && product != NULL && g_ascii_strncasecmp (vendor, port + 4, 4) == 0
         && g_ascii_strncasecmp (product, port + 9, 4) == 0;
}

static char *
find_usb (const char *port)
{
  struct udev *udev = udev_new ();
  struct udev_enumerate *list = udev != NULL ? udev_enumerate_new (udev) : NULL;
  struct udev_list_entry *entry = NULL;
  char *path = NULL;
  if (list != NULL) {
    udev_enumerate_add_match_subsystem (list, "tty");
    udev_enumerate_scan_devices (list);
    entry = udev_enumerate_get_list_entry (list);
  }
  for (; entry != NULL && path == NULL; entry = udev_list_entry_get_next (entry)) {
    struct udev_device *device
        = udev_device_new_from_syspath (udev, udev_list_entry_get_name (entry));
    if (device != NULL && has_ids (device, port))
      path = g_strdup (udev_device_get_devnode (device));
    udev_device_unref (device);
  }
  udev_enumerate_unref (list);
  udev_unref (udev);
  return path;
}

char *
serial_port_find (const char *port)
{
  if (is_usb (port))
    return find_usb (port);
  return g_file_test (port, G_FILE_TEST_EXISTS) ? g_strdup (port) : NULL;
}

/* ---- Opening -----------------------------------------------------------------------------------
 */

static const struct {
  guint baud;
  speed_t speed;
} SPEEDS[] = {
  { 1200, B1200 },   { 2400, B2400 },   { 4800, B4800 },     { 9600, B9600 },     { 19200, B19200 },
  { 38400, B38400 }, { 57600, B57600 }, { 115200, B115200 }, { 230400, B230400 },
};

static speed_t
speed_of (guint baud)
{
  for (gsize i = 0; i < G_N_ELEMENTS (SPEEDS); i++)
    if (SPEEDS[i].baud == baud)
      return SPEEDS[i].speed;
  return B0;
}

gboolean
serial_port_has_speed (guint baud)
{
  return speed_of (baud) != B0;
}

static gboolean
set_line (int fd, const LineSettings *settings)
{
  struct termios line;
  speed_t speed = speed_of (settings->baud);
  if (speed == B0 || tcgetattr (fd, &line) != 0)
    return FALSE;
  cfmakeraw (&line);
  line.c_cflag |= CLOCAL | CREAD;
  line.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS | PARENB | PARODD);
  if (settings->parity != LINE_PARITY_NONE)
    line.c_cflag |= PARENB;
  if (settings->parity == LINE_PARITY_ODD)
    line.c_cflag |= PARODD;
  line.c_cc[VMIN] = 0;
  line.c_cc[VTIME] = 0;
  return cfsetispeed (&line, speed) == 0 && cfsetospeed (&line, speed) == 0
         && tcsetattr (fd, TCSANOW, &line) == 0;
}

static SerialProblem
problem_of (int number)
{
  switch (number) {
  case EACCES:
  case EPERM:
    return SERIAL_FORBIDDEN;
  case EBUSY:
    return SERIAL_BUSY;
  case ENOENT:
  case ENXIO:
  case ENODEV:
  case EIO:
    return SERIAL_ABSENT;
  default:
    return SERIAL_NO_LINE;
  }
}

int
serial_port_open (const char *path, const LineSettings *settings, SerialProblem *ret_problem)
{
  int fd = open (path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  SerialProblem problem = fd < 0 ? problem_of (errno) : SERIAL_GOOD;
  /* The lock is for programs that know of it, the ioctl for the rest. */
  if (problem == SERIAL_GOOD && flock (fd, LOCK_EX | LOCK_NB) != 0)
    problem = SERIAL_BUSY;
  if (problem == SERIAL_GOOD && (!isatty (fd) || !set_line (fd, settings)))
    problem = SERIAL_NO_LINE;
  if (problem == SERIAL_GOOD) {
    ioctl (fd, TIOCEXCL);
    tcflush (fd, TCIOFLUSH);
    return fd;
  }
  if (fd >= 0)
    close (fd);
  *ret_problem = problem;
  return -1;
}

/* ---- Hot-plug ----------------------------------------------------------------------------------
 */

struct SerialHotplug {
  struct udev *udev;
  struct udev_monitor *monitor;
  GSource *source;
  void (*changed) (void *arg);
  void *arg;
};

static gboolean
on_event (int fd, GIOCondition condition, void *data)
{
  SerialHotplug *hotplug = data;
  struct udev_device *device = udev_monitor_receive_device (hotplug->monitor);
  if (device != NULL) {
    udev_device_unref (device);
    hotplug->changed (hotplug->arg);
  }
  return G_SOURCE_CONTINUE;
}

SerialHotplug *
serial_hotplug_new (void (*changed) (void *arg), void *arg)
{
  SerialHotplug *hotplug = g_new0 (SerialHotplug, 1);
  hotplug->changed = changed;
  hotplug->arg = arg;
  hotplug->udev = udev_new ();
  if (hotplug->udev != NULL)
    hotplug->monitor = udev_monitor_new_from_netlink (hotplug->udev, "udev");
  if (hotplug->monitor == NULL
      || udev_monitor_filter_add_match_subsystem_devtype (hotplug->monitor, "tty", NULL) < 0
      || udev_monitor_enable_receiving (hotplug->monitor) < 0) {
    serial_hotplug_free (hotplug);
    return NULL;
  }
  hotplug->source = g_unix_fd_source_new (udev_monitor_get_fd (hotplug->monitor), G_IO_IN);
  g_source_set_callback (hotplug->source, G_SOURCE_FUNC (on_event), hotplug, NULL);
  g_source_attach (hotplug->source, g_main_context_get_thread_default ());
  return hotplug;
}

void
serial_hotplug_free (SerialHotplug *hotplug)
{
  if (hotplug == NULL)
    return;
  if (hotplug->source != NULL) {
    g_source_destroy (hotplug->source);
    g_source_unref (hotplug->source);
  }
  udev_monitor_unref (hotplug->monitor);
  udev_unref (hotplug->udev);
  g_free (hotplug);
}
