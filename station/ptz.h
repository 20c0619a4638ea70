/* Cameras that turn (ONVIF, `onvif` of a camera in station.conf): the console may always drive
 * them, a specialist only while the doctor allows it in this consultation (docs/protocol.md,
 * Cameras that turn). Main thread.
 *
 * Off in every new consultation and after a restart. One drives at a time; the console takes over.
 * When who drives lets go, leaves, or is not heard for ONVIF_HOLD_US, the camera stops.
 */
#pragma once
#include "station/station.h"

typedef struct Ptz Ptz;

/* Begins to ask the cameras that have an address. NULL with error. */
Ptz *ptz_new (Station *station, GError **error);
void ptz_free (Ptz *ptz);

/* A message of a peer whose type begins with "ptz.", hostile. */
void ptz_receive (Ptz *ptz, const char *label, const json_t *message);
/* What there is. label NULL: to all who examine. Nothing where no camera turns; ptz may be NULL. */
void ptz_send (Ptz *ptz, const char *label);
/* This peer is gone, or not connected: what it drove stops. ptz may be NULL. */
void ptz_peer_gone (Ptz *ptz, const char *label);
/* Another consultation is on screen, or none: nobody is allowed any more. ptz may be NULL. */
void ptz_shown (Ptz *ptz);
