#include "media/devices/hl7_content.h"
#include "media/devices/patient_query.h"
#include "media/devices/pcd01.h"
#include "media/devices/pcd04.h"

gboolean
hl7_content_is_supported (const Hl7Message *message)
{
  return pcd01_is_supported (message) || pcd04_is_supported (message)
         || patient_query_is_supported (message);
}

Hl7Content *
hl7_content_new (void)
{
  Hl7Content *content = g_new0 (Hl7Content, 1);
  content->observations = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
  content->waves = g_ptr_array_new_with_free_func ((GDestroyNotify)wave_block_free);
  content->alarms = g_ptr_array_new_with_free_func ((GDestroyNotify)device_alarm_free);
  return content;
}

Hl7Content *
hl7_content_read (const Hl7Message *message, const Profile *profile, Wcm *wcm, gint64 now_us,
                  gint64 monotonic_us, const char *sender)
{
  Hl7Content *content = hl7_content_new ();
  content->query = patient_query_is_supported (message);
  if (pcd04_is_supported (message)) {
    g_ptr_array_unref (content->alarms);
    content->alarms = pcd04_alarms (message, profile, now_us, sender);
  } else if (!content->query) {
    g_autofree gboolean *taken = g_new0 (gboolean, hl7_segments (message));
    g_ptr_array_unref (content->waves);
    g_ptr_array_unref (content->observations);
    content->waves = wcm_read (wcm, message, profile, now_us, monotonic_us, sender, taken);
    content->observations = pcd01_observations (message, profile, taken, now_us, sender);
  }
  return content;
}

void
hl7_content_free (Hl7Content *content)
{
  g_ptr_array_unref (content->observations);
  g_ptr_array_unref (content->waves);
  g_ptr_array_unref (content->alarms);
  g_free (content);
}
