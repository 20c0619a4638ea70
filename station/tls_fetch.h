/* HTTP and HTTPS to servers that station.conf names, through libcurl. Waits for the network: worker
 * threads only. Redirections are not followed. */
#pragma once
#include "certs/identity.h"
#include <glib.h>

typedef struct {
  const char *url;
  GBytes *body;                /* POSTed as `type`; NULL: GET */
  const char *method;          /* another one than these: "PATCH"; NULL: these */
  const char *if_match;        /* If-Match, RFC 9110 §13.1.1; NULL: not said */
  const char *type;            /* of body */
  const char *transfer;        /* Content-Transfer-Encoding of body; NULL: not said */
  const char *user, *password; /* by HTTP's own means (basic, digest); NULL: none */
  const char *bearer;          /* token; NULL: none */
  const char *ca_file;         /* roots of the server; NULL: the system's */
  Identity *identity;          /* shows its province's chain to the server; NULL: shows nothing */
  gboolean any_time; /* this clock is not trusted: dates of certificates are not looked at */
  gboolean https_only;
  gsize largest; /* body of the answer; 0: it is let go, whatever its size */
  guint seconds;
  const gint *stop; /* given up when it becomes non-zero (atomic); may be NULL */
} TlsFetch;

typedef struct {
  long status; /* of HTTP */
  char *type;  /* media type without parameters, lower case; "" when none was given */
  GBytes *body;
  gint64 date;         /* the server's clock (Date); s, UTC; 0: not said */
  guint retry_seconds; /* Retry-After; 0: not said */
  char *location;      /* as it was said; NULL: not said */
  char *etag;          /* with its quotes; NULL: not said */
  char *links;         /* all Link headers, with commas between (RFC 8288 §3); NULL: none */
} TlsAnswer;
void tls_answer_clear (TlsAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TlsAnswer, tls_answer_clear)

/* Any status is an answer; when there is none: G_TLS_ERROR_BAD_CERTIFICATE when the server is not
 * trusted, G_TLS_ERROR_HANDSHAKE when no TLS was agreed on, else G_IO_ERROR_HOST_NOT_FOUND,
 * _CONNECTION_REFUSED, _TIMED_OUT or _FAILED. */
gboolean tls_fetch (const TlsFetch *request, TlsAnswer *ret, GError **error);
