#include "station/ocsp.h"
#include "station/fetch.h"

#define SECONDS 5

GBytes *
ocsp_add (const Config *config, const CadesTrust *trust, GBytes *cms)
{
  g_autofree char *url = NULL;
  g_autoptr (GBytes) request = NULL;
  g_autoptr (GError) error = NULL;
  if (config->signing.no_ocsp || !cades_ocsp_ask (cms, trust, &url, &request))
    return g_bytes_ref (cms);
  g_autoptr (GBytes) answer
      = fetch_post (url, "application/ocsp-request", request, "application/ocsp-response",
                    CADES_OCSP_LONGEST, SECONDS, &error);
  GBytes *whole = answer != NULL ? cades_add_ocsp (cms, answer, trust, &error) : NULL;
  if (whole != NULL)
    return whole;
  g_message ("signing: %s: %s", url, error->message);
  return g_bytes_ref (cms);
}
