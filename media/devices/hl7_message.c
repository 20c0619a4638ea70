#include "media/devices/hl7_message.h"
#include "media/devices/hl7_charset.h"
#include "media/devices/mllp.h"
#include <string.h>

G_DEFINE_QUARK (hl7 - error - quark, hl7_error)

struct Hl7Message {
  char *text;          /* whole message, UTF-8; segments point into it */
  GPtrArray *segments; /* of const char*, each ended by NUL */
  const char *charset;
  gboolean charset_guessed;
  char field, component, repeat, escape, sub;
};

/* ---- Parsing --------------------------------------------------------------------------- */

/* Some senders write UTF-16 throughout, frame apart; everything below wants one byte a character.
 */
static guint8 *
to_bytes (const guint8 *data, gsize length, gsize *ret_length)
{
  const char *wide = NULL;
  if (length >= 4 && ((data[0] == 0xFF && data[1] == 0xFE) || (data[0] == 'M' && data[1] == 0)))
    wide = "UTF-16LE";
  else if (length >= 4
           && ((data[0] == 0xFE && data[1] == 0xFF) || (data[0] == 0 && data[1] == 'M')))
    wide = "UTF-16BE";
  if (wide != NULL) {
    gsize written = 0;
    g_autofree char *text
        = g_convert ((const char *)data, length & ~(gsize)1, "UTF-8", wide, NULL, &written, NULL);
    if (text != NULL && !memchr (text, 0, written)) {
      const char *start = g_str_has_prefix (text, "\xEF\xBB\xBF") ? text + 3 : text;
      *ret_length = written - (start - text);
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
  return TRUE;
}

/* MSH-18 before conversion: names of character sets are ASCII. */
static char *
declared_charset (const Hl7Message *message, const guint8 *data, gsize length)
{
  guint field = 1;
  gsize at = 3;
  while (at < length && data[at] != '\r' && data[at] != '\n') {
    if ((char)data[at] == message->field && ++field == 18) {
      gsize start = at + 1, end = start;
      while (end < length && end - start < 40 && data[end] != '\r' && data[end] != '\n'
             && (char)data[end] != message->field && (char)data[end] != message->repeat
             && (char)data[end] != message->component)
        end++;
      g_autofree char *name = g_strndup ((const char *)data + start, end - start);
      g_strstrip (name);
      return *name != '\0' && g_str_is_ascii (name) ? g_steal_pointer (&name) : NULL;
    }
    at++;
  }
  return NULL;
}

Hl7Message *
hl7_parse (const guint8 *data, gsize length, GError **error)
{
  if (length > MLLP_MAX) {
    g_set_error (error, HL7_ERROR, HL7_ERROR_TOO_LONG, "longer than %d bytes", MLLP_MAX);
    return NULL;
  }
  gsize n = 0;
  g_autofree guint8 *bytes = to_bytes (data, length, &n);
  gsize start = 0;
  while (start < n && g_ascii_isspace (bytes[start]))
    start++;
  if (n - start >= 3 && memcmp (bytes + start, "\xEF\xBB\xBF", 3) == 0)
    start += 3;

  g_autoptr (Hl7Message) message = g_new0 (Hl7Message, 1);
  message->segments = g_ptr_array_new ();
  if (!read_delimiters (message, bytes + start, n - start, error))
    return NULL;
  g_autofree char *declared = declared_charset (message, bytes + start, n - start);
  message->text = hl7_charset_convert (bytes + start, n - start, declared, &message->charset,
                                       &message->charset_guessed, error);
  if (message->text == NULL || !split_segments (message, error))
    return NULL;
  return g_steal_pointer (&message);
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
  static const char *const KNOWN[] = { "MSH", "PID", "PV1", "OBR", "OBX", "NTE", "EVN", "MSA" };
  const char *text = g_ptr_array_index (message->segments, segment);
  for (guint i = 0; i < G_N_ELEMENTS (KNOWN); i++)
    if (strncmp (text, KNOWN[i], 3) == 0)
      return KNOWN[i];
  return "";
}

static void
append_hex (const Hl7Message *message, GString *out, const char *digits, gsize length)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  for (gsize i = 0; i + 1 < length; i += 2) {
    int high = g_ascii_xdigit_value (digits[i]), low = g_ascii_xdigit_value (digits[i + 1]);
    if (high < 0 || low < 0)
      return;
    guint8 byte = high << 4 | low;
    if (byte != 0)
      g_byte_array_append (bytes, &byte, 1);
  }
  const char *used;
  gboolean guessed;
  g_autofree char *text
      = hl7_charset_convert (bytes->data, bytes->len, message->charset, &used, &guessed, NULL);
  g_string_append (out, text != NULL ? text : "\xEF\xBF\xBD");
}

/* One escape sequence without its escape characters (2.7.1). Highlighting and switches of the
 * character set carry no text of their own. */
static void
append_escape (const Hl7Message *message, GString *out, const char *word, gsize length)
{
  if (length == 1) {
    switch (word[0]) {
    case 'F':
      g_string_append_c (out, message->field);
      return;
    case 'S':
      g_string_append_c (out, message->component);
      return;
    case 'T':
      g_string_append_c (out, message->sub);
      return;
    case 'R':
      g_string_append_c (out, message->repeat);
      return;
    case 'E':
      g_string_append_c (out, message->escape);
      return;
    default:
      return;
    }
  }
  if (word[0] == 'X')
    append_hex (message, out, word + 1, length - 1);
  else if (length >= 3
           && (g_ascii_strncasecmp (word, ".br", 3) == 0
               || g_ascii_strncasecmp (word, ".sp", 3) == 0))
    g_string_append_c (out, '\n');
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
    append_escape (message, out, open + 1, close - open - 1);
    at = close + 1;
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
