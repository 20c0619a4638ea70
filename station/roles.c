#include "station/roles.h"
#include "station/station.h"

static Roles
roles_of_word (const char *word)
{
  static const struct {
    const char *word;
    Roles roles;
  } known[] = { { "doctor", ROLE_DOCTOR },
                { "nurse", ROLE_HELPER },
                { "secretary", ROLE_HELPER },
                { "helper", ROLE_HELPER },
                { "administrator", ROLE_ADMINISTRATOR } };
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (known[i].word, word))
      return known[i].roles;
  return 0;
}

Roles
roles_of (Station *station, const char *user)
{
  const User *found = users_find (station->users, user);
  return found != NULL ? roles_of_word (found->role) : 0;
}

static json_t *
names_of (Roles roles)
{
  static const struct {
    Roles role;
    const char *name;
  } names[] = { { ROLE_DOCTOR, "doctor" },
                { ROLE_HELPER, "helper" },
                { ROLE_ADMINISTRATOR, "administrator" } };
  json_t *list = json_array ();
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (roles & names[i].role)
      json_array_append_new (list, json_string (names[i].name));
  return list;
}

gboolean
roles_allow (Request *request, Roles allowed)
{
  if (roles_of (request->station, request->user) & allowed)
    return TRUE;
  const char *vi = "Vai trò của bạn không được làm việc này. Hãy nhờ bác sĩ của trạm.";
  const char *en = "Your role may not do this. Ask a doctor of the station.";
  if (!(allowed & ROLE_DOCTOR)) {
    vi = "Vai trò của bạn không được làm việc này. Hãy nhờ người quản trị trạm.";
    en = "Your role may not do this. Ask the station's administrator.";
  }
  request_refuse_with (request, "not-allowed", vi, en,
                       json_pack ("{s:o}", "roles", names_of (allowed)));
  return FALSE;
}

gboolean
roles_may_write (Station *station, const char *author, const json_t *note)
{
  static const char *const deciding[] = { "conclusion", "decision", NULL };
  const char *kind = json_string_value (json_object_get (note, "kind"));
  return kind == NULL || !g_strv_contains (deciding, kind) || g_str_has_prefix (author, "guest:")
         || (roles_of (station, author) & ROLE_DOCTOR);
}

gboolean
roles_allow_note (Request *request)
{
  return roles_may_write (request->station, request->user, request->message)
         || roles_allow (request, ROLE_DOCTOR);
}
