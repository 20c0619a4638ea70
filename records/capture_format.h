/* What writing and reading captures share. Private to records/capture*.c. */
#pragma once
#include "records/capture.h"

#define CAPTURE_MAGIC "NHIPCAP1"
#define CAPTURE_HEAD 28
#define CAPTURE_RECORD_HEAD 12
#define CAPTURE_PLAIN_HEAD 17
#define CAPTURE_WRAP_MAX (64 * 1024)
#define CAPTURE_KEY_INFO "nhipcau/1/capture"

/* The key under which file keys are sealed: 32 B; wipe after use. */
gboolean capture_station_key (Vault *vault, guint8 ret_key[32], GError **error);
/* (transfer full) AAD of a record. */
GBytes *capture_aad (const guint8 head_sha256[32], const guint8 record_head[CAPTURE_RECORD_HEAD]);
void capture_put (GByteArray *out, guint64 value, guint bytes);
guint64 capture_get (const guint8 *at, guint bytes);
