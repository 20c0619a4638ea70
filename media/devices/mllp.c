#include "media/devices/mllp.h"

enum { VT = 0x0B, FS = 0x1C, CR = 0x0D };

struct Mllp {
  GByteArray *message;
  gboolean inside;
  guint64 dropped;
};

Mllp *
mllp_new (void)
{
  Mllp *mllp = g_new0 (Mllp, 1);
  mllp->message = g_byte_array_new ();
  return mllp;
}

void
mllp_free (Mllp *mllp)
{
  g_byte_array_unref (mllp->message);
  g_free (mllp);
}

static void
begin (Mllp *mllp)
{
  if (mllp->inside && mllp->message->len > 0)
    mllp->dropped++;
  g_byte_array_set_size (mllp->message, 0);
  mllp->inside = TRUE;
}

static void
end (Mllp *mllp, MllpOut out, void *arg)
{
  mllp->inside = FALSE;
  if (mllp->message->len > 0)
    out (mllp->message->data, mllp->message->len, arg);
  g_byte_array_set_size (mllp->message, 0);
}

static void
append (Mllp *mllp, const guint8 *data, gsize length)
{
  gsize room = MLLP_MAX + 1 - mllp->message->len;
  g_byte_array_append (mllp->message, data, MIN (length, room));
}

void
mllp_feed (Mllp *mllp, const guint8 *data, gsize length, MllpOut out, void *arg)
{
  gsize at = 0;
  while (at < length) {
    if (data[at] == VT) {
      begin (mllp);
      at++;
    } else if (!mllp->inside) {
      at++;
    } else if (data[at] == FS) {
      end (mllp, out, arg);
      at++;
    } else {
      gsize run = at;
      while (run < length && data[run] != VT && data[run] != FS)
        run++;
      append (mllp, data + at, run - at);
      at = run;
    }
  }
}

guint64
mllp_dropped (Mllp *mllp)
{
  return mllp->dropped;
}

gboolean
mllp_inside (Mllp *mllp)
{
  return mllp->inside && mllp->message->len > 0;
}

GBytes *
mllp_frame (const char *message, gsize length)
{
  GByteArray *frame = g_byte_array_sized_new (length + 3);
  g_byte_array_append (frame, (const guint8[]){ VT }, 1);
  g_byte_array_append (frame, (const guint8 *)message, length);
  g_byte_array_append (frame, (const guint8[]){ FS, CR }, 2);
  return g_byte_array_free_to_bytes (frame);
}
