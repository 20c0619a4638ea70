/* An ECG recording out of a file, whatever its format: SCP-ECG, HL7 aECG, EDF+, BDF+, WFDB, DICOM.
 *
 * Readers (ecg_scp.h …) take a whole file in memory and give one of these. What a file says is
 * kept as it says it: samples are its own integers, its patient is not ours until somebody says
 * so. Signals of different rates, or recorded one after the other, are different streams.
 *
 * A recording belongs to one owner at a time; its blocks and streams may be taken out of it.
 */
#pragma once
#include "media/devices/observation.h"
#include "media/devices/wave.h"

/* Samples of all leads of one recording together: 24 h of three leads at 360 Hz fit. */
#define ECG_SAMPLES_MAX (100u * 1000 * 1000)
/* Streams, measurements, annotations, notes: of each at most so many. */
#define ECG_ITEMS_MAX 100000

typedef struct {
  char *name;  /* "QRS duration", or the file's own word */
  char *lead;  /* of which lead; NULL: of all */
  char *unit;  /* UCUM where known; NULL: none */
  char *value; /* as the file has it, a number or a text */
} EcgMeasurement;

typedef struct {
  gint64 at_us;       /* after the recording's begin */
  gint64 duration_us; /* -1: a point in time, or not known */
  char *lead;         /* NULL: of all */
  char *text;
} EcgAnnotation;

typedef struct {
  const char *kind;                                /* "scp" "aecg" "edf" "bdf" "wfdb" "dicom" */
  char *patient_id, *patient_name, *patient_birth; /* birth: YYYY-MM-DD; NULL: the file has none */
  const char *patient_sex;                         /* "male" "female" "other"; NULL */
  char *device;                                    /* its own id or serial number; NULL */
  char *maker, *model;                             /* NULL */
  gint64 time_us;                                  /* UTC of the begin; 0: not known */
  ObservationTime time_source;                     /* when time_us is not 0 */
  GPtrArray *streams;                              /* WaveStream */
  GPtrArray *blocks;                               /* WaveBlock; by stream, then by time */
  GPtrArray *interpretation; /* sentences of the device or of who read the ECG */
  GPtrArray *measurements;   /* EcgMeasurement */
  GPtrArray *annotations;    /* EcgAnnotation */
  GPtrArray *notes;          /* what a reader should know: English, one sentence each */
  guint64 samples;           /* of all leads of all blocks */
} EcgRecording;

EcgRecording *ecg_recording_new (const char *kind);
void ecg_recording_free (EcgRecording *recording);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EcgRecording, ecg_recording_free)

/* ---- For readers ---------------------------------------------------------------------------- */

/* Text of a file as people see it: valid UTF-8 (declared as in hl7_charset_convert()), trimmed,
 * without controls, at most 4,096 bytes. NULL when nothing is left. (transfer full) */
char *ecg_text (const guint8 *data, gsize length, const char *declared);
/* Members are set to ecg_text() of what comes, once: the first that is not empty stays. */
void ecg_set_text (char **member, const guint8 *data, gsize length, const char *declared);

/* Appends a stream of the file's own naming: "ecg" when a lead is one, else "wave", with a number
 * from the second on. Takes the recording's device and patient, so these come first. The
 * recording owns it; its leads are to be filled in with ecg_lead_set() and are known by then, so
 * that the name fits: call ecg_add_stream() last. (transfer full of stream) */
void ecg_add_stream (EcgRecording *recording, WaveStream *stream);
/* A stream without a name yet, for ecg_add_stream(). NULL with an error (MEDIA_ERROR_MALFORMED)
 * when rate or number of leads is none. */
WaveStream *ecg_stream_new (guint64 rate_num, guint64 rate_den, guint leads, GError **error);
/* The recording's stream of the same rate and leads as this one, which is freed then; else this
 * one, added. (transfer full of stream; none of the result) */
WaveStream *ecg_take_stream (EcgRecording *recording, WaveStream *stream);
/* Room for a run of `count` samples of each lead from index first; fails beyond
 * ECG_SAMPLES_MAX. The recording owns the block. time_us follows from the recording's. */
WaveBlock *ecg_add_block (EcgRecording *recording, WaveStream *stream, guint32 epoch, guint64 first,
                          guint64 count, GError **error);

void ecg_add_interpretation (EcgRecording *recording, char *text);
/* (transfer full) of lead, value; NULL value: nothing happens. */
void ecg_add_measurement (EcgRecording *recording, const char *name, char *lead, const char *unit,
                          char *value);
/* (transfer full) of lead, text. */
void ecg_add_annotation (EcgRecording *recording, gint64 at_us, gint64 duration_us, char *lead,
                         char *text);
void ecg_add_note (EcgRecording *recording, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* The begin, by the device's clock: local time without an offset, or with one in minutes east of
 * UTC. Out of range (year 0, month 13): the time stays unknown, with a note. */
void ecg_set_time (EcgRecording *recording, int year, int month, int day, int hour, int minute,
                   double second, const int *offset_minutes);
/* As YYYY-MM-DD; NULL when it is no date. (transfer full) */
char *ecg_date (int year, int month, int day);

/* A positive decimal number as a fraction: "62.5" is 125/2, "0.004" is 1/250. Up to nine digits on
 * either side of the point. FALSE: it is none, or zero. */
gboolean ecg_rational (const char *text, guint64 *ret_num, guint64 *ret_den);

/* ---- Leads ---------------------------------------------------------------------------------- */

/* Name, MDC code and unit of a lead. name: the file's word ("V1", "MDC_ECG_LEAD_V1", "EKG aVR",
 * "Lead II"); the twelve standard leads get their usual spelling and their code, others keep the
 * word. scale as WaveLead. unit: the file's word; volts in whatever spelling become UCUM. */
void ecg_lead_set (WaveLead *lead, const char *name, const char *unit, double scale, double offset,
                   guint bits);
/* By SCP-ECG's number of a lead (EN 1064, table of 5.6.3), which MDC's continues: 131328 + n. NULL
 * when it is no standard lead here. (transfer none) */
const char *ecg_lead_name (guint scp);

/* ---- For who shows it ----------------------------------------------------------------------- */

/* The metadata of docs/devices.md, without samples. (transfer full) */
json_t *ecg_recording_to_json (const EcgRecording *recording);
/* Metadata, then the blocks in pieces of at most 5,000 samples, each as of wave_block_to_json(). */
void ecg_recording_each (const EcgRecording *recording, void (*out) (json_t *object, void *arg),
                         void *arg);
/* Microseconds between the recording's begin and a block's. */
gint64 ecg_block_offset_us (const EcgRecording *recording, const WaveBlock *block);
