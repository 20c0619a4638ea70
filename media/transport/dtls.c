#include "media/transport/dtls.h"
#include "media/transport/peer.h"
#include "media/transport/timer.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

/* Strongest that is also fastest first (docs/transport.md); CM_80 for libwebrtc in Node. */
#define SRTP_PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

enum {
  FIRST_TIMEOUT_US = 400 * 1000,
  LAST_TIMEOUT_US = 2000 * 1000,
  MAX_DATAGRAM = 8192, /* larger ones are no DTLS of a browser */
  MAX_CERTIFICATE = 16 * 1024,
};

struct Dtls {
  const DtlsEvents *events;
  void *arg;
  SSL_CTX *context;
  SSL *ssl;
  Timer *timer;
  guint mtu;
  DtlsState state;
  gboolean client, writable, silent;
  gint64 asked_us; /* something left that will be answered; 0: no, or it left twice */
  gboolean again;  /* it did leave twice */
  gint64 rtt_us;   /* the shortest answer; 0: none yet */
  char *remote_fingerprint;
  GQueue waiting; /* GBytes, before dtls_start() */
  /* The one datagram that the BIO may read now; NULL when it has been taken. */
  const guint8 *datagram;
  gsize datagram_size;
};

/* ---- BIO: one read is one datagram, one write is one datagram ---- */

static int
datagram_bio_read (BIO *bio, char *buffer, int size)
{
  Dtls *dtls = BIO_get_data (bio);
  BIO_clear_retry_flags (bio);
  if (!dtls->datagram) {
    BIO_set_retry_read (bio);
    return -1;
  }
  gsize n = MIN ((gsize)size, dtls->datagram_size);
  memcpy (buffer, dtls->datagram, n);
  dtls->datagram = NULL;
  return (int)n;
}

static int
datagram_bio_write (BIO *bio, const char *buffer, int size)
{
  Dtls *dtls = BIO_get_data (bio);
  BIO_clear_retry_flags (bio);
  if (dtls->asked_us == 0 && !dtls->again)
    dtls->asked_us = g_get_monotonic_time ();
  if (dtls->writable)
    dtls->events->send (dtls, (const guint8 *)buffer, (gsize)size, dtls->arg);
  return size; /* what is lost is sent again by the timer, as on any path */
}

static long
datagram_bio_ctrl (BIO *bio, int command, long number, void *pointer)
{
  Dtls *dtls = BIO_get_data (bio);
  switch (command) {
  case BIO_CTRL_FLUSH:
    return 1;
  case BIO_CTRL_DGRAM_QUERY_MTU:
  case BIO_CTRL_DGRAM_GET_MTU:
  case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
    return dtls->mtu;
  default:
    return 0;
  }
}

static const BIO_METHOD *
datagram_bio (void)
{
  static gsize once;
  if (g_once_init_enter (&once)) {
    BIO_METHOD *method = BIO_meth_new (BIO_get_new_index () | BIO_TYPE_SOURCE_SINK, "datagram");
    BIO_meth_set_read (method, datagram_bio_read);
    BIO_meth_set_write (method, datagram_bio_write);
    BIO_meth_set_ctrl (method, datagram_bio_ctrl);
    g_once_init_leave (&once, (gsize)method);
  }
  return (const BIO_METHOD *)once;
}

/* ---- set-up ---- */

static int
accept_any_certificate (int preverified, X509_STORE_CTX *store)
{
  return 1; /* self-signed by nature; check_fingerprint() decides */
}

static unsigned int
next_timeout (SSL *ssl, unsigned int last_us)
{
  return last_us == 0 ? FIRST_TIMEOUT_US : MIN (2 * last_us, LAST_TIMEOUT_US);
}

static char *
openssl_reason (void)
{
  unsigned long code = ERR_peek_error ();
  const char *reason = code ? ERR_reason_error_string (code) : NULL;
  char *text = g_strdup_printf ("dtls: %s", reason ? reason : "failed without a reason");
  ERR_clear_error ();
  return text;
}

static SSL_CTX *
context_new (const SessionCert *cert)
{
  SSL_CTX *context = SSL_CTX_new (DTLS_method ());
  if (!context)
    return NULL;
  SSL_CTX_set_options (context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                                    | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify (context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                      accept_any_certificate);
  SSL_CTX_set_max_cert_list (context, MAX_CERTIFICATE);
  SSL_CTX_set_read_ahead (context, 1);
  /* SSL_CTX_set_tlsext_use_srtp() returns 0 when it worked. */
  if (SSL_CTX_set_min_proto_version (context, DTLS1_2_VERSION)
      && SSL_CTX_set_cipher_list (context, CIPHERS)
      && SSL_CTX_set_tlsext_use_srtp (context, SRTP_PROFILES) == 0
      && SSL_CTX_use_certificate (context, cert->certificate) == 1
      && SSL_CTX_use_PrivateKey (context, cert->key) == 1)
    return context;
  SSL_CTX_free (context);
  return NULL;
}

static void on_timer (void *arg);

Dtls *
dtls_new (GMainContext *context, const SessionCert *cert, guint mtu, const DtlsEvents *events,
          void *arg, GError **error)
{
  g_autoptr (Dtls) dtls = g_new0 (Dtls, 1);
  dtls->events = events;
  dtls->arg = arg;
  dtls->mtu = MAX (mtu, 256);
  dtls->timer = timer_new (context, on_timer, dtls);
  g_queue_init (&dtls->waiting);

  ERR_clear_error ();
  dtls->context = context_new (cert);
  dtls->ssl = dtls->context ? SSL_new (dtls->context) : NULL;
  BIO *bio = dtls->ssl ? BIO_new (datagram_bio ()) : NULL;
  if (!bio) {
    g_autofree char *reason = openssl_reason ();
    g_set_error (error, PEER_ERROR, PEER_ERROR_FAILED, "cannot prepare the handshake: %s", reason);
    return NULL;
  }
  BIO_set_data (bio, dtls);
  BIO_set_init (bio, 1);
  SSL_set_bio (dtls->ssl, bio, bio);
  DTLS_set_timer_cb (dtls->ssl, next_timeout);
  return g_steal_pointer (&dtls);
}

void
dtls_free (Dtls *dtls)
{
  if (!dtls)
    return;
  dtls->silent = TRUE;
  SSL_free (dtls->ssl);
  SSL_CTX_free (dtls->context);
  timer_free (dtls->timer);
  g_queue_clear_full (&dtls->waiting, (GDestroyNotify)g_bytes_unref);
  g_free (dtls->remote_fingerprint);
  g_free (dtls);
}

/* ---- running ---- */

static void
set_state (Dtls *dtls, DtlsState state, const char *reason)
{
  if (dtls->state == state)
    return;
  dtls->state = state;
  if (state >= DTLS_CLOSED)
    timer_stop (dtls->timer);
  if (!dtls->silent)
    dtls->events->state (dtls, state, reason, dtls->arg);
}

static void
rearm (Dtls *dtls)
{
  struct timeval left;
  if (dtls->state == DTLS_HANDSHAKE && dtls->writable && DTLSv1_get_timeout (dtls->ssl, &left))
    timer_at (dtls->timer,
              g_get_monotonic_time () + left.tv_sec * G_USEC_PER_SEC + left.tv_usec + 1000);
  else
    timer_stop (dtls->timer);
}

static gboolean
check_fingerprint (Dtls *dtls)
{
  X509 *certificate = SSL_get0_peer_certificate (dtls->ssl);
  g_autofree char *fingerprint = certificate ? fingerprint_sha256 (certificate) : NULL;
  return fingerprint_equal (fingerprint, dtls->remote_fingerprint);
}

static void
finish_handshake (Dtls *dtls)
{
  if (!check_fingerprint (dtls)) {
    SSL_shutdown (dtls->ssl);
    set_state (dtls, DTLS_FAILED,
               "fingerprint: the certificate is not the one that the signalling announced");
    return;
  }
  set_state (dtls, DTLS_CONNECTED, NULL);
}

static void
end (Dtls *dtls, int ssl_error)
{
  if (ssl_error == SSL_ERROR_ZERO_RETURN) {
    SSL_shutdown (dtls->ssl); /* answers with our own close_notify */
    set_state (dtls, DTLS_CLOSED, NULL);
    return;
  }
  g_autofree char *reason = openssl_reason ();
  set_state (dtls, dtls->state == DTLS_CONNECTED ? DTLS_CLOSED : DTLS_FAILED, reason);
}

static void
note_answer (Dtls *dtls, gint64 asked_us)
{
  gint64 took_us = g_get_monotonic_time () - asked_us;
  if (asked_us != 0 && (dtls->rtt_us == 0 || took_us < dtls->rtt_us))
    dtls->rtt_us = MAX (took_us, 1);
}

/* Only what takes the handshake on is an answer: a browser that has heard nothing for 50 ms says the
 * same once more. An answer to what left twice may be one to either (Karn and Partridge, SIGCOMM
 * 1987). */
static void
step_handshake (Dtls *dtls)
{
  OSSL_HANDSHAKE_STATE before = SSL_get_state (dtls->ssl);
  gint64 asked_us = dtls->asked_us;
  gboolean again = dtls->again;
  dtls->asked_us = 0;
  dtls->again = FALSE;
  ERR_clear_error ();
  int result = SSL_do_handshake (dtls->ssl);
  int ssl_error = SSL_get_error (dtls->ssl, result);
  if (SSL_get_state (dtls->ssl) != before) {
    note_answer (dtls, asked_us);
  } else {
    dtls->again = again || dtls->asked_us != 0;
    dtls->asked_us = dtls->again ? 0 : asked_us;
  }
  if (result == 1)
    finish_handshake (dtls);
  else if (ssl_error != SSL_ERROR_WANT_READ && ssl_error != SSL_ERROR_WANT_WRITE)
    end (dtls, ssl_error);
}

static void
drain (Dtls *dtls)
{
  guint8 buffer[SSL3_RT_MAX_PLAIN_LENGTH];
  while (dtls->state == DTLS_CONNECTED) {
    ERR_clear_error ();
    int n = SSL_read (dtls->ssl, buffer, sizeof buffer);
    if (n > 0) {
      if (!dtls->silent)
        dtls->events->data (dtls, buffer, (gsize)n, dtls->arg);
      continue;
    }
    int ssl_error = SSL_get_error (dtls->ssl, n);
    if (ssl_error == SSL_ERROR_WANT_READ || ssl_error == SSL_ERROR_WANT_WRITE)
      return;
    end (dtls, ssl_error);
  }
}

static void
process (Dtls *dtls, const guint8 *datagram, gsize size)
{
  dtls->datagram = datagram;
  dtls->datagram_size = size;
  if (dtls->state == DTLS_HANDSHAKE)
    step_handshake (dtls);
  drain (dtls);
  dtls->datagram = NULL;
  rearm (dtls);
}

static void
on_timer (void *arg)
{
  Dtls *dtls = arg;
  if (dtls->state != DTLS_HANDSHAKE || !dtls->writable)
    return;
  dtls->asked_us = 0;
  dtls->again = TRUE;
  ERR_clear_error ();
  if (DTLSv1_handle_timeout (dtls->ssl) < 0) {
    g_autofree char *reason = openssl_reason ();
    set_state (dtls, DTLS_FAILED, reason);
    return;
  }
  rearm (dtls);
}

void
dtls_start (Dtls *dtls, gboolean client, const char *remote_fingerprint)
{
  if (dtls->state != DTLS_NEW)
    return;
  dtls->client = client;
  dtls->writable = TRUE;
  dtls->remote_fingerprint = g_strdup (remote_fingerprint);
  if (client)
    SSL_set_connect_state (dtls->ssl);
  else
    SSL_set_accept_state (dtls->ssl);
  set_state (dtls, DTLS_HANDSHAKE, NULL);
  if (client)
    process (dtls, NULL, 0);
  while (!g_queue_is_empty (&dtls->waiting)) {
    g_autoptr (GBytes) bytes = g_queue_pop_head (&dtls->waiting);
    gsize size;
    const guint8 *datagram = g_bytes_get_data (bytes, &size);
    dtls_receive (dtls, datagram, size);
  }
}

void
dtls_set_writable (Dtls *dtls, gboolean writable)
{
  if (dtls->writable == writable || dtls->state == DTLS_NEW)
    return;
  dtls->writable = writable;
  rearm (dtls);
}

void
dtls_receive (Dtls *dtls, const guint8 *datagram, gsize size)
{
  if (size == 0 || size > MAX_DATAGRAM)
    return;
  if (dtls->state == DTLS_NEW) {
    if (g_queue_get_length (&dtls->waiting) < DTLS_MAX_WAITING)
      g_queue_push_tail (&dtls->waiting, g_bytes_new (datagram, size));
  } else if (dtls->state < DTLS_CLOSED) {
    process (dtls, datagram, size);
  }
}

gboolean
dtls_send (Dtls *dtls, const guint8 *data, gsize size)
{
  if (dtls->state != DTLS_CONNECTED || size == 0 || size > SSL3_RT_MAX_PLAIN_LENGTH - DTLS_OVERHEAD)
    return FALSE;
  ERR_clear_error ();
  int sent = SSL_write (dtls->ssl, data, (int)size);
  ERR_clear_error ();
  return sent == (int)size;
}

void
dtls_close (Dtls *dtls)
{
  dtls->silent = TRUE;
  if (dtls->state == DTLS_CONNECTED) {
    ERR_clear_error ();
    SSL_shutdown (dtls->ssl);
    ERR_clear_error ();
  }
  set_state (dtls, DTLS_CLOSED, NULL);
}

DtlsState
dtls_state (Dtls *dtls)
{
  return dtls->state;
}

gint64
dtls_rtt_us (Dtls *dtls)
{
  return dtls->rtt_us;
}

gboolean
dtls_is_client (Dtls *dtls)
{
  return dtls->client;
}

DtlsSrtpProfile
dtls_srtp_profile (Dtls *dtls)
{
  const SRTP_PROTECTION_PROFILE *profile
      = dtls->state == DTLS_CONNECTED ? SSL_get_selected_srtp_profile (dtls->ssl) : NULL;
  return profile ? (DtlsSrtpProfile)profile->id : DTLS_SRTP_NONE;
}

gboolean
dtls_export_srtp (Dtls *dtls, guint8 *ret_material, gsize size)
{
  static const char label[] = "EXTRACTOR-dtls_srtp";
  return dtls->state == DTLS_CONNECTED
         && SSL_export_keying_material (dtls->ssl, ret_material, size, label, sizeof label - 1,
                                        NULL, 0, 0)
                == 1;
}
