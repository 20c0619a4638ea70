/* Memory for secrets: locked, not dumped, wiped when freed; and a process that leaves no core.
 *
 * The heap is OpenSSL's secure heap (CRYPTO_secure_malloc), one for the process. Without
 * secure_memory_init() the functions below work on ordinary memory, still wiped.
 */
#pragma once
#include <glib.h>

/* Once, first thing in main(), before any thread and any use of OpenSSL and jansson: what these two
 * give back is wiped from then on. Secure heap, no core dumps (RLIMIT_CORE 0),
 * not dumpable nor traceable by other processes of the user (PR_SET_DUMPABLE 0). Returns FALSE
 * with a message in ret_problem (transfer full) when something was refused, most often
 * RLIMIT_MEMLOCK; the program may go on. ret_problem may be NULL. */
gboolean secure_memory_init (char **ret_problem);

/* Zeroed; never NULL (aborts as g_malloc does). Any thread. */
gpointer secure_alloc (gsize size);
void secure_free (gpointer memory, gsize size); /* wipes; NULL is fine */

/* Bytes that are wiped when the last reference goes; those as small as a key (64 B) lie in the
 * secure heap, larger ones (texts of records) do not, so that they cannot fill it. bytes is
 * copied. */
GBytes *secure_bytes_new (gconstpointer bytes, gsize size);
/* The same, zeroed, for the maker to fill before anybody else sees it: ret_memory. */
GBytes *secure_bytes_blank (gsize size, guint8 **ret_memory);
