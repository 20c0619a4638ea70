/* The join page's half of the protocol. */
#pragma once
#include "station/request.h"

/* A parsed message of a join page. */
void join_receive (Client *client, json_t *message);
/* Its socket is gone. Who was admitted may return; who waited is forgotten. */
void join_gone (Client *client);
