#include "station/wave_receipt.h"

struct WaveReceipt {
  guint pending;
  WavesDone done;
  void *arg;
  GError *error;
};

WaveReceipt *
wave_receipt_new (WavesDone done, void *arg)
{
  WaveReceipt *receipt = g_new0 (WaveReceipt, 1);
  receipt->pending = 1;
  receipt->done = done;
  receipt->arg = arg;
  return receipt;
}

WaveReceipt *
wave_receipt_wait (WaveReceipt *receipt)
{
  if (receipt != NULL)
    receipt->pending++;
  return receipt;
}

void
wave_receipt_end (WaveReceipt *receipt, const GError *error)
{
  if (receipt == NULL)
    return;
  if (error != NULL && receipt->error == NULL)
    receipt->error = g_error_copy (error);
  if (--receipt->pending > 0)
    return;
  receipt->done (receipt->error, receipt->arg);
  g_clear_error (&receipt->error);
  g_free (receipt);
}
