/* What one make of device does in its own way, as a data file tells (docs/devices.md, "How to
 * write a profile"): a vendor's codes, the unit that it leaves out, how it wants to be
 * acknowledged, whether its clock is believed, its character set, numbers that stand for "not
 * measured", words that mark a demonstration, and what its waves leave unsaid.
 *
 * Profiles are immutable once read; they may be used from any thread.
 */
#pragma once
#include "media/devices/codes.h"

#define PROFILE_ERROR (profile_error_quark ())
GQuark profile_error_quark (void);
typedef enum { PROFILE_ERROR_BAD } ProfileError;

typedef enum {
  PROFILE_ACK_ASKED,    /* as MSH-15 and MSH-16 ask */
  PROFILE_ACK_ORIGINAL, /* AA whatever they ask: many gateways read nothing else */
} ProfileAck;

typedef struct Profile Profile;

/* text: the file's, NUL-terminated. file: its path, for messages. Errors name file, line, and what
 * is allowed. */
Profile *profile_parse (const char *text, const char *file, GError **error);
void profile_free (Profile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Profile, profile_free)

const char *profile_name (const Profile *profile);
/* Does a message with this MSH-3 and MSH-4 (NULL: empty) come from such a device? A profile without
 * [match] is only used where [device NAME] names it. */
gboolean profile_matches (const Profile *profile, const char *application, const char *facility);

ProfileAck profile_acknowledge (const Profile *profile);
/* Name of the set for what declares none; NULL: guessed. */
const char *profile_charset (const Profile *profile);
/* FALSE: the device's clock is not believed at that time (µs UTC): the time of arrival stands. */
gboolean profile_clock_holds (const Profile *profile, gint64 time_us);
/* The zone of times without an offset (transfer none); NULL: the station's. */
GTimeZone *profile_zone (const Profile *profile);
/* Is this word of OBX-8 a mark of a demonstration or test, beyond DEMO, TEST and CAL? */
gboolean profile_marks_test (const Profile *profile, const char *word);

/* What a vendor's code is: MDC number, 0: the profile says nothing. id, name, system: the
 * components of OBX-3, each may be NULL. */
guint32 profile_code (const Profile *profile, const char *id, const char *name, const char *system);
/* UCUM unit of values that come without one; NULL: not said. */
const char *profile_unit (const Profile *profile, guint32 mdc);
/* Does this number mean "not measured", for that code? */
gboolean profile_is_absent (const Profile *profile, guint32 mdc, double value);

typedef struct {
  guint rate_num, rate_den; /* 0: not said */
  double scale;             /* of one step, 0: not said */
  const char *unit;         /* UCUM, of scale; NULL */
  const gint64 *sentinels;  /* samples that are none */
  guint sentinel_count;
} ProfileWaves;
ProfileWaves profile_waves (const Profile *profile);
