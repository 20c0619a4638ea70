#include "records/secure_memory.h"
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Room for thousands of 32-byte keys and a few private keys; a power of two (OpenSSL's rule). */
#define SECURE_HEAP (512 * 1024)
#define SECURE_SMALLEST 32
/* Bytes up to this size are taken for keys, larger ones for texts. */
#define KEY_LIKE 64

typedef struct {
  gsize size;
  guint8 *memory;
} SecureSpan;

/* ---- Memory that is wiped when it is given back --------------------------------------------
 * OpenSSL's decoders leave copies of a private key in ordinary memory, and jansson those of
 * whatever a page or a row says. */

static void
wiping_free (void *memory)
{
  if (memory != NULL)
    explicit_bzero (memory, malloc_usable_size (memory));
  free (memory);
}

static void *
openssl_malloc (size_t size, const char *file, int line)
{
  return malloc (size);
}

static void
openssl_free (void *memory, const char *file, int line)
{
  wiping_free (memory);
}

static void *
openssl_realloc (void *memory, size_t size, const char *file, int line)
{
  void *larger = size > 0 ? malloc (size) : NULL;
  if (larger == NULL && size > 0)
    return NULL;
  if (memory != NULL && larger != NULL)
    memcpy (larger, memory, MIN (size, malloc_usable_size (memory)));
  wiping_free (memory);
  return larger;
}

gboolean
secure_memory_init (char **ret_problem)
{
  const struct rlimit none = { 0, 0 };
  g_autoptr (GString) problem = g_string_new (NULL);

  /* Refused once OpenSSL has taken memory: then by a caller that is not main(), a test. */
  CRYPTO_set_mem_functions (openssl_malloc, openssl_realloc, openssl_free);
  json_set_alloc_funcs (malloc, wiping_free);
  if (setrlimit (RLIMIT_CORE, &none) != 0)
    g_string_append_printf (problem, "core dumps cannot be switched off: %s; ", g_strerror (errno));
  if (prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    g_string_append_printf (problem, "the process stays dumpable: %s; ", g_strerror (errno));
  /* 2: the heap works, but some of its pages could not be locked or guarded. */
  int got = CRYPTO_secure_malloc_initialized ()
                ? 1
                : CRYPTO_secure_malloc_init (SECURE_HEAP, SECURE_SMALLEST);
  if (got != 1)
    g_string_append (problem, "keys cannot be locked into memory: raise RLIMIT_MEMLOCK "
                              "(LimitMEMLOCK= in the unit) to at least 1 MiB; ");
  if (problem->len == 0)
    return TRUE;
  g_string_truncate (problem, problem->len - 2);
  if (ret_problem != NULL)
    *ret_problem = g_string_free (g_steal_pointer (&problem), FALSE);
  return FALSE;
}

gpointer
secure_alloc (gsize size)
{
  gpointer memory = OPENSSL_secure_zalloc (MAX (size, 1));
  /* A full secure heap must not stop a consultation: ordinary memory, wiped all the same. */
  if (memory == NULL)
    memory = OPENSSL_zalloc (MAX (size, 1));
  if (memory == NULL)
    g_error ("out of memory for %" G_GSIZE_FORMAT " secret bytes", size);
  return memory;
}

void
secure_free (gpointer memory, gsize size)
{
  OPENSSL_secure_clear_free (memory, MAX (size, 1));
}

static void
span_free (gpointer data)
{
  SecureSpan *span = data;
  secure_free (span->memory, span->size);
  g_free (span);
}

GBytes *
secure_bytes_blank (gsize size, guint8 **ret_memory)
{
  SecureSpan *span = g_new (SecureSpan, 1);
  span->size = size;
  span->memory = size <= KEY_LIKE ? secure_alloc (size) : OPENSSL_zalloc (size);
  if (span->memory == NULL)
    g_error ("out of memory for %" G_GSIZE_FORMAT " bytes", size);
  *ret_memory = span->memory;
  return g_bytes_new_with_free_func (span->memory, size, span_free, span);
}

GBytes *
secure_bytes_new (gconstpointer bytes, gsize size)
{
  guint8 *memory;
  GBytes *copy = secure_bytes_blank (size, &memory);
  if (size > 0)
    memcpy (memory, bytes, size);
  return copy;
}
