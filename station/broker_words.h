/* What people are told of a broker that is not reached. */
#pragma once
#include "station/rendezvous/broker_tls.h"

/* What it means and what to do (transfer full). why: in a library's words; NULL: not known. */
void broker_words (const char *address, BrokerTrouble trouble, const char *why, char **ret_vi,
                   char **ret_en);
