/* What tests of ECG files have in common: samples that must come back as they were. */
#pragma once
#include "ecg_files.h"
#include "media/devices/ecg_file.h"

#include <string.h>

static inline EcgRecording *
check_read (const char *kind, const GByteArray *file)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpstr (ecg_file_kind (NULL, file->data, file->len), ==, kind);
  EcgRecording *recording = ecg_file_read (kind, file->data, file->len, NULL, NULL, &error);
  g_assert_no_error (error);
  return recording;
}

/* All eight leads of one block, from sample `from` of the made heart on. */
static inline void
check_block (const WaveBlock *block, const EcgMade *made, guint from)
{
  g_assert_cmpuint (block->stream->lead_count, ==, ECG_MADE_LEADS);
  for (guint lead = 0; lead < ECG_MADE_LEADS; lead++) {
    g_assert_cmpstr (block->stream->leads[lead].name, ==, ecg_made_names[lead]);
    g_assert_cmpuint (block->stream->leads[lead].mdc, ==, 131329 + lead);
    for (guint i = 0; i < block->count; i++)
      if (block->samples[lead * block->count + i] != made->lead[lead][from + i])
        g_error ("lead %s sample %u: %d, not %d", ecg_made_names[lead], from + i,
                 block->samples[lead * block->count + i], made->lead[lead][from + i]);
  }
}

static inline void
check_whole (const EcgRecording *recording, const EcgMade *made, const char *unit, double scale)
{
  g_assert_cmpuint (recording->streams->len, ==, 1);
  g_assert_cmpuint (recording->blocks->len, ==, 1);
  const WaveBlock *block = g_ptr_array_index (recording->blocks, 0);
  g_assert_cmpstr (block->stream->id, ==, "ecg");
  g_assert_cmpuint (block->stream->rate_num, ==, made->rate * block->stream->rate_den);
  g_assert_cmpuint (block->count, ==, made->count);
  g_assert_cmpstr (block->stream->leads[0].unit, ==, unit);
  g_assert_cmpfloat_with_epsilon (block->stream->leads[0].scale, scale, 1e-12);
  g_assert_cmpfloat_with_epsilon (block->stream->leads[0].offset, 0, 1e-9);
  check_block (block, made, 0);
}

/* Refused, with words that say where; whatever prefix of the file is read, nothing breaks. */
static inline void
check_refused (const char *kind, const guint8 *data, gsize length, const char *word)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EcgRecording) recording = ecg_file_read (kind, data, length, NULL, NULL, &error);
  g_assert_null (recording);
  g_assert_nonnull (error);
  if (word != NULL && strstr (error->message, word) == NULL)
    g_error ("'%s' does not say '%s'", error->message, word);
}

static inline void
check_cut (const char *kind, const GByteArray *file, gboolean all_refused)
{
  for (gsize length = 0; length < file->len; length += 1 + length / 97) {
    g_autoptr (GError) error = NULL;
    g_autofree guint8 *exact = g_memdup2 (file->data, length);
    g_autoptr (EcgRecording) recording = ecg_file_read (kind, exact, length, NULL, NULL, &error);
    g_assert_true ((recording == NULL) == (error != NULL));
    if (all_refused)
      g_assert_null (recording);
  }
}
