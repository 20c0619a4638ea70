#include "station/totp.h"

#include <liboath/oath.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#define SECRET_BYTES 20 /* RFC 4226 §4, R6 */
#define DIGITS 6

static void
init (void)
{
  static gsize once;
  if (g_once_init_enter (&once)) {
    if (oath_init () != OATH_OK)
      g_error ("totp: liboath does not start");
    g_once_init_leave (&once, 1);
  }
}

char *
totp_new_secret (void)
{
  guint8 random[SECRET_BYTES];
  char *text = NULL;
  init ();
  if (RAND_bytes (random, sizeof random) != 1
      || oath_base32_encode ((const char *)random, sizeof random, &text, NULL) != OATH_OK)
    g_error ("totp: the system has no random numbers");
  OPENSSL_cleanse (random, sizeof random);
  char *secret = g_strdup (text);
  free (text);
  return secret;
}

char *
totp_uri (const char *secret, const char *issuer, const char *account)
{
  g_autofree char *where = g_uri_escape_string (issuer, NULL, FALSE);
  g_autofree char *who = g_uri_escape_string (account, NULL, FALSE);
  return g_strdup_printf ("otpauth://totp/%s:%s?secret=%s&issuer=%s&digits=%d&period=%d", where,
                          who, secret, where, DIGITS, OATH_TOTP_DEFAULT_TIME_STEP_SIZE);
}

gboolean
totp_check (const char *secret, const char *code, gint64 now_s, gint64 last_step, gint64 *ret_step)
{
  char *key = NULL;
  size_t length = 0;
  int position = 0;
  init ();
  if (strlen (code) != DIGITS || strspn (code, "0123456789") != DIGITS
      || oath_base32_decode (secret, strlen (secret), &key, &length) != OATH_OK)
    return FALSE;
  int found = oath_totp_validate2 (key, length, (time_t)now_s, OATH_TOTP_DEFAULT_TIME_STEP_SIZE,
                                   OATH_TOTP_DEFAULT_START_TIME, 1, &position, code);
  OPENSSL_cleanse (key, length);
  free (key);
  gint64 step = now_s / OATH_TOTP_DEFAULT_TIME_STEP_SIZE + position;
  if (found < 0 || step <= last_step)
    return FALSE;
  *ret_step = step;
  return TRUE;
}
