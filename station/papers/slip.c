#include "station/papers/slip.h"
#include "station/papers/sheet.h"

#include <string.h>

static const SheetStyle big = { .size = 22, .bold = TRUE, .align = SHEET_CENTER };
static const SheetStyle text = { .size = 13 };

static void
draw_head (Sheet *sheet, const Slip *slip, const char *title)
{
  static const SheetStyle name = { .size = 13, .bold = TRUE, .align = SHEET_CENTER };
  static const SheetStyle small = { .size = 11, .align = SHEET_CENTER };
  sheet_text (sheet, &name, slip->station, 0);
  if (slip->address != NULL)
    sheet_text (sheet, &small, slip->address, 0);
  sheet_space (sheet, 6);
  sheet_text (sheet, &big, title, 0);
  sheet_space (sheet, 4);
  if (slip->patient != NULL)
    sheet_pair (sheet, "Người bệnh", slip->patient);
  if (slip->when != NULL)
    sheet_pair (sheet, "Giờ hẹn", slip->when);
  if (slip->phone != NULL)
    sheet_pair (sheet, "Điện thoại của trạm", slip->phone);
  sheet_space (sheet, 4);
}

static void
draw_link (Sheet *sheet, const Slip *slip)
{
  static const char beside[] = "Đến giờ hẹn, mở máy ảnh của điện thoại và quét mã này. Trang sẽ "
                               "hỏi mã PIN ghi ở tờ khác, hoặc "
                               "trạm báo cho bạn bằng lời.\n\nKhông cần cài gì thêm. Điện thoại "
                               "cần camera, micrô và mạng.";
  static const char *const steps[] = { "1. Ngồi nơi sáng, yên tĩnh; sạc đầy pin điện thoại.",
                                       "2. Quét mã hoặc mở đường dẫn, nhập mã PIN.",
                                       "3. Cho phép dùng camera và micrô khi điện thoại hỏi.",
                                       "4. Làm theo từng bước thử máy, rồi chờ bác sĩ gọi vào.",
                                       "5. Người nhà có thể vào thay: chọn “Người đại diện”." };
  draw_head (sheet, slip, "PHIẾU HẸN KHÁM TỪ XA");
  sheet_qr (sheet, slip->link, beside);
  sheet_space (sheet, 4);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    sheet_text (sheet, &text, steps[i], 0);
  sheet_space (sheet, 3);
  sheet_pair (sheet, "Đường dẫn", slip->link);
}

static void
draw_pin (Sheet *sheet, const Slip *slip)
{
  static const SheetStyle digits = { .size = 44, .bold = TRUE, .align = SHEET_CENTER };
  g_autofree char *spaced = g_strdup_printf ("%.3s %s", slip->pin, slip->pin + 3);
  draw_head (sheet, slip, "MÃ PIN CỦA BUỔI HẸN");
  sheet_text (sheet, &digits, spaced, 0);
  sheet_space (sheet, 5);
  sheet_text (
      sheet, &text,
      "Nhập mã này khi trang hẹn khám hỏi. Giữ tờ này riêng với tờ có mã vuông; đừng chụp gửi "
      "cho ai. Nhập sai năm lần thì đường dẫn bị hủy, hãy gọi cho trạm.",
      0);
}

static void
draw (Sheet *sheet, void *arg)
{
  const Slip *slip = arg;
  if (slip->link != NULL)
    draw_link (sheet, slip);
  else
    draw_pin (sheet, slip);
}

GBytes *
slip_make (const Slip *slip, GError **error)
{
  const SheetInfo info = { .title = slip->link != NULL ? "Phiếu hẹn" : "Mã PIN",
                           .subject = "",
                           .author = slip->station,
                           .keywords = "",
                           .created = slip->created,
                           .footer = slip->station };
  return sheet_render (&info, draw, (void *)slip, error);
}
