/* A request for a certificate, as somebody brings it to the authority on a stick. */
#include "certs/csr.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (Csr) csr = csr_parse (bytes, &error);
  if ((csr == NULL) != (error != NULL))
    g_error ("neither a request nor a reason");
  if (csr == NULL)
    return 0;
  if (!peer_id_is_valid (csr->kind, csr->id) || csr->key == NULL
      || !g_utf8_validate (csr->name, -1, NULL) || *csr->name == '\0'
      || (csr->kind == PEER_PERSON && csr->names[0] != NULL))
    g_error ("a request of nobody");
  return 0;
}
