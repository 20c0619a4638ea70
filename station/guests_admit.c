/* The doctor lets somebody in: what is bound, recorded and told. */
#include "station/forms.h"
#include "station/guests.h"

typedef struct {
  char *guest, *user;
  WriteDone done;
  void *arg;
} Admitting;

static void
dismiss_waiting (Station *station, Consult *consult, Guest *guest)
{
  guest_dismiss (station, guest, "moved");
  consult_drop_guest (consult, guest);
}

/* The browser that was bound to the invitation before gives way to this one. */
static void
replace_bound (Station *station, Consult *consult, const Guest *by, const char *user)
{
  const Invite *invite = consult_invite (consult, by->invite);
  for (guint i = consult->guests->len; i > 0; i--) {
    Guest *guest = consult->guests->pdata[i - 1];
    if (guest == by || !g_str_equal (guest->invite, by->invite) || guest->state == GUEST_REMOVED)
      continue;
    if (guest->state == GUEST_LOBBY) {
      if (invite->pin != NULL) /* one phone, one patient */
        dismiss_waiting (station, consult, guest);
      continue;
    }
    guest_dismiss (station, guest, invite->pin != NULL ? "moved" : "removed");
    station_write (station, consult->id, "guest", user, guest_body (guest, "removed"), NULL, NULL);
  }
}

/* By what it is proven who this is: what they had, and who let them in (the row's user). */
static json_t *
proof_words (const Invite *invite)
{
  json_t *words = json_array ();
  json_array_append_new (words, json_string ("link"));
  if (invite->pin != NULL)
    json_array_append_new (words, json_string ("pin"));
  json_array_append_new (words, json_string ("browser-key"));
  json_array_append_new (words, json_string ("doctor"));
  return words;
}

static gboolean
has_consented (const Consult *consult, const Guest *guest)
{
  gsize i;
  json_t *consent;
  json_array_foreach (consult->consents, i, consent)
  {
    if (g_strcmp0 (json_string_value (json_object_get (consent, "guest")), guest->id) == 0)
      return TRUE;
  }
  return FALSE;
}

/* What the patient or the representative ticked on the phone, once it is known whose phone it is.
 */
static void
record_consent (Station *station, const Consult *consult, const Guest *guest)
{
  const char *as = json_string_value (json_object_get (guest->about, "as"));
  const char *relation = json_string_value (json_object_get (guest->about, "relation"));
  if (!json_is_true (json_object_get (guest->about, "consent")) || has_consented (consult, guest))
    return;
  g_autofree char *user = g_strconcat ("guest:", guest->id, NULL);
  gboolean represents = g_strcmp0 (as, "representative") == 0;
  station_write (station, consult->id, "consent", user,
                 json_pack ("{s:s, s:[s], s:s, s:s, s:s, s:s, s:s}", "kind",
                            represents ? "representative" : "given", "purposes", "treatment", "by",
                            guest->name, "relation", relation != NULL ? relation : "", "reason", "",
                            "guest", guest->id, "how", "page"),
                 NULL, NULL);
}

static void
admitted (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Admitting *admitting = arg;
  Guest *guest = consult != NULL ? consult_guest (consult, admitting->guest) : NULL;
  if (error == NULL && guest != NULL) {
    station_event (station, consult->id, admitting->user, "guest-admitted", guest->name);
    if (g_str_equal (guest->role, "specialist"))
      forms_guest_admitted (station, consult, admitting->user, guest->facility);
    guest_welcome (station, consult, guest);
  }
  admitting->done (station, consult, seq, error, admitting->arg);
  g_free (admitting->guest);
  g_free (admitting->user);
  g_free (admitting);
}

/* The invitation is this browser's from now on. */
static void
bind_invite (Station *station, const Consult *consult, const Guest *guest, Invite *invite,
             const char *user)
{
  if (invite->pin != NULL && g_strcmp0 (invite->bound, guest->key) != 0) {
    if (invite->bound != NULL)
      station_event (station, consult->id, user, "phone-changed", guest->name);
    g_free (invite->bound);
    invite->bound = g_strdup (guest->key);
  }
  station_write (station, consult->id, "invite", user,
                 invite_body (invite, "admitted", invite->wrong), NULL, NULL);
}

void
guest_let_in (Station *station, Consult *consult, Guest *guest, const char *user, WriteDone done,
              void *arg)
{
  Invite *invite = consult_invite (consult, guest->invite);
  Admitting *admitting = g_new0 (Admitting, 1);
  *admitting = (Admitting){ g_strdup (guest->id), g_strdup (user), done, arg };
  replace_bound (station, consult, guest, user);
  bind_invite (station, consult, guest, invite, user);
  record_consent (station, consult, guest);
  json_decref (guest->proven);
  guest->proven = proof_words (invite);
  guest->other = FALSE;
  if (guest->proof != NULL)
    station_write (station, consult->id, "identity", "station", g_steal_pointer (&guest->proof),
                   NULL, NULL);
  station_write (station, consult->id, "guest", user, guest_body (guest, "admitted"), admitted,
                 admitting);
}
