#include "media/devices/decode_kinds.h"
#include <gio/gio.h>

static const struct {
  const char *name;
  DecodeKind decode;
} KINDS[] = {
  { "hl7", decode_hl7 },
};

const char *const *
device_decode_kinds (void)
{
  static const char *names[G_N_ELEMENTS (KINDS) + 1];
  for (gsize i = 0; i < G_N_ELEMENTS (KINDS); i++)
    names[i] = KINDS[i].name;
  return names;
}

gboolean
device_decode (const char *kind, const guint8 *data, gsize length, DecodeOut out, DecodeNote note,
               void *arg, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (KINDS); i++)
    if (g_str_equal (kind, KINDS[i].name))
      return KINDS[i].decode (data, length, out, note, arg, error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "no such kind: %s", kind);
  return FALSE;
}
