#include "station/expiry.h"
#include "station/text.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <time.h>

#define DAY_S ((gint64)86400)
#define NEAR_MOST (180 * DAY_S)
#define SIGNERS_MOST 200

typedef struct {
  const char *word;
  Text what, todo;
} Words;

static const Words words[] = {
  [EXPIRY_STATION] = { "station",
                       { "Chứng thư của trạm", "The station's certificate" },
                       { "gia hạn: nhipcau cert renew, hoặc cert request gửi nơi cấp",
                         "renew it: nhipcau cert renew, or send a cert request to the issuer" } },
  [EXPIRY_WEB]
  = { "web",
      { "Chứng thư của trang trên máy này", "The certificate of this machine's pages" },
      { "trạm tự gia hạn chứng thư của mình; chứng thư khác ([http] certificate) phải xin "
        "lại nơi cấp",
        "the station renews its own by itself; another ([http] certificate) is to be "
        "asked for again where it is from" } },
  [EXPIRY_LOCAL]
  = { "local",
      { "Nơi cấp tại trạm (ca.crt)", "The station's own authority (ca.crt)" },
      { "nhờ quản trị lập lại trạm hoặc dùng chứng thư của tỉnh cho trang",
        "have the administrator set up a new one, or use a certificate of the province "
        "for the pages" } },
  [EXPIRY_ISSUER] = { "issuer",
                      { "Chứng thư của nơi cấp", "The certificate of the issuer" },
                      { "xin tệp mới của nơi cấp và thay trong [issuer]",
                        "get the issuer's new file, and name it in [issuer]" } },
  [EXPIRY_LIST]
  = { "list",
      { "Danh sách thu hồi của", "The revocation list of" },
      { "nối mạng rồi chạy nhipcau cert revoke-check; vẫn vậy thì báo nơi cấp. Quá hạn là "
        "không nhận ai mới vào",
        "connect the network and run nhipcau cert revoke-check; else tell the issuer. "
        "Once it is out of date nobody new is let in" } },
  [EXPIRY_RECOVERY] = { "recovery",
                        { "Chứng thư của khóa khôi phục", "The certificate of recovery key" },
                        { "lập khóa mới: nhipcau setup --add-recovery",
                          "make a new key: nhipcau setup --add-recovery" } },
  [EXPIRY_SIGNER] = { "signer",
                      { "Chứng thư ký của", "The signing certificate of" },
                      { "người đó cần xin chứng thư mới", "they need to ask for a new one" } },
  [EXPIRY_PEOPLE] = { "people",
                      { "Chứng thư gốc của người ký", "A root of those who sign" },
                      { "xin tệp mới và thay trong [signing] people-ca",
                        "get the new file, and name it in [signing] people-ca" } },
  [EXPIRY_STAMPS] = { "stamps",
                      { "Chứng thư gốc của dấu thời gian", "A root of the time-stamps" },
                      { "xin tệp mới và thay trong [timestamp] ca-file",
                        "get the new file, and name it in [timestamp] ca-file" } },
  [EXPIRY_DELIVER] = { "deliver",
                       { "Chứng thư để gửi hồ sơ tới", "The certificate for deliveries to" },
                       { "xin chứng thư mới và thay trong [deliver]",
                         "ask for a new one, and name it in [deliver]" } },
};

const char *
expiry_word (ExpiryKind kind)
{
  return words[kind].word;
}

/* ---- What there is
 * ------------------------------------------------------------------------------ */

static void
expiry_free (void *data)
{
  g_free (((Expiry *)data)->name);
  g_free (data);
}

static gint64
seconds_of (const ASN1_TIME *time)
{
  struct tm parts;
  return ASN1_TIME_to_tm (time, &parts) == 1 ? (gint64)timegm (&parts) : 0;
}

static void
add (GPtrArray *all, ExpiryKind kind, const char *name, gint64 from, gint64 until)
{
  Expiry *expiry = g_new0 (Expiry, 1);
  *expiry = (Expiry){ kind, g_strdup (name), from, until };
  g_ptr_array_add (all, expiry);
}

static void
add_certificate (GPtrArray *all, ExpiryKind kind, const char *name, const X509 *certificate)
{
  if (certificate != NULL)
    add (all, kind, name, seconds_of (X509_get0_notBefore (certificate)),
         seconds_of (X509_get0_notAfter (certificate)));
}

/* The first of a file, or all of them. */
static void
add_file (GPtrArray *all, ExpiryKind kind, const char *name, const char *file, guint most)
{
  BIO *bio = file != NULL ? BIO_new_file (file, "r") : NULL;
  X509 *certificate;
  while (bio != NULL && most-- > 0
         && (certificate = PEM_read_bio_X509 (bio, NULL, NULL, NULL)) != NULL) {
    add_certificate (all, kind, name, certificate);
    X509_free (certificate);
  }
  BIO_free (bio);
  ERR_clear_error ();
}

static void
add_own (GPtrArray *all, const Config *config)
{
  g_autofree char *province = g_build_filename (config->state, "certs", "province.crt", NULL);
  g_autofree char *own = g_build_filename (config->state, "certs", "station.crt", NULL);
  g_autofree char *local = g_build_filename (config->state, "certs", "ca.crt", NULL);
  add_file (all, EXPIRY_STATION, config->station_id, province, 1);
  add_file (all, EXPIRY_WEB, "", config->certificate != NULL ? config->certificate : own, 1);
  if (config->certificate == NULL)
    add_file (all, EXPIRY_LOCAL, "", local, 1);
}

static void
add_issuers (GPtrArray *all, const Config *config, PeerTrust *trust)
{
  gint64 made, until;
  for (guint i = 0; i < config->issuers->len; i++) {
    const ConfigIssuer *issuer = config->issuers->pdata[i];
    add_file (all, EXPIRY_ISSUER, issuer->name, issuer->certificate, PEER_CHAIN_MOST);
    if (trust != NULL && peer_trust_crl_times (trust, issuer->name, &made, &until))
      add (all, EXPIRY_LIST, issuer->name, made, until);
  }
}

static void
add_recovery (GPtrArray *all, Vault *vault)
{
  for (guint i = 0; vault != NULL && i < vault_recipients (vault); i++) {
    g_autofree char *number = g_strdup_printf ("%u", vault_recipient_place (vault, i) + 1);
    add_certificate (all, EXPIRY_RECOVERY, number, vault_recipient (vault, i));
  }
}

static void
add_signers (GPtrArray *all, const char *folder)
{
  g_autoptr (GDir) dir = folder != NULL ? g_dir_open (folder, 0, NULL) : NULL;
  const char *file;
  for (guint n = 0; dir != NULL && n < SIGNERS_MOST && (file = g_dir_read_name (dir)) != NULL;) {
    if (!g_str_has_suffix (file, ".crt"))
      continue;
    g_autofree char *path = g_build_filename (folder, file, NULL);
    g_autofree char *user = g_strndup (file, strlen (file) - strlen (".crt"));
    add_file (all, EXPIRY_SIGNER, user, path, 1);
    n++;
  }
}

GPtrArray *
expiry_collect (const Config *config, Vault *vault, PeerTrust *trust)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (expiry_free);
  add_own (all, config);
  add_issuers (all, config, trust);
  add_recovery (all, vault);
  add_signers (all, config->signing.keys);
  add_file (all, EXPIRY_PEOPLE, "", config->signing.people_ca, 20);
  add_file (all, EXPIRY_STAMPS, "", config->signing.authority_ca, 20);
  for (guint i = 0; i < config->delivers->len; i++) {
    const ConfigDeliver *to = config->delivers->pdata[i];
    add_file (all, EXPIRY_DELIVER, to->title != NULL ? to->title : to->name, to->certificate, 1);
  }
  return all;
}

/* ---- When to tell
 * ------------------------------------------------------------------------------- */

gboolean
expiry_is_near (const Expiry *expiry, gint64 now)
{
  gint64 life = MAX (expiry->until - expiry->from, 0);
  /* Renewal begins at two thirds: what has a third less a tenth to go, was not renewed. */
  gint64 ahead = expiry->kind == EXPIRY_LIST ? life / 5 : MIN (life * 3 / 10, NEAR_MOST);
  return now >= expiry->until - ahead;
}

static char *
told (const Text *what, const Text *todo, const char *name, gint64 left, gboolean vi)
{
  const char *space = *name != '\0' ? " " : "", *subject = vi ? what->vi : what->en;
  const char *act = vi ? todo->vi : todo->en;
  gint64 days = left / DAY_S;
  if (left <= 0)
    return vi ? g_strdup_printf ("%s%s%s đã hết hạn: %s.", subject, space, name, act)
              : g_strdup_printf ("%s%s%s has expired: %s.", subject, space, name, act);
  return vi ? g_strdup_printf ("%s%s%s còn %" G_GINT64_FORMAT " ngày là hết hạn: %s.", subject,
                               space, name, days, act)
            : g_strdup_printf ("%s%s%s expires in %" G_GINT64_FORMAT " days: %s.", subject, space,
                               name, days, act);
}

void
expiry_add_problems (const GPtrArray *all, gint64 now, json_t *list)
{
  for (guint i = 0; i < all->len; i++) {
    const Expiry *expiry = all->pdata[i];
    const Words *word = &words[expiry->kind];
    gint64 left = expiry->until - now;
    if (!expiry_is_near (expiry, now))
      continue;
    g_autofree char *vi = told (&word->what, &word->todo, expiry->name, left, TRUE);
    g_autofree char *en = told (&word->what, &word->todo, expiry->name, left, FALSE);
    g_autofree char *code
        = g_strdup_printf ("%s-%s", word->word, left <= 0 ? "expired" : "expires");
    json_array_append_new (list, json_pack ("{s:s, s:s, s:o}", "level", "warn", "code", code,
                                            "text", text_json (vi, en)));
  }
}
