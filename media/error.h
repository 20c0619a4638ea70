/* Errors of media/: one GError domain for the folder. The message says what was wrong, where and
 * what to do; the code says which kind, for callers that act on it.
 */
#pragma once
#include <glib.h>

#define MEDIA_ERROR (media_error_quark ())

typedef enum {
  MEDIA_ERROR_ADDRESS,     /* an address or a name in the configuration cannot be understood */
  MEDIA_ERROR_CONFIG,      /* another setting is outside what is allowed */
  MEDIA_ERROR_NOT_FOUND,   /* a device, file or element is not there */
  MEDIA_ERROR_REFUSED,     /* the other side says no: credentials, permission */
  MEDIA_ERROR_UNREACHABLE, /* nobody answers */
  MEDIA_ERROR_UNSUPPORTED, /* understood, but not something this build or machine does */
  MEDIA_ERROR_MALFORMED,   /* bytes from outside break their format */
  MEDIA_ERROR_LIMIT,       /* longer, larger or more than the bound */
  MEDIA_ERROR_FAILED,      /* anything else; the message has it */
} MediaError;

GQuark media_error_quark (void);
