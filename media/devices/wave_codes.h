/* Codes of sampled signals (IEEE 11073-10101): which lead or channel a wave is. */
#pragma once
#include <glib.h>

typedef struct {
  guint32 mdc;       /* 0: known by its name only */
  const char *name;  /* MDC reference id */
  const char *label; /* WaveLead.name: "I", "V1", "pleth" */
  const char *kind;  /* WaveStream.id: leads of one kind and rate are one stream */
} WaveCode;

const WaveCode *wave_code_by_mdc (guint32 mdc);
/* By reference id, other spellings of the same lead included. */
const WaveCode *wave_code_by_name (const char *name);

/* "500", "62.5": samples a second as a rational in lowest terms. FALSE: no number, none above 0,
 * or one above 100,000. */
gboolean wave_rate_parse (const char *text, guint *ret_num, guint *ret_den);
