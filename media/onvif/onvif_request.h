/* What a camera is asked in ONVIF, as SOAP 1.2 text; sans-IO (ONVIF Core, Media, Media2 and PTZ
 * service specifications; WS-Security UsernameToken Profile 1.1).
 */
#pragma once
#include <glib.h>

#define ONVIF_NONCE_BYTES 16

typedef enum {
  ONVIF_GET_DATE,         /* device: GetSystemDateAndTime, the one that wants no credentials */
  ONVIF_GET_SERVICES,     /* device */
  ONVIF_GET_CAPABILITIES, /* device: what older cameras know instead of GetServices */
  ONVIF_GET_PROFILES,     /* media */
  ONVIF_GET_PRESETS,      /* ptz, as all that follow */
  ONVIF_GET_STATUS,
  ONVIF_CONTINUOUS_MOVE,
  ONVIF_RELATIVE_MOVE,
  ONVIF_STOP,
  ONVIF_GOTO_PRESET,
} OnvifOperation;

/* Of the generic spaces: velocities and translations from -1 to 1; positions too, zoom from 0. To
 * the right, up and nearer are positive. */
typedef struct {
  double pan, tilt, zoom;
} OnvifVector;

typedef struct {
  OnvifOperation operation;
  const char *profile; /* of the PTZ operations */
  const char *preset;  /* of ONVIF_GOTO_PRESET */
  OnvifVector move;    /* of the two moves */
  guint timeout_ms;    /* of ONVIF_CONTINUOUS_MOVE: the camera stops by itself after it */
  gboolean media2;     /* ONVIF_GET_PROFILES goes to the Media2 service */
} OnvifRequest;

/* Who asks. The password is not in the text, its digest is. */
typedef struct {
  const char *user, *password;
  gint64 utc_us; /* by the camera's own clock, µs since 1970 */
  guint8 nonce[ONVIF_NONCE_BYTES];
} OnvifToken;

/* The whole envelope (transfer full). token NULL: without credentials. Texts are escaped. */
char *onvif_request_text (const OnvifRequest *request, const OnvifToken *token);
/* URI of the action, for the Content-Type (transfer none). */
const char *onvif_request_action (const OnvifRequest *request);
const char *onvif_operation_name (OnvifOperation operation);
/* Base64 (SHA-1 (nonce + created + password)), UsernameToken Profile 1.1, 3.1 (transfer full). */
char *onvif_password_digest (const guint8 *nonce, gsize nonce_size, const char *created,
                             const char *password);
