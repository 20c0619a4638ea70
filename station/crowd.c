#include "station/crowd.h"

#include <gio/gio.h>
#include <string.h>

/* One bucket: when the next one would be in order, as in client.c. */
typedef struct {
  guint rate, burst;
} Pace;

static const Pace arrivals = { CROWD_ARRIVALS_RATE, CROWD_ARRIVALS };
static const Pace requests = { CROWD_REQUESTS_RATE, CROWD_REQUESTS };

typedef struct {
  char *name;
  guint members;
  gint64 arrivals_us, requests_us; /* of the buckets */
} Address;

struct CrowdMember {
  Crowd *crowd;
  Address *address;
  void *who;
  CrowdUse use;
  gint64 since; /* of this use */
  gboolean local, going;
};

struct Crowd {
  const CrowdEvents *events;
  void *arg;
  GHashTable *addresses; /* name → Address */
  GPtrArray *members;
  CrowdFigures figures;
};

static void
address_free (void *data)
{
  Address *address = data;
  g_free (address->name);
  g_free (address);
}

Crowd *
crowd_new (const CrowdEvents *events, void *arg)
{
  Crowd *crowd = g_new0 (Crowd, 1);
  crowd->events = events;
  crowd->arg = arg;
  crowd->addresses = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, address_free);
  crowd->members = g_ptr_array_new ();
  return crowd;
}

void
crowd_free (Crowd *crowd)
{
  if (crowd == NULL)
    return;
  g_hash_table_unref (crowd->addresses);
  g_ptr_array_unref (crowd->members);
  g_free (crowd);
}

/* ---- Addresses --------------------------------------------------------------------------------
 */

/* What counts as one: whoever has an IPv6 address has 2⁶⁴ of them. (transfer full) */
static char *
name_of (const char *text, gboolean *ret_local)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);
  *ret_local = address != NULL && (g_str_equal (text, "127.0.0.1") || g_str_equal (text, "::1"));
  if (address == NULL || g_inet_address_get_family (address) != G_SOCKET_FAMILY_IPV6)
    return g_strdup (text);
  guint8 bytes[16];
  memcpy (bytes, g_inet_address_to_bytes (address), sizeof bytes);
  if (!*ret_local)
    memset (bytes + 8, 0, 8);
  g_autoptr (GInetAddress) net = g_inet_address_new_from_bytes (bytes, G_SOCKET_FAMILY_IPV6);
  return g_inet_address_to_string (net);
}

static gboolean
is_empty (void *key, void *value, void *data)
{
  return ((Address *)value)->members == 0;
}

static Address *
find_address (Crowd *crowd, const char *text, gboolean *ret_local)
{
  g_autofree char *name = name_of (text, ret_local);
  Address *address = g_hash_table_lookup (crowd->addresses, name);
  if (address != NULL)
    return address;
  /* Who is not here is forgotten: better than to grow. */
  if (g_hash_table_size (crowd->addresses) >= CROWD_ADDRESSES)
    g_hash_table_foreach_remove (crowd->addresses, is_empty, NULL);
  address = g_new0 (Address, 1);
  address->name = g_steal_pointer (&name);
  g_hash_table_insert (crowd->addresses, address->name, address);
  return address;
}

static gboolean
take (gint64 *bucket, const Pace *pace, gint64 now)
{
  gint64 cost = G_USEC_PER_SEC / pace->rate;
  gint64 next = MAX (*bucket, now - cost * pace->burst) + cost;
  if (next > now)
    return FALSE;
  *bucket = next;
  return TRUE;
}

/* ---- Coming and going -------------------------------------------------------------------------
 */

static gboolean
may_go (const Crowd *crowd, const CrowdMember *member, gboolean local, gint64 now)
{
  gint64 age = now - member->since;
  if (member->going || member->local != local)
    return FALSE;
  if (member->use == CROWD_ASKING)
    return age >= CROWD_ANSWER_S * G_USEC_PER_SEC;
  if (member->use == CROWD_SOCKET)
    return age >= CROWD_GRACE_S * G_USEC_PER_SEC
           && !crowd->events->is_known (member->who, crowd->arg);
  return TRUE;
}

/* By what they do; the longest first. */
static gboolean
goes_before (const CrowdMember *one, const CrowdMember *other)
{
  if (other == NULL || one->use != other->use)
    return other == NULL || one->use < other->use;
  return one->since < other->since;
}

static gboolean
make_room (Crowd *crowd, gboolean local, gint64 now)
{
  CrowdMember *first = NULL;
  for (guint i = 0; i < crowd->members->len; i++) {
    CrowdMember *member = crowd->members->pdata[i];
    if (may_go (crowd, member, local, now) && goes_before (member, first))
      first = member;
  }
  if (first == NULL)
    return FALSE;
  first->going = TRUE;
  crowd->figures.dropped++;
  crowd->events->drop (first->who, crowd->arg);
  return TRUE;
}

static CrowdAnswer
judge (Crowd *crowd, Address *address, gboolean local, gint64 now)
{
  guint here = local ? crowd->figures.local : crowd->figures.elsewhere;
  if (!local && !take (&address->arrivals_us, &arrivals, now))
    return CROWD_TOO_FAST;
  if (!local && address->members >= CROWD_PER_ADDRESS)
    return CROWD_ADDRESS_FULL;
  if (here >= (local ? CROWD_LOCAL : CROWD_ELSEWHERE) && !make_room (crowd, local, now))
    return CROWD_FULL;
  return CROWD_WELCOME;
}

CrowdAnswer
crowd_may_enter (Crowd *crowd, const char *text, gint64 now)
{
  gboolean local;
  Address *address = find_address (crowd, text, &local);
  CrowdAnswer answer = judge (crowd, address, local, now);
  if (answer != CROWD_WELCOME)
    crowd->figures.refused[answer]++;
  return answer;
}

CrowdMember *
crowd_enter (Crowd *crowd, const char *text, void *who, gint64 now)
{
  CrowdMember *member = g_new0 (CrowdMember, 1);
  member->crowd = crowd;
  member->address = find_address (crowd, text, &member->local);
  member->who = who;
  member->since = now;
  member->address->members++;
  g_ptr_array_add (crowd->members, member);
  *(member->local ? &crowd->figures.local : &crowd->figures.elsewhere) += 1;
  return member;
}

void
crowd_use (CrowdMember *member, CrowdUse use, gint64 now)
{
  if (member->use == use)
    return;
  member->use = use;
  member->since = now;
}

gboolean
crowd_may_ask (CrowdMember *member, gint64 now)
{
  if (member->local || take (&member->address->requests_us, &requests, now))
    return TRUE;
  member->crowd->figures.asked_too_much++;
  return FALSE;
}

gboolean
crowd_is_local (const CrowdMember *member)
{
  return member->local;
}

void
crowd_leave (CrowdMember *member)
{
  Crowd *crowd = member->crowd;
  member->address->members--;
  *(member->local ? &crowd->figures.local : &crowd->figures.elsewhere) -= 1;
  g_ptr_array_remove_fast (crowd->members, member);
  g_free (member);
}

void
crowd_figures (const Crowd *crowd, CrowdFigures *ret)
{
  *ret = crowd->figures;
  ret->addresses = g_hash_table_size (crowd->addresses);
}
