/* Signatures on the command line: what `record verify` says of them, and `record signatures`. */
#pragma once
#include "station/cli.h"

/* Reports of all records that can be opened, or of one (id): an array of signatures_report() with
 * words. *ret_bad: how many do not hold. vault may be closed: the array is empty then. */
json_t *cmd_record_signatures_all (const Config *config, Vault *vault, const char *id,
                                   guint *ret_bad);
/* Prints them for people. */
void cmd_record_signatures_print (const json_t *reports);
/* `record signatures ID`: the report; with out also manifest.json, and of each signature
 * SEQ-ROLE.p7s with its time-stamps, for stock openssl. */
int cmd_record_signatures (const CliOptions *options, const Config *config, const char *out,
                           const char *id);
