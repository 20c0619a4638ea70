/* What a camera answers in ONVIF; sans-IO, hostile: libxml2 without network, and a document type
 * (hence any entity but the five of XML) is refused. Errors are of MEDIA_ERROR.
 */
#pragma once
#include "media/error.h"
#include "media/onvif/onvif_request.h"

#define ONVIF_ANSWER_MAX (256 * 1024) /* bytes */
#define ONVIF_PRESETS_MAX 64
#define ONVIF_TOKEN_MAX 64 /* characters (ONVIF Core: ReferenceToken) */

typedef struct OnvifAnswer OnvifAnswer;

/* MALFORMED: no SOAP envelope; LIMIT: too long; REFUSED: a fault that says that the credentials are
 * not good; UNSUPPORTED: the camera does not know this operation; FAILED: any other fault, with its
 * words, cleaned and cut. */
OnvifAnswer *onvif_answer_parse (const void *data, gsize size, GError **error);
void onvif_answer_free (OnvifAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OnvifAnswer, onvif_answer_free)

/* GetSystemDateAndTime: µs since 1970. FALSE: it says none. */
gboolean onvif_answer_date (const OnvifAnswer *answer, gint64 *ret_utc_us);

typedef struct {
  char *media, *media2, *ptz; /* path and query, from "/"; NULL: no such service */
} OnvifServices;

/* GetServices or GetCapabilities. Of an address only its path counts: what answers at another host
 * is not asked, for it would get the credentials' digest. */
void onvif_answer_services (const OnvifAnswer *answer, OnvifServices *ret);
void onvif_services_clear (OnvifServices *services);

/* GetProfiles: token of the first profile that has a PTZ configuration (transfer full); NULL: none
 * has. */
char *onvif_answer_profile (const OnvifAnswer *answer);

typedef struct {
  char *token, *name; /* name: never empty, valid, one line */
} OnvifPreset;

/* GetPresets: of OnvifPreset, ONVIF_PRESETS_MAX at most (transfer full). */
GPtrArray *onvif_answer_presets (const OnvifAnswer *answer);
/* GetStatus. ret_moving: by its word, FALSE where it says nothing. FALSE: no position. */
gboolean onvif_answer_status (const OnvifAnswer *answer, OnvifVector *ret_position,
                              gboolean *ret_moving);
