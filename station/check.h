/* `nhipcau check`: what is missing or wrong on this machine, in words a clinic's helper
 * understands. Any thread; opens no camera and changes nothing. */
#pragma once
#include "certs/identity.h"
#include "records/vault.h"
#include "station/config.h"
#include <jansson.h>

typedef enum { CHECK_GOOD, CHECK_WARN, CHECK_BAD } CheckLevel;

typedef struct {
  CheckLevel level;
  char *code; /* stable machine word: "camera-missing" */
  char *vi, *en;
} Finding;

/* RUNNING: asked by the station itself, whose ports are its own. */
typedef enum { CHECK_ALONE, CHECK_RUNNING } CheckFrom;

/* Cameras, microphone, device port, serial ports, disk, clock, certificate, names and ports, relays (which takes
 * up to 6 s when one does not answer). Finding* */
GPtrArray *check_machine (const Config *config, CheckFrom from);
/* Recovery confirmed, first user. */
void check_vault (Vault *vault, GPtrArray *findings);
void check_add (GPtrArray *findings, CheckLevel level, const char *code, char *vi, char *en);

gboolean check_passed (const GPtrArray *findings);
/* [{level, code, text: {vi, en}}] (transfer full) */
json_t *check_to_json (const GPtrArray *findings);
const char *check_level_name (CheckLevel level);
