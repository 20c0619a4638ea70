/* Between peer_trust.c, peer_known.c and peer_check.c. */
#pragma once
#include "certs/peer_check.h"

typedef struct {
  char *name;
  STACK_OF (X509) * pinned;
  GStrv stations, people; /* patterns */
  X509_CRL *crl;          /* NULL: none yet */
} PeerIssuer;

struct PeerTrust {
  gatomicrefcount refs;
  GMutex lock;        /* of all below */
  GPtrArray *issuers; /* PeerIssuer* */
  GHashTable *known;  /* "nhipcau:station:ID" → hex of the key */
};

/* Under the lock. */
PeerIssuer *peer_trust_find (PeerTrust *trust, const char *name);
/* The one whose pinned key has signed the certificate. */
PeerIssuer *peer_trust_signer (PeerTrust *trust, X509 *certificate);
gboolean peer_issuer_covers (const PeerIssuer *issuer, PeerKind kind, const char *id);
