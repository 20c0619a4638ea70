#include "media/devices/hl7_message.h"
#include "media/devices/hl7_charset.h"
#include "media/devices/mllp.h"
#include <string.h>

G_DEFINE_QUARK (hl7 - error - quark, hl7_error)

/* Stands in no text: a delimiter that the message does not have. */
#define NO_DELIMITER '\0'

struct Hl7Message {
  char *text;          /* whole message, UTF-8; segments point into it */
  GPtrArray *segments; /* of const char*, each ended by NUL */
  const char *charset;
  gboolean charset_guessed;
  char field, component, repeat, escape, sub;
};

/* ---- Parsing --------------------------------------------------------------------------- */

/* Some senders write UTF-16 throughout, frame apart. NULL: it is written in bytes. */
static const char *
wide_charset (const guint8 *data, gsize length)
{
  if (length < 4)
    return NULL;
  if ((data[0] == 0xFF && data[1] == 0xFE) || (data[0] == 'M' && data[1] == 0 && data[2] == 'S'))
    return "UTF-16LE";
  if ((data[0] == 0xFE && data[1] == 0xFF)
      || (data[0] == 0 && data[1] == 'M' && data[2] == 0 && data[3] == 'S'))
    return "UTF-16BE";
  return NULL;
}

/* Everything below wants one byte a character: UTF-16 becomes UTF-8 (ret_wide tells), NULs that
 * some put between messages go. */
static guint8 *
to_bytes (const guint8 *data, gsize length, gsize *ret_length, const char **ret_wide)
{
  const char *wide = wide_charset (data, length);
  if (wide != NULL) {
    gsize written = 0;
    g_autofree char *text
        = g_convert ((const char *)data, length & ~(gsize)1, "UTF-8", wide, NULL, &written, NULL);
    if (text != NULL && !memchr (text, 0, written)) {
      const char *start = g_str_has_prefix (text, "\xEF\xBB\xBF") ? text + 3 : text;
      *ret_length = written - (start - text);
      *ret_wide = wide;
      return g_memdup2 (start, *ret_length);
    }
  }
  guint8 *bytes = g_malloc (length + 1);
  gsize n = 0;
  for (gsize i = 0; i < length; i++)
    if (data[i] != 0)
      bytes[n++] = data[i];
  *ret_length = n;
  return bytes;
}

static gboolean
starts_segment (const char *line, char field)
{
  return g_ascii_isupper (line[0]) && (g_ascii_isupper (line[1]) || g_ascii_isdigit (line[1]))
         && (g_ascii_isupper (line[2]) || g_ascii_isdigit (line[2]))
         && (line[3] == field || line[3] == '\0');
}

/* Cuts text in place. A line that begins no segment is part of the one before: its line end
 * becomes a blank, so that nothing is lost. */
static gboolean
split_segments (Hl7Message *message, GError **error)
{
  char *line = message->text, *end_before = NULL;
  while (*line != '\0') {
    gsize length = strcspn (line, "\r\n");
    char *end = line + length;
    gsize ends = strspn (end, "\r\n");
    if (length > 0 && (message->segments->len == 0 || starts_segment (line, message->field))) {
      if (message->segments->len == HL7_MAX_SEGMENTS) {
        g_set_error (error, HL7_ERROR, HL7_ERROR_TOO_LONG, "more than %d segments",
                     HL7_MAX_SEGMENTS);
        return FALSE;
      }
      if (end_before != NULL)
        *end_before = '\0';
      g_ptr_array_add (message->segments, line);
    }
    memset (end, ' ', ends);
    if (length > 0 && ends > 0)
      end_before = end;
    line = end + ends;
  }
  return TRUE;
}

static gboolean
read_delimiters (Hl7Message *message, const guint8 *data, gsize length, GError **error)
{
  if (length < 8 || memcmp (data, "MSH", 3) != 0) {
    g_set_error_literal (error, HL7_ERROR, HL7_ERROR_NO_MSH,
                         "does not begin with an MSH segment: no HL7 v2 message");
    return FALSE;
  }
  message->field = data[3];
  message->component = data[4];
  char *optional[] = { &message->repeat, &message->escape, &message->sub };
  const char usual[] = { '~', '\\', '&' };
  gsize at = 5;
  for (guint i = 0; i < G_N_ELEMENTS (optional); i++)
    *optional[i]
        = (char)data[at] != message->field && at < length - 1 ? (char)data[at++] : usual[i];
  for (gsize i = 3; i < at; i++)
    if (data[i] >= 0x80 || !g_ascii_ispunct (data[i])) {
      g_set_error_literal (error, HL7_ERROR, HL7_ERROR_NO_MSH,
                           "MSH-1 and MSH-2 do not name delimiters (usually |^~\\&)");
      return FALSE;
    }
  if (message->component == message->field) {
    g_set_error_literal (error, HL7_ERROR, HL7_ERROR_NO_MSH,
                         "MSH-2 is empty: it names the delimiters (usually ^~\\&)");
    return FALSE;
  }
  /* "^~&": three that leave the escape character out. */
  if (at == 7 && message->escape == '&')
    message->escape = NO_DELIMITER;
  if (message->repeat == message->component)
    message->repeat = NO_DELIMITER;
  if (message->escape == message->component || message->escape == message->repeat)
    message->escape = NO_DELIMITER;
  if (message->sub == message->component || message->sub == message->repeat
      || message->sub == message->escape)
    message->sub = NO_DELIMITER;
  return TRUE;
}

#define CHARSETS_MAX 8
#define CHARSET_NAME_MAX 40

/* MSH-18 before conversion, one for each repetition; names of character sets are ASCII, anything
 * else is none. (transfer full) */
static GStrv
declared_charsets (const Hl7Message *message, const guint8 *data, gsize length)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  gsize end = 0, at = 3;
  while (end < length && data[end] != '\r' && data[end] != '\n')
    end++;
  for (guint field = 1; field < 18 && at < end; at++)
    field += (char)data[at] == message->field;
  const char delimiters[] = { message->field, message->repeat, '\0' };
  gboolean more = at < end;
  for (guint n = 0; n < CHARSETS_MAX && more; n++) {
    gsize start = at;
    while (at < end && strchr (delimiters, (char)data[at]) == NULL)
      at++;
    const guint8 *component = memchr (data + start, message->component, at - start);
    gsize size = component != NULL ? (gsize)(component - data) - start : at - start;
    g_autofree char *name = g_strndup ((const char *)data + start, MIN (size, CHARSET_NAME_MAX));
    g_strstrip (name);
    g_strv_builder_add (names, g_str_is_ascii (name) ? name : "");
    more = at < end && (char)data[at] == message->repeat;
    at += more;
  }
  return g_strv_builder_end (names);
}

/* Where text begins, after blanks, NULs and a byte order mark. */
static gsize
skip_blank (const guint8 *data, gsize length)
{
  gsize start = 0;
  while (start < length && (g_ascii_isspace (data[start]) || data[start] == 0))
    start++;
  if (length - start >= 3 && memcmp (data + start, "\xEF\xBB\xBF", 3) == 0)
    start += 3;
  return start;
}

/* The declared set is believed only when the header is still one in it: UTF-16 or EBCDIC are
 * declared for what was plainly written in ASCII. */
static gboolean
convert_text (Hl7Message *message, const guint8 *data, gsize length, const char *wide,
              const char *charset, GError **error)
{
  g_auto (GStrv) declared = declared_charsets (message, data, length);
  const char *one = declared[0] != NULL && *declared[0] != '\0' ? declared[0] : charset;
  if (wide == NULL && declared[0] != NULL && declared[1] != NULL)
    message->text
        = hl7_charset_convert_several (data, length, (const char *const *)declared,
                                       message->escape != NO_DELIMITER ? message->escape : '\0',
                                       &message->charset, &message->charset_guessed, error);
  else
    message->text = hl7_charset_convert (data, length, wide != NULL ? "UTF-8" : one,
                                         &message->charset, &message->charset_guessed, error);
  if (message->text != NULL && !g_str_has_prefix (message->text, "MSH")) {
    g_free (message->text);
    message->text = hl7_charset_convert (data, length, NULL, &message->charset,
                                         &message->charset_guessed, error);
  }
  if (wide != NULL)
    message->charset = wide;
  return message->text != NULL;
}

Hl7Message *
hl7_parse (const guint8 *data, gsize length, const char *charset, GError **error)
{
  if (length > MLLP_MAX) {
    g_set_error (error, HL7_ERROR, HL7_ERROR_TOO_LONG, "longer than %d bytes", MLLP_MAX);
    return NULL;
  }
  gsize n = 0;
  const char *wide = NULL;
  g_autofree guint8 *bytes = to_bytes (data, length, &n, &wide);
  gsize start = skip_blank (bytes, n);
  g_autoptr (Hl7Message) message = g_new0 (Hl7Message, 1);
  message->segments = g_ptr_array_new ();
  if (!read_delimiters (message, bytes + start, n - start, error)
      || !convert_text (message, bytes + start, n - start, wide, charset, error)
      || !split_segments (message, error))
    return NULL;
  return g_steal_pointer (&message);
}

#define HEADER_MAX 8192

Hl7Message *
hl7_parse_header (const guint8 *data, gsize length)
{
  gsize start = skip_blank (data, length), end;
  for (end = start; end < length && end - start < HEADER_MAX; end++)
    if (data[end] == '\r' || data[end] == '\n')
      break;
  return hl7_parse (data + start, end - start, NULL, NULL);
}

/* Where the next message begins: an MSH segment at the start of a line. */
static gsize
next_header (const guint8 *data, gsize length, gsize from)
{
  for (gsize i = from; i + 3 < length; i++)
    if (data[i] == 'M' && memcmp (data + i, "MSH", 3) == 0 && g_ascii_ispunct (data[i + 3])
        && (i == 0 || data[i - 1] < ' '))
      return i;
  return length;
}

void
hl7_split (const guint8 *data, gsize length, Hl7Out out, void *arg)
{
  gsize start = skip_blank (data, length);
  if (length - start < 3 || memcmp (data + start, "MSH", 3) != 0)
    start = next_header (data, length, start);
  if (start == length) {
    out (data, length, arg);
    return;
  }
  while (start < length) {
    gsize end = next_header (data, length, start + 3);
    out (data + start, end - start, arg);
    start = end;
  }
}

void
hl7_free (Hl7Message *message)
{
  g_ptr_array_unref (message->segments);
  g_free (message->text);
  g_free (message);
}

/* ---- Looking up -------------------------------------------------------------------------- */

typedef struct {
  const char *start;
  gsize length;
} Span;

/* The index-th part of span between separators. */
static gboolean
part (Span *span, char separator, guint index)
{
  const char *at = span->start, *end = span->start + span->length;
  for (; index > 0; index--) {
    const char *next = memchr (at, separator, end - at);
    if (next == NULL)
      return FALSE;
    at = next + 1;
  }
  const char *stop = memchr (at, separator, end - at);
  *span = (Span){ at, (stop != NULL ? stop : end) - at };
  return TRUE;
}

static gboolean
find_field (const Hl7Message *message, guint segment, guint field, Span *ret_span)
{
  const char *text = g_ptr_array_index (message->segments, segment);
  *ret_span = (Span){ text, strlen (text) };
  gboolean header = g_str_has_prefix (text, "MSH");
  /* MSH-1 is the separator itself, so what stands after it is MSH-2. */
  return field > 0 && !(header && field == 1)
         && part (ret_span, message->field, header ? field - 1 : field);
}

guint
hl7_segments (const Hl7Message *message)
{
  return message->segments->len;
}

const char *
hl7_segment_name (const Hl7Message *message, guint segment)
{
  static const char *const KNOWN[]
      = { "MSH", "PID", "PV1", "OBR", "OBX", "NTE", "EVN", "MSA", "QRD", "QRF", "QPD" };
  const char *text = g_ptr_array_index (message->segments, segment);
  for (guint i = 0; i < G_N_ELEMENTS (KNOWN); i++)
    if (strncmp (text, KNOWN[i], 3) == 0)
      return KNOWN[i];
  return "";
}

char *
hl7_segment_text (const Hl7Message *message, guint segment)
{
  return g_strchomp (g_strdup (g_ptr_array_index (message->segments, segment)));
}

static gboolean
append_hex (const Hl7Message *message, GString *out, const char *digits, gsize length)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  if (length == 0 || length % 2 != 0)
    return FALSE;
  for (gsize i = 0; i < length; i += 2) {
    int high = g_ascii_xdigit_value (digits[i]), low = g_ascii_xdigit_value (digits[i + 1]);
    if (high < 0 || low < 0)
      return FALSE;
    guint8 byte = high << 4 | low;
    if (byte != 0)
      g_byte_array_append (bytes, &byte, 1);
  }
  const char *used;
  gboolean guessed;
  g_autofree char *text
      = hl7_charset_convert (bytes->data, bytes->len, message->charset, &used, &guessed, NULL);
  g_string_append (out, text != NULL ? text : "\xEF\xBF\xBD");
  return TRUE;
}

static gboolean
append_letter (const Hl7Message *message, GString *out, char letter)
{
  static const char LETTERS[] = "FSTRE";
  const char meant[]
      = { message->field, message->component, message->sub, message->repeat, message->escape };
  const char *at = strchr (LETTERS, letter);
  if (at != NULL && letter != '\0' && meant[at - LETTERS] != NO_DELIMITER)
    g_string_append_c (out, meant[at - LETTERS]);
  /* Highlighting carries no text of its own. */
  return at != NULL || letter == 'H' || letter == 'N';
}

/* Formatting of FT (2.7.6): a new line, or nothing that matters here. */
static gboolean
append_formatting (GString *out, const char *word, gsize length)
{
  static const char *const LINES[] = { ".br", ".sp", ".ce" };
  static const char *const NONE[] = { ".in", ".ti", ".fi", ".nf", ".sk" };
  if (length < 3)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (LINES); i++)
    if (g_ascii_strncasecmp (word, LINES[i], 3) == 0) {
      g_string_append_c (out, '\n');
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (NONE); i++)
    if (g_ascii_strncasecmp (word, NONE[i], 3) == 0)
      return TRUE;
  return FALSE;
}

/* One escape sequence without its escape characters (2.7). FALSE: it is none that we know; such
 * text is kept as it stands, switches of the character set and a maker's own (\C, \M, \Z) too. */
static gboolean
append_escape (const Hl7Message *message, GString *out, const char *word, gsize length)
{
  if (length == 1)
    return append_letter (message, out, word[0]);
  if (length > 1 && word[0] == 'X')
    return append_hex (message, out, word + 1, length - 1);
  return append_formatting (out, word, length);
}

static char *
unescape (const Hl7Message *message, Span span)
{
  GString *out = g_string_sized_new (span.length);
  const char *at = span.start, *end = span.start + span.length;
  while (at < end) {
    const char *open = memchr (at, message->escape, end - at);
    const char *close = open != NULL ? memchr (open + 1, message->escape, end - open - 1) : NULL;
    if (close == NULL) {
      g_string_append_len (out, at, end - at);
      break;
    }
    g_string_append_len (out, at, open - at);
    if (append_escape (message, out, open + 1, close - open - 1)) {
      at = close + 1;
    } else {
      /* What closed here may open a real one. */
      g_string_append_len (out, open, close - open);
      at = close;
    }
  }
  return g_string_free (out, FALSE);
}

char *
hl7_get (const Hl7Message *message, guint segment, guint field, guint repetition, guint component,
         guint sub)
{
  Span span;
  if (segment >= message->segments->len || !find_field (message, segment, field, &span))
    return NULL;
  gboolean delimiters = field == 2 && g_str_equal (hl7_segment_name (message, segment), "MSH");
  if (!delimiters) {
    if (!part (&span, message->repeat, repetition))
      return NULL;
    if (component > 0 && !part (&span, message->component, component - 1))
      return NULL;
    if (sub > 0 && !part (&span, message->sub, sub - 1))
      return NULL;
  }
  if (component == 0 || delimiters)
    return span.length > 0 ? g_strstrip (g_strndup (span.start, span.length)) : NULL;
  g_autofree char *text = unescape (message, span);
  g_strstrip (text);
  return *text != '\0' && !g_str_equal (text, "\"\"") ? g_steal_pointer (&text) : NULL;
}

/* Separators of the message's own become the usual ones, in place. */
static void
usual_separators (const Hl7Message *message, char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (text[i] == message->component)
      text[i] = '^';
    else if (text[i] == message->sub && message->sub != NO_DELIMITER)
      text[i] = '&';
}

char *
hl7_get_plain (const Hl7Message *message, guint segment, guint field, guint repetition)
{
  Span span;
  if (segment >= message->segments->len || !find_field (message, segment, field, &span)
      || !part (&span, message->repeat, repetition))
    return NULL;
  g_autofree char *copy = g_strndup (span.start, span.length);
  usual_separators (message, copy, span.length);
  g_autofree char *text = unescape (message, (Span){ copy, span.length });
  g_strstrip (text);
  return *text != '\0' ? g_steal_pointer (&text) : NULL;
}

guint
hl7_repetitions (const Hl7Message *message, guint segment, guint field)
{
  Span span;
  if (segment >= message->segments->len || !find_field (message, segment, field, &span)
      || span.length == 0)
    return 0;
  guint n = 1;
  for (gsize i = 0; i < span.length; i++)
    n += span.start[i] == message->repeat;
  return n;
}

const char *
hl7_charset (const Hl7Message *message, gboolean *ret_guessed)
{
  if (ret_guessed != NULL)
    *ret_guessed = message->charset_guessed;
  return message->charset;
}

char
hl7_delimiter (const Hl7Message *message, Hl7Delimiter which)
{
  return which == HL7_FIELD ? message->field : message->component;
}
