#include "json_lines.h"
#include <errno.h>
#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  JsonLinesHeard heard;
  void *arg;
  GMainLoop *loop;
  GDataInputStream *input;
} Reader;

void
json_lines_say (json_t *object)
{
  char *text = json_dumps (object, JSON_COMPACT);
  json_decref (object);
  printf ("%s\n", text);
  fflush (stdout);
  free (text);
}

static void
on_line (GObject *input, GAsyncResult *result, gpointer data)
{
  Reader *reader = data;
  g_autofree char *line = g_data_input_stream_read_line_finish (reader->input, result, NULL, NULL);
  if (line == NULL) {
    g_main_loop_quit (reader->loop);
    return;
  }
  json_error_t error;
  json_auto_t *message = json_loads (line, 0, &error);
  if (message != NULL)
    reader->heard (message, reader->arg);
  else
    g_printerr ("%s: %s\n", program_invocation_short_name, error.text);
  g_data_input_stream_read_line_async (reader->input, G_PRIORITY_DEFAULT, NULL, on_line, reader);
}

void
json_lines_run (JsonLinesHeard heard, void *arg)
{
  g_autoptr (GInputStream) standard = g_unix_input_stream_new (0, FALSE);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GDataInputStream) input = g_data_input_stream_new (standard);
  Reader reader = { heard, arg, loop, input };
  g_data_input_stream_read_line_async (input, G_PRIORITY_DEFAULT, NULL, on_line, &reader);
  g_main_loop_run (loop);
}
