#include "media/capture/address.h"

#include <string.h>
#include "media/error.h"

enum { LONGEST = 1024 };

typedef struct {
  const char *prefix;
  AddressScheme scheme;
  MediaKind kind;
} Scheme;

static const Scheme schemes[] = {
  { "v4l2:", ADDRESS_V4L2, MEDIA_VIDEO }, { "rtsp:", ADDRESS_RTSP, MEDIA_VIDEO },
  { "test:", ADDRESS_TEST, MEDIA_VIDEO }, { "pipewire:", ADDRESS_PIPEWIRE, MEDIA_AUDIO },
  { "alsa:", ADDRESS_ALSA, MEDIA_AUDIO }, { "file:", ADDRESS_FILE, MEDIA_AUDIO },
  { "test:", ADDRESS_TEST, MEDIA_AUDIO },
};

static const char *
allowed (MediaKind kind)
{
  return kind == MEDIA_VIDEO
             ? "a camera is v4l2:/dev/videoN, rtsp://host[:port]/path or test:"
             : "a microphone is pipewire:, pipewire:TARGET, alsa:DEVICE, file:PATH or test:";
}

static const Scheme *
find_scheme (MediaKind kind, const char *text)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (schemes[i].kind == kind && g_str_has_prefix (text, schemes[i].prefix))
      return &schemes[i];
  return NULL;
}

static gboolean
check_rtsp (const char *text, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD, &why);
  if (!uri) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_ADDRESS, "camera address is no URI: %s",
                 why->message);
    return FALSE;
  }
  /* Checked before anything that quotes the text: the text would carry the password. */
  if (g_uri_get_userinfo (uri)) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_ADDRESS,
                 "camera address holds a user or password: give them as settings of their own");
    return FALSE;
  }
  const char *host = g_uri_get_host (uri);
  if (!host || !*host) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_ADDRESS, "\"%s\" names no host: %s", text,
                 allowed (MEDIA_VIDEO));
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_target (const Address *address, const char *text, MediaKind kind, GError **error)
{
  gboolean good = TRUE;
  switch (address->scheme) {
  case ADDRESS_V4L2:
    good = g_str_has_prefix (address->target, "/dev/") && address->target[5];
    break;
  case ADDRESS_ALSA:
  case ADDRESS_FILE:
    good = *address->target;
    break;
  case ADDRESS_TEST:
    good = !*address->target || (kind == MEDIA_VIDEO && g_strcmp0 (address->target, "moving") == 0);
    break;
  case ADDRESS_RTSP:
    return check_rtsp (address->target, error);
  case ADDRESS_PIPEWIRE:
    break;
  }
  if (!good)
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_ADDRESS, "\"%s\" is not complete: %s", text,
                 allowed (kind));
  return good;
}

gboolean
address_parse (MediaKind kind, const char *text, Address *ret_address, GError **error)
{
  if (!text || strlen (text) > LONGEST || !g_utf8_validate (text, -1, NULL)) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_ADDRESS, "no address, or not a text: %s",
                 allowed (kind));
    return FALSE;
  }
  const Scheme *scheme = find_scheme (kind, text);
  if (!scheme) {
    /* Only what stands before the colon is quoted: the rest may hold a password. */
    g_autofree char *start = g_strndup (text, MIN (strcspn (text, ":/"), 32));
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_ADDRESS, "unknown kind of address \"%s\": %s",
                 start, allowed (kind));
    return FALSE;
  }
  Address address = { scheme->scheme, text + strlen (scheme->prefix) };
  if (address.scheme == ADDRESS_RTSP)
    address.target = text;
  if (!check_target (&address, text, kind, error))
    return FALSE;
  if (ret_address)
    *ret_address = address;
  return TRUE;
}
