/* The comparison code of one peer (certs/comparison.h), and what people say of it. Main thread.
 *
 *   offer    goes out with the commitment to the station's nonce
 *   answer   comes with the page's nonce: from here on the code stands, and the station reveals its
 * own
 *
 * Once revealed nothing that goes into the code may change: another certificate in a later
 * description voids it.
 */
#pragma once
#include "station/request.h"

typedef struct Comparing Comparing;

Comparing *comparing_new (void);
void comparing_free (Comparing *comparing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Comparing, comparing_free)

/* An offer of ours goes out; gives the commitment (transfer none). */
const char *comparing_offer (Comparing *comparing, const char *sdp);
/* An answer came, hostile; nonce NULL: the page knows of no codes. station, page: their identities.
 * Gives the station's nonce when it is to be revealed now (transfer none), else NULL. */
const char *comparing_answer (Comparing *comparing, const char *sdp, const char *nonce,
                              const char *station, const char *page);
/* Six digits; NULL: none. */
const char *comparing_code (const Comparing *comparing);
/* What the doctor said of it: "same", "open" (nothing yet). */
void comparing_confirm (Comparing *comparing);
gboolean comparing_confirmed (const Comparing *comparing);

/* The console's "guest.compared": the codes are the same, or not. */
void comparing_compared (Request *request);
/* The page's "code.differs". */
void comparing_page_differs (Request *request);
