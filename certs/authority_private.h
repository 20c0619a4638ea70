/* Between authority.c and authority_files.c. */
#pragma once
#include "certs/authority.h"
#include <openssl/txt_db.h>

/* Columns of index.txt, as `openssl ca` has them. */
enum {
  INDEX_TYPE,
  INDEX_UNTIL,
  INDEX_REVOKED,
  INDEX_SERIAL,
  INDEX_FILE,
  INDEX_NAME,
  INDEX_COLUMNS
};

struct Authority {
  char *folder;
  int lock;
  X509 *certificate;
  EVP_PKEY *key; /* NULL: to list only */
  TXT_DB *index;
  char *crl_url;
};

char *authority_file (const Authority *authority, const char *name);
gboolean authority_write (const Authority *authority, const char *name, const void *data,
                          gsize length, GError **error);
gboolean authority_write_certificate (const Authority *authority, const char *name,
                                      X509 *certificate, GError **error);
gboolean authority_save_index (const Authority *authority, GError **error);
/* "YYMMDDHHMMSSZ", or with four digits of the year from 2050 on (transfer full). */
char *authority_time_text (gint64 time);
gint64 authority_time_of (const char *text);
/* Adds a row; ERR_R_… never: NULL texts are "". */
gboolean authority_add_row (Authority *authority, X509 *certificate, const char *serial);
char *authority_serial_of (X509 *certificate);
