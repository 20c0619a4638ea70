/* How programs of the tests are spoken to: JSON objects, one a line, on stdin and stdout. */
#pragma once
#include <glib.h>
#include <jansson.h>

/* object: (transfer full). Any thread; a line is never mixed with another. */
void json_lines_say (json_t *object);

typedef void (*JsonLinesHeard) (json_t *message, void *arg);
/* Reads stdin in the default context; what is no JSON is told on stderr. Returns when stdin ends.
 */
void json_lines_run (JsonLinesHeard heard, void *arg);
