/* Serial ports of `check`. Nothing is opened: a running station may have them. */
#include "media/devices/serial_port.h"
#include "station/check_private.h"

#include <unistd.h>

static const char *
title_of (const ConfigSerial *serial)
{
  return serial->title != NULL ? serial->title : serial->name;
}

static void
check_port (const ConfigSerial *serial, GPtrArray *findings)
{
  const char *title = title_of (serial);
  g_autofree char *path = serial_port_find (serial->port);
  if (path == NULL)
    check_add (
        findings, CHECK_WARN, "serial-missing",
        g_strdup_printf ("Không thấy '%s' (%s). Hãy cắm dây và bật máy.", title, serial->port),
        g_strdup_printf ("'%s' (%s) is not there. Plug its cable in and switch it on.", title,
                         serial->port));
  else if (access (path, R_OK | W_OK) != 0)
    check_add (findings, CHECK_BAD, "serial-forbidden",
               g_strdup_printf ("Không có quyền dùng cổng của '%s' (%s). Thêm người dùng của trạm "
                                "vào nhóm dialout, rồi khởi động lại trạm.",
                                title, path),
               g_strdup_printf ("No permission for the port of '%s' (%s). Add the station's user "
                                "to the group dialout, then restart the station.",
                                title, path));
  else
    check_add (findings, CHECK_GOOD, "serial", g_strdup_printf ("Cổng của '%s' có mặt.", title),
               g_strdup_printf ("The port of '%s' is there.", title));
}

void
check_serials (const Config *config, GPtrArray *findings)
{
  for (guint i = 0; i < config->serials->len; i++) {
    const ConfigSerial *serial = config->serials->pdata[i];
    if (!g_str_has_prefix (serial->port, CONFIG_SERIAL_LAN))
      check_port (serial, findings);
  }
}
