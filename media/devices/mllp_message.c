/* One message as a listener has it: read from its bytes, by the profile of its sender. */
#include "media/devices/hl7_ack.h"
#include "media/devices/mllp_private.h"
#include "media/devices/patient_query.h"

void
mllp_message_free (MllpMessage *message)
{
  g_clear_pointer (&message->message, hl7_free);
  g_clear_pointer (&message->answer, g_ptr_array_unref);
  g_clear_pointer (&message->content, hl7_content_free);
  g_clear_pointer (&message->raw, g_bytes_unref);
  g_free (message->sender);
  g_free (message->digest);
  g_clear_error (&message->error);
  g_free (message);
}

const Hl7Content *
mllp_message_content (MllpMessage *message)
{
  return message->content;
}

GPtrArray *
mllp_message_steal_waves (MllpMessage *message)
{
  GPtrArray *waves = message->content->waves;
  message->content->waves = g_ptr_array_new_with_free_func ((GDestroyNotify)wave_block_free);
  return waves;
}

gboolean
mllp_message_is_acknowledged (MllpMessage *message)
{
  return hl7_is_acknowledged (message->message, message->profile);
}

const Hl7Message *
mllp_message_parsed (MllpMessage *message)
{
  return message->message;
}

GBytes *
mllp_message_raw (MllpMessage *message)
{
  return message->raw;
}

const char *
mllp_message_sender (MllpMessage *message)
{
  return message->sender;
}

gboolean
mllp_message_duplicate (MllpMessage *message)
{
  return message->duplicate;
}

/* The same message again: same bytes from the same device. Without control id and time of its own
 * it is only a message like another, and its readings are new. NULL then. */
static char *
digest_of (const Hl7Message *message, GBytes *raw)
{
  g_autofree char *control = hl7_get (message, 0, 10, 0, 1, 1);
  g_autofree char *time = hl7_get (message, 0, 7, 0, 1, 1);
  /* Asked again, a question wants the answer of now. */
  if (patient_query_is_supported (message))
    return NULL;
  return control != NULL && time != NULL ? g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, raw)
                                         : NULL;
}

static char *
describe_sender (MllpConnection *connection, const Hl7Message *message)
{
  g_autofree char *application = hl7_get (message, 0, 3, 0, 1, 1);
  return g_strdup_printf ("%s %.60s", connection->address, application != NULL ? application : "-");
}

/* Parsed, by the profile of its sender when it has one. */
static Hl7Message *
parse (MllpConnection *connection, const guint8 *data, gsize length, const Profile **ret_profile,
       char **ret_sender, GError **error)
{
  MllpListener *listener = connection->listener;
  g_autoptr (Hl7Message) message = hl7_parse (data, length, NULL, error);
  if (message == NULL)
    return NULL;
  g_autofree char *sender = describe_sender (connection, message);
  const Profile *profile
      = listener->profile != NULL ? listener->profile (message, sender, listener->arg) : NULL;
  const char *charset = profile != NULL ? profile_charset (profile) : NULL;
  if (charset != NULL) {
    hl7_free (g_steal_pointer (&message));
    message = hl7_parse (data, length, charset, error);
  }
  *ret_profile = profile;
  *ret_sender = g_steal_pointer (&sender);
  return g_steal_pointer (&message);
}

/* So that each of them can be known again (Observation.raw, WaveBlock.raw). */
static void
name_content (const MllpMessage *message)
{
  const Hl7Content *content = message->content;
  const char *digest = message->digest;
  gboolean repeats = hl7_is_acknowledged (message->message, message->profile);
  for (guint i = 0; digest != NULL && i < content->observations->len; i++) {
    Observation *o = content->observations->pdata[i];
    o->raw = g_strdup_printf ("%.24s:%u", digest, i);
  }
  for (guint i = 0; digest != NULL && i < content->alarms->len; i++) {
    DeviceAlarm *alarm = content->alarms->pdata[i];
    alarm->origin->raw = g_strdup_printf ("%.24s:a%u", digest, i);
  }
  for (guint i = 0; digest != NULL && repeats && i < content->waves->len; i++) {
    WaveBlock *block = content->waves->pdata[i];
    block->raw = g_strdup_printf ("%.24s:w%u", digest, i);
  }
}

static Hl7Content *
read_content (MllpConnection *connection, const MllpMessage *message)
{
  if (message->duplicate || !hl7_content_is_supported (message->message))
    return hl7_content_new ();
  return hl7_content_read (message->message, message->profile, connection->listener->wcm,
                           g_get_real_time (), g_get_monotonic_time (), connection->address);
}

MllpMessage *
mllp_message_read (MllpConnection *connection, const guint8 *data, gsize length, GError **error)
{
  g_autofree char *sender = NULL;
  const Profile *profile = NULL;
  g_autoptr (Hl7Message) parsed = parse (connection, data, length, &profile, &sender, error);
  if (parsed == NULL)
    return NULL;
  MllpMessage *message = g_new0 (MllpMessage, 1);
  message->connection = connection;
  message->raw = g_bytes_new (data, length);
  message->digest = digest_of (parsed, message->raw);
  message->sender = g_steal_pointer (&sender);
  message->profile = profile;
  message->duplicate = message->digest != NULL
                       && g_hash_table_contains (connection->listener->remembered, message->digest);
  message->message = g_steal_pointer (&parsed);
  message->content = read_content (connection, message);
  name_content (message);
  return message;
}
