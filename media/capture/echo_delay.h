/* How much later the microphone hears what the loudspeaker was told to play: finds the delay that
 * no card tells of (Bluetooth, a television), so that the canceller's filter, which reaches over
 * some 40 ms only, lies where the echo is. A matched filter over half a second, adapted by NLMS
 * (Haykin, Adaptive Filter Theory, 6) on both sounds at 4 kHz. Sans-IO, one thread.
 */
#pragma once
#include <glib.h>

enum { ECHO_DELAY_UNKNOWN = -1 };

typedef struct EchoDelay EchoDelay;

EchoDelay *echo_delay_new (void);
void echo_delay_free (EchoDelay *delay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EchoDelay, echo_delay_free)

/* 10 ms of what was played and of what was captured beside it, 480 samples each at 48 kHz. Returns
 * the delay in samples of the strongest way between them, as last found; UNKNOWN before. */
gint echo_delay_look (EchoDelay *delay, const gint16 *played, const gint16 *captured);
