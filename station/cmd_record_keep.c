/* nhipcau record retention | hold | release | erase */
#include "station/cmd_record_keep.h"
#include "station/cli.h"
#include "station/erasing.h"
#include "station/opening.h"

#include <stdio.h>
#include <string.h>

typedef struct {
  char *reason, *class, *purpose, *why;
  gboolean due;
} Keep;

static void
keep_clear (Keep *keep)
{
  g_free (keep->reason);
  g_free (keep->class);
  g_free (keep->purpose);
  g_free (keep->why);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Keep, keep_clear)

typedef gboolean (*KeepRun) (Opening *opening, const CliOptions *options, const Keep *keep,
                             const char *id, GError **error);

/* ---- retention ---------------------------------------------------------------------------- */

static void
print_line (const json_t *line)
{
  const char *reason = json_string_value (json_object_get (line, "reason"));
  printf ("%s  %s → %s  %-11s %s%s%s%s\n",
          json_string_value (json_object_get (line, "consultation")),
          json_string_value (json_object_get (line, "day")),
          json_string_value (json_object_get (line, "due")),
          json_string_value (json_object_get (line, "class")),
          json_is_true (json_object_get (line, "is_due")) ? SAY ("ĐÃ HẾT HẠN", "DUE") : "",
          json_is_true (json_object_get (line, "hold")) ? SAY ("ĐANG GIỮ LẠI", "ON HOLD") : "",
          reason != NULL ? ": " : "", reason != NULL ? reason : "");
}

static void
print_list (const json_t *list)
{
  gsize i;
  json_t *line;
  json_array_foreach (json_object_get (list, "records"), i, line)
  {
    print_line (line);
  }
  if (g_strcmp0 (json_string_value (json_object_get (list, "clock")), "trusted") != 0)
    printf ("%s\n", SAY ("Đồng hồ máy chưa được đồng bộ: không xóa gì theo thời hạn.",
                         "The clock is not kept right by anything: nothing is due."));
}

static gboolean
run_retention (Opening *opening, const CliOptions *options, const Keep *keep, const char *id,
               GError **error)
{
  RetentionClass class;
  if (keep->class != NULL && (id == NULL || !retention_class_parse (keep->class, &class))) {
    g_set_error (
        error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s",
        SAY ("--class cần một lần khám và: ordinary, accident, psychiatric, death",
             "--class wants a consultation, and ordinary, accident, psychiatric or death"));
    return FALSE;
  }
  if (keep->class != NULL
      && !retention_set_class (opening->store, id, class, options->unlock_user, keep->reason,
                               error))
    return FALSE;
  json_auto_t *list = erasing_list (opening->store, id, error);
  json_t *certificates = list != NULL ? erasing_certificates (opening->store, error) : NULL;
  if (certificates == NULL)
    return FALSE;
  json_object_set_new (list, "erased", certificates);
  if (options->json)
    cli_print_json (list);
  else
    print_list (list);
  return TRUE;
}

/* ---- hold, release ------------------------------------------------------------------------ */

static gboolean
run_hold (Opening *opening, const CliOptions *options, const Keep *keep, const char *id,
          GError **error)
{
  return retention_set_hold (opening->store, id, TRUE, options->unlock_user, keep->reason, error);
}

static gboolean
run_release (Opening *opening, const CliOptions *options, const Keep *keep, const char *id,
             GError **error)
{
  return retention_set_hold (opening->store, id, FALSE, options->unlock_user, keep->reason, error);
}

/* ---- erase -------------------------------------------------------------------------------- */

static gboolean
parse_erasure (const Keep *keep, Erasure *erasure, GError **error)
{
  const char *purpose = keep->purpose != NULL ? keep->purpose : "recording";
  if (g_str_equal (purpose, "recording"))
    erasure->purposes = 1u << PURPOSE_RECORDING;
  else if (g_str_equal (purpose, "teaching"))
    erasure->purposes = 1u << PURPOSE_TEACHING;
  else if (g_str_equal (purpose, "all"))
    erasure->purposes = 1u << PURPOSE_RECORDING | 1u << PURPOSE_TEACHING | 1u << PURPOSE_CLINICAL;
  if (erasure->purposes != 0 && keep->why != NULL && erasure_why_parse (keep->why, &erasure->why)
      && erasure->why != ERASURE_UNCLAIMED)
    return TRUE;
  g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s",
               SAY ("record erase cần --purpose recording, teaching hoặc all, và --why "
                    "consent-withdrawn, retention-over hoặc disk-full",
                    "record erase wants --purpose recording, teaching or all, and --why "
                    "consent-withdrawn, retention-over or disk-full"));
  return FALSE;
}

static gboolean
erase_one (Opening *opening, const Erasure *erasure, GError **error)
{
  g_autofree char *certificate = NULL;
  if (!erasing_run (opening->store, opening->identity, erasure, &certificate, error))
    return FALSE;
  printf (SAY ("%s: đã hủy khóa; biên bản hủy: %s\n",
               "%s: its keys are destroyed; the certificate: %s\n"),
          erasure->consult, certificate);
  return TRUE;
}

static gboolean
erase_due (Opening *opening, const CliOptions *options, const Keep *keep, GError **error)
{
  const RetentionClock clock = erasing_clock ();
  g_autoptr (GPtrArray) list = retention_list (opening->store, &clock, error);
  if (list == NULL)
    return FALSE;
  for (guint i = 0; i < list->len; i++) {
    const RetentionLine *line = list->pdata[i];
    const Erasure erasure = { .consult = line->consult,
                              .purposes = line->purposes,
                              .why = ERASURE_RETENTION,
                              .reason = keep->reason,
                              .user = options->unlock_user };
    if (line->is_due && !erase_one (opening, &erasure, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
run_erase (Opening *opening, const CliOptions *options, const Keep *keep, const char *id,
           GError **error)
{
  Erasure erasure = { .consult = id, .reason = keep->reason, .user = options->unlock_user };
  if (keep->due && id == NULL)
    return erase_due (opening, options, keep, error);
  return parse_erasure (keep, &erasure, error) && erase_one (opening, &erasure, error);
}

/* ---- Command ------------------------------------------------------------------------------ */

static const struct {
  const char *word;
  KeepRun run;
  gboolean reads, wants_id;
} COMMANDS[] = {
  { "retention", run_retention, TRUE, FALSE },
  { "hold", run_hold, FALSE, TRUE },
  { "release", run_release, FALSE, TRUE },
  { "erase", run_erase, FALSE, FALSE },
};

gboolean
cmd_record_keep_has (const char *word)
{
  for (guint i = 0; i < G_N_ELEMENTS (COMMANDS); i++)
    if (g_str_equal (COMMANDS[i].word, word))
      return TRUE;
  return FALSE;
}

static int
run (guint which, const CliOptions *options, const Config *config, const Keep *keep, const char *id)
{
  g_auto (Opening) opening = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean reads = COMMANDS[which].reads && keep->class == NULL;
  if (!(reads ? opening_read_only (&opening, options, config, &error)
              : opening_read_write (&opening, options, config, &error)))
    return cli_fail (error);
  return COMMANDS[which].run (&opening, options, keep, id, &error) ? CLI_OK : cli_fail (error);
}

int
cmd_record_keep (int argc, char **argv)
{
  g_auto (CliOptions) options = { 0 };
  g_auto (Keep) keep = { 0 };
  int exit_code = CLI_OK;
  guint which = 0;
  const GOptionEntry entries[] = {
    { "reason", 0, 0, G_OPTION_ARG_STRING, &keep.reason,
      SAY ("lý do, ghi vào hồ sơ của trạm", "the reason, kept in the station's record"), "TEXT" },
    { "class", 0, 0, G_OPTION_ARG_STRING, &keep.class,
      SAY ("retention: ordinary (10 năm), accident, psychiatric (20), death (30)",
           "retention: ordinary (10 years), accident, psychiatric (20), death (30)"),
      "CLASS" },
    { "purpose", 0, 0, G_OPTION_ARG_STRING, &keep.purpose,
      SAY ("erase: recording (bản ghi hình), teaching hoặc all",
           "erase: recording, teaching or all"),
      "PURPOSE" },
    { "why", 0, 0, G_OPTION_ARG_STRING, &keep.why,
      SAY ("erase: consent-withdrawn, retention-over, disk-full",
           "erase: consent-withdrawn, retention-over, disk-full"),
      "WHY" },
    { "due", 0, 0, G_OPTION_ARG_NONE, &keep.due,
      SAY ("erase: mọi hồ sơ đã hết hạn lưu", "erase: everything that is due"), NULL },
    { NULL },
  };
  while (which + 1 < G_N_ELEMENTS (COMMANDS) && !g_str_equal (COMMANDS[which].word, argv[0]))
    which++;
  if (!cli_parse (&argc, &argv, &options, CLI_WITH_KEYS | CLI_WITH_JSON, entries, "[CONSULTATION]",
                  (Text){ "Lưu giữ và hủy hồ sơ: thời hạn, giữ lại theo yêu cầu, hủy khóa có biên "
                          "bản. Trạm phải đang dừng, trừ khi chỉ xem.",
                          "How long records are kept: terms, holds, erasure by destroying keys, "
                          "with a certificate. The station must be stopped, except to look." },
                  &exit_code))
    return exit_code;
  const char *id = argc > 1 ? argv[1] : NULL;
  if (argc > 2 || (id == NULL && (COMMANDS[which].wants_id || (which == 3 && !keep.due))))
    return cli_usage ("%s", SAY ("cách dùng: nhipcau record retention [ID] | hold ID --reason … | "
                                 "release ID | erase ID --why … | erase --due",
                                 "usage: nhipcau record retention [ID] | hold ID --reason … | "
                                 "release ID | erase ID --why … | erase --due"));
  g_autoptr (Config) config = cli_config (&options, &exit_code);
  return config != NULL ? run (which, &options, config, &keep, id) : exit_code;
}
