/* What usrsctp shares between all associations of the process: set-up, timers, and the table that
 * turns the numbers by which it knows associations into objects.
 *
 * Any thread. The one lock here is taken on data channels' packets only, never on media.
 */
#pragma once
#include "media/transport/sctp.h"

struct socket;

/* Called with the library's locks held, from whichever thread came by: only queue. Data is the
 * caller's. */
typedef struct {
  void (*output) (void *object, const guint8 *packet, gsize size);
  /* end: the last piece of a message. */
  void (*input) (void *object, guint16 stream, guint32 ppid, gboolean end, const guint8 *data,
                 gsize size);
  /* data: union sctp_notification, whole. */
  void (*notification) (void *object, const guint8 *data, gsize size);
  void (*writable) (void *object);
} SctpLibraryEvents;

/* Returns the number of the object. */
guint sctp_library_add (void *object, const SctpLibraryEvents *events);
/* Nothing is called for the object after this has returned. */
void sctp_library_remove (guint id);

/* A socket of that number, non-blocking, under way to connect; NULL with errno. Closing it
 * aborts the association. */
struct socket *sctp_library_connect (guint id, guint16 remote_port, guint mtu);
/* Lets the library's time pass; does nothing when another loop has just done so. */
void sctp_library_tick (gint64 now_us);
