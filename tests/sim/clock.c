/* Before a program (LD_PRELOAD): its kernel says that something keeps the clock right, or, with
 * SIM_CLOCK=adrift, that nothing does. */
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

__attribute__ ((visibility ("default"))) int
adjtimex (struct timex *state)
{
  const char *word = getenv ("SIM_CLOCK");
  memset (state, 0, sizeof *state);
  state->status = word != NULL && strcmp (word, "adrift") == 0 ? STA_UNSYNC : STA_PLL;
  return TIME_OK;
}
