/* What the station knows of its own certificate, of others' and of the hour, and says of it. */
#include "station/enrolment_private.h"
#include "station/expiry.h"
#include "station/issuers.h"
#include "station/text.h"

#include <openssl/asn1.h>
#include <time.h>

#define SLACK_S 3600
#define KEEP_S 86400 /* the hour is kept on the disk so often */

/* ---- The hour
 * ----------------------------------------------------------------------------------- */

static char *
time_file (Enrolment *enrolment)
{
  return g_build_filename (enrolment->station->config->state, "certs", "time", NULL);
}

static gint64
read_time (Enrolment *enrolment)
{
  g_autofree char *file = time_file (enrolment), *text = NULL;
  gint64 seconds = 0;
  if (g_file_get_contents (file, &text, NULL, NULL))
    g_ascii_string_to_signed (g_strchomp (text), 10, 0, G_MAXINT64 / G_USEC_PER_SEC, &seconds,
                              NULL);
  return seconds;
}

static void
keep_time (Enrolment *enrolment, gint64 now)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = time_file (enrolment);
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT "\n", now);
  if (!g_file_set_contents (file, text, -1, &error))
    g_warning ("enrolment: %s", error->message);
}

static gint64
signed_times (Enrolment *enrolment)
{
  const Config *config = enrolment->station->config;
  gint64 latest = 0, made, until;
  for (guint i = 0; i < config->issuers->len; i++)
    if (peer_trust_crl_times (enrolment->trust, ((ConfigIssuer *)config->issuers->pdata[i])->name,
                              &made, &until))
      latest = MAX (latest, made - SLACK_S);
  return latest;
}

void
enrolment_learn_time (Enrolment *enrolment)
{
  gint64 kept = read_time (enrolment);
  enrolment->at_least = MAX (enrolment->at_least, MAX (kept, signed_times (enrolment)));
  PeerTime time = enrolment_time (enrolment);
  if (time.trusted && time.now > kept + KEEP_S)
    keep_time (enrolment, time.now);
}

PeerTrust *
enrolment_trust (Enrolment *enrolment)
{
  return enrolment->trust;
}

PeerTime
enrolment_time (Enrolment *enrolment)
{
  PeerTime time = issuers_time (enrolment->station->config, enrolment->at_least);
  /* What the hospital says of the hour counts for more than what this machine believes. */
  time.trusted = time.trusted && ABS (enrolment->clock_off) < ENROLMENT_CLOCK_OFF_S;
  return time;
}

static void
save_known (Enrolment *enrolment)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file
      = g_build_filename (enrolment->station->config->state, "certs", "known", NULL);
  if (!peer_trust_save_known (enrolment->trust, file, &error))
    g_warning ("enrolment: %s", error->message);
}

PeerAnswer
enrolment_check_peer (Enrolment *enrolment, STACK_OF (X509) * chain, PeerKind kind, const char *id)
{
  g_autofree char *hash = chain != NULL && sk_X509_num (chain) > 0
                              ? peer_key_hash (X509_get0_pubkey (sk_X509_value (chain, 0)))
                              : g_strdup ("");
  gboolean knew = peer_trust_knows (enrolment->trust, kind, id, hash);
  PeerAnswer answer = peer_check (enrolment->trust, chain, kind, id, enrolment_time (enrolment));
  if (!knew && peer_trust_knows (enrolment->trust, kind, id, hash))
    save_known (enrolment);
  return answer;
}

PeerAnswer
enrolment_own (Enrolment *enrolment)
{
  return enrolment->own;
}

void
enrolment_judge_own (Enrolment *enrolment)
{
  Station *station = enrolment->station;
  STACK_OF (X509) *chain = station->identity != NULL ? identity_chain (station->identity) : NULL;
  enrolment->own
      = peer_check_without_lists (enrolment->trust, chain, PEER_STATION,
                                  station->config->station_id, enrolment_time (enrolment));
  sk_X509_pop_free (chain, X509_free);
}

const GPtrArray *
enrolment_expiries (Enrolment *enrolment)
{
  return enrolment->expiries;
}

static void
add (json_t *list, const char *level, const char *code, const char *vi, const char *en)
{
  json_array_append_new (list, json_pack ("{s:s, s:s, s:o}", "level", level, "code", code, "text",
                                          text_json (vi, en)));
}

static void
add_clock (Enrolment *enrolment, json_t *list)
{
  gint64 off = enrolment->clock_off, days = ABS (off) / 86400;
  if (off != 0) {
    g_autofree char *vi = g_strdup_printf (
        "Đồng hồ máy này %s đồng hồ của nơi cấp %" G_GINT64_FORMAT
        " ngày. Trạm vẫn làm việc, không hủy và không cho gì hết hạn; hãy chỉnh lại ngày giờ.",
        off > 0 ? "nhanh hơn" : "chậm hơn", days);
    g_autofree char *en = g_strdup_printf (
        "This machine's clock is %" G_GINT64_FORMAT
        " days %s the issuer's. The station goes on, destroys nothing and lets nothing expire; set "
        "date and time.",
        days, off > 0 ? "ahead of" : "behind");
    add (list, "bad", "clock-off", vi, en);
  } else if (g_get_real_time () / G_USEC_PER_SEC < enrolment->at_least)
    add (list, "bad", "clock-behind",
         "Đồng hồ máy này chỉ một ngày chắc chắn đã qua. Trạm vẫn làm việc, không hủy và không cho "
         "gì "
         "hết hạn; hãy chỉnh lại ngày giờ.",
         "This machine's clock says a day that is certainly over. The station goes on, destroys "
         "nothing "
         "and lets nothing expire; set date and time.");
}

void
enrolment_add_problems (Enrolment *enrolment, json_t *list)
{
  if (enrolment == NULL)
    return;
  PeerTime time = enrolment_time (enrolment);
  add_clock (enrolment, list);
  gboolean missing = g_str_equal (enrolment->own.code, "chain-missing");
  if (enrolment->station->config->issuers->len > 0 && enrolment->own.verdict == PEER_REFUSE) {
    g_autofree char *code = g_strconcat ("own-", enrolment->own.code, NULL);
    g_autofree char *vi = g_strconcat ("Chứng thư của trạm này: ", enrolment->own.vi, NULL);
    g_autofree char *en = g_strconcat ("This station's certificate: ", enrolment->own.en, NULL);
    add (list, missing ? "warn" : "bad", code, vi, en);
  }
  if (enrolment->replaced)
    add (list, "warn", "issuer-replaced",
         "Nơi cấp đang dùng chứng thư khác với tệp trong [issuer]. Hãy gọi nơi cấp, so dấu vân "
         "SHA-256 rồi "
         "thêm tệp mới vào station.conf.",
         "The issuer uses another certificate than the file of [issuer]. Call them, compare the "
         "SHA-256, "
         "and name the new file in station.conf.");
  if (enrolment->problem != NULL) {
    g_autofree char *vi = g_strdup_printf (
        "Chưa gia hạn được chứng thư của trạm: %s. Trạm sẽ tự thử lại.", enrolment->problem);
    g_autofree char *en = g_strdup_printf (
        "The station's certificate could not be renewed yet: %s. The station tries "
        "again by itself.",
        enrolment->problem);
    add (list, "warn", "renewal", vi, en);
  }
  /* By a clock that is wrong everything is about to expire, or nothing is. */
  if (enrolment->expiries != NULL && enrolment->clock_off == 0 && time.now >= enrolment->at_least)
    expiry_add_problems (enrolment->expiries, time.now, list);
}
