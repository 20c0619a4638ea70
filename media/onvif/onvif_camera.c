#include "media/onvif/onvif_camera.h"

#include <math.h>
#include <openssl/rand.h>
#include <string.h>

#define RESEND_US (500 * 1000)          /* a camera's own timeout begins anew */
#define SETTLE_US (20 * G_USEC_PER_SEC) /* a step or preset is done by then */
#define STOP_AGAIN_MS 500
#define STOPS_MAX 20
#define LOOK_MOVING_MS 1000
#define LOOK_MS 10000
#define RETRY_MIN_S 5
#define RETRY_MAX_S 30

struct OnvifCamera {
  char *name, *user, *password;
  OnvifHttp *http;
  OnvifChanged changed;
  void *arg;

  OnvifState state;
  gint64 clock_offset_us; /* the camera's clock less ours */
  OnvifServices services;
  char *profile;
  GPtrArray *presets; /* OnvifPreset */
  guint retry_s;
  guint next; /* source: the next try, or the next look at its position */

  OnvifVector position;
  gboolean has_position;

  OnvifVector wanted; /* velocity; all 0: it shall stand */
  OnvifVector sent;   /* of the last ContinuousMove */
  gint64 sent_us;
  guint moves;       /* sent and not answered */
  gboolean moving;   /* until a stop is confirmed */
  gint64 settles_us; /* a step or preset ends by itself; 0: none */
  guint hold;        /* source */
  guint stop_again;  /* source */
  guint stops_left;

  /* A step or preset that waits for the stop before it. */
  OnvifRequest next_going;
  char *next_preset;
  gboolean goes_next;
};

static void begin (OnvifCamera *camera);
static void look_now (OnvifCamera *camera);
static void look_later (OnvifCamera *camera);

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

/* ---- Asking ------------------------------------------------------------------------------------
 */

static void
ask (OnvifCamera *camera, const char *path, const OnvifRequest *request, OnvifDone done)
{
  OnvifToken token = { .user = camera->user,
                       .password = camera->password,
                       .utc_us = g_get_real_time () + camera->clock_offset_us };
  gboolean known = camera->user != NULL && camera->password != NULL
                   && request->operation != ONVIF_GET_DATE
                   && RAND_bytes (token.nonce, sizeof token.nonce) == 1;
  g_autofree char *text = onvif_request_text (request, known ? &token : NULL);
  onvif_http_ask (camera->http, path, onvif_request_action (request), text, done, camera);
}

static void
ask_ptz (OnvifCamera *camera, OnvifRequest request, OnvifDone done)
{
  request.profile = camera->profile;
  ask (camera, camera->services.ptz, &request, done);
}

static gboolean
on_retry (void *data)
{
  OnvifCamera *camera = data;
  camera->next = 0;
  begin (camera);
  return G_SOURCE_REMOVE;
}

static void
set_state (OnvifCamera *camera, OnvifState state)
{
  static const char *const names[] = { "asking", "ready", "unreachable", "refused", "unfit" };
  if (camera->state != state)
    g_message ("onvif: camera %s is %s", camera->name, names[state]);
  camera->state = state;
  camera->changed (camera, camera->arg);
}

static void
fail (OnvifCamera *camera, const GError *error)
{
  OnvifState state = g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_UNREACHABLE)
                         ? ONVIF_UNREACHABLE
                     : g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_REFUSED) ? ONVIF_REFUSED
                                                                                 : ONVIF_UNFIT;
  if (camera->state != state)
    g_message ("onvif: camera %s: %s", camera->name, error->message);
  camera->has_position = FALSE;
  camera->retry_s = CLAMP (camera->retry_s * 2, RETRY_MIN_S, RETRY_MAX_S);
  g_clear_handle_id (&camera->next, g_source_remove);
  camera->next = g_timeout_add_seconds (camera->retry_s, on_retry, camera);
  set_state (camera, state);
}

/* ---- What it is --------------------------------------------------------------------------------
 */

static void
on_presets (const OnvifAnswer *answer, const GError *error, void *arg)
{
  OnvifCamera *camera = arg;
  if (answer == NULL && g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_UNREACHABLE)) {
    fail (camera, error);
    return;
  }
  g_ptr_array_set_size (camera->presets, 0);
  if (answer != NULL) {
    g_ptr_array_unref (camera->presets);
    camera->presets = onvif_answer_presets (answer);
  }
  camera->retry_s = 0;
  set_state (camera, ONVIF_READY);
  look_now (camera);
}

static void
on_profiles (const OnvifAnswer *answer, const GError *error, void *arg)
{
  OnvifCamera *camera = arg;
  g_autoptr (GError) none = NULL;
  g_free (camera->profile);
  camera->profile = answer != NULL ? onvif_answer_profile (answer) : NULL;
  if (answer != NULL && camera->profile == NULL)
    none = g_error_new (MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED, "none of its profiles has PTZ");
  if (camera->profile == NULL)
    fail (camera, none != NULL ? none : error);
  else
    ask_ptz (camera, (OnvifRequest){ .operation = ONVIF_GET_PRESETS }, on_presets);
}

static gboolean
take_services (OnvifCamera *camera, const OnvifAnswer *answer)
{
  onvif_services_clear (&camera->services);
  onvif_answer_services (answer, &camera->services);
  const OnvifServices *found = &camera->services;
  return found->ptz != NULL && (found->media != NULL || found->media2 != NULL);
}

static void
ask_profiles (OnvifCamera *camera)
{
  const OnvifServices *services = &camera->services;
  const OnvifRequest request
      = { .operation = ONVIF_GET_PROFILES, .media2 = services->media == NULL };
  ask (camera, request.media2 ? services->media2 : services->media, &request, on_profiles);
}

static void
on_capabilities (const OnvifAnswer *answer, const GError *error, void *arg)
{
  OnvifCamera *camera = arg;
  g_autoptr (GError) none = NULL;
  if (answer != NULL && take_services (camera, answer)) {
    ask_profiles (camera);
    return;
  }
  if (answer != NULL)
    none = g_error_new (MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED, "it has no PTZ service");
  fail (camera, none != NULL ? none : error);
}

static void
on_services (const OnvifAnswer *answer, const GError *error, void *arg)
{
  OnvifCamera *camera = arg;
  if (answer != NULL && take_services (camera, answer))
    ask_profiles (camera);
  else if (answer != NULL || g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED)
           || g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_FAILED))
    ask (camera, NULL, &(OnvifRequest){ .operation = ONVIF_GET_CAPABILITIES }, on_capabilities);
  else
    fail (camera, error);
}

/* A camera that hides even its clock is asked with ours. */
static void
on_date (const OnvifAnswer *answer, const GError *error, void *arg)
{
  OnvifCamera *camera = arg;
  gint64 utc_us;
  if (answer == NULL && g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_UNREACHABLE)) {
    fail (camera, error);
    return;
  }
  camera->clock_offset_us = 0;
  if (answer != NULL && onvif_answer_date (answer, &utc_us))
    camera->clock_offset_us = utc_us - g_get_real_time ();
  ask (camera, NULL, &(OnvifRequest){ .operation = ONVIF_GET_SERVICES }, on_services);
}

static void
begin (OnvifCamera *camera)
{
  ask (camera, NULL, &(OnvifRequest){ .operation = ONVIF_GET_DATE }, on_date);
}

/* ---- Where it looks ----------------------------------------------------------------------------
 */

static void
on_status (const OnvifAnswer *answer, const GError *error, void *arg)
{
  OnvifCamera *camera = arg;
  gboolean moving = FALSE;
  if (camera->state != ONVIF_READY)
    return;
  if (answer == NULL
      && (g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_UNREACHABLE)
          || g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_REFUSED))) {
    fail (camera, error);
    return;
  }
  camera->has_position = answer != NULL && onvif_answer_status (answer, &camera->position, &moving);
  if (camera->settles_us != 0 && (!moving || g_get_monotonic_time () > camera->settles_us))
    camera->settles_us = 0;
  camera->changed (camera, camera->arg);
  look_later (camera);
}

static gboolean
on_look (void *data)
{
  OnvifCamera *camera = data;
  camera->next = 0;
  ask_ptz (camera, (OnvifRequest){ .operation = ONVIF_GET_STATUS }, on_status);
  return G_SOURCE_REMOVE;
}

static void
look_now (OnvifCamera *camera)
{
  g_clear_handle_id (&camera->next, g_source_remove);
  on_look (camera);
}

static void
look_later (OnvifCamera *camera)
{
  g_clear_handle_id (&camera->next, g_source_remove);
  camera->next
      = g_timeout_add (onvif_camera_is_moving (camera) ? LOOK_MOVING_MS : LOOK_MS, on_look, camera);
}

/* ---- Moving ------------------------------------------------------------------------------------
 */

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
    look_now (camera);
  }
  camera->changed (camera, camera->arg);
}

static void
send_stop (OnvifCamera *camera)
{
  if (camera->profile != NULL)
    ask_ptz (camera, (OnvifRequest){ .operation = ONVIF_STOP }, on_stopped);
}

/* A fault may only say that it is turned as far as it goes. */
static void
moved_badly (OnvifCamera *camera, const GError *error)
{
  if (camera->state != ONVIF_READY)
    return;
  if (g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_UNREACHABLE)
      || g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_REFUSED))
    fail (camera, error);
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
  ask_ptz (camera,
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
    look_later (camera);
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
  ask_ptz (camera, *request, on_going);
  look_later (camera);
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

/* ---- Life --------------------------------------------------------------------------------------
 */

OnvifCamera *
onvif_camera_new (const OnvifConfig *config, OnvifChanged changed, void *arg, GError **error)
{
  OnvifHttp *http
      = onvif_http_new (config->address, config->user, config->password, config->ca_file, error);
  if (http == NULL)
    return NULL;
  OnvifCamera *camera = g_new0 (OnvifCamera, 1);
  camera->http = http;
  camera->name = g_strdup (config->name);
  camera->user = g_strdup (config->user);
  camera->password = g_strdup (config->password);
  camera->presets = g_ptr_array_new ();
  camera->changed = changed;
  camera->arg = arg;
  begin (camera);
  return camera;
}

void
onvif_camera_free (OnvifCamera *camera)
{
  if (camera == NULL)
    return;
  onvif_http_free (camera->http);
  g_clear_handle_id (&camera->next, g_source_remove);
  g_clear_handle_id (&camera->hold, g_source_remove);
  g_clear_handle_id (&camera->stop_again, g_source_remove);
  onvif_services_clear (&camera->services);
  g_ptr_array_unref (camera->presets);
  g_free (camera->next_preset);
  g_free (camera->profile);
  g_free (camera->name);
  g_free (camera->user);
  g_free (camera->password);
  g_free (camera);
}

OnvifState
onvif_camera_state (const OnvifCamera *camera)
{
  return camera->state;
}

GPtrArray *
onvif_camera_presets (const OnvifCamera *camera)
{
  return camera->presets;
}

gboolean
onvif_camera_position (const OnvifCamera *camera, OnvifVector *ret)
{
  *ret = camera->position;
  return camera->has_position;
}

gboolean
onvif_camera_is_moving (const OnvifCamera *camera)
{
  return camera->moving || camera->moves > 0 || camera->settles_us != 0;
}
