#include "station/visits_join.h"
#include "station/clock.h"
#include "station/visits.h"

#include <string.h>

#define PROBE_MAX 65536
#define PROBES_MAX 16 /* of one socket */
#define RATE_MAX 10000000

/* ---- "invite.open" --------------------------------------------------------------------------- */

static void
add_appointment (json_t *answer, const json_t *appointment)
{
  json_t *minutes = json_object_get (appointment, "minutes");
  json_t *representative = json_object_get (appointment, "representative");
  gint64 at_us = json_integer_value (json_object_get (appointment, "at_us"));
  if (at_us <= 0)
    return;
  g_autofree char *at = clock_text (at_us);
  json_object_set_new (answer, "at", json_string (at));
  json_object_set (answer, "minutes", minutes);
  if (json_is_object (representative))
    json_object_set (answer, "representative", representative);
}

/* A name is told to the phone that has the invitation, to no other. */
static void
answer_open (Request *request, const Pass *pass)
{
  const Consult *consult = pass->consult;
  json_t *answer
      = json_pack ("{s:b, s:s, s:s}", "other", pass->other, "state",
                   consult_is_planned (consult) ? "scheduled" : "live", "role", pass->invite->role);
  if (!pass->other) {
    add_appointment (answer, consult->appointment);
    json_object_set_new (answer, "name",
                         consult_patient_name (consult) != NULL
                             ? json_string (consult_patient_name (consult))
                             : json_null ());
  }
  request->client->opened = TRUE;
  request_ok (request, answer);
}

void
visits_invite_open (Request *request)
{
  g_auto (Pass) pass = { 0 };
  if (pass_check (request, &pass) && pass_check_pin (request, &pass, visits_invite_open)) {
    answer_open (request, &pass);
    station_changed (request->station);
  }
}

/* ---- "link.probe" ---------------------------------------------------------------------------- */

void
visits_link_probe (Request *request)
{
  gint64 bytes;
  Client *client = request->client;
  if (!request_number (request, "bytes", 0, PROBE_MAX, &bytes))
    return;
  if (!client->opened || client->probes >= PROBES_MAX) {
    request_refuse (request, "out-of-place");
    return;
  }
  client->probes++;
  g_autofree char *pad = g_strnfill ((gsize)bytes, 'x');
  request_ok (request, json_pack ("{s:s}", "pad", pad));
}

/* ---- What a page says of the person ---------------------------------------------------------- */

static gboolean
take_number (const json_t *tests, const char *key, json_t *into)
{
  const json_t *value = json_object_get (tests, key);
  if (value == NULL || json_is_null (value))
    return TRUE;
  if (!json_is_integer (value) || json_integer_value (value) < 0
      || json_integer_value (value) > RATE_MAX)
    return FALSE;
  json_object_set_new (into, key, json_integer (json_integer_value (value)));
  return TRUE;
}

/* {camera, microphone, speaker, link: "good" | "weak" | "bad" | "skipped", rtt_ms, up_kbps,
 * down_kbps}: the page's own word. NULL: it has not that form. */
static json_t *
take_tests (const json_t *tests)
{
  static const char *const what[] = { "camera", "microphone", "speaker", "link" };
  static const char *const words[] = { "good", "weak", "bad", "skipped", NULL };
  static const char *const numbers[] = { "rtt_ms", "up_kbps", "down_kbps" };
  json_auto_t *taken = json_object ();
  for (guint i = 0; i < G_N_ELEMENTS (what); i++) {
    const json_t *value = json_object_get (tests, what[i]);
    const char *word = json_string_value (value);
    if (value != NULL && (word == NULL || !g_strv_contains (words, word)))
      return NULL;
    if (word != NULL)
      json_object_set_new (taken, what[i], json_string (word));
  }
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!take_number (tests, numbers[i], taken))
      return NULL;
  return json_incref (taken);
}

gboolean
visits_take_about (Request *request, const Pass *pass, json_t **ret)
{
  static const char *const kinds[] = { "patient", "representative", NULL };
  const char *as, *relation;
  gboolean consent;
  const json_t *given = json_object_get (request->message, "tests");
  *ret = NULL;
  if (pass->invite->pin == NULL)
    return TRUE;
  if (!request_word (request, "as", OPTIONAL, kinds, &as)
      || !request_text (request, "relation",
                        g_strcmp0 (as, "representative") == 0 ? REQUIRED : OPTIONAL, 100, &relation)
      || !request_flag (request, "consent", &consent))
    return FALSE;
  json_t *tests = take_tests (given);
  if (tests == NULL) {
    request_bad (request, "tests", "wants words and numbers of the tests");
    return FALSE;
  }
  *ret = json_pack ("{s:s, s:s, s:b, s:o}", "as", as != NULL ? as : "patient", "relation",
                    relation != NULL ? relation : "", "consent", consent, "tests", tests);
  return TRUE;
}

char *
visits_guest_name (const Pass *pass, const json_t *message)
{
  const char *as = json_string_value (json_object_get (message, "as"));
  if (pass->invite->pin == NULL || pass->other || g_strcmp0 (as, "representative") == 0)
    return NULL;
  return g_strdup (consult_patient_name (pass->consult));
}
