/* bench-scene: the frames of moving_scene.h, one period of them, for a sender and a judge that are
 * browsers.
 *
 *   bench-scene --size 640x360 --fps 15 FILE     I420 frames one after the other, without barcodes
 */
#include <stdio.h>
#include "media/capture/moving_scene.h"
#include "media/capture/picture.h"

static char *size_text;
static int fps = 15;

int
main (int argc, char **argv)
{
  const GOptionEntry entries[] = {
    { "size", 0, 0, G_OPTION_ARG_STRING, &size_text, "640x360", "WxH" },
    { "fps", 0, 0, G_OPTION_ARG_INT, &fps, "15", "N" },
    { 0 },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("FILE");
  g_option_context_add_main_entries (context, entries, NULL);
  g_autoptr (GError) error = NULL;
  guint width = 640, height = 360;
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 2
      || (size_text && sscanf (size_text, "%4ux%4u", &width, &height) != 2) || width < 160
      || height < 120 || width % 16 || height % 2 || fps < 1) {
    g_printerr ("bench-scene: %s\n",
                error ? error->message
                      : "one FILE; --size is a width in steps of 16, an even height");
    return 2;
  }
  FILE *file = fopen (argv[1], "wb");
  MovingScene *scene = moving_scene_new (width, height, (guint)fps);
  gsize size = PICTURE_SIZE (width, height);
  g_autofree guint8 *frame = g_malloc (size);
  gboolean good = file != NULL;
  for (guint i = 0; good && i < MOVING_SCENE_PERIOD; i++) {
    moving_scene_draw_index (scene, i, frame, size);
    good = fwrite (frame, size, 1, file) == 1;
  }
  moving_scene_free (scene);
  if (file && fclose (file) == 0 && good)
    return 0;
  g_printerr ("bench-scene: %s cannot be written\n", argv[1]);
  return 1;
}
