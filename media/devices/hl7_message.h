/* HL7 v2 messages (HL7 v2.6 chapter 2), encoding "ER7": parse and look up.
 *
 * Delimiters are those of MSH-1 and MSH-2. A line break within a text belongs to it. Escapes that
 * are none stay as they are written.
 *
 * Hostile until parsed: at most MLLP_MAX bytes and HL7_MAX_SEGMENTS segments. Segments may end in
 * CR, LF or both, the last may end in nothing; a line that cannot be a segment continues the one
 * before. Text is converted from the charset that MSH-18 declares (or, when that cannot be right,
 * from the one it must be) to UTF-8 in Unicode normalization form C.
 */
#pragma once
#include <glib.h>

#define HL7_MAX_SEGMENTS 4096

#define HL7_ERROR (hl7_error_quark ())
GQuark hl7_error_quark (void);
typedef enum {
  HL7_ERROR_NO_MSH, /* does not begin with a message header */
  HL7_ERROR_TOO_LONG,
  HL7_ERROR_CHARSET, /* the declared character set is unknown here, or the text is not in it */
  HL7_ERROR_TYPE,    /* a message type that is not supported */
} Hl7Error;

typedef struct Hl7Message Hl7Message;

/* charset: for a text whose MSH-18 declares none, NULL: found out. */
Hl7Message *hl7_parse (const guint8 *data, gsize length, const char *charset, GError **error);
/* The header alone of something that hl7_parse() refused, so that its sender can be told: the
 * first line, when that is an MSH segment. NULL when it is none. */
Hl7Message *hl7_parse_header (const guint8 *data, gsize length);

/* Calls out for each message in data, which is what stood in one frame or file: one message,
 * several one after the other, or a batch (2.10.3), whose FHS, BHS, BTS and FTS lines carry no
 * reading. Data without any header is handed out as it is. */
typedef void (*Hl7Out) (const guint8 *message, gsize length, void *arg);
void hl7_split (const guint8 *data, gsize length, Hl7Out out, void *arg);
void hl7_free (Hl7Message *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Hl7Message, hl7_free)

guint hl7_segments (const Hl7Message *message);
/* Three letters. */
const char *hl7_segment_name (const Hl7Message *message, guint segment);

/* A segment as written, its line ends apart; in UTF-8 (transfer full). */
char *hl7_segment_text (const Hl7Message *message, guint segment);

/* Field (1-based as in the standard: MSH-1 is the field separator), repetition (0-based),
 * component and sub-component (1-based), unescaped (2.7). (transfer full); NULL when it is absent
 * or empty; the HL7 null ("") counts as empty. component 0: the whole repetition as written. */
char *hl7_get (const Hl7Message *message, guint segment, guint field, guint repetition,
               guint component, guint sub);
/* The whole repetition, unescaped, its component separators as written ('^', '&' when the message
 * has others). (transfer full); NULL when it is absent or empty. */
char *hl7_get_plain (const Hl7Message *message, guint segment, guint field, guint repetition);
/* How many repetitions a field has; 0 when it is empty. */
guint hl7_repetitions (const Hl7Message *message, guint segment, guint field);

typedef enum { HL7_FIELD, HL7_COMPONENT } Hl7Delimiter;
char hl7_delimiter (const Hl7Message *message, Hl7Delimiter which);

/* Name of the character set for iconv; TRUE in ret_guessed when MSH-18 did not fit the text. */
const char *hl7_charset (const Hl7Message *message, gboolean *ret_guessed);
