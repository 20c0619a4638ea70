/* Waves in HL7 v2 (IHE PCD Waveform Content Module): OBX rows of type NA, and the facets below them
 * that say how fast they were sampled, what one step is and which numbers are none.
 *
 *   OBR|…|69121^MDC_OBS_WAVE_CTS^MDC|||start|end
 *   OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.131330|12^13^…|||||||start
 *   OBX|2|NM|68320^MDC_ATTR_SAMP_RATE^MDC|1.1.1.131330.1|240
 *   OBX|3|NM|67945^MDC_ATTR_NU_MSMT_RES^MDC|1.1.1.131330.2|2.44|266419^MDC_DIM_MICRO_VOLT^MDC
 *   OBX|4|NR|68323^MDC_ATTR_DATA_RANGE^MDC|1.1.1.131330.3|-2048^2047
 *   OBX|5|NM|197376^MDC_EVT_DATA_INVALID^MDC|1.1.1.131330.4|-32768^32767
 *
 * A facet belongs to the row whose place (OBX-4) its own begins with, to all rows of a channel
 * when it stands at the channel (1.1.1.0), and without a place to the row above it. What the
 * message leaves unsaid the profile may say; a rate that neither names is that of OBR-7 to OBR-8.
 * Rows of which the rate stays unknown, or that are no list of numbers, are no waves.
 *
 * Sans-IO. A Wcm remembers where each stream of each device stands, so that messages that follow
 * each other give one epoch; a gap by the device's clock, another patient, rate or set of leads
 * begins the next.
 */
#pragma once
#include "media/devices/hl7_message.h"
#include "media/devices/profile.h"
#include "media/devices/wave.h"

typedef struct Wcm Wcm;

Wcm *wcm_new (void);
void wcm_free (Wcm *wcm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Wcm, wcm_free)

/* (transfer full) array of WaveBlock*, in the order of the message. taken: one for each segment,
 * set to TRUE for rows that were read here. profile, sender, now_us: as of pcd01_observations().
 * monotonic_us: CLOCK_MONOTONIC of the arrival, 0: not live. */
GPtrArray *wcm_read (Wcm *wcm, const Hl7Message *message, const Profile *profile, gint64 now_us,
                     gint64 monotonic_us, const char *sender, gboolean *taken);
