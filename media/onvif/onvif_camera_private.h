/* Inside a camera that turns; for onvif_camera.c and onvif_move.c alone.
 *
 *   onvif_camera.c  what it is, how it is, where it looks; life
 *   onvif_move.c    moving, and above all stopping
 */
#pragma once
#include "media/onvif/onvif_camera.h"

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

/* Asks its PTZ service; the profile is put in. */
void onvif_ask_ptz (OnvifCamera *camera, OnvifRequest request, OnvifDone done);
/* It cannot be driven any more, until it has been asked anew. */
void onvif_fail (OnvifCamera *camera, const GError *error);
/* Where it looks: at once, or in a while. */
void onvif_look_now (OnvifCamera *camera);
void onvif_look_later (OnvifCamera *camera);
