/* The words after `nhipcau device`, one file each. */
#pragma once
#include "station/cli.h"

int cmd_device_list (int argc, char **argv);
int cmd_device_watch (int argc, char **argv);
int cmd_device_record (int argc, char **argv);
int cmd_device_replay (int argc, char **argv);
