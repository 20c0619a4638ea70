/* [level NAME] of station.conf: whom the station calls (calls/call_plan.h). */
#include "station/calls/call_plan.h"
#include "station/config_keys.h"

#include <string.h>

#define ID_MAX 64

char *
config_parse_level_title (ConfigPlace *place, const char *value)
{
  return config_take_text (&((CallLevel *)place->section)->title, value, 60);
}

char *
config_parse_level_facility (ConfigPlace *place, const char *value)
{
  return config_take_text (&((CallLevel *)place->section)->facility, value, 200);
}

char *
config_parse_level_desk (ConfigPlace *place, const char *value)
{
  gsize length = strlen (value);
  if (length < 1 || length > 32 || !g_ascii_islower (*value)
      || strspn (value, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
    return g_strdup ("wants the name of a hospital's desk: a to z, 0 to 9 and -, a letter first");
  return config_take_text (&((CallLevel *)place->section)->desk, value, 32);
}

/* "a; b;c" without empty words (transfer full). */
static GStrv
words_of (const char *value)
{
  g_auto (GStrv) parts = g_strsplit (value, ";", -1);
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();
  for (guint i = 0; parts[i] != NULL; i++)
    if (*g_strstrip (parts[i]) != '\0')
      g_strv_builder_add (words, parts[i]);
  return g_strv_builder_end (words);
}

char *
config_parse_level_specialties (ConfigPlace *place, const char *value)
{
  CallLevel *level = place->section;
  g_auto (GStrv) words = words_of (value);
  g_autofree char *known = g_strjoinv (", ", (char **)call_specialties);
  for (guint i = 0; words[i] != NULL; i++)
    if (!call_specialty_is_known (words[i]))
      return g_strdup_printf ("knows no specialty '%s'; allowed: %s", words[i], known);
  if (words[0] == NULL)
    return g_strdup_printf ("wants specialties, ; between them: %s", known);
  g_strfreev (level->specialties);
  level->specialties = g_steal_pointer (&words);
  return NULL;
}

static gboolean
id_is_good (const char *id)
{
  return strlen (id) <= ID_MAX && g_utf8_validate (id, -1, NULL);
}

char *
config_parse_level_call (ConfigPlace *place, const char *value)
{
  CallLevel *level = place->section;
  g_auto (GStrv) words = words_of (value);
  guint n = g_strv_length (words);
  for (guint i = 0; i < n; i++)
    if (!id_is_good (words[i]))
      return g_strdup ("wants ids of specialists of at most 64 characters");
  if (n == 0 || n > CALL_LEVEL_CALLS_MAX)
    return g_strdup ("wants 1 to 32 ids of specialists, ; between them, or * for all on duty");
  g_strfreev (level->call);
  level->call = g_steal_pointer (&words);
  return NULL;
}

static char *
take_seconds (guint *target, const char *value)
{
  guint64 seconds;
  if (!g_ascii_string_to_unsigned (value, 10, CALL_RING_MIN_S, CALL_RING_MAX_S, &seconds, NULL))
    return g_strdup ("wants seconds, 5 to 600");
  *target = (guint)seconds;
  return NULL;
}

char *
config_parse_level_ring (ConfigPlace *place, const char *value)
{
  return take_seconds (&((CallLevel *)place->section)->ring, value);
}

char *
config_parse_level_ring_emergency (ConfigPlace *place, const char *value)
{
  return take_seconds (&((CallLevel *)place->section)->ring_emergency, value);
}
