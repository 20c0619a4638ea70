/* C-STORE of one object to a PACS (PS3.4 annex B, PS3.7 §9.1.1). */
#pragma once

/* Before calls are confined to those of sending. */
void send_prepare ();
/* Descriptor 0: a memory file with the object. One message of the station's,
 * {"address", "port", "calling", "called"}, then one of ours: {"status"} or {"error"}. The exit
 * status. */
int send_run ();
