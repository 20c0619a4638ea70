/* A signature (.p7s) as somebody uploads it, and the answer of an OCSP responder as whoever stands
 * in the network gives it: "s" or "o", and the bytes. The authority and the signature that is asked
 * about are fixed, good for a hundred years, and of the first entries of the corpus. */
#include "certs/cades.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static const char AUTHORITY[]
    = "MIIBizCCATGgAwIBAgIUX80KI9hNRUU5/3mfgPJ45r8pioIwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwH"
      "RnV6eiBDQTAgFw0yNjExMjcxNDE0MTFaGA8yMTI2MTEwMzE0MTQxMVowEjEQMA4GA1UEAwwHRnV6eiBD"
      "QTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKD8d1w4qXNG1j5ygj6j5QW1Kmc7MPdQFn1KxH6fRZ7X"
      "DBiscjFekrsXjyPr7X3zYEL5H/bu2El5BC4QNE8d5KCjYzBhMB0GA1UdDgQWBBRsOjv4lcIUO99obs0U"
      "oT9mKpfhnjAfBgNVHSMEGDAWgBRsOjv4lcIUO99obs0UoT9mKpfhnjAPBgNVHRMBAf8EBTADAQH/MA4G"
      "A1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNIADBFAiEA3ZEf3C8sU6MGgAO3e/polY21BkSWW7wduT6v"
      "E54xK/8CIE9XGFW3O+R4QdaMN+960TJpuDre8ppXXe667cwU2SlF";
static const char SIGNATURE[]
    = "MIIDrwYJKoZIhvcNAQcCoIIDoDCCA5wCAQExDTALBglghkgBZQMEAgEwCwYJKoZIhvcNAQcBoIIBsjCC"
      "Aa4wggFUoAMCAQICAhAAMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB0Z1enogQ0EwIBcNMjYxMTI3MTQx"
      "NDExWhgPMjEyNTA2MjExNDE0MTFaMBMxETAPBgNVBAMMCEJTLiBGdXp6MFkwEwYHKoZIzj0CAQYIKoZI"
      "zj0DAQcDQgAEH93QNxbdqN6wnNM1iORtPo8uEcysfECOG95yx0d6peRyY5jVJtaIj0kt+lAX7fm47NC2"
      "hfPYF8GWNpXdRbWDsKOBljCBkzAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIGwDAzBggrBgEFBQcB"
      "AQQnMCUwIwYIKwYBBQUHMAGGF2h0dHA6Ly9vY3NwLmV4YW1wbGUudm4vMB0GA1UdDgQWBBTWvos2vp2w"
      "ZSE6epnbFHtpoxeu3DAfBgNVHSMEGDAWgBRsOjv4lcIUO99obs0UoT9mKpfhnjAKBggqhkjOPQQDAgNI"
      "ADBFAiEA+rXdRYpwp6s3THSxbXIUOLA9bQ1wWRze/Lt3RsUHuxoCIB6QUceA1FAILxhi46SCMDq5IvTN"
      "CGcU1OpE+/OO7JCsMYIBwzCCAb8CAQEwGDASMRAwDgYDVQQDDAdGdXp6IENBAgIQADALBglghkgBZQME"
      "AgGgggE7MBgGCSqGSIb3DQEJAzELBgkqhkiG9w0BBwEwHAYJKoZIhvcNAQkFMQ8XDTI2MTEyNzE0MTQx"
      "MVowLwYJKoZIhvcNAQkEMSIEIAFavX9cxXot2Ut1kPBK2AhCc5Be4z7Fzr6uYidql/hiMFUGCyqGSIb3"
      "DQEJEAIvMUYwRDBCMEAEIExxKXpGPevvSDoSGPWyxgw5n7fIfqwM5CTn8xm8nZLgMBwwFqQUMBIxEDAO"
      "BgNVBAMMB0Z1enogQ0ECAhAAMHkGCSqGSIb3DQEJDzFsMGowCwYJYIZIAWUDBAEqMAsGCWCGSAFlAwQB"
      "FjALBglghkgBZQMEAQIwCgYIKoZIhvcNAwcwDgYIKoZIhvcNAwICAgCAMA0GCCqGSIb3DQMCAgFAMAcG"
      "BSsOAwIHMA0GCCqGSIb3DQMCAgEoMAoGCCqGSM49BAMCBEgwRgIhAJMPiid81iK2kLvy/xCQZcVmmAIP"
      "AOZekRcihNgzCFZvAiEA1t26uR7gDghsRs/+mDYl8QqOC20bVnXn7MOwoGKZia4=";
static const char TEXT[] = "{\"a\":1}";
#define NOW 1800000000 /* s, UTC */

static GBytes *
decode (const char *base64)
{
  gsize size;
  guchar *data = g_base64_decode (base64, &size);
  return g_bytes_new_take (data, size);
}

static CadesTrust *
trust_once (void)
{
  static CadesTrust *trust;
  if (trust != NULL)
    return trust;
  g_autoptr (GBytes) der = decode (AUTHORITY);
  gsize size;
  const unsigned char *at = g_bytes_get_data (der, &size);
  X509 *root = d2i_X509 (NULL, &at, (long)size);
  trust = cades_trust_load (NULL, NULL, NULL, NULL);
  cades_trust_add (trust, root);
  X509_free (root);
  return trust;
}

static void
check (GBytes *cms)
{
  g_autoptr (GBytes) content = g_bytes_new_static (TEXT, strlen (TEXT));
  g_autoptr (CadesReport) report = cades_check (cms, content, trust_once (), NOW);
  if (report->verdict == CADES_GOOD && report->findings->len > 0)
    g_error ("good, and yet something was found");
}

static void
signature (GBytes *cms)
{
  g_autofree char *url = NULL;
  g_autoptr (GBytes) request = NULL, read = cades_read (cms, NULL);
  check (cms);
  if (read != NULL && cades_ocsp_ask (read, trust_once (), &url, &request)
      && (url == NULL || request == NULL))
    g_error ("nobody to ask, or nothing");
}

static void
answer (GBytes *response)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) cms = decode (SIGNATURE);
  g_autoptr (GBytes) whole = cades_add_ocsp (cms, response, trust_once (), &error);
  if ((whole == NULL) != (error != NULL))
    g_error ("neither a signature nor a reason");
  if (whole == NULL)
    return;
  if (!cades_same_signature (cms, whole))
    g_error ("an answer changed the signature");
  check (whole);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  if (size < 1)
    return 0;
  g_autoptr (GBytes) bytes = g_bytes_new (data + 1, size - 1);
  if (*data == 's')
    signature (bytes);
  else
    answer (bytes);
  return 0;
}
