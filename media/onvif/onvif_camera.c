#include "media/onvif/onvif_camera_private.h"

#include <openssl/rand.h>

#define LOOK_MOVING_MS 1000
#define LOOK_MS 10000
#define RETRY_MIN_S 5
#define RETRY_MAX_S 30

static void begin (OnvifCamera *camera);

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

void
onvif_ask_ptz (OnvifCamera *camera, OnvifRequest request, OnvifDone done)
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

void
onvif_fail (OnvifCamera *camera, const GError *error)
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
    onvif_fail (camera, error);
    return;
  }
  g_ptr_array_set_size (camera->presets, 0);
  if (answer != NULL) {
    g_ptr_array_unref (camera->presets);
    camera->presets = onvif_answer_presets (answer);
  }
  camera->retry_s = 0;
  set_state (camera, ONVIF_READY);
  onvif_look_now (camera);
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
    onvif_fail (camera, none != NULL ? none : error);
  else
    onvif_ask_ptz (camera, (OnvifRequest){ .operation = ONVIF_GET_PRESETS }, on_presets);
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
  onvif_fail (camera, none != NULL ? none : error);
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
    onvif_fail (camera, error);
}

/* A camera that hides even its clock is asked with ours. */
static void
on_date (const OnvifAnswer *answer, const GError *error, void *arg)
{
  OnvifCamera *camera = arg;
  gint64 utc_us;
  if (answer == NULL && g_error_matches (error, MEDIA_ERROR, MEDIA_ERROR_UNREACHABLE)) {
    onvif_fail (camera, error);
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
    onvif_fail (camera, error);
    return;
  }
  camera->has_position = answer != NULL && onvif_answer_status (answer, &camera->position, &moving);
  if (camera->settles_us != 0 && (!moving || g_get_monotonic_time () > camera->settles_us))
    camera->settles_us = 0;
  camera->changed (camera, camera->arg);
  onvif_look_later (camera);
}

static gboolean
on_look (void *data)
{
  OnvifCamera *camera = data;
  camera->next = 0;
  onvif_ask_ptz (camera, (OnvifRequest){ .operation = ONVIF_GET_STATUS }, on_status);
  return G_SOURCE_REMOVE;
}

void
onvif_look_now (OnvifCamera *camera)
{
  g_clear_handle_id (&camera->next, g_source_remove);
  on_look (camera);
}

void
onvif_look_later (OnvifCamera *camera)
{
  g_clear_handle_id (&camera->next, g_source_remove);
  camera->next
      = g_timeout_add (onvif_camera_is_moving (camera) ? LOOK_MOVING_MS : LOOK_MS, on_look, camera);
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
