/* The station's own HTTPS and WebSocket server: libwebsockets on the main loop.
 *
 * Pages come from the program itself (pages.h); nothing is read from the file system on a
 * browser's word. Main thread.
 */
#pragma once
#include "certs/identity.h"
#include "station/crowd.h"
#include "station/station.h"

typedef struct Server Server;

/* Listens where station.conf says. loop: the one that the program runs. Both must outlive it. */
Server *server_new (Station *station, Identity *identity, GMainLoop *loop, GError **error);
/* Closes every connection; the clients are told gone. */
void server_free (Server *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Server, server_free)

/* Connections to the web server, and how many were refused. */
void server_figures (const Server *server, CrowdFigures *ret);
