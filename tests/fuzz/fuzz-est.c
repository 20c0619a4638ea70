/* What an enrolment server answers. */
#include "certs/est.h"
#include "certs/issue.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static EVP_PKEY *key;
  if (key == NULL)
    key = issue_key (NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  STACK_OF (X509) *all = est_certificates (bytes, &error);
  if ((all == NULL) != (error != NULL))
    g_error ("neither certificates nor a reason");
  if (all == NULL)
    return 0;
  /* Of a key that is made now there is none; of the first one's there is. */
  if (est_chain (all, key) != NULL)
    g_error ("a certificate of a key that nobody has");
  EVP_PKEY *first = X509_get0_pubkey (sk_X509_value (all, 0));
  STACK_OF (X509) *chain = first != NULL ? est_chain (all, first) : NULL;
  if (sk_X509_num (chain) > PEER_CHAIN_MOST)
    g_error ("a chain without an end");
  for (int i = 0; i < sk_X509_num (all); i++)
    est_is_due (sk_X509_value (all, i), 1796000000);
  sk_X509_pop_free (chain, X509_free);
  sk_X509_pop_free (all, X509_free);
  return 0;
}
