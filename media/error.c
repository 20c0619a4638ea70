#include "media/error.h"

GQuark
media_error_quark (void)
{
  return g_quark_from_static_string ("nhipcau-media-error");
}
