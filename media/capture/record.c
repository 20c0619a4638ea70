#include "media/capture/record.h"

struct Record {
  OutletEvents events;
  void *arg;
  Outlet *outlet;
  gint on;      /* atomic: odd while recording, one more with each change */
  gint native;  /* atomic: the device's own frames are the record */
  gint started; /* value of `on` whose key frame has come; the encoded stream's thread only */
};

Record *
record_new (const char *source, MediaCodec codec, const OutletEvents *events, void *arg)
{
  Record *record = g_new0 (Record, 1);
  record->events = *events;
  record->arg = arg;
  EncoderConfig config = { .codec = codec, .purpose = ENCODER_RECORD };
  record->outlet = outlet_new (source, &config, events, arg);
  return record;
}

void
record_free (Record *record)
{
  outlet_free (record->outlet);
  g_free (record);
}

static gboolean
is_on (Record *record)
{
  return g_atomic_int_get (&record->on) & 1;
}

void
record_set (Record *record, gboolean on)
{
  if (is_on (record) != !!on)
    g_atomic_int_inc (&record->on);
  record->events.wake (record->arg);
}

void
record_feed_raw (Record *record, GstBuffer *buffer, GstCaps *caps)
{
  if (!g_atomic_int_get (&record->native))
    outlet_feed (record->outlet, buffer, caps);
}

void
record_feed_encoded (Record *record, Frame *frame)
{
  g_atomic_int_set (&record->native, TRUE);
  gint on = g_atomic_int_get (&record->on);
  if (!(on & 1))
    return;
  if (record->started != on && !frame->key)
    return;
  record->started = on;
  record->events.frame (frame, record->arg);
}

void
record_unfit (Record *record)
{
  g_atomic_int_set (&record->native, FALSE);
  record->events.wake (record->arg);
}

gint64
record_work (Record *record, gint64 now_us)
{
  outlet_want (record->outlet, is_on (record) && !g_atomic_int_get (&record->native));
  return outlet_work (record->outlet, now_us);
}

void
record_reset (Record *record)
{
  outlet_reset (record->outlet);
  g_atomic_int_set (&record->native, FALSE);
  record->started = 0; /* what follows a gap begins with a key frame */
}
