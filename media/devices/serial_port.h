/* Serial ports of this machine: find, open, hear of new ones. Any thread, nothing blocks. */
#pragma once
#include "media/devices/line_device.h"

typedef enum {
  SERIAL_GOOD,
  SERIAL_ABSENT,    /* no such port: not plugged in */
  SERIAL_FORBIDDEN, /* this user may not open it */
  SERIAL_BUSY,      /* another program has it */
  SERIAL_NO_LINE,   /* it is something else than a serial line, or does not take the speed */
} SerialProblem;

/* port: a path ("/dev/ttyUSB0", "/dev/serial/by-id/…") or "usb:VVVV:PPPP", vendor and product of
 * the adapter in hex. (transfer full) the path; NULL when there is none now. */
char *serial_port_find (const char *port);
/* Is it one of the two forms? */
gboolean serial_port_is_valid (const char *port);
/* A speed that lines have. */
gboolean serial_port_has_speed (guint baud);
/* A descriptor, non-blocking, raw, ours alone; -1 with the problem. */
int serial_port_open (const char *path, const LineSettings *settings, SerialProblem *ret_problem);

/* Ports that come and go, by udev. */
typedef struct SerialHotplug SerialHotplug;
/* changed is called on the GMainContext that is the thread default now. NULL where there is no
 * udev: ask again from time to time. */
SerialHotplug *serial_hotplug_new (void (*changed) (void *arg), void *arg);
void serial_hotplug_free (SerialHotplug *hotplug);
