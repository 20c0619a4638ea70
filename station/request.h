/* One message of a page, and its answer.
 *
 * A handler ends by exactly one request_…() that answers, now or later; the request is counted,
 * so that it can wait for the disk while the page goes away.
 */
#pragma once
#include "station/consultation.h"

typedef struct {
  guint references;
  Client *client;
  Station *station;
  json_t *message;
  json_int_t id; /* 0: wants no answer */
  char *user;    /* who acts: the one signed in when the message came; "guest:…" for a guest */
} Request;

Request *request_new (Client *client, json_t *message, const char *user);
Request *request_ref (Request *request);
void request_unref (Request *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, request_unref)

/* (transfer full) fields of the answer, NULL for none. */
void request_ok (Request *request, json_t *fields);
/* code is one of docs/protocol.md; its text is the usual one. */
void request_refuse (Request *request, const char *code);
/* With a text of its own, and (transfer full) further fields or NULL. */
void request_refuse_with (Request *request, const char *code, const char *vi, const char *en,
                          json_t *fields);
/* bad-message: what is wrong with one field. */
void request_bad (Request *request, const char *field, const char *en);
/* An error of the disk or of the vault, told in the page's words. */
void request_failed (Request *request, const GError *error);
/* What ends with a plain ok: for station_write() and for what is put into the store, with (transfer
 * full) the request as arg. */
void request_written (Station *station, Consult *consult, gint64 seq, const GError *error,
                      void *request);
void request_stored (gint64 seq, const GError *error, void *request);

/* ---- Fields. FALSE: the request has been answered with bad-message. ----------------------- */

typedef enum { OPTIONAL, REQUIRED } FieldNeed;

/* UTF-8, at most max characters, no control characters except tab and line feed. *ret NULL
 * when absent or null; "" counts as absent when REQUIRED. Owned by the message. */
gboolean request_text (Request *request, const char *field, FieldNeed need, gsize max,
                       const char **ret);
/* One of words, NULL-terminated. */
gboolean request_word (Request *request, const char *field, FieldNeed need,
                       const char *const *words, const char **ret);
/* [A-Za-z0-9_-]{1,64}: an id */
gboolean request_id (Request *request, const char *field, FieldNeed need, const char **ret);
gboolean request_number (Request *request, const char *field, gint64 low, gint64 high, gint64 *ret);
/* Absent counts as FALSE. */
gboolean request_flag (Request *request, const char *field, gboolean *ret);
/* A text is fit to be kept: bounded, UTF-8, no control characters. */
gboolean text_is_clean (const char *text, gsize max);
