/* Codes that change every 30 s (RFC 6238, six digits, SHA-1), by liboath: the second secret beside
 * a password. Any thread. */
#pragma once
#include <glib.h>

/* A new secret of 20 bytes as base32, as apps take it (transfer full). */
char *totp_new_secret (void);
/* "otpauth://totp/…" for a QR code (transfer full). */
char *totp_uri (const char *secret, const char *issuer, const char *account);
/* Is this the code of now, of the step before or after it, and of a step after last_step (each code
 * counts once)? ret_step: its step. */
gboolean totp_check (const char *secret, const char *code, gint64 now_s, gint64 last_step,
                     gint64 *ret_step);
