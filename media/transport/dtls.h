/* DTLS 1.2 over a path that somebody else provides (RFC 6347, RFC 5764, RFC 8827 §6.5).
 *
 * Datagrams go in by dtls_receive() and come out by the `send` event, one call per datagram.
 * Retransmission runs on a timer of the context. A connection counts as CONNECTED only after the
 * other side's certificate has been compared with the fingerprint from the signalling.
 *
 * Thread: the context's. Events come from within dtls_receive(), dtls_start(), dtls_set_writable()
 * and the timer. A handler may call anything but dtls_free().
 */
#pragma once
#include "certs/session_cert.h"

typedef struct Dtls Dtls;

typedef enum { DTLS_NEW, DTLS_HANDSHAKE, DTLS_CONNECTED, DTLS_CLOSED, DTLS_FAILED } DtlsState;

/* RFC 5764 §4.1.2, RFC 7714 §14.2. */
typedef enum {
  DTLS_SRTP_NONE = 0,
  DTLS_SRTP_AES128_CM_SHA1_80 = 0x0001,
  DTLS_SRTP_AEAD_AES_128_GCM = 0x0007,
  DTLS_SRTP_AEAD_AES_256_GCM = 0x0008,
} DtlsSrtpProfile;

enum {
  DTLS_MTU = 1200,      /* bytes of a datagram of the handshake */
  DTLS_OVERHEAD = 37,   /* bytes that a record adds to its content: header 13, nonce 8, tag 16 */
  DTLS_MAX_WAITING = 16 /* datagrams kept until dtls_start() */
};

typedef struct {
  void (*send) (Dtls *dtls, const guint8 *datagram, gsize size, void *arg);
  void (*data) (Dtls *dtls, const guint8 *data, gsize size, void *arg);
  /* reason: NULL, or "fingerprint: ...", "dtls: ..." */
  void (*state) (Dtls *dtls, DtlsState state, const char *reason, void *arg);
} DtlsEvents;

/* cert: (transfer none), must outlive the object. mtu: bytes of a datagram, at least 256. */
Dtls *dtls_new (GMainContext *context, const SessionCert *cert, guint mtu, const DtlsEvents *events,
                void *arg, GError **error);
void dtls_free (Dtls *dtls);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Dtls, dtls_free)

/* Begins the handshake, as client or as server; what has been received before is read now. */
void dtls_start (Dtls *dtls, gboolean client, const char *remote_fingerprint);
/* FALSE: the path is broken; retransmission rests until it is TRUE again (the start). */
void dtls_set_writable (Dtls *dtls, gboolean writable);
void dtls_receive (Dtls *dtls, const guint8 *datagram, gsize size);
/* FALSE when not connected or refused by the library. size at most 16384 - DTLS_OVERHEAD. */
gboolean dtls_send (Dtls *dtls, const guint8 *data, gsize size);
/* Sends close_notify; no event follows. */
void dtls_close (Dtls *dtls);

DtlsState dtls_state (Dtls *dtls);
gboolean dtls_is_client (Dtls *dtls);
/* Of the handshake's fastest answer, the other side's work included; 0: not known. */
gint64 dtls_rtt_us (Dtls *dtls);
/* Only when connected. ret_material: client key, server key, client salt, server salt (RFC 5764
 * §4.2), of the size that the profile needs; wipe it after use. */
DtlsSrtpProfile dtls_srtp_profile (Dtls *dtls);
gboolean dtls_export_srtp (Dtls *dtls, guint8 *ret_material, gsize size);
