/* `check`: certificate, web server, device port, names. */
#include "station/check_private.h"

#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)

#define WARN_DAYS 14

static X509 *
read_certificate (const char *file)
{
  g_autoptr (BIO) bio = BIO_new_file (file, "r");
  X509 *certificate = bio != NULL ? PEM_read_bio_X509 (bio, NULL, NULL, NULL) : NULL;
  ERR_clear_error ();
  return certificate;
}

void
check_certificate (const Config *config, GPtrArray *findings)
{
  g_autofree char *own = g_build_filename (config->state, "certs", "station.crt", NULL);
  const char *file = config->certificate != NULL ? config->certificate : own;
  g_autoptr (X509) certificate = read_certificate (file);
  int days = 0, seconds = 0;
  if (certificate == NULL) {
    check_add (findings, CHECK_BAD, "certificate-missing",
               g_strdup_printf ("Không đọc được chứng thư %s.", file),
               g_strdup_printf ("The certificate %s cannot be read.", file));
    return;
  }
  gboolean known = ASN1_TIME_diff (&days, &seconds, NULL, X509_get0_notAfter (certificate)) == 1;
  if (!known || days < 0 || seconds < 0)
    check_add (findings, CHECK_BAD, "certificate-expired",
               g_strdup_printf ("Chứng thư %s đã hết hạn.%s", file,
                                config->certificate ? "" : " Khởi động lại trạm để làm mới."),
               g_strdup_printf ("The certificate %s has expired.%s", file,
                                config->certificate ? "" : " Restart the station to renew it."));
  else
    check_add (findings, days < WARN_DAYS ? CHECK_WARN : CHECK_GOOD, "certificate",
               g_strdup_printf ("Chứng thư còn hạn %d ngày.", days),
               g_strdup_printf ("The certificate is valid for %d more days.", days));
}

static gboolean
can_listen (const char *address, guint16 port, GError **error)
{
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new_from_string (address, port);
  if (where == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "'%s' is no address", address);
    return FALSE;
  }
  g_autoptr (GSocket) socket = g_socket_new (g_socket_address_get_family (where),
                                             G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
  return socket != NULL && g_socket_bind (socket, where, TRUE, error)
         && g_socket_listen (socket, error);
}

static void
port_refused (const char *code, const char *vi_what, const char *en_what, const char *address,
              guint16 port, const GError *error, GPtrArray *findings)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    check_add (findings, CHECK_WARN, code,
               g_strdup_printf ("%s: cổng %u tại %s đang bận. Nếu trạm đang chạy thì đúng; nếu "
                                "không, chương trình khác đang dùng.",
                                vi_what, port, address),
               g_strdup_printf ("%s: port %u at %s is taken. That is right while the station runs; "
                                "else another program has it.",
                                en_what, port, address));
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    check_add (findings, CHECK_BAD, code,
               g_strdup_printf ("%s: không có quyền mở cổng %u. Chọn cổng từ 1024 trở lên.",
                                vi_what, port),
               g_strdup_printf ("%s: no permission to open port %u. Choose one of 1024 or more.",
                                en_what, port));
  else
    check_add (
        findings, CHECK_BAD, code,
        g_strdup_printf ("%s: máy này không có địa chỉ %s. Kiểm tra dây mạng, hoặc sửa listen "
                         "trong station.conf.",
                         vi_what, address),
        g_strdup_printf ("%s: this machine has no address %s. Check the network cable, or "
                         "change listen in station.conf.",
                         en_what, address));
}

static void
check_port (const char *code, const char *vi_what, const char *en_what, const char *address,
            guint16 port, CheckFrom from, GPtrArray *findings)
{
  g_autoptr (GError) error = NULL;
  if (from == CHECK_ALONE && !can_listen (address, port, &error))
    port_refused (code, vi_what, en_what, address, port, error, findings);
  else
    check_add (findings, CHECK_GOOD, code,
               g_strdup_printf ("%s: cổng %u tại %s.", vi_what, port, address),
               g_strdup_printf ("%s: port %u at %s.", en_what, port, address));
}

static gboolean
is_loopback (const char *address)
{
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (address);
  return inet != NULL && g_inet_address_get_is_loopback (inet);
}

void
check_devices (const Config *config, CheckFrom from, GPtrArray *findings)
{
  if (config->mllp_port == 0) {
    check_add (findings, CHECK_WARN, "no-device-port",
               g_strdup ("Cổng nhận máy theo dõi đang tắt ([mllp] port = 0)."),
               g_strdup ("The port for patient monitors is off ([mllp] port = 0)."));
    return;
  }
  check_port ("device-port", "Máy theo dõi gửi số liệu tới", "Monitors send to",
              config->mllp_listen, config->mllp_port, from, findings);
  if (is_loopback (config->mllp_listen))
    check_add (
        findings, CHECK_WARN, "device-port-local",
        g_strdup_printf ("Máy theo dõi trong mạng chưa gửi tới được: [mllp] listen = %s chỉ "
                         "nghe trong máy này. Đặt địa chỉ của máy, hoặc 0.0.0.0.",
                         config->mllp_listen),
        g_strdup_printf ("Monitors on the network cannot reach the station: [mllp] listen = %s "
                         "is this machine only. Give its address, or 0.0.0.0.",
                         config->mllp_listen));
}

static void
check_name (const char *name, GPtrArray *findings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  if (g_hostname_is_ip_address (name))
    return;
  GList *addresses = g_resolver_lookup_by_name (resolver, name, NULL, &error);
  if (addresses == NULL)
    check_add (
        findings, CHECK_WARN, "name-unknown",
        g_strdup_printf ("Mạng không biết tên %s: người ở xa sẽ không mở được đường dẫn.", name),
        g_strdup_printf ("The network does not know the name %s: remote people cannot open "
                         "the links.",
                         name));
  g_resolver_free_addresses (addresses);
}

void
check_web (const Config *config, CheckFrom from, GPtrArray *findings)
{
  for (guint i = 0; i < config->listen->len; i++) {
    const ConfigListen *listen = config->listen->pdata[i];
    check_port ("web-port", "Trang của trạm", "The station's pages", listen->address,
                listen->port != 0 ? listen->port : config->http_port, from, findings);
  }
  for (guint i = 0; config->host_names[i] != NULL; i++)
    check_name (config->host_names[i], findings);
  g_autoptr (GUri) uri = config->public_url != NULL
                             ? g_uri_parse (config->public_url, G_URI_FLAGS_NONE, NULL)
                             : NULL;
  if (uri != NULL)
    check_name (g_uri_get_host (uri), findings);
  else
    check_add (findings, CHECK_WARN, "no-public-url",
               g_strdup ("Chưa có public-url: đường dẫn mời chỉ mở được trên máy này."),
               g_strdup ("There is no public-url: invitation links open on this machine only."));
}
