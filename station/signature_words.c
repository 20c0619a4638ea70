#include "station/signature_words.h"

static const struct {
  const char *code;
  Text text;
} WORDS[] = {
  { "not-a-signature",
    { "Đây không phải chữ ký số (.p7s), hoặc tệp đã hỏng.",
      "This is no digital signature (.p7s), or the file is damaged." } },
  { "several-signers",
    { "Tệp có nhiều người ký. Hãy nộp mỗi chữ ký một tệp.",
      "The file has several signers. Hand in one file for each." } },
  { "signature-plain",
    { "Chữ ký thiếu phần thông tin được ký kèm. Hãy ký theo chuẩn CAdES.",
      "The signature has no signed attributes. Sign as CAdES." } },
  { "wrong-content",
    { "Chữ ký này của một nội dung khác, không phải bản kê của hồ sơ này.",
      "This signature is of another text, not of this record's manifest." } },
  { "signature-broken",
    { "Chữ ký không khớp với chứng thư: đã bị sửa hoặc hỏng.",
      "The signature does not fit its certificate: it was changed or damaged." } },
  { "algorithm-weak",
    { "Thuật toán hoặc khóa quá yếu (cần SHA-256, RSA từ 2048 bit hoặc đường cong từ 224 bit).",
      "Algorithm or key is too weak (SHA-256, RSA of 2048 bits or a curve of 224 are the "
      "least)." } },
  { "certificate-missing",
    { "Trong tệp không có chứng thư của người ký. Hãy ký lại, kèm chứng thư.",
      "The signer's certificate is not in the file. Sign again and include it." } },
  { "certificate-other",
    { "Chứng thư trong tệp không phải chứng thư mà người ký đã dùng.",
      "The certificate in the file is not the one that the signer used." } },
  { "certificate-unnamed",
    { "Chữ ký không ghi rõ chứng thư nào đã dùng.",
      "The signature does not say which certificate was used." } },
  { "certificate-unknown",
    { "Chứng thư không do tổ chức mà trạm tin cậy cấp.",
      "The certificate is not of an authority that this station trusts." } },
  { "certificate-expired",
    { "Chứng thư đã hết hạn, và không có dấu thời gian chứng minh chữ ký có trước đó.",
      "The certificate has expired, and no time-stamp shows that the signature is older." } },
  { "certificate-early",
    { "Chứng thư lúc đó chưa có hiệu lực.", "The certificate was not valid yet then." } },
  { "certificate-usage",
    { "Chứng thư này không được dùng để ký.", "This certificate must not be used to sign." } },
  { "certificate-revoked",
    { "Chứng thư đã bị thu hồi trước khi ký.", "The certificate had been revoked before." } },
  { "certificate-revoked-later",
    { "Chứng thư bị thu hồi sau khi ký; chữ ký vẫn có giá trị.",
      "The certificate was revoked after the signature, which still counts." } },
  { "certificate-expired-later",
    { "Chứng thư nay đã hết hạn; lúc ký còn hiệu lực.",
      "The certificate has expired by now; it was valid at the signature." } },
  { "revocation-unknown",
    { "Chưa có danh sách thu hồi cho biết chứng thư lúc đó còn hiệu lực.",
      "No revocation list tells whether the certificate was revoked then." } },
  { "revocation-broken",
    { "Danh sách thu hồi không phải của tổ chức cấp chứng thư, hoặc đã bị sửa.",
      "The revocation list is not its issuer's, or was changed." } },
  { "certificate-unused",
    { "Trong tệp có chứng thư không dùng đến, hoặc bản sao đã bị sửa; chữ ký vẫn khớp.",
      "A certificate in the file is not used, or is a copy that was changed; the signature "
      "holds." } },
  { "form-unusual",
    { "Phần khung của tệp chữ ký không đúng chuẩn, hoặc đã bị sửa; phần được ký vẫn khớp.",
      "The frame of the file is not as the standard wants it, or was changed; what is signed "
      "holds." } },
  { "attribute-unknown",
    { "Có phần lạ kèm theo chữ ký; nó không được tính.",
      "Something unknown stands beside the signature; it does not count." } },
  { "timestamp-missing",
    { "Chưa có dấu thời gian: thời điểm ký chỉ theo đồng hồ của trạm hoặc của người ký.",
      "No time-stamp yet: when it was signed is only said by the station or the signer." } },
  { "timestamp-broken",
    { "Dấu thời gian không khớp với chữ ký: đã bị sửa hoặc hỏng.",
      "A time-stamp does not fit the signature: it was changed or damaged." } },
  { "timestamp-unknown",
    { "Dấu thời gian không do tổ chức mà trạm tin cậy cấp, hoặc chứng thư của tổ chức đã hết hạn.",
      "A time-stamp is not of an authority that this station trusts, or the authority's "
      "certificate "
      "has expired." } },
  { "timestamp-weak",
    { "Dấu thời gian dùng thuật toán quá yếu.", "A time-stamp uses too weak an algorithm." } },
  { "timestamp-expires",
    { "Dấu thời gian sắp hết hiệu lực: cần đóng dấu mới trước ngày đó.",
      "The time-stamp will lose its strength soon: a further one is due before that." } },
  { "confirmed-only",
    { "Xác nhận không dùng khóa ký: trạm ghi nhận ai và khi nào.",
      "Confirmed without a key: the station vouches for who and when." } },
  { "identity-token",
    { "Giấy xác nhận đăng nhập trong hồ sơ không đúng: chữ ký, nơi cấp, người nhận hoặc lượt khám "
      "không "
      "khớp.",
      "The token in the record does not hold: signature, issuer, audience or binding do not "
      "fit." } },
  { "identity-passkey",
    { "Chữ ký của khóa đăng nhập trong hồ sơ không đúng.",
      "The passkey's signature in the record does not hold." } },
  { "identity-key",
    { "Lần đăng nhập gắn với khóa của một trình duyệt khác.",
      "The sign-in is bound to the key of another browser." } },
  { "identity-by-station",
    { "Đăng nhập bằng mật khẩu và mã: chỉ có trạm làm chứng.",
      "Signed in by password and code: the station alone vouches for it." } },
  { "confirmation-nobody",
    { "Người xác nhận chưa từng đăng nhập trong lượt khám này.",
      "Who confirmed has not signed in, in this consultation." } },
  { "confirmation-broken",
    { "Chữ ký xác nhận không phải của trình duyệt đã đăng nhập, hoặc đã bị sửa.",
      "The confirmation is not by the browser that signed in, or was changed." } },
  { "confirmation-text",
    { "Không có bản ý kiến nào đúng như điều đã xác nhận.",
      "No version of the opinion is what was confirmed." } },
  { "confirmation-superseded",
    { "Sau khi xác nhận, ý kiến đã được sửa; bản sau chưa được xác nhận.",
      "The opinion was changed after it was confirmed; the later version is not." } },
  { "manifest-missing", { "Không có bản kê đã ký.", "There is no manifest that was signed." } },
  { "manifest-unreadable",
    { "Không đọc được bản kê hoặc hồ sơ.", "The manifest or the record cannot be read." } },
  { "manifest-other", { "Bản kê là của một hồ sơ khác.", "The manifest is of another record." } },
  { "manifest-differs",
    { "Hồ sơ hiện nay không còn đúng như bản kê đã ký: có dòng hoặc đoạn ghi hình bị sửa hoặc mất.",
      "The record is no longer what was signed: a row or a recording was changed or is gone." } },
};

const Text *
signature_words (const char *code)
{
  static const Text unknown
      = { "Có điều không rõ về chữ ký này.", "Something about this signature is not clear." };
  for (guint i = 0; code != NULL && i < G_N_ELEMENTS (WORDS); i++)
    if (g_str_equal (WORDS[i].code, code))
      return &WORDS[i].text;
  return &unknown;
}

static void
add_to (json_t *findings)
{
  gsize i;
  json_t *finding;
  json_array_foreach (findings, i, finding)
  {
    const Text *text = signature_words (json_string_value (json_object_get (finding, "code")));
    json_object_set_new (finding, "text", text_json (text->vi, text->en));
  }
}

void
signature_words_add (json_t *report)
{
  gsize i;
  json_t *signature;
  add_to (json_object_get (json_object_get (report, "manifest"), "findings"));
  static const char *const lists[] = { "signatures", "identities", "confirmations" };
  for (guint k = 0; k < G_N_ELEMENTS (lists); k++)
    json_array_foreach (json_object_get (report, lists[k]), i, signature)
    {
      add_to (json_object_get (signature, "findings"));
    }
}

/* ---- For the command line
 * ------------------------------------------------------------------- */

static const char *
role_word (const char *role)
{
  static const struct {
    const char *role;
    Text text;
  } ROLES[] = { { "station", { "Dấu niêm của trạm", "The station's seal" } },
                { "doctor", { "Người hành nghề tại trạm", "Practitioner at the station" } },
                { "specialist", { "Bác sĩ chuyên khoa", "Specialist" } },
                { "chair", { "Chủ tọa", "Chair" } },
                { "secretary", { "Thư ký", "Secretary" } },
                { "patient", { "Người bệnh", "Patient" } },
                { "representative", { "Người đại diện", "Representative" } } };
  for (guint i = 0; role != NULL && i < G_N_ELEMENTS (ROLES); i++)
    if (g_str_equal (ROLES[i].role, role))
      return SAY (ROLES[i].text.vi, ROLES[i].text.en);
  return role != NULL ? role : "";
}

static const char *
verdict_word (const json_t *object)
{
  const char *verdict = json_string_value (json_object_get (object, "verdict"));
  if (g_strcmp0 (verdict, "good") == 0)
    return SAY ("ĐÚNG", "HOLDS");
  return g_strcmp0 (verdict, "note") == 0 ? SAY ("ĐÚNG, có lưu ý", "HOLDS, with notes")
                                          : SAY ("KHÔNG ĐÚNG", "DOES NOT HOLD");
}

static const char *
text_of (const json_t *object, const char *key)
{
  return json_string_value (json_object_get (object, key));
}

static void
tell_findings (GString *out, const json_t *findings)
{
  gsize i;
  const json_t *finding;
  json_array_foreach (findings, i, finding)
  {
    const Text *text = signature_words (text_of (finding, "code"));
    g_string_append_printf (out, "      %s %s (%s)\n",
                            g_strcmp0 (text_of (finding, "verdict"), "bad") == 0 ? "✗" : "–",
                            SAY (text->vi, text->en), text_of (finding, "code"));
  }
}

/* What says that the certificate was not revoked then. */
static void
tell_revocation (GString *out, const json_t *by)
{
  const json_t *one;
  gsize i;
  json_array_foreach (by, i, one)
  {
    if (g_str_equal (json_string_value (one), "ocsp"))
      g_string_append (out,
                       SAY ("      chưa bị thu hồi, theo trả lời của nơi cấp (OCSP) trong tệp\n",
                            "      not revoked, says its authority's answer (OCSP) inside\n"));
    else
      g_string_append (out, SAY ("      chưa bị thu hồi, theo danh sách thu hồi (CRL)\n",
                                 "      not revoked, says a revocation list (CRL)\n"));
  }
}

static void
tell_one (GString *out, const json_t *signature)
{
  const json_t *certificate = json_object_get (signature, "certificate");
  const char *name = text_of (signature, "name");
  const char *stamped = text_of (signature, "stamped");
  if (name == NULL)
    name = text_of (certificate, "subject");
  g_string_append_printf (out, "  %" JSON_INTEGER_FORMAT ". %s: %s — %s\n",
                          json_integer_value (json_object_get (signature, "seq")),
                          role_word (text_of (signature, "role")), name != NULL ? name : "",
                          verdict_word (signature));
  if (certificate != NULL)
    g_string_append_printf (out,
                            SAY ("      chứng thư: %s, do %s cấp, từ %s đến %s\n",
                                 "      certificate: %s, by %s, from %s to %s\n"),
                            text_of (certificate, "subject"), text_of (certificate, "issuer"),
                            text_of (certificate, "from"), text_of (certificate, "until"));
  if (stamped != NULL)
    g_string_append_printf (
        out, SAY ("      thời điểm: trước %s, theo %s\n", "      when: before %s, says %s\n"),
        stamped, text_of (signature, "stamped_by"));
  else
    g_string_append_printf (out,
                            SAY ("      thời điểm: %s, theo đồng hồ của trạm (%s)\n",
                                 "      when: %s, by the station's clock (%s)\n"),
                            text_of (signature, "at"), text_of (signature, "clock"));
  tell_revocation (out, json_object_get (signature, "revocation"));
  tell_findings (out, json_object_get (signature, "findings"));
}

/* Who proved who they are, and what they confirmed by it. */
static void
tell_proven (GString *out, const json_t *report)
{
  const json_t *one;
  gsize i;
  json_array_foreach (json_object_get (report, "identities"), i, one)
  {
    g_string_append_printf (
        out, SAY ("  đăng nhập: %s (%s, %s) %s — %s\n", "  signed in: %s (%s, %s) %s — %s\n"),
        text_of (one, "name"), text_of (one, "subject"), text_of (one, "issuer"),
        text_of (one, "at"), verdict_word (one));
    tell_findings (out, json_object_get (one, "findings"));
  }
  json_array_foreach (json_object_get (report, "confirmations"), i, one)
  {
    g_string_append_printf (
        out, SAY ("  xác nhận ý kiến: %s %s — %s\n", "  opinion confirmed: %s %s — %s\n"),
        text_of (one, "name"), text_of (one, "at"), verdict_word (one));
    tell_findings (out, json_object_get (one, "findings"));
  }
}

char *
signature_words_tell (const json_t *report)
{
  GString *out = g_string_new (NULL);
  const json_t *manifest = json_object_get (report, "manifest"), *one;
  gsize i;
  g_string_append_printf (out, SAY ("Chữ ký của hồ sơ %s\n", "Signatures of record %s\n"),
                          text_of (report, "consultation"));
  tell_proven (out, report);
  if (!json_is_object (manifest)) {
    g_string_append (out, SAY ("  chưa ký\n", "  not signed yet\n"));
    return g_string_free (out, FALSE);
  }
  g_string_append_printf (out, SAY ("  bản kê %s: %s\n", "  manifest %s: %s\n"),
                          text_of (manifest, "sha256"), verdict_word (manifest));
  tell_findings (out, json_object_get (manifest, "findings"));
  json_array_foreach (json_object_get (report, "signatures"), i, one)
  {
    tell_one (out, one);
  }
  json_array_foreach (json_object_get (report, "roles"), i, one)
  {
    if (json_is_true (json_object_get (one, "required"))
        && !json_is_true (json_object_get (one, "done")))
      g_string_append_printf (out, SAY ("  còn thiếu: %s\n", "  still open: %s\n"),
                              role_word (text_of (one, "role")));
  }
  return g_string_free (out, FALSE);
}
