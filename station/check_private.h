/* The parts of `check`, one per subject; each adds its findings. */
#pragma once
#include "station/check.h"

void check_cameras (const Config *config, GPtrArray *findings);
void check_microphones (const Config *config, GPtrArray *findings);
void check_encoders (const Config *config, GPtrArray *findings);
void check_devices (const Config *config, CheckFrom from, GPtrArray *findings);
void check_web (const Config *config, CheckFrom from, GPtrArray *findings);
void check_relays (const Config *config, GPtrArray *findings);
void check_brokers (const Config *config, GPtrArray *findings);
void check_certificate (const Config *config, GPtrArray *findings);
void check_serials (const Config *config, GPtrArray *findings);
