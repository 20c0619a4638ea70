/* The child's talk with the station: descriptor 3, a SOCK_SEQPACKET pair. One message is one JSON
 * object, and may bring one descriptor: a memfd that can no longer be changed. */
#pragma once
#include <cstddef>
#include <jansson.h>

enum { CONTROL_FD = 3, CONTROL_MAX = 64 * 1024 };

/* Takes the message; fd -1: none, else it is closed. FALSE: the station is gone. */
bool control_send (json_t *message, int fd);
/* The next message (to be freed); NULL: the station is gone. */
json_t *control_receive ();
/* A memory file of the station's memory accounting, -1 with errno. */
int control_memfd ();
/* Whole buffer; FALSE when the bound on files is met. */
bool control_write (int fd, const void *data, size_t size);
/* No more change from here on. */
bool control_freeze (int fd);
