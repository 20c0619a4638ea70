/* The frame of an SCP-ECG record: sections and what they say beside the samples. */
#pragma once
#include "media/devices/ecg_bytes.h"
#include "media/devices/ecg_recording.h"

#define SCP_SECTIONS 12

typedef struct {
  EcgBytes section[SCP_SECTIONS]; /* bodies, behind the section's header; data NULL: not there */
} ScpRecord;

/* CRC-CCITT, polynomial 1021, begun with ones (EN 1064, 5.2.7). */
guint16 scp_crc (const guint8 *data, gsize length);
/* Finds sections 1 to 11 by section 0; lengths and checksums are right then. */
gboolean scp_record_parse (const guint8 *data, gsize length, ScpRecord *ret, GError **error);
gboolean scp_has (const ScpRecord *record, guint section);

/* Section 1: patient, device, time of acquisition. What is not there or odd is left out. */
void scp_read_patient (const ScpRecord *record, EcgRecording *recording);
/* Sections 7 and 10: measurements of all leads, and of each. */
void scp_read_measurements (const ScpRecord *record, EcgRecording *recording);
/* Sections 8 and 11: what was made of it, by a machine or a person. */
void scp_read_statements (const ScpRecord *record, EcgRecording *recording);
