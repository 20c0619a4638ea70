/* What profile.c and profile_keys.c share. */
#pragma once
#include "media/devices/profile.h"

struct Profile {
  char *name, *about;
  GPtrArray *applications, *facilities; /* GPatternSpec*; empty: any */
  ProfileAck acknowledge;
  char *charset;
  gboolean clock_never;
  gint64 clock_from_us;
  GTimeZone *zone;
  GStrv test_marks;
  GHashTable *codes;  /* "101^HR" → MDC number */
  GHashTable *units;  /* MDC number → const char* UCUM */
  GHashTable *absent; /* MDC number, 0 for every code → GArray of double */
  guint rate_num, rate_den;
  double scale;
  const char *scale_unit;
  GArray *sentinels; /* gint64 */
};

/* Takes a value in: NULL when it is good, else what is wrong and what is allowed (transfer full).
 */
typedef char *(*ProfileParse) (Profile *profile, const char *key, const char *value);

/* The parser of a key; NULL with what is allowed instead (transfer full). */
ProfileParse profile_find_key (const char *group, const char *key, char **ret_allowed);
