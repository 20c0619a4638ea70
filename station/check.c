#include "station/check_private.h"
#include "certs/tpm_seal.h"
#include "station/clock.h"
#include "station/recording_space.h"
#include "station/text.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static void
finding_free (void *data)
{
  Finding *finding = data;
  g_free (finding->code);
  g_free (finding->vi);
  g_free (finding->en);
  g_free (finding);
}

void
check_add (GPtrArray *findings, CheckLevel level, const char *code, char *vi, char *en)
{
  Finding *finding = g_new0 (Finding, 1);
  *finding = (Finding){ .level = level, .code = g_strdup (code), .vi = vi, .en = en };
  g_ptr_array_add (findings, finding);
}

const char *
check_level_name (CheckLevel level)
{
  static const char *const names[] = { "good", "warn", "bad" };
  return names[level];
}

gboolean
check_passed (const GPtrArray *findings)
{
  for (guint i = 0; i < findings->len; i++)
    if (((Finding *)findings->pdata[i])->level == CHECK_BAD)
      return FALSE;
  return TRUE;
}

json_t *
check_to_json (const GPtrArray *findings)
{
  json_t *list = json_array ();
  for (guint i = 0; i < findings->len; i++) {
    const Finding *finding = findings->pdata[i];
    json_array_append_new (
        list, json_pack ("{s:s, s:s, s:o}", "level", check_level_name (finding->level), "code",
                         finding->code, "text", text_json (finding->vi, finding->en)));
  }
  return list;
}

/* ---- Folder, disk, clock
 * ---------------------------------------------------------------------------- */

static gboolean
check_state (const Config *config, GPtrArray *findings)
{
  GStatBuf info;
  if (g_stat (config->state, &info) != 0) {
    check_add (
        findings, CHECK_BAD, "state-missing",
        g_strdup_printf ("Chưa lập trạm: không có thư mục %s. Chạy nhipcau setup.", config->state),
        g_strdup_printf ("The station is not set up: there is no folder %s. "
                         "Run nhipcau setup.",
                         config->state));
    return FALSE;
  }
  if ((info.st_mode & 077) != 0)
    check_add (findings, CHECK_BAD, "state-open",
               g_strdup_printf ("Người khác trên máy đọc được thư mục %s. Chạy: chmod 700 %s",
                                config->state, config->state),
               g_strdup_printf ("Others on this machine can read the folder %s. Run: chmod 700 %s",
                                config->state, config->state));
  else
    check_add (findings, CHECK_GOOD, "state",
               g_strdup_printf ("Thư mục của trạm: %s", config->state),
               g_strdup_printf ("The station's folder: %s", config->state));
  return TRUE;
}

static void
check_disk (const Config *config, GPtrArray *findings)
{
  RecordingSpace space = recording_space (config, NULL);
  double gib = (double)space.bytes / (1 << 30);
  CheckLevel level = space.hours < 1 ? CHECK_BAD : space.hours < 10 ? CHECK_WARN : CHECK_GOOD;
  const char *vi = space.measured ? "theo lần ghi gần nhất" : "ước tính theo thiết lập";
  const char *en
      = space.measured ? "at the rate of the newest recording" : "estimated from the configuration";
  if (level == CHECK_GOOD)
    check_add (findings, level, "disk",
               g_strdup_printf ("Đĩa còn %.1f GiB cho ghi hình, khoảng %.1f giờ (%s).", gib,
                                space.hours, vi),
               g_strdup_printf ("The disk has %.1f GiB for recordings, about %.1f hours (%s).", gib,
                                space.hours, en));
  else
    check_add (findings, level, "disk-low",
               g_strdup_printf ("Đĩa chỉ còn %.1f GiB cho ghi hình, khoảng %.1f giờ (%s). "
                                "Hãy giải phóng chỗ trống.",
                                gib, space.hours, vi),
               g_strdup_printf ("The disk has only %.1f GiB for recordings, about %.1f hours (%s). "
                                "Free some space.",
                                gib, space.hours, en));
}

static void
check_clock (GPtrArray *findings)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *text = g_date_time_format (now, "%H:%M %d/%m/%Y");
  if (g_date_time_get_year (now) < 2025 || g_date_time_get_year (now) > 2100)
    check_add (findings, CHECK_BAD, "clock-wrong",
               g_strdup_printf ("Đồng hồ máy chỉ %s. Hãy chỉnh lại ngày giờ.", text),
               g_strdup_printf ("This machine's clock says %s. Set date and time.", text));
  else if (!clock_is_synchronized ())
    check_add (findings, CHECK_WARN, "clock-unsynced",
               g_strdup_printf ("Đồng hồ máy chỉ %s và chưa được đồng bộ qua mạng. "
                                "Hãy so với đồng hồ khác.",
                                text),
               g_strdup_printf ("This machine's clock says %s and is not synchronized over the "
                                "network. Compare it with another clock.",
                                text));
  else
    check_add (findings, CHECK_GOOD, "clock", g_strdup_printf ("Đồng hồ đã đồng bộ: %s", text),
               g_strdup_printf ("The clock is synchronized: %s", text));
}

static void
check_tpm (const Config *config, GPtrArray *findings)
{
  g_autoptr (GError) error = NULL;
  if (config->tpm == NULL)
    return;
  if (tpm_seal_works (config->tpm, &error))
    check_add (findings, CHECK_GOOD, "tpm",
               g_strdup_printf ("Chip bảo mật (TPM) trả lời: %s", config->tpm),
               g_strdup_printf ("The security chip (TPM) answers: %s", config->tpm));
  else
    check_add (findings, CHECK_BAD, "tpm",
               g_strdup_printf ("Chip bảo mật (TPM) không dùng được, mã PIN mở hồ sơ không đăng "
                                "nhập được; hãy dùng cụm mật khẩu. %s",
                                error->message),
               g_strdup_printf ("The security chip (TPM) cannot be used, PINs that open the "
                                "records sign in nobody; use the passphrase. %s",
                                error->message));
}

void
check_vault (Vault *vault, GPtrArray *findings)
{
  guint all = vault_recipients (vault), confirmed = 0;
  for (guint i = 0; i < all; i++)
    confirmed += vault_recipient_confirmed (vault, i);
  if (confirmed == 0)
    check_add (findings, CHECK_BAD, "recovery-unconfirmed",
               g_strdup ("Chưa xác nhận khóa khôi phục: nhờ người giữ khóa mở tệp challenge, "
                         "rồi chạy nhipcau setup --confirm MÃ. Trước đó chưa khám được."),
               g_strdup ("No recovery key is confirmed: let its holder open the challenge file, "
                         "then run nhipcau setup --confirm CODE. No consultation before that."));
  else if (confirmed < all)
    check_add (
        findings, CHECK_WARN, "recovery-partly",
        g_strdup_printf ("Mới xác nhận %u trong %u khóa khôi phục: nhờ người giữ khóa kia mở "
                         "tệp challenge, rồi chạy nhipcau setup --confirm MÃ.",
                         confirmed, all),
        g_strdup_printf ("%u of %u recovery keys are confirmed: let the other's holder open "
                         "the challenge file, then run nhipcau setup --confirm CODE.",
                         confirmed, all));
  else
    check_add (findings, CHECK_GOOD, "recovery",
               g_strdup_printf ("%u khóa khôi phục đã xác nhận.", all),
               g_strdup_printf ("%u recovery keys are confirmed.", all));
}

static void
check_nothing_forgotten (const Config *config, GPtrArray *findings)
{
  if (config->file == NULL)
    check_add (findings, CHECK_WARN, "no-config",
               g_strdup ("Không có station.conf: trạm chạy với thiết lập mặc định, không camera. "
                         "Chép station.conf.example vào cạnh thư mục trạng thái."),
               g_strdup ("There is no station.conf: the station runs with defaults, "
                         "without cameras. Copy station.conf.example beside the state folder."));
}

GPtrArray *
check_machine (const Config *config, CheckFrom from)
{
  GPtrArray *findings = g_ptr_array_new_with_free_func (finding_free);
  check_nothing_forgotten (config, findings);
  if (check_state (config, findings)) {
    check_disk (config, findings);
    check_tpm (config, findings);
    check_certificate (config, findings);
  }
  check_clock (findings);
  check_cameras (config, findings);
  check_microphones (config, findings);
  check_encoders (config, findings);
  check_devices (config, from, findings);
  check_serials (config, findings);
  check_web (config, from, findings);
  check_relays (config, findings);
  check_brokers (config, findings);
  return findings;
}
