#include "media/devices/wfdb_annotations.h"
#include "media/devices/ecg_bytes.h"

/* Codes of ecgcodes.h and the marks that WFDB's tools print for them. */
static const char *const MARKS[] = {
  " ", "N",  "L", "R",  "a", "V", "F", "J", "A",  "S", "E", "j", "/", "Q",
  "~", NULL, "|", NULL, "s", "T", "*", "D", "\"", "=", "p", "B", "^", "t",
  "+", "u",  "?", "!",  "[", "]", "e", "n", "@",  "x", "f", "(", ")", "r",
};

enum { SKIP = 59, NUM, SUB, CHN, AUX };

typedef struct {
  gint64 time; /* frames */
  guint code;
  gboolean pending;
  char *aux;
} Annotation;

static void
flush (EcgRecording *recording, Annotation *annotation, double rate)
{
  if (!annotation->pending)
    return;
  const char *mark = annotation->code < G_N_ELEMENTS (MARKS) ? MARKS[annotation->code] : NULL;
  g_autofree char *number = g_strdup_printf ("[%u]", annotation->code);
  if (mark == NULL)
    mark = number;
  char *text = annotation->aux != NULL ? g_strdup_printf ("%s %s", mark, annotation->aux)
                                       : g_strdup (mark);
  gint64 at = (gint64)((double)CLAMP (annotation->time, 0, G_MAXINT32) / rate * 1e6);
  ecg_add_annotation (recording, at, -1, NULL, text);
  g_clear_pointer (&annotation->aux, g_free);
  annotation->pending = FALSE;
}

/* A skip is a number of 32 bits, its upper half first. */
static gint32
take_skip (EcgBytes *bytes)
{
  guint32 high = ecg_bytes_u16 (bytes);
  return (gint32)(high << 16 | ecg_bytes_u16 (bytes));
}

static void
take_word (EcgRecording *recording, EcgBytes *bytes, guint code, guint interval,
           Annotation *annotation, double rate)
{
  if (code == AUX) {
    const guint8 *aux = ecg_bytes_take (bytes, interval + (interval & 1));
    if (aux != NULL && annotation->pending && annotation->aux == NULL)
      annotation->aux = ecg_text (aux, interval, NULL);
  } else if (code == SKIP) {
    flush (recording, annotation, rate);
    annotation->time += take_skip (bytes);
  } else if (code < SKIP) {
    flush (recording, annotation, rate);
    annotation->time += interval;
    annotation->code = code;
    annotation->pending = TRUE;
  }
}

void
wfdb_annotations_read (EcgRecording *recording, const guint8 *data, gsize length, double rate)
{
  EcgBytes bytes = ecg_bytes (data, length);
  Annotation annotation = { 0 };
  gboolean ended = FALSE;
  while (!ended && ecg_bytes_left (&bytes) >= 2) {
    guint16 word = ecg_bytes_u16 (&bytes);
    ended = word == 0;
    if (!ended)
      take_word (recording, &bytes, word >> 10, word & 0x3FF, &annotation, rate);
  }
  flush (recording, &annotation, rate);
  if (!ended || bytes.failed)
    ecg_add_note (recording, "the annotation file ends before its end: later ones are missing");
}
