/* Lines of a key file, for messages: GKeyFile forgets them, and merges what is given twice.
 *
 *   [GROUP]
 *   key = value      # comments stand on lines of their own
 */
#pragma once
#include <glib.h>

typedef struct KeyLines KeyLines;

/* text: NUL-terminated, any bytes. ret_wrong: NULL, or what no key file may have (a line that is
 * none of the three, a key before any group, a group or key given twice, no UTF-8), of line
 * ret_line (transfer full). */
KeyLines *key_lines_new (const char *text, guint *ret_line, char **ret_wrong);
void key_lines_free (KeyLines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KeyLines, key_lines_free)

/* 1-based; key NULL: the line of the group; 0: no such. */
guint key_lines_of (const KeyLines *lines, const char *group, const char *key);
