/* The protocol of hostile pages: each line of the input is a frame from one of six pages, given
 * to a real station with a real store (no cameras, hub or server).
 *
 *   c FRAME   console of somebody signed in     j FRAME   a join page
 *   o FRAME   console of nobody                 d FRAME   a data channel
 *   s FRAME   desk of a specialist              n FRAME   desk of nobody
 *
 * $C stands for the id of the consultation on screen, $I and $S for id and secret of its newest
 * invitation, $P for its PIN, $G for a guest, $A for the newest appointment, $T for a good session
 * token: what a page knows, or might guess.
 */
#include "../unit/station_place.h"

#include "station/calls/desk.h"
#include "station/channel.h"
#include "station/guests.h"

#include "json_mutator.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

enum { FRAMES_MAX = 24, CONSULTS_MAX = 6, LIFE = 3000 };

static StationPlace place;
static guint inputs;

static void
remove_folder (void)
{
  if (place.station != NULL)
    station_down (&place);
}

/* A station grows old quickly here; a young one keeps an input's effect its own. */
static void
begin (void)
{
  static gboolean registered;
  if (place.station != NULL && inputs++ % LIFE != 0)
    return;
  if (place.station != NULL)
    station_down (&place);
  memset (&place, 0, sizeof place);
  g_setenv ("TMPDIR", "/dev/shm", TRUE);
  station_up (&place);
  if (!registered)
    atexit (remove_folder);
  registered = TRUE;
}

static void
session_made (Session *session, const char *token, void *arg)
{
  g_assert_nonnull (session);
  *(char **)arg = g_strdup (token);
}

/* A session costs a row, so that one serves many inputs, until one of them ends it. */
static const char *
sign_in (Client *client)
{
  static char *token;
  Session *session = token != NULL ? sessions_find (place.station->sessions, token) : NULL;
  if (session == NULL) {
    g_clear_pointer (&token, g_free);
    sessions_issue (place.station->sessions, "lan", NULL, session_made, &token);
    while (token == NULL)
      g_main_context_iteration (NULL, TRUE);
    session = sessions_find (place.station->sessions, token);
  }
  client->session = session;
  session->client = client;
  return token;
}

static const char *
newest_appointment (void)
{
  const GPtrArray *consults = place.station->consults;
  for (guint i = consults->len; i > 0; i--)
    if (consult_is_planned (consults->pdata[i - 1]))
      return ((Consult *)consults->pdata[i - 1])->id;
  return "none";
}

static const char *
stands_for (char letter, const char *token)
{
  const Consult *consult = place.station->screen;
  const GPtrArray *invites = consult != NULL ? consult->invites : NULL;
  const Invite *invite
      = invites != NULL && invites->len > 0 ? invites->pdata[invites->len - 1] : NULL;
  switch (letter) {
  case 'C':
    return consult != NULL ? consult->id : "none";
  case 'I':
    return invite != NULL ? invite->id : "none";
  case 'S':
    return invite != NULL ? invite->secret : "none";
  case 'G':
    return consult != NULL && consult->guests->len > 0 ? ((Guest *)consult->guests->pdata[0])->id
                                                       : "none";
  case 'P':
    return invite != NULL && invite->pin != NULL ? invite->pin : "none";
  case 'A':
    return newest_appointment ();
  case 'T':
    return token;
  default:
    return NULL;
  }
}

static GString *
fill_in (const char *frame, gsize length, const char *token)
{
  GString *filled = g_string_sized_new (length);
  for (gsize i = 0; i < length; i++) {
    const char *value = frame[i] == '$' && i + 1 < length ? stands_for (frame[i + 1], token) : NULL;
    if (value != NULL) {
      g_string_append (filled, value);
      i++;
    } else {
      g_string_append_c (filled, frame[i]);
    }
  }
  return filled;
}

enum { CONSOLE, NOBODYS_CONSOLE, JOIN, DESK, NOBODYS_DESK, PAGES };

static int
page_of (char letter)
{
  static const char letters[PAGES + 1] = "cojsn";
  const char *found = letter != '\0' ? strchr (letters, letter) : NULL;
  return found != NULL ? (int)(found - letters) : JOIN;
}

static void
give (Page *pages[PAGES], const char *line, gsize length, const char *token)
{
  if (length < 2)
    return;
  GString *frame = fill_in (line + 2, length - 2, token);
  if (line[0] == 'd') {
    g_autoptr (GBytes) bytes = g_bytes_new (frame->str, frame->len);
    channel_receive (place.station, stands_for ('G', token), bytes);
    station_settle (&place);
  } else {
    Page *page = pages[page_of (line[0])];
    if (!page->closed)
      page_give (&place, page, frame->str, frame->len);
  }
  g_string_free (frame, TRUE);
}

/* A guest in the lobby, as if a browser had proven its key; the proof itself is a unit test's. */
static void
put_guest (Page *page)
{
  Consult *consult = place.station->screen;
  if (consult == NULL || consult->invites->len == 0 || consult->guests->len > 0)
    return;
  const Invite *invite = consult->invites->pdata[0];
  Guest *guest = consult_add_guest (consult, invite->id, invite->role, "key", "Minh", "");
  guest->client = page->client;
  g_free (page->client->consult);
  page->client->consult = g_strdup (consult->id);
  g_free (page->client->guest);
  page->client->guest = g_strdup (guest->id);
}

/* A message that only a guest may send: not those by which one becomes it. */
static gboolean
wants_guest (const char *line, gsize length)
{
  return length > 0
         && (line[0] == 'd'
             || (line[0] == 'j' && g_strstr_len (line, (gssize)length, "\"secret\"") == NULL));
}

static void
thin_out (void)
{
  while (place.station->consults->len > CONSULTS_MAX) {
    Consult *oldest = place.station->consults->pdata[0];
    for (guint i = 0; i < oldest->guests->len; i++)
      ((Guest *)oldest->guests->pdata[i])->client = NULL;
    station_forget (place.station, oldest);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *p = (const char *)data, *end = p + size;
  begin ();
  Page *pages[PAGES] = { page_open (&place, CLIENT_CONSOLE), page_open (&place, CLIENT_CONSOLE),
                         page_open (&place, CLIENT_JOIN), page_open (&place, CLIENT_DESK),
                         page_open (&place, CLIENT_DESK) };
  CallPerson *person = call_person_new ("minh", "BS. Minh", "BV", NULL);
  desk_identify (pages[DESK]->client, person);
  call_person_free (person);
  const char *token = sign_in (pages[CONSOLE]->client);
  for (guint i = 0; i < FRAMES_MAX && p < end; i++) {
    const char *line = memchr (p, '\n', (gsize)(end - p));
    gsize length = (gsize)((line != NULL ? line : end) - p);
    if (wants_guest (p, length))
      put_guest (pages[JOIN]);
    give (pages, p, length, token);
    p += length + 1;
  }
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    page_free (pages[i]);
  station_settle (&place);
  if (place.station->screen != NULL)
    station_show (place.station, NULL);
  thin_out ();
  while (g_main_context_iteration (NULL, FALSE))
    ;
  return 0;
}
