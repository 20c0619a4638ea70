/* Parts of `nhipcau record` that have a file of their own. argv[0] is the word after "record". */
#pragma once

int cmd_record_export (int argc, char **argv);
int cmd_record_drill (int argc, char **argv);
