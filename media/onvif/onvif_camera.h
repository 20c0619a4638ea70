/* A camera that turns, by ONVIF. Main thread; nothing blocks.
 *
 * It is asked for its clock (a token of another time is refused), its services, a profile with PTZ
 * and the presets; where that fails it is asked again after 5 to 30 s. Whatever happens to who
 * drives it, it stops: a move lives ONVIF_HOLD_US unless it is given again, the camera itself is
 * told to stop soon after, and a Stop is repeated until the camera has confirmed it.
 */
#pragma once
#include "media/onvif/onvif_http.h"

#define ONVIF_HOLD_US (700 * 1000)
#define ONVIF_CAMERA_STOPS_MS 1500 /* Timeout of a ContinuousMove */

typedef enum {
  ONVIF_ASKING,
  ONVIF_READY,
  ONVIF_UNREACHABLE, /* nobody answers, or not in time */
  ONVIF_REFUSED,     /* user or password */
  ONVIF_UNFIT,       /* it answers, but turns not, or not as ONVIF says */
} OnvifState;

typedef struct OnvifCamera OnvifCamera;

typedef struct {
  const char *name;                      /* for the log */
  const char *address;                   /* of its device service */
  const char *user, *password, *ca_file; /* NULL: none */
} OnvifConfig;

/* State, presets, position, moving: something is another now. Also when it has not changed. */
typedef void (*OnvifChanged) (OnvifCamera *camera, void *arg);

OnvifCamera *onvif_camera_new (const OnvifConfig *config, OnvifChanged changed, void *arg,
                               GError **error);
/* What moves is ended by the camera itself, ONVIF_CAMERA_STOPS_MS after the last word. */
void onvif_camera_free (OnvifCamera *camera);

OnvifState onvif_camera_state (const OnvifCamera *camera);
/* Of OnvifPreset (transfer none); empty unless ready. */
GPtrArray *onvif_camera_presets (const OnvifCamera *camera);
/* FALSE: it does not say where it looks. */
gboolean onvif_camera_position (const OnvifCamera *camera, OnvifVector *ret);
/* Something that moves it was sent, and no stop or end of it is confirmed. */
gboolean onvif_camera_is_moving (const OnvifCamera *camera);

/* Moves on with this velocity for ONVIF_HOLD_US; given again it goes on. All 0: stops. FALSE for
 * these three: it is not ready. */
gboolean onvif_camera_move (OnvifCamera *camera, const OnvifVector *velocity);
/* One step of this size. */
gboolean onvif_camera_step (OnvifCamera *camera, const OnvifVector *step);
/* FALSE also: there is no such preset. */
gboolean onvif_camera_go (OnvifCamera *camera, const char *preset);
/* At once, whatever is under way. */
void onvif_camera_stop (OnvifCamera *camera);
