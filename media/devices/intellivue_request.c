#include "media/devices/intellivue_request.h"
#include "media/devices/intellivue_bytes.h"

enum { ATTR_POLL_TIME = 0xF13E, ATTR_WAVE_PRIORITY = 0xF23A };

/* ---- Association ----------------------------------------------------------------------------- */

/* Fixed by the interface: session data; presentation header up to the user data. */
static const guint8 SESSION[]
    = { 0x05, 0x08, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02, 0x80, 0x00, 0x14, 0x02, 0x00, 0x02 };
static const guint8 PRESENTATION[] = {
  0x31, 0x80, 0xA0, 0x80, 0x80, 0x01, 0x01, 0x00, 0x00, 0xA2, 0x80, 0xA0, 0x03, 0x00, 0x00,
  0x01, 0xA4, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0x06, 0x04, 0x52, 0x01, 0x00, 0x01, 0x30,
  0x80, 0x06, 0x02, 0x51, 0x01, 0x00, 0x00, 0x00, 0x00, 0x30, 0x80, 0x02, 0x01, 0x02, 0x06,
  0x0C, 0x2A, 0x86, 0x48, 0xCE, 0x14, 0x02, 0x01, 0x00, 0x00, 0x00, 0x01, 0x01, 0x30, 0x80,
  0x06, 0x0C, 0x2A, 0x86, 0x48, 0xCE, 0x14, 0x02, 0x01, 0x00, 0x00, 0x00, 0x02, 0x01, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x61, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0xA0, 0x80, 0x60,
  0x80, 0xA1, 0x80, 0x06, 0x0C, 0x2A, 0x86, 0x48, 0xCE, 0x14, 0x02, 0x01, 0x00, 0x00, 0x00,
  0x03, 0x01, 0x00, 0x00, 0xBE, 0x80, 0x28, 0x80, 0x06, 0x0C, 0x2A, 0x86, 0x48, 0xCE, 0x14,
  0x02, 0x01, 0x00, 0x00, 0x00, 0x01, 0x01, 0x02, 0x01, 0x02, 0x81,
};
#define TRAILER 16

static const guint8 ABORTING[] = {
  0x19, 0x2E, 0x11, 0x01, 0x03, 0xC1, 0x29, 0xA0, 0x80, 0xA0, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01,
  0x06, 0x02, 0x51, 0x01, 0x00, 0x00, 0x00, 0x00, 0x61, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0xA0,
  0x80, 0x64, 0x80, 0x80, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
static const guint8 RELEASING[] = {
  0x09, 0x18, 0xC1, 0x16, 0x61, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0xA0, 0x80,
  0x62, 0x80, 0x80, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

/* MDSEUserInfoStd: what we are and how we would poll. */
static void
put_user_info (GByteArray *out)
{
  static const guint32 head[] = { 0x80000000, 0x40000000, 0, 0x80000000, 0x20000000, 0 };
  static const guint32 profile[]
      = { 0x80000000, IV_TICKS_PER_SECOND, 1456, 1456, 0xFFFFFFFF, 0x60000000 };
  static const guint16 objects[][2] /* class, how many we can take */
      = { { IV_CLASS_MDS, 1 },
          { IV_CLASS_NUMERIC, 201 },
          { IV_CLASS_WAVE, 60 },
          { IV_CLASS_PATIENT, 1 },
          { IV_CLASS_ALERTS, 1 } };
  for (guint i = 0; i < G_N_ELEMENTS (head); i++)
    iv_put_u32 (out, head[i]);
  iv_put_u32 (out, 2u << 16 | (4 + 0x28 + 4 + 4 + sizeof objects * 2));
  iv_put_u32 (out, 1u << 16 | 0x28); /* NOM_POLL_PROFILE_SUPPORT */
  for (guint i = 0; i < G_N_ELEMENTS (profile); i++)
    iv_put_u32 (out, profile[i]);
  iv_put_u32 (out, 1u << 16 | 12);
  iv_put_u32 (out, 0xF001u << 16 | 8); /* NOM_ATTR_POLL_PROFILE_EXT: 1 s numerics, waves */
  iv_put_u32 (out, 0x88000000);
  iv_put_u32 (out, 0);
  iv_put_u32 (out, 0x0102u << 16 | (4 + sizeof objects * 2)); /* NOM_MDIB_OBJ_SUPPORT */
  iv_put_u32 (out, G_N_ELEMENTS (objects) << 16 | sizeof objects * 2);
  for (guint i = 0; i < G_N_ELEMENTS (objects); i++) {
    iv_put_u32 (out, 1u << 16 | objects[i][0]);
    iv_put_u32 (out, objects[i][1]);
  }
}

/* LI field: a byte, or FF and two. */
static void
put_length (GByteArray *out, guint8 tag, gsize length)
{
  const guint8 bytes[] = { tag, 0xFF, (guint8)(length >> 8), (guint8)length };
  const guint8 brief[] = { tag, (guint8)length };
  if (length < 0xFF)
    g_byte_array_append (out, brief, sizeof brief);
  else
    g_byte_array_append (out, bytes, sizeof bytes);
}

GByteArray *
iv_request_association (void)
{
  static const guint8 trailer[TRAILER] = { 0 };
  g_autoptr (GByteArray) user = g_byte_array_new ();
  GByteArray *out = g_byte_array_new ();
  put_user_info (user);
  const guint8 asn[] = { 0x82, (guint8)(user->len >> 8), (guint8)user->len };
  gsize presentation = sizeof PRESENTATION + sizeof asn + user->len + TRAILER;
  put_length (out, IV_SESSION_REQUEST, sizeof SESSION + 4 + presentation);
  g_byte_array_append (out, SESSION, sizeof SESSION);
  put_length (out, 0xC1, presentation);
  g_byte_array_append (out, PRESENTATION, sizeof PRESENTATION);
  g_byte_array_append (out, asn, sizeof asn);
  g_byte_array_append (out, user->data, user->len);
  g_byte_array_append (out, trailer, TRAILER);
  return out;
}

/* ---- Requests -------------------------------------------------------------------------------- */

/* body goes to the MDS object: after its id and a scope or the like. */
static GByteArray *
operation (guint type, guint id, guint command, const GByteArray *body)
{
  GByteArray *out = g_byte_array_new ();
  iv_put_u32 (out, 0xE1000002);
  iv_put_u32 (out, type << 16 | (6 + body->len));
  iv_put_u32 (out, id << 16 | command);
  iv_put_u16 (out, body->len);
  g_byte_array_append (out, body->data, body->len);
  return out;
}

static void
put_mds (GByteArray *body)
{
  iv_put_u32 (body, IV_CLASS_MDS << 16);
  iv_put_u16 (body, 0);
}

GByteArray *
iv_request_poll (guint id, guint class, guint group)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  put_mds (body);
  iv_put_u32 (body, 0); /* scope */
  iv_put_u32 (body, IV_ACTION_POLL << 16 | 8);
  iv_put_u32 (body, id << 16 | 1); /* poll number, partition of objects */
  iv_put_u32 (body, class << 16 | group);
  return operation (IV_INVOKE, id, IV_CONFIRMED_ACTION, body);
}

GByteArray *
iv_request_waves (guint id, guint32 ticks)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  put_mds (body);
  iv_put_u32 (body, 0);
  iv_put_u32 (body, (guint)IV_ACTION_POLL_EXTENDED << 16 | 20);
  iv_put_u32 (body, id << 16 | 1);
  iv_put_u32 (body, IV_CLASS_WAVE << 16 | 0); /* all attributes */
  iv_put_u32 (body, 1u << 16 | 8);
  iv_put_u32 (body, (guint)ATTR_POLL_TIME << 16 | 4);
  iv_put_u32 (body, ticks);
  return operation (IV_INVOKE, id, IV_CONFIRMED_ACTION, body);
}

/* Which waves matter most; the line carries few. A monitor that refuses sends its own choice. */
GByteArray *
iv_request_wave_choice (guint id)
{
  static const guint32 labels[]
      = { 0x00020102, 0x00024BB4, 0x00025000, 0x00020101 }; /* II, pleth, resp, I */
  g_autoptr (GByteArray) body = g_byte_array_new ();
  put_mds (body);
  iv_put_u32 (body, 0);
  iv_put_u32 (body, 1u << 16 | (2 + 4 + 4 + sizeof labels)); /* one modification */
  iv_put_u16 (body, 0);                                      /* replace */
  iv_put_u32 (body, (guint)ATTR_WAVE_PRIORITY << 16 | (4 + sizeof labels));
  iv_put_u32 (body, G_N_ELEMENTS (labels) << 16 | sizeof labels);
  for (guint i = 0; i < G_N_ELEMENTS (labels); i++)
    iv_put_u32 (body, labels[i]);
  return operation (IV_INVOKE, id, IV_CONFIRMED_SET, body);
}

GByteArray *
iv_request_event_result (guint id, const guint8 *object, guint32 time, guint event)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();
  g_byte_array_append (body, object, 6);
  iv_put_u32 (body, time);
  iv_put_u32 (body, event << 16);
  return operation (IV_RESULT, id, IV_CONFIRMED_EVENT, body);
}

GByteArray *
iv_request_abort (void)
{
  GByteArray *out = g_byte_array_new ();
  return g_byte_array_append (out, ABORTING, sizeof ABORTING);
}

GByteArray *
iv_request_release (void)
{
  GByteArray *out = g_byte_array_new ();
  return g_byte_array_append (out, RELEASING, sizeof RELEASING);
}
