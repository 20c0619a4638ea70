/* The part of `nhipcau record` about how long records are kept. */
#pragma once
#include <glib.h>

/* hold | release | erase | retention; argv[0] is that word. */
int cmd_record_keep (int argc, char **argv);
gboolean cmd_record_keep_has (const char *word);
