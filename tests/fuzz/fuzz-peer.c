/* Chains and revocation lists from outside, against a pinned issuer. The first byte chooses: DER of
 * a certificate, PEM of a chain, a list. Nothing that was made up is ever admitted. */
#include "../unit/pki_place.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static PeerTrust *trust;

static void
pin_issuer (void)
{
  static const char *const all[] = { "*", NULL };
  g_autofree char *dir = g_dir_make_tmp ("nhipcau-fuzz-XXXXXX", NULL);
  PkiAuthority authority = pki_authority ("Sở Y tế", NOW - DAY, NOW + 1000 * DAY);
  g_autofree char *path = pki_file (dir, "issuer.pem", authority.certificate);
  X509_CRL *crl = pki_crl (&authority, NULL, 1, NOW - DAY, NOW + 30 * DAY);
  g_autoptr (GBytes) bytes = pki_crl_bytes (crl);
  trust = peer_trust_new ();
  if (!peer_trust_add_issuer (trust, "here", path, all, all, NULL)
      || !peer_trust_set_crl (trust, "here", bytes, NULL))
    g_error ("no issuer to test with");
  g_remove (path);
  g_rmdir (dir);
  X509_CRL_free (crl);
  pki_clear (&authority);
}

static void
check_chain (STACK_OF (X509) * chain)
{
  for (int trusted = 0; chain != NULL && trusted < 2; trusted++) {
    const PeerTime time = { NOW, trusted };
    PeerKind kind = PEER_STATION;
    g_autofree char *id = NULL;
    if (!peer_name_of (sk_X509_value (chain, 0), &kind, &id))
      id = g_strdup ("muong-mau");
    if (peer_check (trust, chain, kind, id, time).verdict != PEER_REFUSE
        || peer_check_without_lists (trust, chain, kind, id, time).verdict != PEER_REFUSE)
      g_error ("somebody is let in whom nobody vouches for");
  }
  sk_X509_pop_free (chain, X509_free);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  if (trust == NULL)
    pin_issuer ();
  if (size == 0)
    return 0;
  g_autoptr (GBytes) bytes = g_bytes_new_static (data + 1, size - 1);
  gint64 made, until;
  if (data[0] % 3 == 0)
    check_chain (peer_chain_of_der (&bytes, 1, NULL));
  else if (data[0] % 3 == 1)
    check_chain (peer_chain_of_pem (bytes, NULL));
  else if (peer_trust_set_crl (trust, "here", bytes, NULL))
    g_error ("a list that nobody signed");
  if (!peer_trust_crl_times (trust, "here", &made, &until) || until != NOW + 30 * DAY)
    g_error ("the list is another");
  return 0;
}
