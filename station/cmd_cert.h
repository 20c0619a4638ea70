/* nhipcau cert, in three files. */
#pragma once
#include "station/cli.h"

typedef struct {
  CliOptions common;
  char *out, *key, *key_secret_file, *new_key, *passphrase_file;
  char *person, *name;
} CertOptions;

int cert_show (const CertOptions *options, const Config *config);
int cert_request (const CertOptions *options, const Config *config);
/* Of a person: without a station. */
int cert_request_person (const CertOptions *options);
int cert_install (const CertOptions *options, const Config *config, const char *file);
int cert_renew (const CertOptions *options, const Config *config);
int cert_revoke_check (const CertOptions *options, const Config *config);
