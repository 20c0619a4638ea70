#include "media/error.h"

G_DEFINE_QUARK (nhipcau-media-error, media_error)
