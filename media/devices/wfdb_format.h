/* Sample formats of WFDB signal files (signal(5)). */
#pragma once
#include <glib.h>

/* How many samples fit into so many bytes. Format 8 has differences: one byte each. */
guint64 wfdb_format_samples (guint format, gsize bytes);
/* The sample (of format 8: the difference) at an index below wfdb_format_samples(). */
gint32 wfdb_format_sample (guint format, const guint8 *data, guint64 index);
/* The value that stands for "no sample"; 0: the format has none. */
gint32 wfdb_format_missing (guint format);
