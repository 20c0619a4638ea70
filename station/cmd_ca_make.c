/* nhipcau ca sign | revoke | crl */
#include "station/cmd_ca.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)

/* ---- sign
 * --------------------------------------------------------------------------------------- */

static GBytes *
read_file (const char *file, gsize longest, GError **error)
{
  g_autoptr (GFile) path = g_file_new_for_path (file);
  g_autoptr (GFileInputStream) stream = g_file_read (path, NULL, error);
  return stream != NULL
             ? g_input_stream_read_bytes (G_INPUT_STREAM (stream), longest + 1, NULL, error)
             : NULL;
}

static void
print_request (const char *file, const Csr *csr)
{
  g_autofree char *hash = peer_key_hash (csr->key);
  g_autofree char *names = g_strjoinv (" ", csr->names);
  printf ("%s\n", file);
  printf (csr->kind == PEER_STATION ? SAY ("  trạm    %s\n", "  station %s\n")
                                    : SAY ("  người   %s\n", "  person  %s\n"),
          csr->id);
  printf (SAY ("  tên     %s\n", "  name    %s\n"), csr->name);
  if (*names != '\0')
    printf (SAY ("  máy     %s\n", "  hosts   %s\n"), names);
  printf (SAY ("  khóa    %.16s…  (đọc qua điện thoại, phải giống nơi xin)\n",
               "  key     %.16s…  (read it over the telephone: the applicant has the same)\n"),
          hash);
}

static gboolean
is_meant (const CaOptions *options, const Csr *csr, GError **error)
{
  if (options->yes)
    return TRUE;
  g_autofree char *answer
      = cli_prompt (SAY ("Ký? Gõ lại mã để ký", "Sign? Type the id to sign"), FALSE);
  if (answer != NULL && g_str_equal (answer, csr->id))
    return TRUE;
  g_set_error (error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s",
               answer == NULL
                   ? SAY ("không có bàn phím để hỏi: thêm --yes",
                          "there is no terminal to ask at: give --yes")
                   : SAY ("không ký: mã gõ lại không khớp", "not signed: that is not the id"));
  return FALSE;
}

/* The certificate and the authority's behind it. */
static gboolean
write_chain (Authority *authority, X509 *certificate, const char *file, GError **error)
{
  g_autoptr (BIO) bio = BIO_new (BIO_s_mem ());
  char *data;
  PEM_write_bio_X509 (bio, certificate);
  PEM_write_bio_X509 (bio, authority_certificate (authority));
  long length = BIO_get_mem_data (bio, &data);
  return g_file_set_contents_full (file, data, length,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   0644, error);
}

static char *
result_name (const CaOptions *options, const char *file)
{
  if (options->out != NULL)
    return g_strdup (options->out);
  const char *dot = strrchr (file, '.');
  g_autofree char *stem = dot != NULL && strchr (dot, '/') == NULL && dot != file
                              ? g_strndup (file, (gsize)(dot - file))
                              : g_strdup (file);
  return g_strconcat (stem, ".crt", NULL);
}

static gboolean
sign_one (const CaOptions *options, Authority *authority, const char *file, GError **error)
{
  g_autoptr (GBytes) bytes = read_file (file, CSR_LONGEST, error);
  g_autoptr (Csr) csr = bytes != NULL ? csr_parse (bytes, error) : NULL;
  if (csr == NULL)
    return FALSE;
  print_request (file, csr);
  if (!is_meant (options, csr, error))
    return FALSE;
  g_autoptr (X509) certificate = authority_sign (authority, csr, (guint)options->days,
                                                 options->another_key, ca_now (), error);
  g_autofree char *result = result_name (options, file);
  if (certificate == NULL || !write_chain (authority, certificate, result, error))
    return FALSE;
  printf ("  → %s\n", result);
  return TRUE;
}

int
ca_sign (const CaOptions *options, CaItems items)
{
  g_autoptr (GError) error = NULL;
  if (options->out != NULL && items.count > 1)
    return cli_usage ("%s", SAY ("--out chỉ dùng cho một yêu cầu", "--out is for one request"));
  g_autoptr (Authority) authority = ca_open (options, &error);
  if (authority == NULL)
    return cli_fail (error);
  g_autofree char *today = ca_day (ca_now ());
  printf (SAY ("Hôm nay là %s theo máy này; sai thì dừng lại, chỉnh ngày giờ.\n",
               "Today is %s by this machine; stop and set its date when that is wrong.\n"),
          today);
  int exit_code = CLI_OK;
  for (guint i = 0; i < items.count; i++) {
    g_autoptr (GError) wrong = NULL;
    if (sign_one (options, authority, items.items[i], &wrong))
      continue;
    g_prefix_error (&wrong, "%s: ", items.items[i]);
    exit_code = cli_fail (wrong);
  }
  return exit_code;
}

/* ---- revoke
 * ------------------------------------------------------------------------------------- */

/* Of an id that is still good, or the one serial number. */
static GPtrArray *
serials_of (const CaOptions *options, Authority *authority, CaItems items, GError **error)
{
  g_autoptr (GPtrArray) serials = g_ptr_array_new_with_free_func (g_free);
  if (items.count == 1) {
    g_ptr_array_add (serials, g_ascii_strup (items.items[0], -1));
    return g_steal_pointer (&serials);
  }
  g_autoptr (GPtrArray) list = authority_list (authority, error);
  for (guint i = 0; list != NULL && i < list->len; i++) {
    const AuthorityEntry *entry = list->pdata[i];
    if (g_str_equal (entry->id, options->id) && entry->revoked == 0 && entry->until > ca_now ())
      g_ptr_array_add (serials, g_strdup (entry->serial));
  }
  if (list == NULL || serials->len > 0)
    return list == NULL ? NULL : g_steal_pointer (&serials);
  g_set_error (error, CERTS_ERROR, CERTS_ERROR_NOT_FOUND,
               SAY ("không có chứng thư còn hạn nào của %s; xem: nhipcau ca list",
                    "no certificate of %s is still good; see: nhipcau ca list"),
               options->id);
  return NULL;
}

static gboolean
write_list (const CaOptions *options, Authority *authority, guint days, GError **error)
{
  g_autoptr (GBytes) list = authority_crl (authority, days, ca_now (), error);
  gsize length;
  if (list == NULL)
    return FALSE;
  const void *data = g_bytes_get_data (list, &length);
  if (options->out != NULL
      && !g_file_set_contents_full (options->out, data, (gssize)length,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0644, error))
    return FALSE;
  g_autofree char *until = ca_day (ca_now () + days * (gint64)86400);
  printf (SAY ("Danh sách thu hồi mới: %s%s. Đăng trước ngày %s; sau đó trạm không nhận ai mới.\n",
               "The new revocation list: %s%s. Publish it, and the next one before %s: after that "
               "stations let nobody new in.\n"),
          options->out != NULL ? options->out : options->folder,
          options->out != NULL ? "" : "/crl.pem", until);
  return TRUE;
}

int
ca_revoke (const CaOptions *options, CaItems items)
{
  g_autoptr (GError) error = NULL;
  const char *reason = options->reason != NULL ? options->reason : "unspecified";
  if ((items.count == 1) == (options->id != NULL))
    return cli_usage ("%s", SAY ("cần số hiệu (nhipcau ca list) hoặc --id MÃ",
                                 "wants a serial number (nhipcau ca list), or --id ID"));
  g_autoptr (Authority) authority = ca_open (options, &error);
  g_autoptr (GPtrArray) serials
      = authority != NULL ? serials_of (options, authority, items, &error) : NULL;
  if (serials == NULL)
    return cli_fail (error);
  for (guint i = 0; i < serials->len; i++) {
    if (!authority_revoke (authority, serials->pdata[i], reason, ca_now (), &error))
      return cli_fail (error);
    printf (SAY ("Đã thu hồi %s.\n", "%s is revoked.\n"), (char *)serials->pdata[i]);
  }
  /* Nobody knows of it before the list says so. */
  guint days = options->days > 0 ? (guint)options->days : 35;
  return write_list (options, authority, days, &error) ? CLI_OK : cli_fail (error);
}

int
ca_crl (const CaOptions *options, CaItems items)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Authority) authority = ca_open (options, &error);
  if (authority == NULL || !write_list (options, authority, (guint)options->days, &error))
    return cli_fail (error);
  return CLI_OK;
}
