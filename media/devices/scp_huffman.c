#include "media/devices/scp_huffman.h"
#include "media/error.h"

#include <stdlib.h>

#define DEFAULT_TABLE 19999
#define TABLES_MAX 256
#define CODES_MAX 4096

typedef struct {
  guint8 prefix_bits, total_bits;
  gboolean switches; /* to the table number `value` */
  gint16 value;
  guint32 prefix; /* first bit in the data is its highest */
} Code;

typedef struct {
  Code *codes;
  guint count;
} Table;

struct ScpTables {
  Table *tables;
  guint count;
};

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED, "section 2 (Huffman tables): %s", what);
  return FALSE;
}

/* As it would stand at the top of 32 bits. */
static guint32
aligned (const Code *code)
{
  return code->prefix << (32 - code->prefix_bits);
}

static int
by_prefix (const void *a, const void *b)
{
  guint32 x = aligned (a), y = aligned (b);
  return (x > y) - (x < y);
}

/* The default: 0, then n and -n by ones that count up, then numbers of 8 and of 16 bits. */
static ScpTables *
default_tables (void)
{
  ScpTables *tables = g_new0 (ScpTables, 1);
  tables->count = 1;
  tables->tables = g_new0 (Table, 1);
  Table *table = tables->tables;
  table->codes = g_new0 (Code, 19);
  table->codes[table->count++] = (Code){ .prefix_bits = 1, .total_bits = 1 };
  for (gint16 n = 1; n <= 8; n++)
    for (guint negative = 0; negative < 2; negative++) {
      guint8 bits = (guint8)(n + 2);
      guint32 ones = ((1u << n) - 1) << 2;
      table->codes[table->count++] = (Code){ .prefix_bits = bits,
                                             .total_bits = bits,
                                             .value = negative ? (gint16)-n : n,
                                             .prefix = ones | negative };
    }
  table->codes[table->count++] = (Code){ .prefix_bits = 10, .total_bits = 18, .prefix = 0x3FE };
  table->codes[table->count++] = (Code){ .prefix_bits = 10, .total_bits = 26, .prefix = 0x3FF };
  qsort (table->codes, table->count, sizeof (Code), by_prefix);
  return tables;
}

static guint32
reversed (guint32 bits, guint count)
{
  guint32 result = 0;
  for (guint i = 0; i < count; i++)
    result = result << 1 | (bits >> i & 1);
  return result;
}

static gboolean
take_code (EcgBytes *section, Code *code, guint tables, GError **error)
{
  code->prefix_bits = ecg_bytes_u8 (section);
  code->total_bits = ecg_bytes_u8 (section);
  code->switches = ecg_bytes_u8 (section) == 0;
  code->value = ecg_bytes_i16 (section);
  guint32 base = ecg_bytes_u32 (section);
  if (section->failed)
    return fail (error, "it ends inside a table");
  if (code->prefix_bits == 0 || code->prefix_bits > 32 || code->total_bits < code->prefix_bits
      || code->total_bits - code->prefix_bits > 16)
    return fail (error, "a code has an impossible length");
  if (code->switches && (code->value < 1 || code->value > (gint)tables))
    return fail (error, "a code switches to a table that is not there");
  code->prefix = reversed (base, code->prefix_bits);
  return TRUE;
}

static gboolean
take_table (EcgBytes *section, Table *table, guint tables, GError **error)
{
  guint count = ecg_bytes_u16 (section);
  if (count == 0 || count > CODES_MAX)
    return fail (error, "a table has no codes, or more than 4,096");
  table->codes = g_new0 (Code, count);
  table->count = count;
  for (guint i = 0; i < count; i++)
    if (!take_code (section, &table->codes[i], tables, error))
      return FALSE;
  qsort (table->codes, table->count, sizeof (Code), by_prefix);
  return TRUE;
}

ScpTables *
scp_tables_parse (EcgBytes *section, GError **error)
{
  if (section == NULL)
    return g_new0 (ScpTables, 1);
  guint count = ecg_bytes_u16 (section);
  if (count == DEFAULT_TABLE)
    return default_tables ();
  if (count == 0 || count > TABLES_MAX || section->failed) {
    fail (error, "there is no table, or more than 256");
    return NULL;
  }
  g_autoptr (ScpTables) tables = g_new0 (ScpTables, 1);
  tables->tables = g_new0 (Table, count);
  tables->count = count;
  for (guint i = 0; i < count; i++)
    if (!take_table (section, &tables->tables[i], count, error))
      return NULL;
  return g_steal_pointer (&tables);
}

void
scp_tables_free (ScpTables *tables)
{
  if (tables == NULL)
    return;
  for (guint i = 0; i < tables->count; i++)
    g_free (tables->tables[i].codes);
  g_free (tables->tables);
  g_free (tables);
}

/* ---- Decoding -------------------------------------------------------------------------------- */

typedef struct {
  const guint8 *data;
  gsize bits, at;
} Bits;

/* The next 32 bits, zeros behind the end. */
static guint32
peek (const Bits *bits)
{
  guint64 window = 0;
  gsize byte = bits->at / 8;
  for (gsize i = 0; i < 5; i++)
    window = window << 8 | (byte + i < bits->bits / 8 ? bits->data[byte + i] : 0);
  return (guint32)(window >> (8 - bits->at % 8));
}

/* No code is the beginning of another, so the one that begins the data is the last that is not
 * above them. */
static const Code *
next_code (Bits *bits, const Table *table)
{
  guint32 window = peek (bits);
  guint low = 0, high = table->count;
  while (low < high) {
    guint middle = (low + high) / 2;
    if (aligned (&table->codes[middle]) <= window)
      low = middle + 1;
    else
      high = middle;
  }
  const Code *code = low > 0 ? &table->codes[low - 1] : NULL;
  if (code == NULL || window >> (32 - code->prefix_bits) != code->prefix
      || bits->bits - bits->at < code->total_bits)
    return NULL;
  bits->at += code->prefix_bits;
  return code;
}

static gint32
literal (Bits *bits, guint count)
{
  gint32 value = (gint32)(peek (bits) >> (32 - count));
  bits->at += count;
  return value >= 1 << (count - 1) ? value - (1 << count) : value;
}

static gboolean
decode_huffman (const ScpTables *tables, Bits bits, gint32 *values, gsize count, GError **error)
{
  const Table *table = &tables->tables[0];
  for (gsize i = 0; i < count;) {
    const Code *code = next_code (&bits, table);
    if (code == NULL) {
      g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                   "after %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " samples (bit %" G_GSIZE_FORMAT
                   ") there is no Huffman code of its table: the file is damaged",
                   i, count, bits.at);
      return FALSE;
    }
    guint rest = code->total_bits - code->prefix_bits;
    if (code->switches)
      table = &tables->tables[code->value - 1];
    else
      values[i++] = rest > 0 ? literal (&bits, rest) : code->value;
  }
  return TRUE;
}

static gboolean
decode_plain (const guint8 *data, gsize length, gint32 *values, gsize count, GError **error)
{
  if (length / 2 < count) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_MALFORMED,
                 "%" G_GSIZE_FORMAT " bytes for %" G_GSIZE_FORMAT " samples of two bytes", length,
                 count);
    return FALSE;
  }
  EcgBytes bytes = ecg_bytes (data, length);
  for (gsize i = 0; i < count; i++)
    values[i] = ecg_bytes_i16 (&bytes);
  return TRUE;
}

/* Samples have 16 bits: what overflows is damaged data, and wraps as the encoder's would. */
static void
undo_differences (gint32 *values, gsize count, guint difference)
{
  for (gsize i = 1; difference == 1 && i < count; i++)
    values[i] = (gint16)(guint16)(values[i] + values[i - 1]);
  for (gsize i = 2; difference == 2 && i < count; i++)
    values[i] = (gint16)(guint16)(values[i] + 2 * values[i - 1] - values[i - 2]);
}

gboolean
scp_decode (const ScpTables *tables, const guint8 *data, gsize length, guint difference,
            gint32 *values, gsize count, GError **error)
{
  Bits bits = { .data = data, .bits = length * 8 };
  if (!(tables->count > 0 ? decode_huffman (tables, bits, values, count, error)
                          : decode_plain (data, length, values, count, error)))
    return FALSE;
  undo_differences (values, count, difference);
  return TRUE;
}
