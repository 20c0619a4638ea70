/* [dicom] of station.conf. */
#include "station/config_keys.h"

#include <gio/gio.h>
#include <string.h>

static char *
take (char **target, const char *value)
{
  g_free (*target);
  *target = g_strdup (value);
  return NULL;
}

void
config_caller_free (void *data)
{
  ConfigCaller *caller = data;
  g_free (caller->title);
  g_free (caller->address);
  g_free (caller);
}

char *
config_parse_dicom_listen (ConfigPlace *place, const char *value)
{
  if (!g_hostname_is_ip_address (value))
    return g_strdup ("wants an address of this machine, 0.0.0.0 for all");
  return take (&place->config->dicom_listen, value);
}

char *
config_parse_dicom_port (ConfigPlace *place, const char *value)
{
  guint64 port;
  if (!g_ascii_string_to_unsigned (value, 10, 0, 65535, &port, NULL))
    return g_strdup ("wants a whole number from 0 to 65535");
  place->config->dicom_port = (guint16)port;
  return NULL;
}

/* PS3.5 §6.2: 16 characters at most, no backslash; spaces at its ends mean nothing. */
static gboolean
is_ae_title (const char *title)
{
  gsize length = strlen (title);
  if (length < 1 || length > 16)
    return FALSE;
  for (const char *c = title; *c != '\0'; c++)
    if (!g_ascii_isprint (*c) || strchr ("\\;@", *c) != NULL)
      return FALSE;
  return TRUE;
}

char *
config_parse_dicom_title (ConfigPlace *place, const char *value)
{
  if (!is_ae_title (value))
    return g_strdup ("wants an AE title: 1 to 16 characters of ASCII without \\ ; @");
  return take (&place->config->dicom_title, value);
}

static char *
add_caller (GPtrArray *callers, char *entry)
{
  char *at = strchr (entry, '@');
  if (at != NULL)
    *at++ = '\0';
  if (!is_ae_title (entry) || (at != NULL && !g_hostname_is_ip_address (at)))
    return g_strdup ("wants AE titles with @address where it is known, ; between several: "
                     "US1@192.168.1.30; XRAY");
  ConfigCaller *caller = g_new0 (ConfigCaller, 1);
  caller->title = g_strdup (entry);
  caller->address = g_strdup (at);
  g_ptr_array_add (callers, caller);
  return NULL;
}

char *
config_parse_dicom_callers (ConfigPlace *place, const char *value)
{
  g_auto (GStrv) entries = g_strsplit (value, ";", 33);
  GPtrArray *callers = place->config->dicom_callers;
  g_ptr_array_set_size (callers, 0);
  for (guint i = 0; entries[i] != NULL; i++) {
    if (*g_strstrip (entries[i]) == '\0')
      continue;
    char *wrong = callers->len >= 32 ? g_strdup ("has more than 32 devices")
                                     : add_caller (callers, entries[i]);
    if (wrong != NULL)
      return wrong;
  }
  return NULL;
}

char *
config_parse_dicom_largest (ConfigPlace *place, const char *value)
{
  guint64 size = 0;
  char *wrong = config_take_size (&size, value);
  if (wrong != NULL)
    return wrong;
  if (size < (1u << 20) || size > (1u << 30))
    return g_strdup ("wants 1M to 1G");
  place->config->dicom_largest = size;
  return NULL;
}
