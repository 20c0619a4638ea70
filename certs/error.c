#include "certs/error.h"

G_DEFINE_QUARK (certs - error - quark, certs_error)
