#include "media/devices/hl7_iso2022.h"
#include "media/devices/hl7_message.h"
#include <string.h>

#define ESC 0x1B
/* Bytes of a change, without ESC. */
#define CHANGE_MAX 4
/* Of one message: each opens a converter. */
#define CHANGES_MAX 4096

typedef enum {
  LEFT_ASCII,  /* bytes below 80 are letters again */
  LEFT_DOUBLE, /* pairs of bytes below 80 */
  RIGHT,       /* what bytes from 80 on mean */
} Half;

/* ISO 2022 and the register of ISO-IR; iconv's names. Pairs below 80 are those of EUC with the
 * eighth bit taken off, the prefix being what chooses the set there. */
static const struct {
  const char *bytes;
  Half half;
  const char *iconv;
  guint8 prefix;
} CHANGES[] = {
  { "(B", LEFT_ASCII, "US-ASCII", 0 },    { "(J", LEFT_ASCII, "US-ASCII", 0 },
  { "$@", LEFT_DOUBLE, "EUC-JP", 0 },     { "$B", LEFT_DOUBLE, "EUC-JP", 0 },
  { "$(D", LEFT_DOUBLE, "EUC-JP", 0x8F }, { "$A", LEFT_DOUBLE, "GB2312", 0 },
  { "-A", RIGHT, "ISO-8859-1", 0 },       { "-B", RIGHT, "ISO-8859-2", 0 },
  { "-C", RIGHT, "ISO-8859-3", 0 },       { "-D", RIGHT, "ISO-8859-4", 0 },
  { "-L", RIGHT, "ISO-8859-5", 0 },       { "-G", RIGHT, "ISO-8859-6", 0 },
  { "-F", RIGHT, "ISO-8859-7", 0 },       { "-H", RIGHT, "ISO-8859-8", 0 },
  { "-M", RIGHT, "ISO-8859-9", 0 },       { "-b", RIGHT, "ISO-8859-15", 0 },
  { "-T", RIGHT, "TIS-620", 0 },          { ")I", RIGHT, "JIS_X0201", 0 },
  { "$)C", RIGHT, "EUC-KR", 0 },          { "$)A", RIGHT, "GB2312", 0 },
};

typedef struct {
  const char *first; /* of each segment */
  const char *right; /* of what is not in pairs */
  int left;          /* of CHANGES: pairs; -1: none */
  guint changes;
  GString *out;
} Reading;

/* ---- Changes ------------------------------------------------------------------------------------
 */

typedef struct {
  char bytes[CHANGE_MAX + 1];
  gsize length; /* in the message; 0: there is none here */
} Change;

/* Intermediate bytes 20 to 2F and a final one (ECMA-35 13.2). */
static Change
read_esc (const guint8 *at, const guint8 *end)
{
  Change change = { .length = 1 };
  for (gsize n = 0; n < CHANGE_MAX && at + change.length < end; n++) {
    guint8 byte = at[change.length++];
    change.bytes[n] = g_ascii_isprint (byte) ? (char)byte : '?';
    if (byte < 0x20 || byte > 0x2F)
      break;
  }
  return change;
}

/* \C2842\, \M242442\: the bytes behind ESC in hexadecimal digits; 00 fills up. */
static Change
read_escape (const guint8 *at, const guint8 *end, char escape)
{
  Change change = { 0 };
  gsize room = (gsize)(end - at), digits = 4;
  if (room < digits + 3 || (at[1] != 'C' && at[1] != 'M'))
    return change;
  if ((char)at[digits + 2] != escape)
    digits += 2;
  if (room < digits + 3 || (char)at[digits + 2] != escape)
    return change;
  for (gsize i = 0, n = 0; i < digits; i += 2) {
    int high = g_ascii_xdigit_value ((char)at[2 + i]), low = g_ascii_xdigit_value ((char)at[3 + i]);
    if (high < 0 || low < 0)
      return (Change){ 0 };
    int byte = high << 4 | low;
    if (byte != 0)
      change.bytes[n++] = g_ascii_isprint (byte) ? (char)byte : '?';
  }
  change.length = digits + 3;
  return change;
}

static Change
change_at (const guint8 *at, const guint8 *end, char escape)
{
  if (*at == ESC)
    return read_esc (at, end);
  if (escape != '\0' && (char)*at == escape)
    return read_escape (at, end, escape);
  return (Change){ 0 };
}

gboolean
hl7_iso2022_is_used (const guint8 *data, gsize length, char escape)
{
  for (gsize i = 0; i < length; i++)
    if (change_at (data + i, data + length, escape).length > 0)
      return TRUE;
  return FALSE;
}

static gboolean
follow (Reading *reading, const Change *change, GError **error)
{
  if (++reading->changes > CHANGES_MAX) {
    g_set_error (error, HL7_ERROR, HL7_ERROR_CHARSET,
                 "its text changes the character set more than %d times", CHANGES_MAX);
    return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (CHANGES); i++) {
    if (!g_str_equal (CHANGES[i].bytes, change->bytes))
      continue;
    if (CHANGES[i].half == RIGHT)
      reading->right = CHANGES[i].iconv;
    else
      reading->left = CHANGES[i].half == LEFT_DOUBLE ? (int)i : -1;
    return TRUE;
  }
  g_set_error (error, HL7_ERROR, HL7_ERROR_CHARSET,
               "its text changes the character set by ESC %s, which is not read here; let the "
               "device send UNICODE UTF-8 (MSH-18)",
               change->bytes);
  return FALSE;
}

/* ---- Text ---------------------------------------------------------------------------------------
 */

/* The EUC bytes of pairs below 80; NULL: they are none. */
static GByteArray *
raise_pairs (const guint8 *data, gsize length, guint8 prefix)
{
  g_autoptr (GByteArray) raised = g_byte_array_new ();
  if (length % 2 != 0)
    return NULL;
  for (gsize i = 0; i < length; i++) {
    guint8 byte = data[i] | 0x80;
    if (data[i] < 0x21 || data[i] > 0x7E)
      return NULL;
    if (prefix != 0 && i % 2 == 0)
      g_byte_array_append (raised, &prefix, 1);
    g_byte_array_append (raised, &byte, 1);
  }
  return g_steal_pointer (&raised);
}

static gboolean
add_piece (Reading *reading, const guint8 *data, gsize length, GError **error)
{
  g_autofree char *text = NULL;
  const char *name = reading->left >= 0 ? CHANGES[reading->left].iconv : reading->right;
  gsize written = 0;
  if (length == 0)
    return TRUE;
  if (reading->left >= 0) {
    g_autoptr (GByteArray) raised = raise_pairs (data, length, CHANGES[reading->left].prefix);
    if (raised != NULL)
      text = g_convert ((const char *)raised->data, raised->len, "UTF-8", name, NULL, &written,
                        NULL);
  } else {
    text = g_convert ((const char *)data, (gssize)length, "UTF-8", name, NULL, &written, NULL);
  }
  if (text == NULL) {
    g_set_error (error, HL7_ERROR, HL7_ERROR_CHARSET,
                 "its text is not in the character set to which it changed (%s)", name);
    return FALSE;
  }
  g_string_append_len (reading->out, text, (gssize)written);
  return TRUE;
}

static gboolean
ends_segment (guint8 byte)
{
  return byte == '\r' || byte == '\n';
}

char *
hl7_iso2022_convert (const guint8 *data, gsize length, char escape, const char *first,
                     GError **error)
{
  g_autoptr (GString) out = g_string_sized_new (length);
  Reading reading = { .first = first, .right = first, .left = -1, .out = out };
  const guint8 *at = data, *piece = data, *end = data + length;
  while (at < end) {
    Change change = change_at (at, end, escape);
    if (change.length > 0) {
      if (!add_piece (&reading, piece, (gsize)(at - piece), error)
          || !follow (&reading, &change, error))
        return NULL;
      piece = at += change.length;
    } else if (ends_segment (*at)) {
      if (!add_piece (&reading, piece, (gsize)(at - piece), error))
        return NULL;
      piece = at++;
      reading.left = -1;
      reading.right = reading.first;
    } else {
      at++;
    }
  }
  if (!add_piece (&reading, piece, (gsize)(end - piece), error))
    return NULL;
  return g_string_free (g_steal_pointer (&out), FALSE);
}
