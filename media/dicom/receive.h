/* One association of DICOM's upper layer (PS3.8) on descriptor 0: C-ECHO and C-STORE (PS3.7).
 *
 * Every object goes to the station as it came, in a memory file, and is answered with success only
 * after the station has said that it lies sealed on the disk. */
#pragma once

/* Loads what opening files would be needed for later. */
void receive_prepare ();
/* Until the peer releases, aborts, is silent too long, or the station is gone. */
int receive_run ();
