#include "media/devices/line_device.h"

const LineKind *const *
line_kinds (void)
{
  static const LineKind *const kinds[]
      = { &line_kind_contec, &line_kind_nonin, &line_kind_nonin_spot, &line_kind_intellivue, NULL };
  return kinds;
}

const LineKind *
line_kind_find (const char *name)
{
  for (const LineKind *const *kind = line_kinds (); *kind != NULL; kind++)
    if (g_str_equal ((*kind)->name, name))
      return *kind;
  return g_str_equal (name, line_kind_intellivue_lan.name) ? &line_kind_intellivue_lan : NULL;
}
