#include "media/onvif/onvif_camera_private.h"

#include <math.h>

#define RESEND_US (500 * 1000)          /* a camera's own timeout begins anew */
#define SETTLE_US (20 * G_USEC_PER_SEC) /* a step or preset is done by then */
#define STOP_AGAIN_MS 500
#define STOPS_MAX 20

static gboolean
is_still (const OnvifVector *move)
{
  return fabs (move->pan) < 0.001 && fabs (move->tilt) < 0.001 && fabs (move->zoom) < 0.001;
}

static gboolean
is_same (const OnvifVector *a, const OnvifVector *b)
{
  const OnvifVector less = { a->pan - b->pan, a->tilt - b->tilt, a->zoom - b->zoom };
  return is_still (&less);
}

static void send_stop (OnvifCamera *camera);
static void send_move (OnvifCamera *camera);
static void settle (OnvifCamera *camera, const OnvifRequest *request);

static gboolean
on_stop_again (void *data)
{
  OnvifCamera *camera = data;
  camera->stop_again = 0;
  if (is_still (&camera->wanted))
    send_stop (camera);
  return G_SOURCE_REMOVE;
}

/* Where nothing comes back the camera may still turn: it is told so until it says that it heard. */
static void
on_stopped (const OnvifAnswer *answer, const GError *error, void *arg)
{
  OnvifCamera *camera = arg;
  if (!is_still (&camera->wanted))
    return;
  if (answer == NULL && camera->stops_left > 0) {
    camera->stops_left--;
    if (camera->stop_again == 0)
      camera->stop_again = g_timeout_add (STOP_AGAIN_MS, on_stop_again, camera);
    return;
  }
  if (camera->moves == 0) {
    camera->moving = FALSE;
    camera->settles_us = 0;
  }
  if (camera->goes_next && camera->moves == 0 && camera->state == ONVIF_READY) {
    camera->goes_next = FALSE;
    settle (camera, &camera->next_going);
  } else if (camera->state == ONVIF_READY) {
    onvif_look_now (camera);
  }
  camera->changed (camera, camera->arg);
}

static void
send_stop (OnvifCamera *camera)
{
  if (camera->profile != NULL)
    onvif_ask_ptz (camera, (OnvifRequest){ .operation = ONVIF_STOP }, on_stopped);
}

/* A fault may only say that it is turned as far as it goes. */
static void
moved_badly (OnvifCamera *camera, const GError *error)
{
  if (camera->state != ONVIF_READY)
    return;
  if (g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_UNREACHABLE)
      || g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_REFUSED))
    onvif_fail (camera, error);
  else
    g_message ("onvif: camera %s: %s", camera->name, error->message);
}

static void
on_moved (const OnvifAnswer *answer, const GError *error, void *arg)
{
  OnvifCamera *camera = arg;
  camera->moves--;
  if (answer == NULL) {
    camera->wanted = (OnvifVector){ 0 };
    camera->stops_left = STOPS_MAX;
  }
  if (is_still (&camera->wanted))
    send_stop (camera); /* the one before may have been heard first */
  else if (!is_same (&camera->wanted, &camera->sent))
    send_move (camera);
  if (answer == NULL)
    moved_badly (camera, error);
}

static void
send_move (OnvifCamera *camera)
{
  camera->sent = camera->wanted;
  camera->sent_us = g_get_monotonic_time ();
  camera->moves++;
  camera->moving = TRUE;
  onvif_ask_ptz (camera,
                 (OnvifRequest){ .operation = ONVIF_CONTINUOUS_MOVE,
                                 .move = camera->wanted,
                                 .timeout_ms = ONVIF_CAMERA_STOPS_MS },
                 on_moved);
}

void
onvif_camera_stop (OnvifCamera *camera)
{
  camera->wanted = (OnvifVector){ 0 };
  camera->goes_next = FALSE;
  g_clear_handle_id (&camera->hold, g_source_remove);
  if (!onvif_camera_is_moving (camera))
    return;
  camera->stops_left = STOPS_MAX;
  send_stop (camera);
}

static gboolean
on_hold_ends (void *data)
{
  OnvifCamera *camera = data;
  camera->hold = 0;
  onvif_camera_stop (camera);
  return G_SOURCE_REMOVE;
}

gboolean
onvif_camera_move (OnvifCamera *camera, const OnvifVector *velocity)
{
  if (camera->state != ONVIF_READY)
    return FALSE;
  if (is_still (velocity)) {
    onvif_camera_stop (camera);
    return TRUE;
  }
  gboolean began = !onvif_camera_is_moving (camera);
  camera->wanted = *velocity;
  g_clear_handle_id (&camera->hold, g_source_remove);
  camera->hold = g_timeout_add (ONVIF_HOLD_US / 1000, on_hold_ends, camera);
  if (camera->moves == 0
      && (!is_same (&camera->sent, velocity) || !camera->moving
          || g_get_monotonic_time () - camera->sent_us >= RESEND_US))
    send_move (camera);
  if (began)
    onvif_look_later (camera);
  return TRUE;
}

static void
on_going (const OnvifAnswer *answer, const GError *error, void *arg)
{
  OnvifCamera *camera = arg;
  if (answer != NULL)
    return;
  camera->settles_us = 0;
  moved_badly (camera, error);
  camera->changed (camera, camera->arg);
}

/* Ends by itself, or by a stop. */
static void
settle (OnvifCamera *camera, const OnvifRequest *request)
{
  camera->settles_us = g_get_monotonic_time () + SETTLE_US;
  onvif_ask_ptz (camera, *request, on_going);
  onvif_look_later (camera);
}

/* Not beside a stop, for they may arrive in any order. */
static void
go_when_still (OnvifCamera *camera, const OnvifRequest *request)
{
  if (!camera->moving && camera->moves == 0) {
    settle (camera, request);
    return;
  }
  onvif_camera_stop (camera);
  g_free (camera->next_preset);
  camera->next_preset = g_strdup (request->preset);
  camera->next_going = *request;
  camera->next_going.preset = camera->next_preset;
  camera->goes_next = TRUE;
}

gboolean
onvif_camera_step (OnvifCamera *camera, const OnvifVector *step)
{
  if (camera->state != ONVIF_READY || is_still (step))
    return FALSE;
  go_when_still (camera, &(OnvifRequest){ .operation = ONVIF_RELATIVE_MOVE, .move = *step });
  return TRUE;
}

gboolean
onvif_camera_go (OnvifCamera *camera, const char *preset)
{
  const OnvifPreset *found = NULL;
  for (guint i = 0; i < camera->presets->len && found == NULL; i++)
    if (g_strcmp0 (((OnvifPreset *)camera->presets->pdata[i])->token, preset) == 0)
      found = camera->presets->pdata[i];
  if (camera->state != ONVIF_READY || found == NULL)
    return FALSE;
  go_when_still (camera, &(OnvifRequest){ .operation = ONVIF_GOTO_PRESET, .preset = found->token });
  return TRUE;
}
