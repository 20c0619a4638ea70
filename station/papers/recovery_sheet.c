#include "station/papers/recovery_sheet.h"
#include "station/papers/sheet.h"

static const SheetStyle plain = { .align = SHEET_LEFT };
static const SheetStyle title = { .size = 16, .bold = TRUE, .align = SHEET_CENTER };
static const SheetStyle small = { .size = 9.5, .align = SHEET_LEFT };

#define DOTS "……………………………………………………………………"

/* The digits of a fingerprint alone, in groups of so many; 0: in one. */
static char *
digits (const char *fingerprint, guint group)
{
  GString *text = g_string_new (NULL);
  for (guint n = 0; *fingerprint != '\0'; fingerprint++) {
    if (!g_ascii_isxdigit (*fingerprint))
      continue;
    if (group > 0 && n > 0 && n % group == 0)
      g_string_append_c (text, ' ');
    g_string_append_c (text, g_ascii_tolower (*fingerprint));
    n++;
  }
  return g_string_free (text, FALSE);
}

char *
recovery_sheet_code (const RecoverySheet *sheet)
{
  GString *code = g_string_new (NULL);
  g_string_printf (code, "nhipcau-recovery:1:%s:", sheet->vault != NULL ? sheet->vault : "");
  for (guint i = 0; i < sheet->count; i++) {
    g_autofree char *print = digits (sheet->holders[i].sha256, 0);
    g_string_append_printf (code, "%s%s", i > 0 ? "," : "", print);
  }
  return g_string_free (code, FALSE);
}

/* "27/11/2026" of "2026-11-27" (transfer full). */
static char *
day (const char *iso)
{
  g_auto (GStrv) parts = g_strsplit (iso, "-", 3);
  return g_strv_length (parts) == 3 ? g_strdup_printf ("%s/%s/%s", parts[2], parts[1], parts[0])
                                    : g_strdup (iso);
}

static void
draw_holder (Sheet *sheet, const RecoveryHolder *holder)
{
  g_autofree char *head = g_strdup_printf ("Khóa %d: %s", holder->number, holder->name);
  g_autofree char *print = digits (holder->sha256, 4), *until = day (holder->until);
  g_autofree char *drilled = day (holder->drilled != NULL ? holder->drilled : "chưa lần nào");
  sheet_text (sheet, &plain, head, sizeof "Khóa" + 2);
  sheet_pair (sheet, "Vân tay SHA-256 của chứng thư", print);
  sheet_pair (sheet, "Chứng thư ghi hạn đến", until);
  sheet_pair (sheet, "Đã xác nhận khi lập trạm", holder->confirmed ? "rồi" : "CHƯA");
  sheet_pair (sheet, "Diễn tập gần nhất", drilled);
  sheet_pair (sheet, "Người giữ, điện thoại", DOTS);
  sheet_pair (sheet, "Nơi cất (két, niêm phong số)", DOTS);
  sheet_space (sheet, 2);
}

static void
draw_steps (Sheet *sheet)
{
  sheet_heading (sheet, "KHI CẦN KHÔI PHỤC");
  sheet_text (sheet, &plain,
              "1. Lấy thư mục dữ liệu của trạm, hoặc ổ sao lưu của trạm (nhipcau restore Ổ --to "
              "THƯ-MỤC).",
              0);
  sheet_text (sheet, &plain,
              "2. Trên một máy không nối mạng có phần mềm Nhịp Cầu: nhipcau record recover --state "
              "THƯ-MỤC --key KHÓA --certificate CHỨNG-THƯ --out NƠI-GHI",
              0);
  sheet_text (sheet, &plain,
              "3. Không có phần mềm: chỉ cần openssl, sqlite3, node và đoạn chương trình trong tài "
              "liệu docs/records.md, mục “Recovery without this program”.",
              0);
  sheet_text (
      sheet, &plain,
      "4. Lập biên bản: ai mở, vì sao, mở hồ sơ nào. Sau đó thay khóa đã dùng: nhipcau setup "
      "--add-recovery, rồi --remove-recovery.",
      0);
  sheet_heading (sheet, "MỖI THÁNG");
  sheet_text (
      sheet, &plain,
      "Trạm nhắc diễn tập: trang “Gửi và lưu giữ”, thẻ “Khóa khôi phục”. Người giữ khóa "
      "mở tệp thử ở nơi cất khóa (openssl cms -decrypt -inform DER -in TỆP -inkey KHÓA -recip "
      "CHỨNG-THƯ) rồi đọc lại mã cho trạm. Khóa không bao giờ rời nơi cất. Không mở được: "
      "thay khóa ngay.",
      0);
}

static void
draw_code (Sheet *sheet, const RecoverySheet *facts)
{
  if (facts->key_pem != NULL) {
    sheet_heading (sheet, "KHÓA BÍ MẬT, ĐÃ MÃ HÓA");
    sheet_qr_wide (
        sheet, 62, facts->key_pem,
        "Mã QR này chứa khóa bí mật, mã hóa bằng mật khẩu lúc tạo (PKCS#8). Quét được cả "
        "tệp .key. Ai có tờ này và mật khẩu thì mở được mọi hồ sơ của trạm: cất như cất "
        "tiền, mật khẩu để nơi khác.");
    return;
  }
  g_autofree char *code = recovery_sheet_code (facts);
  sheet_qr (sheet, code,
            "Mã QR: số của kho khóa và vân tay các chứng thư, để biết khóa nào mở trạm nào. Tờ này "
            "không chứa bí mật.");
}

static void
draw (Sheet *sheet, void *arg)
{
  const RecoverySheet *facts = arg;
  g_autofree char *made = day (facts->made);
  const SheetSigner signers[]
      = { { "NGƯỜI GIỮ KHÓA", "", "" }, { "NGƯỜI PHỤ TRÁCH TRẠM", "", "" } };
  sheet_text (sheet, &title, "PHIẾU KHÔI PHỤC HỒ SƠ", 0);
  sheet_space (sheet, 3);
  sheet_pair (sheet, "Trạm", facts->station);
  if (facts->vault != NULL)
    sheet_pair (sheet, "Số của kho khóa", facts->vault);
  sheet_pair (sheet, "Ngày in", made);
  sheet_text (
      sheet, &small,
      "Mỗi khóa dưới đây, một mình nó, mở được mọi hồ sơ của trạm. Giữ ít nhất hai khóa, ở hai "
      "nơi, do hai người. Mất hết khóa và mật khẩu thì không ai mở lại được.",
      0);
  sheet_heading (sheet, "KHÓA KHÔI PHỤC");
  for (guint i = 0; i < facts->count; i++)
    draw_holder (sheet, &facts->holders[i]);
  draw_code (sheet, facts);
  draw_steps (sheet);
  sheet_space (sheet, 3);
  sheet_signers (sheet, signers, G_N_ELEMENTS (signers));
}

GBytes *
recovery_sheet_make (const RecoverySheet *facts, GError **error)
{
  g_autofree char *created = g_strdup_printf ("%sT00:00:00Z", facts->made);
  g_autofree char *footer = g_strdup_printf ("%s · Phiếu khôi phục · Nhịp Cầu", facts->station);
  const SheetInfo info = { .title = "PHIẾU KHÔI PHỤC HỒ SƠ",
                           .subject = "",
                           .author = facts->station,
                           .keywords = "",
                           .created = created,
                           .footer = footer };
  return sheet_render (&info, draw, (void *)facts, error);
}
