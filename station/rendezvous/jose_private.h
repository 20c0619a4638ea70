/* Between jose.c, jws.c and jwe.c. */
#pragma once
#include "station/rendezvous/jose.h"

#define JOSE_HEADER_MAX 2048 /* bytes of a decoded header */

/* Only letters of base64url, and the one text that there is for its bytes. */
gboolean jose_base64url_is_strict (const char *text, gsize length);
/* JSON object in base64url (transfer full); NULL: it is none, or larger. */
json_t *jose_decode_object (const char *text, gsize largest);
/* No member but these, NULL-terminated. */
gboolean jose_only_has (const json_t *object, const char *const *names);
/* FALSE, with JOSE_ERROR_FORM. */
gboolean jose_form_error (GError **error, const char *what);
