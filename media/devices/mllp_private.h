/* What mllp_listener.c and mllp_message.c share: the sockets, and the messages that came by them.
 */
#pragma once
#include "media/devices/mllp.h"
#include "media/devices/mllp_listener.h"

#define MLLP_READ_SIZE 16384

typedef struct MllpConnection MllpConnection;

struct MllpConnection {
  grefcount refs;
  MllpListener *listener; /* NULL once the listener is gone */
  GSocketConnection *socket;
  GCancellable *cancel;
  Mllp *mllp;
  char *address;
  GQueue waiting; /* of MllpMessage*, in order of arrival: acknowledged in that order */
  GByteArray *out;
  gboolean reading, writing;
  gboolean ended; /* the other side sends no more; it may still wait for answers */
  guint8 buffer[MLLP_READ_SIZE];
};

struct MllpListener {
  GMainContext *context;
  GSocketService *service;
  guint16 port;
  MllpReceive receive;
  MllpProfile profile;
  Wcm *wcm;
  void *arg;
  GPtrArray *connections;  /* of MllpConnection* */
  GHashTable *remembered;  /* digests of messages acknowledged as durable */
  GQueue remembered_order; /* the same, oldest first */
};

struct MllpMessage {
  MllpConnection *connection;
  Hl7Message *message; /* NULL: refused, the answer is ready */
  GPtrArray *answer;   /* frames' contents, of what was refused */
  Hl7Content *content;
  const Profile *profile;
  GBytes *raw;
  char *sender, *digest;
  gboolean duplicate;
  gboolean done; /* under the listener's context only */
  GError *error;
};

/* (transfer full) Parsed, with what it carries; NULL: refused. It waits for nothing yet. */
MllpMessage *mllp_message_read (MllpConnection *connection, const guint8 *data, gsize length,
                                GError **error);
void mllp_message_free (MllpMessage *message);
