/* What people and pages are told of relays. */
#pragma once
#include "station/config.h"
#include <jansson.h>

/* What a relay's answer means and what to do, in words (transfer full). url: as it is configured.
 */
void relay_words (const char *url, const RelayReport *report, char **ret_vi, char **ret_en);
/* {relay, level, code, text} for pages, said in the log too (transfer full). */
json_t *relay_view (const char *url, const RelayReport *report);
/* For RTCPeerConnection: [{urls: [text], username, credential}], with credentials for some hours.
 * A relay with a lasting password is told as a STUN server only: the password stays here
 * (transfer full). */
json_t *relay_servers (const Config *config);
