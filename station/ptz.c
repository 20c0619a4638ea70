#include "station/ptz.h"
#include "media/onvif/onvif_camera.h"
#include "station/channel.h"
#include "station/room.h"
#include "station/text.h"

#include <math.h>
#include <string.h>

/* Somebody who drives on after so long a pause is told of in the record again. */
#define DRIVES_ANEW_US (60 * G_USEC_PER_SEC)

typedef struct {
  Ptz *ptz;
  OnvifCamera *onvif;
  char *source;               /* stream: "source-room" */
  char *driver, *driver_name; /* label of the peer that moved it last; NULL: nobody did */
  gint64 driven_us;
} Turning;

struct Ptz {
  Station *station;
  GPtrArray *cameras; /* Turning */
  char *consult;      /* on screen, when `allowed` was told; NULL: none */
  gboolean allowed;
  char *told; /* what examiners heard last */
};

static void
turning_free (void *data)
{
  Turning *camera = data;
  onvif_camera_free (camera->onvif);
  g_free (camera->source);
  g_free (camera->driver);
  g_free (camera->driver_name);
  g_free (camera);
}

/* ---- Telling -----------------------------------------------------------------------------------
 */

static json_t *
state_text (OnvifState state)
{
  switch (state) {
  case ONVIF_UNREACHABLE:
    return text_json ("Camera không trả lời lệnh điều khiển: xem dây mạng, nguồn và địa chỉ ONVIF.",
                      "The camera does not answer: look at its cable, power and ONVIF address.");
  case ONVIF_REFUSED:
    return text_json ("Camera từ chối: sai tài khoản hoặc mật khẩu ONVIF.",
                      "The camera refuses: wrong ONVIF user or password.");
  case ONVIF_UNFIT:
    return text_json ("Camera này không điều khiển được bằng ONVIF PTZ.",
                      "This camera cannot be driven by ONVIF PTZ.");
  case ONVIF_ASKING:
    return text_json ("Đang hỏi camera…", "Asking the camera…");
  case ONVIF_READY:
    break;
  }
  return json_null ();
}

static json_t *
view_presets (const Turning *camera)
{
  const GPtrArray *presets = onvif_camera_presets (camera->onvif);
  json_t *list = json_array ();
  for (guint i = 0; i < presets->len; i++) {
    const OnvifPreset *preset = presets->pdata[i];
    json_array_append_new (list,
                           json_pack ("{s:s, s:s}", "preset", preset->token, "name", preset->name));
  }
  return list;
}

static json_t *
view_position (const Turning *camera)
{
  OnvifVector at;
  return onvif_camera_position (camera->onvif, &at)
             ? json_pack ("{s:f, s:f, s:f}", "pan", at.pan, "tilt", at.tilt, "zoom", at.zoom)
             : json_null ();
}

static json_t *
view_camera (const Turning *camera)
{
  static const char *const names[] = { "asking", "ready", "unreachable", "refused", "unfit" };
  OnvifState state = onvif_camera_state (camera->onvif);
  gboolean moving = onvif_camera_is_moving (camera->onvif);
  return json_pack ("{s:s, s:s, s:o, s:o, s:o, s:b, s:s?}", "source", camera->source, "state",
                    names[state], "text", state_text (state), "presets", view_presets (camera),
                    "position", view_position (camera), "moving", moving, "driver",
                    moving ? camera->driver_name : NULL);
}

static json_t *
view (const Ptz *ptz)
{
  json_t *cameras = json_array ();
  for (guint i = 0; i < ptz->cameras->len; i++)
    json_array_append_new (cameras, view_camera (ptz->cameras->pdata[i]));
  return json_pack ("{s:s, s:b, s:o}", "type", "ptz", "allowed", ptz->allowed, "cameras", cameras);
}

static void
stop_all (Ptz *ptz)
{
  for (guint i = 0; i < ptz->cameras->len; i++)
    onvif_camera_stop (((Turning *)ptz->cameras->pdata[i])->onvif);
}

/* What was allowed in one consultation is not in another. */
static void
follow_screen (Ptz *ptz)
{
  const Consult *screen = ptz->station->screen;
  const char *now = screen != NULL ? screen->id : NULL;
  if (g_strcmp0 (ptz->consult, now) == 0)
    return;
  g_free (ptz->consult);
  ptz->consult = g_strdup (now);
  ptz->allowed = FALSE;
  stop_all (ptz);
}

void
ptz_send (Ptz *ptz, const char *label)
{
  if (ptz == NULL || ptz->cameras->len == 0 || ptz->station->room == NULL)
    return;
  follow_screen (ptz);
  json_auto_t *message = view (ptz);
  if (label == NULL) {
    char *text = json_dumps (message, JSON_COMPACT | JSON_SORT_KEYS);
    gboolean same = g_strcmp0 (text, ptz->told) == 0;
    g_free (ptz->told);
    ptz->told = g_strdup (text);
    free (text);
    if (same)
      return;
  }
  channel_send_examiners (ptz->station, label, json_incref (message));
}

void
ptz_shown (Ptz *ptz)
{
  ptz_send (ptz, NULL);
}

static void
refuse (const Ptz *ptz, const char *label, const char *source, const char *code, const char *vi,
        const char *en)
{
  channel_refuse (ptz->station, label, "ptz", source != NULL ? source : "", code, vi, en);
}

/* ---- Driving -----------------------------------------------------------------------------------
 */

static Turning *
find_camera (Ptz *ptz, const char *source)
{
  for (guint i = 0; source != NULL && i < ptz->cameras->len; i++)
    if (g_str_equal (((Turning *)ptz->cameras->pdata[i])->source, source))
      return ptz->cameras->pdata[i];
  return NULL;
}

/* A number from -1 to 1; absent: 0. */
static gboolean
take_part (const json_t *message, const char *key, double *ret)
{
  const json_t *value = json_object_get (message, key);
  *ret = json_number_value (value);
  return value == NULL || (json_is_number (value) && fabs (*ret) <= 1);
}

static gboolean
take_vector (const json_t *message, OnvifVector *ret)
{
  return take_part (message, "pan", &ret->pan) && take_part (message, "tilt", &ret->tilt)
         && take_part (message, "zoom", &ret->zoom);
}

/* Who drives, in the record: once, not for each press. */
static void
note_driver (Turning *camera, const char *label)
{
  Station *station = camera->ptz->station;
  gint64 now = g_get_monotonic_time ();
  gboolean anew
      = g_strcmp0 (camera->driver, label) != 0 || now - camera->driven_us > DRIVES_ANEW_US;
  camera->driven_us = now;
  if (!anew)
    return;
  g_autofree char *user = NULL, *name = NULL;
  channel_author (station, label, &user, &name);
  g_free (camera->driver);
  g_free (camera->driver_name);
  camera->driver = g_strdup (label);
  camera->driver_name = g_steal_pointer (&name);
  g_autofree char *detail
      = g_strdup_printf ("%s: %s", camera->source + strlen ("source-"), camera->driver_name);
  station_event (station, station->screen->id, user, "camera-driven", detail);
}

static gboolean
is_others (const Turning *camera, const char *label)
{
  return onvif_camera_is_moving (camera->onvif) && g_strcmp0 (camera->driver, label) != 0
         && !channel_is_console (camera->ptz->station, label);
}

static gboolean
drive (Turning *camera, const json_t *message, const char *type)
{
  OnvifVector vector;
  if (g_str_equal (type, "ptz.preset"))
    return onvif_camera_go (camera->onvif, json_string_value (json_object_get (message, "preset")));
  if (!take_vector (message, &vector))
    return FALSE;
  return g_str_equal (type, "ptz.move") ? onvif_camera_move (camera->onvif, &vector)
                                        : onvif_camera_step (camera->onvif, &vector);
}

static void
receive_drive (Ptz *ptz, const char *label, const json_t *message, const char *type)
{
  const char *source = json_string_value (json_object_get (message, "source"));
  Turning *camera = find_camera (ptz, source);
  if (camera == NULL)
    refuse (ptz, label, NULL, "no-such", "Không có camera này.", "There is no such camera.");
  else if (!ptz->allowed && !channel_is_console (ptz->station, label))
    refuse (ptz, label, camera->source, "not-allowed",
            "Bác sĩ tại trạm chưa cho phép điều khiển camera.",
            "The doctor has not allowed you to drive the camera.");
  else if (is_others (camera, label))
    refuse (ptz, label, camera->source, "busy", "Người khác đang điều khiển camera.",
            "Somebody else drives the camera.");
  else if (onvif_camera_state (camera->onvif) != ONVIF_READY)
    refuse (ptz, label, camera->source, "not-ready", "Camera chưa sẵn sàng.",
            "The camera is not ready.");
  else {
    note_driver (camera, label);
    if (!drive (camera, message, type))
      refuse (ptz, label, camera->source, "bad-message", "Lệnh không hợp lệ.", "A bad message.");
  }
}

/* Who may not drive may not stop the doctor's move either. */
static void
receive_stop (Ptz *ptz, const char *label, const json_t *message)
{
  const char *source = json_string_value (json_object_get (message, "source"));
  const Turning *camera = find_camera (ptz, source);
  if (camera != NULL
      && (channel_is_console (ptz->station, label) || g_strcmp0 (camera->driver, label) == 0))
    onvif_camera_stop (camera->onvif);
}

static void
receive_allow (Ptz *ptz, const char *label, const json_t *message)
{
  Station *station = ptz->station;
  gboolean on = json_is_true (json_object_get (message, "on"));
  g_autofree char *user = NULL, *name = NULL;
  if (!channel_is_console (ptz->station, label) || on == ptz->allowed)
    return;
  channel_author (station, label, &user, &name);
  ptz->allowed = on;
  for (guint i = 0; !on && i < ptz->cameras->len; i++) {
    const Turning *camera = ptz->cameras->pdata[i];
    if (camera->driver != NULL && !channel_is_console (ptz->station, camera->driver))
      onvif_camera_stop (camera->onvif);
  }
  station_event (station, station->screen->id, user, on ? "camera-allowed" : "camera-revoked",
                 name);
}

void
ptz_receive (Ptz *ptz, const char *label, const json_t *message)
{
  const Station *station = ptz->station;
  const Consult *consult = station->screen;
  const char *type = json_string_value (json_object_get (message, "type"));
  follow_screen (ptz);
  if (consult == NULL || !consult_is_open (consult) || consult->busy
      || !channel_may_examine (ptz->station, label)) {
    refuse (ptz, label, NULL, "not-allowed", "Không điều khiển camera được lúc này.",
            "The camera cannot be driven now.");
    return;
  }
  if (g_strcmp0 (type, "ptz.allow") == 0)
    receive_allow (ptz, label, message);
  else if (g_strcmp0 (type, "ptz.stop") == 0)
    receive_stop (ptz, label, message);
  else
    receive_drive (ptz, label, message, type);
  ptz_send (ptz, NULL);
}

void
ptz_peer_gone (Ptz *ptz, const char *label)
{
  for (guint i = 0; ptz != NULL && label != NULL && i < ptz->cameras->len; i++) {
    const Turning *camera = ptz->cameras->pdata[i];
    if (g_strcmp0 (camera->driver, label) == 0)
      onvif_camera_stop (camera->onvif);
  }
}

/* ---- Life --------------------------------------------------------------------------------------
 */

static void
on_changed (OnvifCamera *onvif, void *arg)
{
  Turning *camera = arg;
  if (!camera->ptz->station->stopping)
    ptz_send (camera->ptz, NULL);
}

static gboolean
add_camera (Ptz *ptz, const ConfigSource *from, GError **error)
{
  Turning *camera = g_new0 (Turning, 1);
  OnvifConfig config
      = { .name = from->name,
          .address = from->onvif,
          .user = from->onvif_user != NULL ? from->onvif_user : from->user,
          .password = from->onvif_user != NULL ? from->onvif_password : from->password,
          .ca_file = from->onvif_ca_file };
  camera->ptz = ptz;
  camera->source = g_strconcat ("source-", from->name, NULL);
  camera->onvif = onvif_camera_new (&config, on_changed, camera, error);
  if (camera->onvif == NULL) {
    turning_free (camera);
    return FALSE;
  }
  g_ptr_array_add (ptz->cameras, camera);
  return TRUE;
}

Ptz *
ptz_new (Station *station, GError **error)
{
  Ptz *ptz = g_new0 (Ptz, 1);
  const GPtrArray *cameras = station->config->cameras;
  ptz->station = station;
  ptz->cameras = g_ptr_array_new_with_free_func (turning_free);
  for (guint i = 0; i < cameras->len; i++) {
    const ConfigSource *camera = cameras->pdata[i];
    if (camera->onvif != NULL && !add_camera (ptz, camera, error)) {
      ptz_free (ptz);
      return NULL;
    }
  }
  return ptz;
}

void
ptz_free (Ptz *ptz)
{
  if (ptz == NULL)
    return;
  g_ptr_array_unref (ptz->cameras);
  g_free (ptz->consult);
  g_free (ptz->told);
  g_free (ptz);
}
