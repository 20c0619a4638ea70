/* [station] and [metrics] of station.conf. */
#include "station/config_keys.h"

#include <string.h>

#define TOKEN_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

char *
config_parse_station_name (ConfigPlace *place, const char *value)
{
  return config_take_text (&place->config->station_name, value, 100);
}

char *
config_parse_station_id (ConfigPlace *place, const char *value)
{
  if (!config_is_name (value))
    return g_strdup ("wants a to z, 0 to 9 and -, a letter first, 32 characters at most");
  return config_take_text (&place->config->station_id, value, 32);
}

char *
config_parse_language (ConfigPlace *place, const char *value)
{
  if (!g_str_equal (value, "vi") && !g_str_equal (value, "en"))
    return g_strdup ("wants vi or en");
  return config_take_text (&place->config->language, value, 2);
}

char *
config_parse_state (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &place->config->state, value);
}

char *
config_parse_boot_credential (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &place->config->boot_credential, value);
}

char *
config_parse_tpm (ConfigPlace *place, const char *value)
{
  if (strchr (value, ':') == NULL)
    return g_strdup ("wants a TPM as tpm2-tools name it: device:/dev/tpmrm0");
  g_free (place->config->tpm);
  place->config->tpm = g_strdup (value);
  return NULL;
}

char *
config_parse_clock (ConfigPlace *place, const char *value)
{
  static const char *const words[] = { "auto", "trusted", "untrusted", NULL };
  guint word;
  if (!config_take_word (words, value, &word))
    return g_strdup ("wants auto (as the kernel says), trusted or untrusted");
  place->config->clock = (ConfigClock)word;
  return NULL;
}

static char *
take_phone (char **target, const char *value)
{
  if (strspn (value, "+0123456789 .-()") != strlen (value) || strlen (value) < 3)
    return g_strdup ("wants a telephone number: digits, spaces, + . - ( )");
  return config_take_text (target, value, 30);
}

char *
config_parse_duty_phone (ConfigPlace *place, const char *value)
{
  return take_phone (&place->config->duty_phone, value);
}

char *
config_parse_icd10 (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &place->config->icd10_file, value);
}

char *
config_parse_facility_code (ConfigPlace *place, const char *value)
{
  return config_take_text (&place->config->facility_code, value, 20);
}

char *
config_parse_facility_address (ConfigPlace *place, const char *value)
{
  return config_take_text (&place->config->facility_address, value, 200);
}

char *
config_parse_facility_phone (ConfigPlace *place, const char *value)
{
  return take_phone (&place->config->facility_phone, value);
}

/* Minutes, or seconds with an s. */
char *
config_parse_idle_lock (ConfigPlace *place, const char *value)
{
  char *end = NULL;
  guint64 number = g_ascii_isdigit (*value) ? g_ascii_strtoull (value, &end, 10) : 0;
  gboolean seconds = end != NULL && g_str_equal (end, "s");
  if (end == NULL || (!seconds && *end != '\0') || number > (seconds ? 28800 : 480))
    return g_strdup ("wants minutes from 0 (never) to 480, or seconds such as 90s");
  place->config->idle_seconds = (guint)(seconds ? number : number * 60);
  return NULL;
}

char *
config_parse_metrics_token (ConfigPlace *place, const char *value)
{
  char *wrong = config_take_secret_file (place, &place->config->metrics_token, value);
  const char *token = place->config->metrics_token;
  if (wrong == NULL && (strlen (token) < 16 || strspn (token, TOKEN_CHARS) != strlen (token)))
    wrong = g_strdup ("wants a file with 16 or more letters, digits, - . _ ~ in its first line; "
                      "openssl rand -hex 24 makes one");
  return wrong;
}
