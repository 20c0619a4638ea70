/* Letters from any thread to one GMainContext.
 *
 * Posting takes a short lock and wakes the context; a burst of letters costs one wake-up. Letters
 * are read in the order of posting.
 */
#pragma once
#include <glib.h>

typedef struct Mailbox Mailbox;
/* Takes the letter over. May post, and may close the mailbox. */
typedef void (*MailboxRead) (gpointer letter, gpointer owner);

Mailbox *mailbox_new (GMainContext *context, MailboxRead read, GDestroyNotify free_letter,
                      gpointer owner);
/* letter: (transfer full); freed at once when the mailbox is closed. Any thread. */
void mailbox_post (Mailbox *mailbox, gpointer letter);
/* Letters that wait now. Any thread. */
guint mailbox_length (Mailbox *mailbox);
/* Reads no more and frees what waits. From the context's thread, or when it does not run. */
void mailbox_close (Mailbox *mailbox);
void mailbox_free (Mailbox *mailbox); /* closes first */
