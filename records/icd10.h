/* Search of ICD-10 codes in Vietnamese, with or without diacritics, and English: an index in memory
 * (SQLite's FTS5), made of a small built-in list of what a commune station sees most, and of a file
 * that the user supplies ([station] icd10; docs/operations.md). One thread at a time.
 */
#pragma once
#include "records/data_key.h"
#include <jansson.h>

typedef struct Icd10 Icd10;

#define ICD10_FILE_MAX (32 * 1024 * 1024) /* bytes */
#define ICD10_ROWS_MAX 100000

/* file NULL: the built-in list alone. Lines of a file: code, Vietnamese, English and, if there are
 * more columns, other words to be found by; apart by tabs, or commas with the quotes of RFC 4180. A
 * first line whose first column is no code is a heading. Its codes replace built-in ones of the
 * same name. Errors (RECORDS_ERROR_FAILED) name file and line. */
Icd10 *icd10_load (const char *file, GError **error);
void icd10_free (Icd10 *icd10);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Icd10, icd10_free)
guint icd10_count (const Icd10 *icd10);

/* [{code, vi, en}], the best first, `limit` at most; empty for a text without letters and digits.
 * Every word must be there, the beginning of one is enough. (transfer full) */
json_t *icd10_find (Icd10 *icd10, const char *text, guint limit);

/* A letter, two digits, and perhaps a point and one to three letters or digits more. */
gboolean icd10_is_code (const char *text);

/* In icd10_builtin.c: lines of a file, tabs between. */
extern const char icd10_builtin[];
