/* Addresses of sources, as the configuration writes them.
 *
 *   camera      v4l2:/dev/video0 | rtsp://host[:port]/path | test: | test:moving
 *   microphone  pipewire:[target] | alsa:DEVICE | file:PATH | test:
 *
 * test: is test_scene.h's picture, test:moving that of moving_scene.h.
 */
#pragma once
#include "media/frame.h"

typedef enum {
  ADDRESS_V4L2,
  ADDRESS_RTSP,
  ADDRESS_TEST,
  ADDRESS_PIPEWIRE,
  ADDRESS_ALSA,
  ADDRESS_FILE,
} AddressScheme;

typedef struct {
  AddressScheme scheme;
  const char *target; /* device, file or the whole rtsp address; points into the text parsed */
} Address;

/* Opens nothing. Errors: MEDIA_ERROR_ADDRESS with a text that names what is allowed.
 * ret_address may be NULL. */
gboolean address_parse (MediaKind kind, const char *text, Address *ret_address, GError **error);
