/* Data channel "data" of every peer: live readings, state, notes (docs/protocol.md). Main thread.
 */
#pragma once
#include "media/transport/file_parts.h"
#include "station/station.h"

#define CHANNEL_FILE_MAX (64 * 1024 * 1024) /* bytes of a file that pages may ask for */

/* Everything once, to a peer whose channel has just opened. */
void channel_send_snapshot (Station *station, const char *label);
/* label NULL: to all. */
void channel_send_clock (Station *station, const char *label);
/* items: array of observations (transfer none). */
void channel_send_readings (Station *station, const char *label, json_t *items);
/* One of consult->notes. */
void channel_send_note (Station *station, const char *label, json_t *note);
/* The newest version of a note, to all. */
void channel_send_note_of (Station *station, Consult *consult, const char *note);
/* The state of the consultation, to all, when it differs from what was said last. */
void channel_send_live (Station *station);

/* Who examines: a specialist, or the user at the console. */
gboolean channel_may_examine (Station *station, const char *label);
/* The user at the console, and no guest. */
gboolean channel_is_console (Station *station, const char *label);
/* An error of the data channel. `field` names what it is about: "note", "ask", "ptz" …; about NULL:
 * nothing. vi, en: what to do. */
void channel_refuse (Station *station, const char *label, const char *field, const char *about,
                     const char *code, const char *vi, const char *en);
/* To who examines: one peer if it does, or all of them (label NULL). (transfer full) message. */
void channel_send_examiners (Station *station, const char *label, json_t *message);
/* `parts` of a message: the first FILE_PARTS_MAX that make sense; gives how many. */
guint channel_read_parts (const json_t *message, FilePart parts[FILE_PARTS_MAX]);
/* Who speaks on this channel: a guest, or the user at the console; ret_user as in a row. FALSE:
 * somebody who only watches, or nobody; then nothing is set for nobody. */
gboolean channel_author (Station *station, const char *label, char **ret_user, char **ret_name);

/* A message from a peer, hostile. */
void channel_receive (Station *station, const char *label, GBytes *data);
/* Saves a version of a note; done as of station_write(). FALSE: a text of what is wrong with it,
 * nothing was written. user: who is credited; author: the name. */
/* The body of such a row, checked (transfer full); NULL: what is wrong with it. */
json_t *channel_note_body (const Consult *consult, const char *user, const char *author,
                           const json_t *message, const char **ret_wrong);
gboolean channel_save_note (Station *station, Consult *consult, const char *user,
                            const char *author, const json_t *message, WriteDone done, void *arg,
                            const char **ret_wrong);
