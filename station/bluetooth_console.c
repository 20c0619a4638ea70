/* What the console sees of Bluetooth, and what it asks for. */
#include "station/bluetooth_private.h"
#include "station/text.h"

/* ---- View ---------------------------------------------------------------------------------- */

static const struct {
  const char *name, *vi, *en;
} STATES[] = {
  [BLUEZ_NO_BUS] = { "absent", "Máy tính này không có Bluetooth: không có D-Bus của hệ thống.",
                     "This computer has no Bluetooth: there is no system D-Bus." },
  [BLUEZ_NO_DAEMON]
  = { "absent",
      "Dịch vụ Bluetooth chưa chạy. Cài gói bluez, hoặc khởi động: systemctl start bluetooth",
      "The Bluetooth service does not run. Install the package bluez, or start it: systemctl start "
      "bluetooth" },
  [BLUEZ_NO_ADAPTER]
  = { "no-adapter", "Không thấy bộ thu Bluetooth: hãy cắm lại, hoặc thay bộ khác.",
      "There is no Bluetooth adapter: plug it in again, or use another one." },
  [BLUEZ_BLOCKED]
  = { "blocked",
      "Bluetooth bị khóa: tắt chế độ máy bay, gạt công tắc không dây, hoặc chạy: rfkill unblock "
      "bluetooth",
      "Bluetooth is blocked: end aeroplane mode, turn the wireless switch, or run: rfkill unblock "
      "bluetooth" },
  [BLUEZ_OFF] = { "off", "Bluetooth đang tắt; trạm đang bật lại.",
                  "Bluetooth is off; the station is switching it on." },
  [BLUEZ_READY] = { "ready", NULL, NULL },
};

static const char *
signal_name (int rssi)
{
  return rssi == 0 ? "none" : rssi >= -65 ? "good" : rssi >= -82 ? "fair" : "weak";
}

static json_t *
found_json (const Bluetooth *bluetooth)
{
  json_t *list = json_array ();
  g_autoptr (GPtrArray) all = bluez_found (bluetooth->bluez);
  for (guint i = 0; i < all->len && bluez_is_searching (bluetooth->bluez); i++) {
    const BluezFound *found = all->pdata[i];
    if (found->rssi == 0 || (found->paired && bluetooth_find (bluetooth, found->address) != NULL))
      continue;
    json_array_append_new (list, json_pack ("{s:s, s:s, s:s, s:s}", "device", found->address,
                                            "name", found->name, "kind", found->kind, "signal",
                                            signal_name (found->rssi)));
  }
  return list;
}

static json_t *
paired_view (const Bluetooth *bluetooth)
{
  json_t *list = json_array ();
  for (guint i = 0; i < bluetooth->paired->len; i++) {
    const Paired *paired = bluetooth->paired->pdata[i];
    json_array_append_new (list, json_pack ("{s:s, s:s, s:s, s:b, s:O}", "device", paired->address,
                                            "name", paired->name, "kind", paired->kind, "room",
                                            paired->room, "about", paired->about));
  }
  return list;
}

static json_t *
pairing_json (const Bluetooth *bluetooth)
{
  static const char *const questions[] = { NULL, "show", "enter", "confirm" };
  guint32 passkey;
  if (bluetooth->pairing == NULL)
    return json_null ();
  BluezQuestion question = bluez_question (bluetooth->bluez, &passkey);
  json_t *pairing
      = json_pack ("{s:O, s:s?}", "device", json_object_get (bluetooth->pairing->message, "device"),
                   "question", questions[question]);
  if (question == BLUEZ_SHOWS_PASSKEY || question == BLUEZ_WANTS_AGREEMENT) {
    g_autofree char *digits = g_strdup_printf ("%06u", passkey);
    json_object_set_new (pairing, "passkey", json_string (digits));
  }
  return pairing;
}

/* Nobody asked for Bluetooth, and there is none. */
static gboolean
is_silent (const Bluetooth *bluetooth)
{
  BluezState state = bluez_state (bluetooth->bluez);
  return (state == BLUEZ_NO_BUS || state == BLUEZ_NO_DAEMON) && bluetooth->paired->len == 0
         && bluetooth->station->config->bluetooth == BLUETOOTH_AUTO;
}

json_t *
bluetooth_json (const Bluetooth *bluetooth)
{
  if (bluetooth == NULL || is_silent (bluetooth))
    return json_null ();
  BluezState state = bluez_state (bluetooth->bluez);
  json_t *view = json_pack ("{s:s, s:b, s:o, s:o, s:o}", "state", STATES[state].name, "searching",
                            bluez_is_searching (bluetooth->bluez), "found", found_json (bluetooth),
                            "paired", paired_view (bluetooth), "pairing", pairing_json (bluetooth));
  if (STATES[state].vi != NULL)
    json_object_set_new (view, "text", text_json (STATES[state].vi, STATES[state].en));
  return view;
}

/* ---- Messages ------------------------------------------------------------------------------ */

/* FALSE: answered. */
static gboolean
is_ready (Request *request)
{
  Bluetooth *bluetooth = request->station->bluetooth;
  if (bluetooth == NULL) {
    request_refuse_with (request, "not-ready", "Bluetooth bị tắt trong station.conf.",
                         "Bluetooth is switched off in station.conf.", NULL);
    return FALSE;
  }
  BluezState state = bluez_state (bluetooth->bluez);
  if (state == BLUEZ_READY)
    return TRUE;
  request_refuse_with (request, "not-ready", STATES[state].vi, STATES[state].en, NULL);
  return FALSE;
}

void
bluetooth_search (Request *request)
{
  gboolean on;
  if (!request_flag (request, "on", &on) || !is_ready (request))
    return;
  bluez_search (request->station->bluetooth->bluez, on);
  request_ok (request, NULL);
}

/* ---- Pairing */

static const struct {
  const char *error, *vi, *en;
} FAILURES[] = {
  { "no-such",
    "Không còn thấy máy đo: hãy bật máy ở chế độ ghép đôi, để gần máy tính, rồi tìm lại.",
    "The device is not heard any more: put it into pairing mode near the computer, search again." },
  { "busy", "Đang ghép một máy khác: hãy chờ.", "Another device is being paired: wait." },
  { "gone", "Bluetooth đã ngừng trong lúc ghép: hãy thử lại.",
    "Bluetooth stopped during pairing: try again." },
  { "AuthenticationFailed",
    "Máy đo không nhận ghép đôi. Nếu nó đã ghép với máy khác: xóa ghép đôi trên máy đo, bật chế độ "
    "ghép đôi rồi thử lại.",
    "The device refuses to pair. If it is paired with another machine: delete the pairing on the "
    "device, put it into pairing mode, try again." },
  { "AuthenticationRejected", "Mã ghép đôi không được chấp nhận: hãy thử lại.",
    "The passkey was not accepted: try again." },
  { "AuthenticationCanceled", "Đã hủy ghép đôi.", "Pairing was cancelled." },
  { "AuthenticationTimeout", "Máy đo không trả lời kịp: bật chế độ ghép đôi rồi thử lại.",
    "The device did not answer in time: put it into pairing mode, try again." },
  { "ConnectionAttemptFailed", "Không nối được với máy đo: để gần máy tính rồi thử lại.",
    "The device cannot be connected to: bring it nearer, try again." },
};

static void
refuse_pairing (Request *request, const char *error)
{
  for (guint i = 0; i < G_N_ELEMENTS (FAILURES); i++)
    if (g_str_equal (FAILURES[i].error, error)) {
      request_refuse_with (request, "refused", FAILURES[i].vi, FAILURES[i].en, NULL);
      return;
    }
  request_refuse_with (request, "refused", "Không ghép được với máy đo: hãy thử lại.",
                       "The device could not be paired: try again.", NULL);
}

static const BluezFound *
find_found (const GPtrArray *all, const char *address)
{
  for (guint i = 0; i < all->len; i++)
    if (g_ascii_strcasecmp (((BluezFound *)all->pdata[i])->address, address) == 0)
      return all->pdata[i];
  return NULL;
}

static void
paired (const char *address, const char *error, void *arg)
{
  Bluetooth *bluetooth = arg;
  g_autoptr (Request) request = g_steal_pointer (&bluetooth->pairing);
  bluetooth_tell (bluetooth);
  const char *name = json_string_value (json_object_get (request->message, "name"));
  g_autoptr (GPtrArray) all = bluez_found (bluetooth->bluez);
  const BluezFound *found = find_found (all, address);
  if (error != NULL || found == NULL) {
    refuse_pairing (request, error != NULL ? error : "no-such");
    return;
  }
  const Paired *known = bluetooth_find (bluetooth, address);
  Paired *device = bluetooth_add (bluetooth, address,
                                  name != NULL    ? name
                                  : known == NULL ? found->name
                                                  : NULL,
                                  found->kind);
  if (device == NULL) {
    request_refuse_with (request, "refused", "Đã ghép 32 máy đo: hãy bỏ bớt một máy.",
                         "32 devices are paired: forget one of them.", NULL);
    return;
  }
  bluetooth_drive (device);
  bluetooth_tell (bluetooth);
  bluetooth_write (bluetooth, request->user, request_written, request_ref (request));
}

void
bluetooth_pair (Request *request)
{
  const char *address, *name;
  if (!request_text (request, "device", REQUIRED, 17, &address)
      || !request_text (request, "name", OPTIONAL, 60, &name) || !is_ready (request))
    return;
  Bluetooth *bluetooth = request->station->bluetooth;
  if (bluetooth->pairing != NULL) {
    refuse_pairing (request, "busy");
    return;
  }
  bluetooth->pairing = request_ref (request);
  bluez_pair (bluetooth->bluez, address, paired, bluetooth);
  bluetooth_tell (bluetooth);
}

void
bluetooth_answer (Request *request)
{
  gboolean agreed;
  gint64 passkey = 0;
  if (!request_flag (request, "agreed", &agreed) || !is_ready (request))
    return;
  if (agreed && json_object_get (request->message, "passkey") != NULL
      && !request_number (request, "passkey", 0, 999999, &passkey))
    return;
  bluez_answer (request->station->bluetooth->bluez, agreed, (guint32)passkey);
  request_ok (request, NULL);
}

/* ---- What is paired */

/* NULL: answered. */
static Paired *
named (Request *request)
{
  const char *address;
  Bluetooth *bluetooth = request->station->bluetooth;
  if (!request_text (request, "device", REQUIRED, 17, &address))
    return NULL;
  Paired *found = bluetooth != NULL ? bluetooth_find (bluetooth, address) : NULL;
  if (found == NULL)
    request_refuse (request, "no-such");
  return found;
}

void
bluetooth_save (Request *request)
{
  const char *name;
  Paired *device = named (request);
  if (device == NULL || !request_text (request, "name", OPTIONAL, 60, &name))
    return;
  json_t *room = json_object_get (request->message, "room");
  if (room != NULL && !json_is_boolean (room)) {
    request_bad (request, "room", "wants true or false");
    return;
  }
  if (room != NULL)
    device->room = json_is_true (room);
  if (name != NULL && *name != '\0' && g_strcmp0 (name, device->name) != 0) {
    g_free (device->name);
    device->name = g_strdup (name);
    bluetooth_drive (device);
  }
  bluetooth_tell (request->station->bluetooth);
  bluetooth_write (request->station->bluetooth, request->user, request_written,
                   request_ref (request));
}

void
bluetooth_forget (Request *request)
{
  Paired *device = named (request);
  if (device == NULL)
    return;
  Bluetooth *bluetooth = request->station->bluetooth;
  bluez_remove (bluetooth->bluez, device->address);
  bluetooth_drop (bluetooth, device);
  bluetooth_tell (bluetooth);
  bluetooth_write (bluetooth, request->user, request_written, request_ref (request));
}
