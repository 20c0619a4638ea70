/* The sequences of an aECG series: times and leads of a sequence set become a stream.
 *
 *   aecg_set_begin ─► (aecg_sequence_begin ─► _code, _increment or _origin, _scale, _digits)… ─►
 *   aecg_set_end
 *
 * Calls out of this order are harmless. Errors are MEDIA_ERROR; FALSE with one.
 */
#pragma once
#include "media/devices/ecg_recording.h"

typedef struct AecgSeries AecgSeries;

/* recording must outlive it. (transfer full) */
AecgSeries *aecg_series_new (EcgRecording *recording);
void aecg_series_free (AecgSeries *series);

/* derived: a representative beat, which is no rhythm. */
void aecg_set_begin (AecgSeries *series, gboolean derived);
gboolean aecg_set_end (AecgSeries *series, GError **error);
void aecg_sequence_begin (AecgSeries *series);
/* "TIME_ABSOLUTE", "TIME_RELATIVE", or a lead. Values may be NULL: not in the document. */
gboolean aecg_sequence_code (AecgSeries *series, const char *code, GError **error);
gboolean aecg_sequence_increment (AecgSeries *series, const char *value, const char *unit,
                                  GError **error);
gboolean aecg_sequence_origin (AecgSeries *series, const char *value, const char *unit,
                               GError **error);
gboolean aecg_sequence_scale (AecgSeries *series, const char *value, const char *unit,
                              GError **error);
gboolean aecg_sequence_digits (AecgSeries *series, const char *text, GError **error);
