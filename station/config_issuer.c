/* [issuer NAME] of station.conf. */
#include "certs/est.h"
#include "station/config_keys.h"

#include <gio/gio.h>
#include <string.h>

#define MOST 80 /* a country's provinces and hospitals */
#define PATTERNS_MOST 64

ConfigIssuer *
config_issuer_new (Config *config, const char *name)
{
  ConfigIssuer *issuer = g_new0 (ConfigIssuer, 1);
  issuer->name = g_strdup (name);
  g_ptr_array_add (config->issuers, issuer);
  return issuer;
}

void
config_issuer_free (void *data)
{
  ConfigIssuer *issuer = data;
  g_free (issuer->name);
  g_free (issuer->certificate);
  g_free (issuer->crl);
  g_strfreev (issuer->stations);
  g_strfreev (issuer->people);
  g_free (issuer->est);
  g_free (issuer->est_ca_file);
  g_free (issuer->est_user);
  g_free (issuer->est_password);
  g_free (issuer);
}

char *
config_issuer_judge (const Config *config, const ConfigIssuer *issuer)
{
  if (config->issuers->len > MOST)
    return g_strdup ("is too many: 80 issuers at most");
  if (issuer->certificate == NULL)
    return g_strdup ("wants the issuer's certificate: certificate = FILE");
  if (issuer->crl == NULL)
    return g_strdup ("wants the issuer's revocation list: crl = http://… or FILE");
  if ((issuer->est_user == NULL) != (issuer->est_password == NULL))
    return g_strdup ("wants est-user and est-password-file together");
  if (issuer->est == NULL && (issuer->est_user != NULL || issuer->est_ca_file != NULL))
    return g_strdup ("wants the enrolment server: est = https://…");
  return NULL;
}

const char *
config_issuer_unbounded (const Config *config)
{
  for (guint i = 0; config->issuers->len > 1 && i < config->issuers->len; i++) {
    const ConfigIssuer *issuer = config->issuers->pdata[i];
    if (issuer->stations == NULL || issuer->people == NULL)
      return issuer->name;
  }
  return NULL;
}

char *
config_parse_issuer_certificate (ConfigPlace *place, const char *value)
{
  return config_take_path (place, &((ConfigIssuer *)place->section)->certificate, value);
}

char *
config_parse_issuer_crl (ConfigPlace *place, const char *value)
{
  ConfigIssuer *issuer = place->section;
  if (strstr (value, "://") == NULL)
    return config_take_path (place, &issuer->crl, value);
  g_autoptr (GUri) uri = g_uri_parse (value, G_URI_FLAGS_NONE, NULL);
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : "";
  if ((!g_str_equal (scheme, "http") && !g_str_equal (scheme, "https"))
      || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || g_uri_get_userinfo (uri) != NULL)
    return g_strdup ("wants an address such as http://ca.example.vn/list.crl, or a file");
  g_free (issuer->crl);
  issuer->crl = g_strdup (value);
  return NULL;
}

/* "lao-cai-*;sa-pa", or "none". */
static char *
take_patterns (GStrv *target, const char *value)
{
  g_auto (GStrv) all = g_strsplit (value, ";", PATTERNS_MOST + 2);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  guint n = 0;
  for (guint i = 0; all[i] != NULL && !g_str_equal (value, "none"); i++) {
    const char *pattern = g_strstrip (all[i]);
    if (*pattern == '\0')
      continue;
    if (++n > PATTERNS_MOST || strlen (pattern) > 64
        || strspn (pattern, "abcdefghijklmnopqrstuvwxyz0123456789._@-*?") != strlen (pattern))
      return g_strdup ("wants ids with * and ?, ; between them, 64 at most, or none");
    g_strv_builder_add (builder, pattern);
  }
  if (n == 0 && !g_str_equal (value, "none"))
    return g_strdup ("wants at least one id or pattern, or none");
  g_strfreev (*target);
  *target = g_strv_builder_end (builder);
  return NULL;
}

char *
config_parse_issuer_stations (ConfigPlace *place, const char *value)
{
  return take_patterns (&((ConfigIssuer *)place->section)->stations, value);
}

char *
config_parse_issuer_people (ConfigPlace *place, const char *value)
{
  return take_patterns (&((ConfigIssuer *)place->section)->people, value);
}

char *
config_parse_issuer_est (ConfigPlace *place, const char *value)
{
  ConfigIssuer *issuer = place->section;
  char *base = est_base (value);
  if (base == NULL)
    return g_strdup ("wants an address such as https://est.example.vn/.well-known/est");
  g_free (issuer->est);
  issuer->est = base;
  return NULL;
}

char *
config_parse_issuer_est_ca (ConfigPlace *place, const char *value)
{
  return config_take_ca_file (place, &((ConfigIssuer *)place->section)->est_ca_file, value);
}

char *
config_parse_issuer_est_user (ConfigPlace *place, const char *value)
{
  return config_take_text (&((ConfigIssuer *)place->section)->est_user, value, 100);
}

char *
config_parse_issuer_est_password (ConfigPlace *place, const char *value)
{
  return config_take_secret_file (place, &((ConfigIssuer *)place->section)->est_password, value);
}
