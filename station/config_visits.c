/* [visits] of station.conf. */
#include "station/config_keys.h"

#include <gio/gio.h>
#include <string.h>

#define MINUTES_MAX 1440

static char *
take_minutes (guint *target, const char *value)
{
  guint64 number;
  if (!g_ascii_string_to_unsigned (value, 10, 0, MINUTES_MAX, &number, NULL))
    return g_strdup ("wants minutes, 0 to 1440");
  *target = (guint)number;
  return NULL;
}

char *
config_parse_visits_early (ConfigPlace *place, const char *value)
{
  return take_minutes (&place->config->visits.early_minutes, value);
}

char *
config_parse_visits_late (ConfigPlace *place, const char *value)
{
  return take_minutes (&place->config->visits.late_minutes, value);
}

char *
config_parse_visits_clock (ConfigPlace *place, const char *value)
{
  if (!g_str_equal (value, "kernel") && !g_str_equal (value, "trusted"))
    return g_strdup ("wants kernel or trusted");
  place->config->visits.trust_clock = g_str_equal (value, "trusted");
  return NULL;
}

/* Links open doors: they go over TLS, or stay on this machine. */
char *
config_parse_visits_gateway (ConfigPlace *place, const char *value)
{
  return config_take_private_url (&place->config->visits.url, value,
                                  "https://sms.tinh.example.vn/send");
}

char *
config_parse_visits_secret (ConfigPlace *place, const char *value)
{
  return config_take_token_file (place, &place->config->visits.token, value, 16);
}

char *
config_parse_visits_ca (ConfigPlace *place, const char *value)
{
  return config_take_ca_file (place, &place->config->visits.ca_file, value);
}

void
config_visits_clear (ConfigVisits *visits)
{
  g_free (visits->url);
  g_free (visits->token);
  g_free (visits->ca_file);
}
