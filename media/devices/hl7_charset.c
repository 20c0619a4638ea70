#include "media/devices/hl7_charset.h"
#include "media/devices/hl7_iso2022.h"
#include "media/devices/hl7_message.h"
#include <string.h>

static const struct {
  const char *hl7, *iconv;
} TABLE_0211[] = {
  { "ASCII", "US-ASCII" },
  { "8859/1", "ISO-8859-1" },
  { "8859/2", "ISO-8859-2" },
  { "8859/3", "ISO-8859-3" },
  { "8859/4", "ISO-8859-4" },
  { "8859/5", "ISO-8859-5" },
  { "8859/6", "ISO-8859-6" },
  { "8859/7", "ISO-8859-7" },
  { "8859/8", "ISO-8859-8" },
  { "8859/9", "ISO-8859-9" },
  { "8859/15", "ISO-8859-15" },
  { "ISO IR6", "US-ASCII" },
  { "UNICODE UTF-8", "UTF-8" },
  { "UNICODE UTF8", "UTF-8" },
  { "UTF-8", "UTF-8" },
  { "UTF8", "UTF-8" },
  { "UNICODE", "UTF-16" },
  { "UNICODE UTF-16", "UTF-16" },
  { "UNICODE UTF-32", "UTF-32" },
  { "UTF-16", "UTF-16" },
  { "US-ASCII", "US-ASCII" },
  { "GB 18030-2000", "GB18030" },
  { "BIG-5", "BIG5" },
  { "KS X 1001", "EUC-KR" },
  { "ISO IR87", "ISO-2022-JP" },
  { "CP1258", "CP1258" },
  { "WINDOWS-1258", "CP1258" },
  { "1258", "CP1258" },
  { "TCVN", "TCVN5712-1" },
  { "TCVN3", "TCVN5712-1" },
  { "TCVN-3", "TCVN5712-1" },
  { "TCVN5712", "TCVN5712-1" },
  { "TCVN5712-1", "TCVN5712-1" },
  { "ABC", "TCVN5712-1" },
};

static gboolean
iconv_knows (const char *name)
{
  if (strlen (name) > 40
      || strspn (name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                       "0123456789-_:.")
             != strlen (name))
    return FALSE;
  GIConv converter = g_iconv_open ("UTF-8", name);
  if (converter == (GIConv)-1)
    return FALSE;
  g_iconv_close (converter);
  return TRUE;
}

/* One spelling for "ISO8859/1", "iso-8859-1", "UNICODE-UTF-8", "Windows 1258". */
static char *
canonical (const char *declared)
{
  g_autofree char *upper = g_ascii_strup (declared, -1);
  g_strdelimit (upper, "_", '-');
  if (g_str_has_prefix (upper, "UNICODE-"))
    upper[7] = ' ';
  const char *rest = upper;
  if (g_str_has_prefix (rest, "ISO") && strstr (rest, "8859") != NULL)
    rest = strstr (rest, "8859");
  if (g_str_has_prefix (rest, "8859") && strlen (rest) > 5)
    return g_strconcat ("8859/", rest + 5, NULL);
  if (g_str_has_prefix (rest, "WINDOWS 1") || g_str_has_prefix (rest, "WINDOWS1"))
    return g_strconcat ("WINDOWS-", strchr (rest, '1'), NULL);
  return g_strdup (rest);
}

const char *
hl7_charset_name (const char *declared)
{
  g_autofree char *name = canonical (declared);
  for (gsize i = 0; i < G_N_ELEMENTS (TABLE_0211); i++)
    if (g_str_equal (TABLE_0211[i].hl7, name))
      return TABLE_0211[i].iconv;
  /* Interned only when iconv knows it, so that hostile names do not pile up. */
  return iconv_knows (declared) ? g_intern_string (declared) : NULL;
}

static gboolean
is_ascii (const guint8 *data, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (data[i] >= 0x80)
      return FALSE;
  return TRUE;
}

static char *
convert (const guint8 *data, gsize length, const char *charset)
{
  g_autofree char *text = NULL;
  if (g_str_equal (charset, "UTF-8"))
    text = g_utf8_validate ((const char *)data, length, NULL)
               ? g_strndup ((const char *)data, length)
               : NULL;
  else
    text = g_convert ((const char *)data, length, "UTF-8", charset, NULL, NULL, NULL);
  return text != NULL ? g_utf8_normalize (text, -1, G_NORMALIZE_NFC) : NULL;
}

/* What the text must be in when MSH-18 says nothing, or cannot be right. */
static const char *
guess (const guint8 *data, gsize length)
{
  return g_utf8_validate ((const char *)data, length, NULL) ? "UTF-8" : "CP1258";
}

/* One byte a character: what is valid UTF-8 beyond ASCII is not written in such a set but by an
 * accident that no name or note has. */
static gboolean
is_single_byte (const char *charset)
{
  static const char *const PREFIXES[] = { "ISO-8859-", "CP125", "WINDOWS-125", "TCVN", "VISCII" };
  for (guint i = 0; i < G_N_ELEMENTS (PREFIXES); i++)
    if (g_ascii_strncasecmp (charset, PREFIXES[i], strlen (PREFIXES[i])) == 0)
      return TRUE;
  return FALSE;
}

/* VISCII and TCVN3 have letters in the place of control characters. */
static gboolean
has_ascii (const char *charset)
{
  return g_str_equal (charset, "UTF-8") || g_str_equal (charset, "US-ASCII")
         || g_str_has_prefix (charset, "ISO-8859-") || g_str_equal (charset, "CP1258");
}

char *
hl7_charset_convert (const guint8 *data, gsize length, const char *declared, const char **ret_used,
                     gboolean *ret_guessed, GError **error)
{
  const char *charset = declared != NULL ? hl7_charset_name (declared) : NULL;
  const char *used = charset;
  /* Most messages: the same bytes in every set that has ASCII, and in normal form. */
  if (charset != NULL && is_ascii (data, length) && has_ascii (charset)) {
    *ret_used = charset;
    *ret_guessed = FALSE;
    return g_strndup ((const char *)data, length);
  }
  gboolean utf8 = !is_ascii (data, length) && g_utf8_validate ((const char *)data, length, NULL);
  if (charset == NULL || (utf8 && is_single_byte (charset)))
    used = guess (data, length);

  g_autofree char *text = convert (data, length, used);
  if (text == NULL) {
    used = guess (data, length);
    text = convert (data, length, used);
  }
  /* CP1258 has a few holes; nothing of ISO 8859-1 can fail. */
  if (text == NULL) {
    used = "ISO-8859-1";
    text = convert (data, length, used);
  }
  if (text == NULL) {
    g_set_error (error, HL7_ERROR, HL7_ERROR_CHARSET,
                 "the text is not in the character set that MSH-18 declares (%s)",
                 declared != NULL ? declared : "none");
    return NULL;
  }
  *ret_used = used;
  *ret_guessed = !is_ascii (data, length) && used != charset;
  return g_steal_pointer (&text);
}

/* The first that the text is in; ASCII only of what has nothing else. What is valid UTF-8 is UTF-8
 * where that is among them, for one byte a character fits everything. */
static const char *
first_that_fits (const guint8 *data, gsize length, const char *const *declared)
{
  gboolean ascii = is_ascii (data, length),
           utf8 = g_utf8_validate ((const char *)data, length, NULL);
  for (guint i = 0; utf8 && !ascii && declared[i] != NULL; i++)
    if (g_strcmp0 (hl7_charset_name (declared[i]), "UTF-8") == 0)
      return declared[i];
  for (guint i = 0; declared[i] != NULL; i++) {
    const char *charset = hl7_charset_name (declared[i]);
    g_autofree char *text = charset != NULL ? convert (data, length, charset) : NULL;
    if (text != NULL)
      return declared[i];
  }
  return declared[0];
}

char *
hl7_charset_convert_several (const guint8 *data, gsize length, const char *const *declared,
                             char escape, const char **ret_used, gboolean *ret_guessed,
                             GError **error)
{
  const char *first = hl7_charset_name (*declared[0] != '\0' ? declared[0] : "ASCII");
  if (first == NULL || !has_ascii (first) || !hl7_iso2022_is_used (data, length, escape))
    return hl7_charset_convert (data, length, first_that_fits (data, length, declared), ret_used,
                                ret_guessed, error);
  g_autofree char *text = hl7_iso2022_convert (data, length, escape, first, error);
  if (text == NULL)
    return NULL;
  *ret_used = first;
  *ret_guessed = FALSE;
  return g_utf8_normalize (text, -1, G_NORMALIZE_NFC);
}
