/* nhipcau: one program, one file per subcommand. */
#include "records/secure_memory.h"
#include "station/cli.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static const CliCommand commands[] = {
  { "run", cmd_run, { "chạy trạm", "runs the station" } },
  { "setup",
    cmd_setup,
    { "lập trạm: khóa, chứng thư khôi phục, người dùng",
      "sets a station up: keys, recovery certificates, users" } },
  { "check",
    cmd_check,
    { "máy này còn thiếu hay sai gì", "what is missing or wrong on this machine" } },
  { "record",
    cmd_record,
    { "list, show, verify, recover, export: hồ sơ đã niêm phong",
      "list, show, verify, recover, export: the sealed records" } },
  { "device",
    cmd_device,
    { "list, watch, decode, record, replay: thiết bị y tế",
      "list, watch, decode, record, replay: medical devices" } },
  { "cert",
    cmd_cert,
    { "show, request, install, renew, revoke-check: chứng thư của trạm",
      "show, request, install, renew, revoke-check: the station's certificate" } },
  { "ca",
    cmd_ca,
    { "init, sign, revoke, crl, list: nơi cấp chứng thư của tỉnh, để ngoài mạng",
      "init, sign, revoke, crl, list: a province's own authority, kept offline" } },
  { "outbox",
    cmd_outbox,
    { "list, send: hồ sơ đã ký chờ gửi đi", "list, send: signed consultations on their way" } },
  { "backup",
    cmd_backup,
    { "sao lưu thư mục trạng thái, cả khi trạm đang chạy",
      "copies the state folder, also while the station runs" } },
  { "restore",
    cmd_restore,
    { "đưa một bản sao lưu về thành thư mục trạng thái", "makes a state folder of a backup" } },
};

static void
print_usage (FILE *to)
{
  fprintf (to,
           SAY ("Cách dùng: nhipcau LỆNH [TÙY CHỌN…]\n\n", "Usage: nhipcau COMMAND [OPTION…]\n\n"));
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (to, "  %-8s %s\n", commands[i].name,
             SAY (commands[i].summary.vi, commands[i].summary.en));
  fputs (SAY ("\n  nhipcau LỆNH --help nói rõ hơn; nhipcau --version\n\n"
              "Mã thoát: 0 tốt, 1 kiểm tra thấy lỗi, 2 dùng sai hoặc station.conf sai,\n"
              "3 không mở được thư mục trạng thái, 4 lỗi khác khi chạy\n",
              "\n  nhipcau COMMAND --help says more; nhipcau --version\n\n"
              "Exit status: 0 good, 1 check or verify found something bad, 2 usage or\n"
              "station.conf, 3 the state folder cannot be opened, 4 another error\n"),
         to);
}

/* Before any thread and any secret. What the machine refuses is said, and the program goes on. */
static void
guard_memory (void)
{
  g_autofree char *problem = NULL;
  if (!secure_memory_init (&problem))
    fprintf (stderr, "nhipcau: %s\n", problem);
}

int
main (int argc, char **argv)
{
  /* Wrong PINs are no news for stderr; what fails is told in our own words. */
  g_setenv ("TSS2_LOG", "all+none", FALSE);
  guard_memory ();
  setlocale (LC_ALL, "");
  text_choose (NULL);
  if (argc < 2) {
    print_usage (stderr);
    return CLI_USAGE;
  }
  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h")
      || g_str_equal (argv[1], "help")) {
    print_usage (stdout);
    return CLI_OK;
  }
  if (g_str_equal (argv[1], "--version")) {
    puts ("nhipcau " NHIPCAU_VERSION);
    return CLI_OK;
  }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (argv[1], commands[i].name))
      return commands[i].run (argc - 1, argv + 1);
  return cli_usage (SAY ("không có lệnh '%s'; xem nhipcau --help",
                         "there is no command '%s'; see nhipcau --help"),
                    argv[1]);
}
