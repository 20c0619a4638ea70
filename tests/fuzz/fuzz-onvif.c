/* An answer of a camera, read as each operation reads it. */
#include "media/onvif/onvif_answer.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static void
check_presets (const OnvifAnswer *answer)
{
  g_autoptr (GPtrArray) presets = onvif_answer_presets (answer);
  for (guint i = 0; i < presets->len; i++) {
    const OnvifPreset *preset = presets->pdata[i];
    if (*preset->token == '\0' || *preset->name == '\0' || !g_utf8_validate (preset->name, -1, NULL)
        || !g_utf8_validate (preset->token, -1, NULL))
      g_error ("a preset that cannot be shown");
    /* It goes back in a request, where it must be text and nothing else. */
    g_autofree char *text = onvif_request_text (
        &(OnvifRequest){ .operation = ONVIF_GOTO_PRESET, .preset = preset->token }, NULL);
    g_autoptr (OnvifAnswer) again = onvif_answer_parse (text, strlen (text), NULL);
    if (again == NULL)
      g_error ("a request that is no XML");
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  OnvifServices services;
  OnvifVector at;
  gboolean moving;
  gint64 utc_us;
  g_autoptr (OnvifAnswer) answer = onvif_answer_parse (data, size, &error);
  if ((answer == NULL) != (error != NULL))
    g_error ("neither an answer nor a reason");
  if (error != NULL && !g_utf8_validate (error->message, -1, NULL))
    g_error ("words that cannot be shown");
  if (answer == NULL)
    return 0;
  onvif_answer_date (answer, &utc_us);
  onvif_answer_services (answer, &services);
  if (services.ptz != NULL && *services.ptz != '/')
    g_error ("an address that is no path");
  onvif_services_clear (&services);
  g_free (onvif_answer_profile (answer));
  if (onvif_answer_status (answer, &at, &moving)
      && !(isfinite (at.pan) && isfinite (at.tilt) && isfinite (at.zoom)))
    g_error ("a place that is none");
  check_presets (answer);
  return 0;
}
