#include "media/transport/peer.h"

/* clang-format off */
G_DEFINE_QUARK (peer-error-quark, peer_error)
/* clang-format on */
