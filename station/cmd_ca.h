/* nhipcau ca, in two files. */
#pragma once
#include "certs/authority.h"
#include "station/cli.h"

typedef struct {
  CliOptions common;
  char *folder, *passphrase_file;
  char *name, *crl_url;
  char **domains;
  char *out, *reason, *id;
  int days, years;
  gboolean yes, another_key;
} CaOptions;

/* Files or a serial number behind the subcommand's name. */
typedef struct {
  char **items;
  guint count;
} CaItems;

int ca_init (const CaOptions *options, CaItems items);
int ca_sign (const CaOptions *options, CaItems items);
int ca_revoke (const CaOptions *options, CaItems items);
int ca_crl (const CaOptions *options, CaItems items);
int ca_list (const CaOptions *options, CaItems items);

/* Opened with its passphrase, from the file or asked for. */
Authority *ca_open (const CaOptions *options, GError **error);
gint64 ca_now (void);
/* "01/12/2026" (transfer full) */
char *ca_day (gint64 time);
