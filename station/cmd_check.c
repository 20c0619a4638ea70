/* nhipcau check */
#include "station/check.h"
#include "station/cli.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void
check_boot (const CliOptions *options, const Config *config, GPtrArray *findings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) boot = cli_boot_credential (options, config, &error);
  if (error != NULL)
    check_add (findings, CHECK_BAD, "boot-credential",
               g_strdup_printf ("Khóa khởi động hỏng (%s). Thay khóa mới: nhipcau setup "
                                "--new-boot-credential --unlock TỆP",
                                error->message),
               g_strdup_printf ("The boot credential is bad (%s). Replace it: nhipcau setup "
                                "--new-boot-credential --unlock FILE",
                                error->message));
  else if (boot == NULL)
    check_add (findings, CHECK_WARN, "no-boot-credential",
               g_strdup ("Không có khóa khởi động: sau khi mất điện trạm không tự chạy lại được. "
                         "Tạo khóa: nhipcau setup --new-boot-credential --unlock TỆP"),
               g_strdup ("There is no boot credential: after a power cut the station cannot come "
                         "back by itself. Make one: nhipcau setup --new-boot-credential --unlock "
                         "FILE"));
  else
    check_add (findings, CHECK_GOOD, "boot-credential", g_strdup ("Có khóa khởi động."),
               g_strdup ("There is a boot credential."));
}

static void
check_keys (const CliOptions *options, const Config *config, GPtrArray *findings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Vault) vault = cli_open_vault (options, config, TRUE, &error);
  if (vault != NULL)
    check_vault (vault, findings);
  else
    check_add (findings, CHECK_BAD, "keys",
               g_strdup_printf ("Không mở được khóa của trạm (%s). Khóa khởi động bị mất hay sai: "
                                "nhipcau setup --new-boot-credential --unlock TỆP; tệp khóa hỏng: "
                                "nhipcau record verify",
                                error->message),
               g_strdup_printf ("The station's keys do not open (%s). A lost or wrong boot "
                                "credential: nhipcau setup --new-boot-credential --unlock FILE; "
                                "damaged key files: nhipcau record verify",
                                error->message));
}

static void
print_findings (const GPtrArray *findings)
{
  static const char *const marks[] = { "  ✓ ", "  ! ", "  ✗ " };
  for (guint i = 0; i < findings->len; i++) {
    const Finding *finding = findings->pdata[i];
    printf ("%s%s\n", marks[finding->level], SAY (finding->vi, finding->en));
  }
  puts (check_passed (findings) ? SAY ("Trạm dùng được.", "The station can be used.")
                                : SAY ("Còn lỗi phải sửa (✗).", "There is something to mend (✗)."));
}

int
cmd_check (int argc, char **argv)
{
  g_auto (CliOptions) options = { 0 };
  int exit_code = CLI_OK;
  if (!cli_parse (&argc, &argv, &options, CLI_WITH_KEYS | CLI_WITH_JSON, NULL, NULL,
                  (Text){ "Máy này còn thiếu hay sai gì. Mã thoát 0: dùng được, 1: có lỗi.",
                          "What is missing or wrong on this machine. Exit status 0: usable, "
                          "1: something is bad." },
                  &exit_code))
    return exit_code;
  g_autoptr (Config) config = cli_config (&options, &exit_code);
  if (config == NULL)
    return exit_code;
  /* For a clinic's helper: Vietnamese, unless somebody says otherwise. */
  if (options.language == NULL)
    text_choose (config->language);
  g_autoptr (GPtrArray) findings = check_machine (config, CHECK_ALONE);
  if (g_file_test (config->state, G_FILE_TEST_IS_DIR)) {
    check_boot (&options, config, findings);
    check_keys (&options, config, findings);
  }
  if (options.json) {
    json_auto_t *json = json_pack ("{s:b, s:o}", "passed", check_passed (findings), "findings",
                                   check_to_json (findings));
    cli_print_json (json);
  } else {
    print_findings (findings);
  }
  return check_passed (findings) ? CLI_OK : CLI_FAILED;
}
