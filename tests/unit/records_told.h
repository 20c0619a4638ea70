/* What a station has acknowledged, and whether all of it is there after something went wrong. */
#pragma once
#include "../sim/fault_disk.h"
#include "records/attachment.h"
#include "records/outbox.h"
#include "records/patient_index.h"
#include "records_place.h"
#include <stdio.h>
#include <stdlib.h>

typedef enum {
  TOLD_ROW,
  TOLD_SHREDDED,
  TOLD_ATTACHMENT,
  TOLD_QUEUED,
  TOLD_INDEXED,
  TOLD_DRAFT
} ToldKind;

typedef struct {
  guint moment; /* operations before the word came */
  ToldKind kind;
  char *consult, *row; /* kind of the row, id of the attachment, uuid of the delivery */
  gint64 seq;
  gint n; /* what the row says */
} Told;

static inline void
told_free (gpointer data)
{
  Told *told = data;
  g_free (told->consult);
  g_free (told->row);
  g_free (told);
}

static inline GPtrArray *
told_list (void)
{
  return g_ptr_array_new_with_free_func (told_free);
}

static inline void
tell (GPtrArray *list, ToldKind kind, const char *consult, const char *row, gint64 seq, gint n)
{
  Told *told = g_new0 (Told, 1);
  *told = (Told){ fault_disk_now (), kind, g_strdup (consult), g_strdup (row), seq, n };
  g_ptr_array_add (list, told);
}

/* One of them as a line of text, for another process; and from it. FALSE: it is none. */
static inline void
told_write (int fd, const Told *told)
{
  dprintf (fd, "%d %s %s %" G_GINT64_FORMAT " %d\n", (int)told->kind, told->consult,
           told->row != NULL ? told->row : "-", told->seq, told->n);
}

static inline gboolean
told_read (const char *line, GPtrArray *list)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  if (g_strv_length (words) != 5)
    return FALSE;
  tell (list, (ToldKind)atoi (words[0]), words[1], g_str_equal (words[2], "-") ? NULL : words[2],
        g_ascii_strtoll (words[3], NULL, 10), atoi (words[4]));
  return TRUE;
}

/* ---- Afterwards --------------------------------------------------------------------------- */

typedef struct {
  Place *place;
  GPtrArray *told; /* of Told */
  guint cut;       /* what was told later does not count */
  char *dir;
  Vault *vault;
  Store *store;
  GString *wrong;       /* what was lost or damaged, in words */
  gboolean disk_failed; /* that a key file could not be read and was made anew is told rightly */
  guint items;
} Judgement;

static inline void G_GNUC_PRINTF (2, 3) wrong (Judgement *judgement, const char *format, ...)
{
  va_list words;
  va_start (words, format);
  g_string_append_vprintf (judgement->wrong, format, words);
  va_end (words);
  g_string_append_c (judgement->wrong, '\n');
}

static inline void
note_wrong (Judgement *judgement, const char *where, const Told *told, const GError *error)
{
  wrong (judgement, "%s %s/%s/%" G_GINT64_FORMAT " of moment %u: %s", where, told->consult,
         told->row, told->seq, told->moment, error != NULL ? error->message : "not there");
}

/* n of a row; -1 with error. */
static inline gint
row_says (Judgement *judgement, const Told *told, GError **error)
{
  g_autoptr (GPtrArray) rows
      = store_read_some (judgement->store, told->consult, told->row, told->seq - 1, 1, error);
  if (rows == NULL || rows->len == 0)
    return -1;
  const StoreRow *row = rows->pdata[0];
  return row->seq == told->seq ? (gint)json_integer_value (json_object_get (row->body, "n")) : -1;
}

static inline gboolean
is_among (GPtrArray *list, const char *text)
{
  for (guint i = 0; list != NULL && i < list->len; i++)
    if (g_str_equal (list->pdata[i], text))
      return TRUE;
  return FALSE;
}

static inline gboolean
is_queued (Judgement *judgement, const char *consult)
{
  g_autoptr (GPtrArray) items = outbox_list (judgement->store, FALSE, NULL);
  for (guint i = 0; items != NULL && i < items->len; i++)
    if (g_str_equal (((OutboxItem *)items->pdata[i])->consult, consult))
      return TRUE;
  return FALSE;
}

/* What was typed stands there as it was, or newer, or was saved since. */
static inline gboolean
is_typed (Judgement *judgement, const Told *told)
{
  g_autoptr (GPtrArray) drafts = store_read_drafts (judgement->store, told->consult, NULL);
  for (guint i = 0; drafts != NULL && i < drafts->len; i++)
    if (json_integer_value (json_object_get (((StoreDraft *)drafts->pdata[i])->body, "n"))
        >= told->n)
      return TRUE;
  StoreRow *saved = store_latest (judgement->store, told->consult, "note", NULL);
  gboolean newer
      = saved != NULL && json_integer_value (json_object_get (saved->body, "n")) >= told->n;
  store_row_free (saved);
  return newer;
}

static inline void
check_told (Judgement *judgement, const Told *told)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) content = NULL;
  g_autoptr (GPtrArray) found = NULL;

  switch (told->kind) {
  case TOLD_ROW:
    if (row_says (judgement, told, &error) != told->n)
      note_wrong (judgement, "row", told, error);
    break;
  case TOLD_SHREDDED: {
    g_autoptr (DataKey) key
        = vault_get_key (judgement->vault, told->consult, PURPOSE_CLINICAL, NULL);
    if (key != NULL)
      note_wrong (judgement, "destroyed key", told, NULL);
    break;
  }
  case TOLD_ATTACHMENT:
    content = attachment_read (judgement->store, told->consult, told->row, 0, 100, &error);
    if (content == NULL)
      note_wrong (judgement, "attachment", told, error);
    break;
  case TOLD_DRAFT:
    if (!is_typed (judgement, told))
      note_wrong (judgement, "draft", told, NULL);
    break;
  case TOLD_QUEUED:
    if (!is_queued (judgement, told->consult))
      note_wrong (judgement, "delivery", told, NULL);
    break;
  case TOLD_INDEXED:
    found = patient_index_find (judgement->store, (const char *const[]){ "n:038062012345", NULL },
                                &error);
    if (!is_among (found, told->consult))
      note_wrong (judgement, "index entry", told, error);
  }
  judgement->items++;
}

static inline void
take_finding (VerifyVerdict verdict, const char *code, const char *where, const char *what,
              void *arg)
{
  const Judgement *judgement = arg;
  if (verdict == VERIFY_BAD
      && !(judgement->disk_failed && strstr (what, "keys-damage.txt") != NULL))
    wrong (arg, "%s %s: %s", code, where, what);
}

static inline void
verify (Judgement *judgement)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Vault) vault = vault_open_read_only (judgement->dir, &error);
  if (vault == NULL || !vault_unlock_boot (vault, judgement->place->boot, &error)
      || !verify_state (judgement->dir, vault, NULL, take_finding, judgement, NULL, &error))
    wrong (judgement, "verify: %s", error->message);
}

/* As a station does it after whatever happened. */
static inline gboolean
start (Judgement *judgement)
{
  g_autoptr (GError) error = NULL;
  judgement->vault = vault_open (judgement->dir, &error);
  if (judgement->vault != NULL
      && vault_unlock_boot (judgement->vault, judgement->place->boot, &error))
    judgement->store
        = store_open (judgement->dir, judgement->vault, NULL, STORE_READ_WRITE, &error);
  if (error != NULL)
    wrong (judgement, "start: %s", error->message);
  return judgement->store != NULL;
}

static inline void
check_all_told (Judgement *judgement)
{
  for (guint i = 0; i < judgement->told->len; i++) {
    const Told *told = judgement->told->pdata[i];
    if (told->moment <= judgement->cut)
      check_told (judgement, told);
  }
}

static inline void
stop_and_verify (Judgement *judgement)
{
  g_clear_pointer (&judgement->store, store_free);
  g_clear_pointer (&judgement->vault, vault_free);
  verify (judgement);
}

/* Repairs and failing disks are told as warnings: here they are what is asked for. */
static inline GLogWriterOutput
told_drop_warnings (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
  return (level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE)) != 0
             ? G_LOG_WRITER_HANDLED
             : g_log_writer_default (level, fields, n, data);
}
