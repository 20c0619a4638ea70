/* Words and times of papers. */
#include "station/papers/paper_parts.h"

static GDateTime *
local_time (const char *utc)
{
  gint64 us = case_time (utc);
  g_autoptr (GTimeZone) zone = g_time_zone_new_offset (7 * 3600);
  g_autoptr (GDateTime) time = us != 0 ? g_date_time_new_from_unix_utc (us / G_USEC_PER_SEC) : NULL;
  return time != NULL ? g_date_time_to_timezone (time, zone) : NULL;
}

static char *
formatted (const char *utc, const char *format)
{
  g_autoptr (GDateTime) time = local_time (utc);
  return time != NULL ? g_date_time_format (time, format) : g_strdup ("");
}

char *
paper_long_time (const char *utc)
{
  return formatted (utc, "%H giờ %M, ngày %d/%m/%Y");
}

char *
paper_short_time (const char *utc)
{
  return formatted (utc, "%d/%m/%Y %H:%M");
}

char *
paper_clock_time (const char *utc)
{
  return formatted (utc, "%H:%M:%S");
}

char *
paper_date_line (const char *utc)
{
  return formatted (utc, "ngày %d tháng %m năm %Y");
}

char *
paper_number (double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (text, sizeof text, "%.10g", value);
  return g_strdelimit (g_strdup (text), ".", ',');
}

const char *
paper_mode (const Paper *paper)
{
  static const char *const words[]
      = { "", "Khám bệnh, chữa bệnh từ xa trực tiếp với người bệnh",
          "Khám bệnh, chữa bệnh từ xa qua cơ sở tiếp nhận người bệnh",
          "Hỗ trợ khám bệnh, chữa bệnh từ xa giữa các cơ sở", "Hội chẩn từ xa" };
  json_int_t mode = json_integer_value (json_object_get (paper->view, "mode"));
  return mode >= 1 && mode <= 4 ? words[mode] : "";
}

const char *
paper_role (const char *role)
{
  static const char *const words[][2] = { { "doctor", "Người hành nghề tại cơ sở" },
                                          { "specialist", "Bác sĩ chuyên khoa" },
                                          { "patient", "Người bệnh" },
                                          { "observer", "Người theo dõi" },
                                          { "secretary", "Thư ký" },
                                          { "chair", "Chủ tọa" },
                                          { "nurse", "Điều dưỡng" },
                                          { "representative", "Người đại diện" } };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (words[i][0], role))
      return words[i][1];
  return role;
}

const char *
paper_own_facility (const Paper *paper)
{
  const json_t *people = json_object_get (paper->view, "people");
  const char *name = case_text (json_array_get (people, 0), "facility");
  return *name != '\0' ? name : case_text (json_object_get (paper->view, "station"), "name");
}

gboolean
paper_is_signed (const Paper *paper)
{
  return json_array_size (json_object_get (paper->view, "signatures")) > 0;
}
