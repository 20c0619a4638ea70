/* What a page brings for a signature at a remote-signing provider: a certificate, and what was
 * prepared with a value beside it. Input: length of the value (one byte, times four), the value,
 * the rest. */
#include "certs/cades_remote.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static void
read_chain (GBytes *file)
{
  g_autoptr (GError) error = NULL;
  STACK_OF (X509) *chain = cades_remote_chain (file, &error);
  if ((chain == NULL) != (error != NULL))
    g_error ("neither a certificate nor a reason");
  if (chain == NULL)
    return;
  g_autoptr (GBytes) content = g_bytes_new_static ("x", 1), hash = NULL;
  g_autoptr (GBytes) prepared
      = cades_remote_prepare (chain, NULL, content, 1795000000, &hash, NULL);
  if ((prepared == NULL) != (hash == NULL))
    g_error ("a hash of nothing");
  sk_X509_pop_free (chain, X509_free);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (GBytes) file = g_bytes_new_static (data, size);
  read_chain (file);
  if (size == 0 || (size_t)data[0] * 4 > size - 1)
    return 0;
  const size_t length = (size_t)data[0] * 4;
  g_autoptr (GBytes) value = g_bytes_new_static (data + 1, length);
  g_autoptr (GBytes) prepared = g_bytes_new_static (data + 1 + length, size - 1 - length);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) whole = cades_remote_finish (prepared, value, &error);
  if ((whole == NULL) != (error != NULL))
    g_error ("neither a signature nor a reason");
  return 0;
}
