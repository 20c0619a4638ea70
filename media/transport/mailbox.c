#include "media/transport/mailbox.h"
#include <pthread.h>

/* A pthread mutex, since the thread sanitizer does not see GLib's. */
struct Mailbox {
  GSource source;
  pthread_mutex_t lock;
  GQueue letters;  /* under lock */
  gboolean closed; /* under lock */
  MailboxRead read;
  GDestroyNotify free_letter;
  gpointer owner;
};

static gboolean
is_closed (Mailbox *mailbox)
{
  pthread_mutex_lock (&mailbox->lock);
  gboolean closed = mailbox->closed;
  pthread_mutex_unlock (&mailbox->lock);
  return closed;
}

static GQueue
take_letters (Mailbox *mailbox)
{
  pthread_mutex_lock (&mailbox->lock);
  GQueue letters = mailbox->letters;
  g_queue_init (&mailbox->letters);
  pthread_mutex_unlock (&mailbox->lock);
  return letters;
}

/* The ready time is put back before the letters are taken: who posts later sets it again. GLib
 * holds a reference on the source while it dispatches. */
static gboolean
mailbox_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  Mailbox *mailbox = (Mailbox *)source;
  g_source_set_ready_time (source, -1);
  GQueue letters = take_letters (mailbox);
  gpointer letter;
  while ((letter = g_queue_pop_head (&letters)) != NULL)
    if (is_closed (mailbox))
      mailbox->free_letter (letter);
    else
      mailbox->read (letter, mailbox->owner);
  return G_SOURCE_CONTINUE;
}

static void
mailbox_finalize (GSource *source)
{
  pthread_mutex_destroy (&((Mailbox *)source)->lock);
}

static GSourceFuncs mailbox_funcs = { .dispatch = mailbox_dispatch, .finalize = mailbox_finalize };

Mailbox *
mailbox_new (GMainContext *context, MailboxRead read, GDestroyNotify free_letter, gpointer owner)
{
  Mailbox *mailbox = (Mailbox *)g_source_new (&mailbox_funcs, sizeof (Mailbox));
  pthread_mutex_init (&mailbox->lock, NULL);
  g_queue_init (&mailbox->letters);
  mailbox->read = read;
  mailbox->free_letter = free_letter;
  mailbox->owner = owner;
  g_source_set_name (&mailbox->source, "mailbox");
  g_source_attach (&mailbox->source, context);
  return mailbox;
}

void
mailbox_post (Mailbox *mailbox, gpointer letter)
{
  pthread_mutex_lock (&mailbox->lock);
  gboolean closed = mailbox->closed;
  if (!closed)
    g_queue_push_tail (&mailbox->letters, letter);
  pthread_mutex_unlock (&mailbox->lock);
  if (closed)
    mailbox->free_letter (letter);
  else
    g_source_set_ready_time (&mailbox->source, 0);
}

guint
mailbox_length (Mailbox *mailbox)
{
  pthread_mutex_lock (&mailbox->lock);
  guint length = g_queue_get_length (&mailbox->letters);
  pthread_mutex_unlock (&mailbox->lock);
  return length;
}

void
mailbox_close (Mailbox *mailbox)
{
  pthread_mutex_lock (&mailbox->lock);
  mailbox->closed = TRUE;
  pthread_mutex_unlock (&mailbox->lock);
  GQueue letters = take_letters (mailbox);
  g_queue_clear_full (&letters, mailbox->free_letter);
  g_source_destroy (&mailbox->source);
}

void
mailbox_free (Mailbox *mailbox)
{
  if (mailbox == NULL)
    return;
  mailbox_close (mailbox);
  g_source_unref (&mailbox->source);
}
