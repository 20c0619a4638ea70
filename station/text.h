/* Words for people, in Vietnamese and English, side by side where they are used.
 *
 * The program chooses once, at start: --lang, then `language` of station.conf, then LC_ALL and
 * LANG. Pages get both languages and choose themselves. Main thread.
 */
#pragma once
#include <glib.h>
#include <jansson.h>

typedef struct {
  const char *vi, *en;
} Text;

/* "vi", "en" or NULL (by the environment). FALSE when the language is unknown. */
gboolean text_choose (const char *language);
gboolean text_vietnamese (void);

/* Picks one of two literals; both are format strings for the same arguments. */
#define SAY(vi, en) (text_vietnamese () ? (vi) : (en))

/* {"vi": …, "en": …} (transfer full) */
json_t *text_json (const char *vi, const char *en);
