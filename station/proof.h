/* Secrets of links. The key that an invitation is bound to: certs/browser_key.h. */
#pragma once
#include <glib.h>

/* Equal secrets, by their SHA-256 in constant time. */
gboolean proof_secret_equal (const char *a, const char *b);
