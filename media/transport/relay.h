/* A TURN relay of the configuration (RFC 8656), its credentials, and what a look at it showed.
 * No I/O; any thread.
 */
#pragma once
#include <glib.h>

typedef enum { RELAY_UDP, RELAY_TCP, RELAY_TLS } RelayTransport;

enum {
  RELAY_MAX = 8, /* relays in use at once; libnice takes no more */
  /* A consultation with some to spare. Whoever was handed credentials can use the relay so long. */
  RELAY_CREDENTIALS_S = 4 * 3600,
};

typedef struct {
  char *url; /* as RFC 7065 writes it, in full: "turns:turn.example.vn:5349?transport=tcp" */
  char *host;
  guint16 port;
  RelayTransport transport;
  /* Either lasting: user and password; or made anew each time: secret, and perhaps a user. */
  char *user, *password, *secret;
  char *ca_file; /* TLS: whom to trust; NULL: whom the system trusts */
} Relay;

/* url: "turn:HOST", "turn:HOST:PORT", "turns:HOST:PORT", each with "?transport=udp" or "tcp"; udp
 * is the default of turn:, tcp of turns:, which has no other. Without credentials yet. Errors:
 * MEDIA_ERROR_ADDRESS, the message being the end of a sentence. */
Relay *relay_new (const char *url, GError **error);
Relay *relay_copy (const Relay *relay);
void relay_free (Relay *relay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Relay, relay_free)

/* User and password (transfer full) that the relay takes at now_s (seconds of the epoch) and, when
 * made from a secret, for RELAY_CREDENTIALS_S from then on: draft-uberti-behave-turn-rest-00 §2.2,
 * coturn's use-auth-secret. */
void relay_credentials (const Relay *relay, gint64 now_s, char **ret_user, char **ret_password);

/* What became of asking a relay for an address. */
typedef enum {
  RELAY_GOOD,
  RELAY_NO_NAME,      /* DNS does not know the host */
  RELAY_UNREACHABLE,  /* no way there, or the port is closed */
  RELAY_SILENT,       /* nothing came back */
  RELAY_UNTRUSTED,    /* TLS: the certificate's issuer is not trusted */
  RELAY_OTHER_NAME,   /* TLS: the certificate is another host's */
  RELAY_EXPIRED,      /* TLS: the certificate is past its end, or not valid yet */
  RELAY_NO_TLS,       /* TLS: no session could be agreed on */
  RELAY_UNAUTHORIZED, /* 401: wrong user, password or secret */
  RELAY_FORBIDDEN,    /* 403 */
  RELAY_QUOTA,        /* 486: this user has too many addresses */
  RELAY_FULL,         /* 508 */
  RELAY_REFUSED,      /* another error of TURN */
  RELAY_BROKEN,       /* what came back is no TURN, or the connection was cut */
} RelayOutcome;

/* A word for machines: "unauthorized". */
const char *relay_outcome_name (RelayOutcome outcome);

typedef struct {
  RelayOutcome outcome;
  guint code;   /* of TURN; 0: none */
  char *detail; /* what the relay or the system said, English; NULL: nothing */
} RelayReport;

void relay_report_clear (RelayReport *report);
