/* Opening a station that was set up: vault, identity, store, in this order. */
#pragma once
#include "station/cli.h"

typedef struct {
  Vault *vault;
  Identity *identity;
  Store *store;
} Opening;

/* Read-write with identity renewed when renew; read-only without identity otherwise. */
gboolean opening_read_write (Opening *opening, const CliOptions *options, const Config *config,
                             GError **error);
gboolean opening_read_only (Opening *opening, const CliOptions *options, const Config *config,
                            GError **error);
void opening_clear (Opening *opening);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Opening, opening_clear)

/* Where this station's identity is, from station.conf; secret (transfer none). */
IdentityPlace opening_identity_place (const Config *config, GBytes *secret);
/* The files in STATE that never change on their own go into the record, so that a changed byte
 * in them is found. */
gboolean opening_register_files (Store *store, const Config *config, GError **error);
/* Whether a station works on this state folder now. */
gboolean opening_is_running (const Config *config);
/* Has the running one look at what is to be sent, and at what witnesses have left (SIGUSR1). */
gboolean opening_wake (const Config *config, GError **error);
