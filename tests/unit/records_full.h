/* Rows in every table of records.db: what is typed, attached, delivered, erased. */
#pragma once
#include "records/attachment.h"
#include "records/erasure.h"
#include "records/outbox.h"
#include "records/patient_index.h"
#include "records_place.h"

static inline void
full_draft_done (gint64 seq, const GError *error, void *arg)
{
  g_assert_no_error (error);
  *(gboolean *)arg = TRUE;
}

static inline void
full_draft (Records *records, const char *consult, const char *note, const char *text)
{
  gboolean done = FALSE;
  json_auto_t *body = json_pack ("{s:s, s:s}", "note", note, "text", text);
  store_put_draft (records->store, consult, note, "lan", body, full_draft_done, &done);
  while (!done)
    g_main_context_iteration (NULL, TRUE);
}

static inline void
full_attach_and_deliver (Records *records, const char *consult, const char *text)
{
  g_autoptr (GBytes) content = g_bytes_new (text, strlen (text));
  const AttachmentInfo info = { .kind = "still", .name = "a.png" };
  const char *names[] = { "n:038062012345", "m:lo thi lan", NULL };
  OutboxItem one = { .target = (char *)"province", .item = (char *)"record" },
             two = { .target = (char *)"pacs", .item = (char *)"record" };
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  json_auto_t *body = json_pack ("{s:s}", "text", text);
  Attachment attachment;
  gint64 seq;

  g_assert_true (
      attachment_put_sync (records->store, consult, "lan", &info, content, &attachment, NULL));
  g_ptr_array_add (items, &one);
  g_ptr_array_add (items, &two);
  g_assert_true (
      outbox_put_sync (records->store, consult, "signature", "lan", body, items, &seq, NULL));
  g_assert_true (patient_index_put (records->store, consult, names, NULL));
}

/* A third consultation is made and erased. */
static inline void
full_fill (Records *records, const char *consult, const char *other)
{
  g_autofree char *gone = records_consult (records);
  const Erasure erasure = { .consult = gone,
                            .purposes = 1u << PURPOSE_CLINICAL,
                            .why = ERASURE_CONSENT,
                            .reason = "người bệnh rút lại đồng ý",
                            .user = "lan" };

  records_note (records, gone, "sẽ mất");
  for (guint i = 0; i < 2; i++) {
    const char *one = i == 0 ? consult : other;
    full_draft (records, one, "first", i == 0 ? "đang gõ" : "đang gõ nữa");
    full_draft (records, one, "second", i == 0 ? "một ý khác" : "ý khác nữa");
    full_attach_and_deliver (records, one, i == 0 ? "a picture" : "another picture");
  }
  g_assert_true (erasure_run (records->store, records->identity, &erasure, NULL, NULL));
}
