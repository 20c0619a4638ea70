/* TLS towards a broker, and what keeps one from being reached, in words that people can act on.
 * Any thread.
 */
#pragma once
#include <glib.h>
#include <openssl/ssl.h>

typedef enum {
  BROKER_GOOD,
  BROKER_NO_NAME,     /* the network does not know its name */
  BROKER_REFUSED,     /* nothing listens there */
  BROKER_UNREACHABLE, /* no way to it, or it does not answer the connection */
  BROKER_SILENT,      /* it took the connection and says nothing */
  BROKER_UNTRUSTED,   /* its certificate: nobody whom we trust vouches for it, */
  BROKER_OTHER_NAME,  /* is for another name, */
  BROKER_EXPIRED,     /* is over, or not valid yet */
  BROKER_NO_TLS,      /* it speaks no TLS that we speak, or no MQTT */
  BROKER_STRANGER,    /* it refuses this station's certificate */
  BROKER_FORBIDDEN,   /* its rules do not let this station do what it has to */
  BROKER_LOST,        /* the connection broke */
  BROKER_TROUBLES,    /* how many there are */
} BrokerTrouble;

/* "no-name", … */
const char *broker_trouble_name (BrokerTrouble trouble);

/* Checks the broker's certificate for this name or address; ca_file NULL: the system's authorities.
 * chain_file, key: of the station (transfer none); NULL: none is shown (transfer full). */
SSL_CTX *broker_tls_new (const char *host, const char *ca_file, const char *chain_file,
                         EVP_PKEY *key, GError **error);
/* What the newest handshake of it failed by, and what this thread's queue of errors tells; the
 * queue is empty afterwards. BROKER_GOOD: not by TLS. ret_why: OpenSSL's words (transfer full). */
BrokerTrouble broker_tls_trouble (const SSL_CTX *tls, char **ret_why);
/* Of errno after connect(). */
BrokerTrouble broker_errno_trouble (int number);
