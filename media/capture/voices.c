#include "media/capture/voices.h"

#include <math.h>

enum {
  VOICES_MAX = 16,
  LETTERS_MAX = 256,
  TAKE_MAX = VOICE_RATE / 100,
  FORGET_US = 30 * G_USEC_PER_SEC,
};

typedef struct {
  Voice *voice;
  gint64 frame_us; /* its last frame came */
} Speaker;

/* A frame on its way to the taking thread: who puts it waits for no decoder. */
typedef struct {
  char *name;
  Frame *frame;
} Letter;

struct Voices {
  GAsyncQueue *letters;
  GHashTable *speakers; /* name -> Speaker; the taking thread's */
};

static void
speaker_free (gpointer data)
{
  Speaker *speaker = data;
  voice_free (speaker->voice);
  g_free (speaker);
}

static void
letter_free (gpointer data)
{
  Letter *letter = data;
  frame_unref (letter->frame);
  g_free (letter->name);
  g_free (letter);
}

Voices *
voices_new (void)
{
  Voices *v = g_new0 (Voices, 1);
  v->letters = g_async_queue_new_full (letter_free);
  v->speakers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, speaker_free);
  return v;
}

void
voices_free (Voices *v)
{
  g_hash_table_unref (v->speakers);
  g_async_queue_unref (v->letters);
  g_free (v);
}

void
voices_put (Voices *v, const char *name, Frame *frame)
{
  if (g_async_queue_length (v->letters) >= LETTERS_MAX)
    return;
  Letter *letter = g_new (Letter, 1);
  *letter = (Letter){ g_strdup (name), frame_ref (frame) };
  g_async_queue_push (v->letters, letter);
}

static gboolean
is_forgotten (gpointer name, gpointer data, gpointer now_us)
{
  return *(gint64 *)now_us - ((Speaker *)data)->frame_us > FORGET_US;
}

/* NULL: too many. */
static Speaker *
find_speaker (Voices *v, const char *name, gint64 now_us)
{
  Speaker *speaker = g_hash_table_lookup (v->speakers, name);
  if (speaker)
    return speaker;
  g_hash_table_foreach_remove (v->speakers, is_forgotten, &now_us);
  if (g_hash_table_size (v->speakers) >= VOICES_MAX)
    return NULL;
  speaker = g_new0 (Speaker, 1);
  speaker->voice = voice_new ();
  g_hash_table_insert (v->speakers, g_strdup (name), speaker);
  return speaker;
}

static void
read_letters (Voices *v)
{
  gint64 now_us = g_get_monotonic_time ();
  Letter *letter;
  while ((letter = g_async_queue_try_pop (v->letters)) != NULL) {
    Speaker *speaker = find_speaker (v, letter->name, now_us);
    if (speaker) {
      speaker->frame_us = now_us;
      voice_put (speaker->voice, letter->frame);
    }
    letter_free (letter);
  }
}

void
voices_take (Voices *v, gint16 *out, guint n)
{
  float sum[TAKE_MAX] = { 0 };
  GHashTableIter iter;
  gpointer speaker;
  read_letters (v);
  g_hash_table_iter_init (&iter, v->speakers);
  while (g_hash_table_iter_next (&iter, NULL, &speaker))
    voice_mix (((Speaker *)speaker)->voice, sum, n);
  for (guint i = 0; i < n; i++)
    out[i] = (gint16)CLAMP (lrintf (sum[i] * 32767), G_MININT16, G_MAXINT16);
}

void
voices_forget (Voices *v)
{
  Letter *letter;
  while ((letter = g_async_queue_try_pop (v->letters)) != NULL)
    letter_free (letter);
  g_hash_table_remove_all (v->speakers);
}
