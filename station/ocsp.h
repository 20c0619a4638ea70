/* Asks the authority of a signer whether the certificate is revoked (OCSP), and puts the answer
 * into the signature. Waits for the network, 5 s at most: worker threads only. */
#pragma once
#include "certs/cades.h"
#include "station/config.h"

/* The signature with an answer inside; the same one when its authority offers none, is not trusted,
 * is not to be asked ([signing] ocsp = no) or does not answer, which is told in the log. */
GBytes *ocsp_add (const Config *config, const CadesTrust *trust, GBytes *cms);
