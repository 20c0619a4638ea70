/* SCP-ECG's Huffman tables (EN 1064, section 2 and annex C) and differences. */
#pragma once
#include "media/devices/ecg_bytes.h"

typedef struct ScpTables ScpTables;

/* section: the body of section 2; NULL: the file has none, samples are plain numbers of 16 bits.
 * (transfer full) */
ScpTables *scp_tables_parse (EcgBytes *section, GError **error);
void scp_tables_free (ScpTables *tables);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ScpTables, scp_tables_free)

/* Exactly count values out of data, then their differences undone (0 none, 1 first, 2 second).
 * FALSE with an error: a code that is in no table, or the data end before. */
gboolean scp_decode (const ScpTables *tables, const guint8 *data, gsize length, guint difference,
                     gint32 *values, gsize count, GError **error);
