#include "media/devices/decode_kinds.h"
#include <gio/gio.h>
#include <string.h>

static const struct {
  const char *name;
  DecodeKind decode;
  DecodeKindBeside beside; /* instead: of several files */
  const char *parameter;   /* what must be said besides the kind; NULL: nothing */
  DecodeKindOf of;         /* instead: with a parameter */
} KINDS[] = {
  { "hl7", decode_hl7, NULL },
  { "scp", decode_scp, NULL },
  { "aecg", decode_aecg, NULL },
  { "edf", decode_edf, NULL },
  { "wfdb", NULL, decode_wfdb },
  { "dicom", decode_dicom_ecg, NULL },
  { "contec", decode_contec, NULL },
  { "nonin", decode_nonin, NULL },
  { "nonin-9560", decode_nonin_spot, NULL },
  { "intellivue", decode_intellivue, NULL },
  { "gatt", NULL, NULL, "UUID", decode_gatt },
};

const char *const *
device_decode_kinds (void)
{
  static const char *names[G_N_ELEMENTS (KINDS) + 1];
  for (gsize i = 0; i < G_N_ELEMENTS (KINDS); i++)
    names[i] = KINDS[i].name;
  return names;
}

const char *
device_decode_parameter (const char *kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (KINDS); i++)
    if (g_str_equal (KINDS[i].name, kind))
      return KINDS[i].parameter;
  return NULL;
}

/* What stands behind "NAME:" in kind; NULL: kind is no such. */
static const char *
parameter_in (const char *kind, const char *name)
{
  gsize length = strlen (name);
  return strncmp (kind, name, length) == 0 && kind[length] == ':' ? kind + length + 1 : NULL;
}

gboolean
device_decode_beside (const char *kind, const guint8 *data, gsize length, DecodeFind find,
                      void *find_arg, DecodeOut out, DecodeNote note, void *arg, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (KINDS); i++) {
    const char *parameter = parameter_in (kind, KINDS[i].name);
    if (KINDS[i].of != NULL && parameter != NULL)
      return KINDS[i].of (parameter, data, length, out, note, arg, error);
    if (KINDS[i].of != NULL || !g_str_equal (kind, KINDS[i].name))
      continue;
    return KINDS[i].beside != NULL
               ? KINDS[i].beside (data, length, find, find_arg, out, note, arg, error)
               : KINDS[i].decode (data, length, out, note, arg, error);
  }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "no such kind: %s", kind);
  return FALSE;
}

gboolean
device_decode (const char *kind, const guint8 *data, gsize length, DecodeOut out, DecodeNote note,
               void *arg, GError **error)
{
  return device_decode_beside (kind, data, length, NULL, NULL, out, note, arg, error);
}
