/* DICOM objects on the data channels of who examines: specialists, and consoles. Main thread. */
#pragma once
#include "station/dicom.h"

/* All objects of the consultation on screen, to one peer. */
void dicom_channel_send (Station *station, const char *label);
/* One that has just come, to all who examine. */
void dicom_channel_tell (Station *station, const char *attachment);
/* "dicom.want" of a peer, hostile. */
void dicom_channel_receive (Station *station, const char *label, const json_t *message);
