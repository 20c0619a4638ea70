/* SOAP over HTTP(S) to one camera, by libsoup on the caller's GMainContext: nothing blocks. HTTP
 * digest where the camera asks for it; Basic never, for it would tell the password to whoever
 * listens. No redirects, no proxy, no cookies. Main thread.
 */
#pragma once
#include "media/onvif/onvif_answer.h"

typedef struct OnvifHttp OnvifHttp;

#define ONVIF_ANSWER_US (4 * G_USEC_PER_SEC) /* a request and its whole answer */

/* NULL when this is no "http://host[:port]/path" or https, else with error CONFIG. */
gboolean onvif_check_address (const char *address, GError **error);

/* address: of the device service. user, password: NULL: none. ca_file: PEM, what vouches for a
 * camera's certificate instead of the system's authorities; NULL: those. NULL with error. */
OnvifHttp *onvif_http_new (const char *address, const char *user, const char *password,
                           const char *ca_file, GError **error);
/* What is under way is cancelled; its done is not called any more. */
void onvif_http_free (OnvifHttp *http);

/* answer (transfer none) or error: of MEDIA_ERROR. Beside onvif_answer_parse(): UNREACHABLE when
 * nobody answers in time, REFUSED for HTTP 401 and 403. */
typedef void (*OnvifDone) (const OnvifAnswer *answer, const GError *error, void *arg);
/* path: at the camera; NULL: the device service. text: as onvif_request_text() gives it. */
void onvif_http_ask (OnvifHttp *http, const char *path, const char *action, const char *text,
                     OnvifDone done, void *arg);
