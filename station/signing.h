/* Signatures of people under a record that the station has sealed: `signature.report`,
 * `signature.manifest` and `signature.add` of docs/protocol.md. Everybody signs the same manifest,
 * in any order, whenever they come to it. Main thread; the work is done in worker threads. */
#pragma once
#include "certs/cades.h"
#include "station/config.h"
#include "station/request.h"

void signing_report (Request *request);
void signing_manifest (Request *request);
/* `signature.prepare`: what a key at a remote-signing provider is to sign (certs/cades_remote.h);
 * its value comes back by `signature.add`, method `remote`. */
void signing_prepare (Request *request);
void signing_add (Request *request);

/* Whom this station believes, from station.conf. Any thread (transfer full). */
CadesTrust *signing_trust (const Config *config, GError **error);
/* The user's own key: [signing] keys has USER.crt beside USER.key or USER.uri. Any thread. */
gboolean signing_has_key (const Config *config, const char *user);
/* secret: passphrase or PIN, UTF-8; NULL: none. As cades_signer_open(). */
CadesSigner *signing_open_key (const Config *config, const char *user, const char *secret,
                               GError **error);
/* The signature of user by their own key, as a row and as a wish for a time-stamp. Any thread. */
gboolean signing_by_key (Station *station, const char *consult, const char *user,
                         const char *secret, const char *role, GError **error);
