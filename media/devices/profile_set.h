/* All profiles of a station: files NAME.conf of one or several folders. */
#pragma once
#include "media/devices/hl7_message.h"
#include "media/devices/profile.h"

typedef struct ProfileSet ProfileSet;

/* folders: NULL-terminated; a folder that does not exist has none. A file of a later folder takes
 * the place of one of the same name. An error is that of the first file that is not good. */
ProfileSet *profile_set_load (const char *const *folders, GError **error);
void profile_set_free (ProfileSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProfileSet, profile_set_free)

/* NULL: none of that name. */
const Profile *profile_set_find (const ProfileSet *set, const char *name);
/* The one whose [match] fits MSH-3 and MSH-4; the first in the order of names when several do. */
const Profile *profile_set_match (const ProfileSet *set, const Hl7Message *message);
/* "comen-nc5, ge, …", for messages (transfer full). */
char *profile_set_names (const ProfileSet *set);
